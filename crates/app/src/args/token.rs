//! Flags of `faafo token`.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use faafo_model::Uuid;
use faafo_server::Scope;

/// What to do with the tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and print it; nobody can find it out later
    Create(TokenCreateArgs),
    /// List all tokens: their ids, scopes and labels
    List(TokenListArgs),
    /// Revoke tokens: from now on they allow nothing
    Revoke(TokenRevokeArgs),
}

/// Where the tokens are.
#[derive(Debug, Args)]
pub struct TokenPlace {
    /// Go to the database itself instead of asking the service, for whoever has lost all tokens; without a URL it is the
    /// one in the settings, or that of the data folder
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "")]
    pub database_url: Option<String>,
}

/// Flags of `faafo token create`.
#[derive(Debug, Args)]
pub struct TokenCreateArgs {
    /// What it allows: to look (read), to make and delete fractals as well (write), a worker's work (worker), everything
    /// (admin)
    #[arg(long, value_parser = scope_parser())]
    pub scope: Scope,
    /// What it is for, in your own words
    #[arg(long, default_value = "", hide_default_value = true)]
    pub label: String,
    #[command(flatten)]
    pub place: TokenPlace,
}

/// Flags of `faafo token list`.
#[derive(Debug, Args)]
pub struct TokenListArgs {
    /// Print each token as a line of JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: TokenPlace,
}

/// Flags of `faafo token revoke`.
#[derive(Debug, Args)]
pub struct TokenRevokeArgs {
    /// The tokens' ids
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<Uuid>,
    #[command(flatten)]
    pub place: TokenPlace,
}

impl TokenCommand {
    /// Where the tokens are.
    pub fn place(&self) -> &TokenPlace {
        match self {
            Self::Create(args) => &args.place,
            Self::List(args) => &args.place,
            Self::Revoke(args) => &args.place,
        }
    }
}

fn scope_parser() -> impl TypedValueParser<Value = Scope> {
    PossibleValuesParser::new(Scope::ALL.map(Scope::name)).try_map(|name| name.parse::<Scope>())
}
