//! Flags of `faafo create`.

use super::recipe::RecipeArgs;
use clap::Args;
use faafo_model::limits::MAX_PRIORITY;

/// Flags of `faafo create`.
#[derive(Debug, Clone, Args)]
pub struct CreateArgs {
    /// Number of fractals
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = positive())]
    pub tasks: Option<u32>,
    /// Least number of fractals drawn [default: 1]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = positive())]
    pub min_tasks: Option<u32>,
    /// Greatest number of fractals drawn [default: 10]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = positive())]
    pub max_tasks: Option<u32>,
    /// How urgent, from -100 to 100; above 0 it overtakes what is queued already [default: 0]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = priority())]
    pub priority: Option<i64>,
    /// Only say what it would take: work, bytes, bands, time with the workers now present
    #[arg(long, conflicts_with = "wait")]
    pub dry_run: bool,
    /// Wait until every picture is done; fail if one failed
    #[arg(long)]
    pub wait: bool,
    /// Print rows as lines of JSON instead of UUIDs
    #[arg(long)]
    pub json: bool,
    // Last, because its last heading would go on.
    #[command(flatten)]
    pub recipe: RecipeArgs,
}

/// The range of priorities.
pub fn priority() -> clap::builder::RangedI64ValueParser<i64> {
    clap::value_parser!(i64).range(-MAX_PRIORITY..=MAX_PRIORITY)
}

fn positive() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..)
}
