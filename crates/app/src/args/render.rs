//! Flags of `faafo render`.

use super::RecipeArgs;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Flags of `faafo render`.
#[derive(Debug, Clone, Args)]
pub struct RenderArgs {
    /// Where to write it
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,
    /// What to write
    #[arg(long, value_enum, default_value_t = RenderFormat::Png)]
    pub format: RenderFormat,
    #[command(flatten)]
    pub recipe: RecipeArgs,
}

/// What a render is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RenderFormat {
    /// The picture, byte for byte as a service would store it
    Png,
    /// Iterations and continuous escape time of each pixel, for NumPy
    Npy,
}
