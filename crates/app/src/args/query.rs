//! Flags of the commands that look at fractals, fetch or delete them.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use faafo_model::{State, Uuid};
use std::path::PathBuf;

/// Flags of `faafo list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// List only fractals in this state
    #[arg(long, value_parser = state_parser())]
    pub state: Option<State>,
    /// Print each row as a line of JSON
    #[arg(long)]
    pub json: bool,
}

/// Flags of `faafo show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The fractal
    pub uuid: Uuid,
    /// Print the row as a line of JSON
    #[arg(long)]
    pub json: bool,
}

/// Flags of `faafo get`.
#[derive(Debug, Args)]
pub struct GetArgs {
    /// The fractal
    pub uuid: Uuid,
    /// Where to store the picture, or - for standard output [default: <uuid>.png, of numbers <uuid>.npy]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Wait until the picture is done
    #[arg(long)]
    pub wait: bool,
}

/// Flags of `faafo delete`.
#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// The fractals
    #[arg(required = true, value_name = "UUID")]
    pub uuids: Vec<Uuid>,
}

/// Flags of `faafo cancel` and `faafo retry`.
#[derive(Debug, Args)]
pub struct ControlArgs {
    /// The fractals
    #[arg(required_unless_present_any = ["state", "all"], value_name = "UUID")]
    pub uuids: Vec<Uuid>,
    /// All fractals in this state
    #[arg(long, value_parser = state_parser(), conflicts_with = "uuids")]
    pub state: Option<State>,
    /// All fractals for which it makes sense
    #[arg(long, conflicts_with_all = ["uuids", "state"])]
    pub all: bool,
}

/// Flags of `faafo priority`.
#[derive(Debug, Args)]
pub struct PriorityArgs {
    /// From -100 to 100; above 0 they overtake what is queued already
    #[arg(allow_negative_numbers = true, value_parser = super::create::priority())]
    pub priority: i64,
    /// The fractals
    #[arg(required = true, value_name = "UUID")]
    pub uuids: Vec<Uuid>,
}

/// Flags of `faafo workers`.
#[derive(Debug, Args)]
pub struct WorkersArgs {
    /// Print each worker as a line of JSON
    #[arg(long)]
    pub json: bool,
}

/// Flags of `faafo watch`.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// Watch only these, until nothing more happens to them
    #[arg(value_name = "UUID")]
    pub uuids: Vec<Uuid>,
    /// Print each event as a line of JSON
    #[arg(long)]
    pub json: bool,
}

fn state_parser() -> impl TypedValueParser<Value = State> {
    PossibleValuesParser::new(State::ALL.map(State::name)).try_map(|name| name.parse::<State>())
}
