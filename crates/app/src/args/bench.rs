//! Flags of `faafo bench`.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use faafo_kernel::Level;

/// Flags of `faafo bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Measure only this level of instructions; may be given several times [default: all that this machine has]
    #[arg(long, value_name = "LEVEL", value_parser = level_parser())]
    pub level: Vec<Level>,
    /// Seconds that each measurement goes on, of which the fastest run counts
    #[arg(long, value_name = "S", default_value_t = 0.3, value_parser = seconds)]
    pub seconds: f64,
    /// Also the picture of 100 million pixels, at the fastest level
    #[arg(long)]
    pub large: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

fn level_parser() -> impl TypedValueParser<Value = Level> {
    PossibleValuesParser::new(Level::ALL.map(Level::name))
        .try_map(|name| Level::named(&name).ok_or("no such level"))
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=600.0).contains(&seconds) => Ok(seconds),
        _ => Err("must be a number from 0 to 600".to_owned()),
    }
}
