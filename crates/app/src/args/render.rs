//! Flags of `faafo render`.

use super::RecipeArgs;
use clap::Args;
use std::path::PathBuf;

/// Flags of `faafo render`.
#[derive(Debug, Clone, Args)]
pub struct RenderArgs {
    /// Where to write it
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,
    #[command(flatten)]
    pub recipe: RecipeArgs,
}
