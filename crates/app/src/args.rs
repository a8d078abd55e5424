//! The command line: every flag and command, and nothing of what they do.

mod create;
mod query;
mod up;

pub use create::CreateArgs;
pub use query::{DeleteArgs, GetArgs, ListArgs, ShowArgs, WatchArgs};
pub use up::UpArgs;

use crate::config::Override;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Fractals as a service: makes, keeps and shows pictures.
///
/// Without a command it is `faafo up`: the whole service in one process, with nothing to install.
#[derive(Debug, Parser)]
#[command(name = "faafo", version)]
pub struct Cli {
    #[command(flatten)]
    pub global: GlobalArgs,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Flags that every command takes, before or after its name.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct GlobalArgs {
    /// The service to talk to [default: http://localhost:8080] [env: FAAFO_ENDPOINT_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Settings to read [default: ./faafo.toml, else ~/.config/faafo/faafo.toml, else /etc/faafo/faafo.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// Say on stderr what is done
    #[arg(long, short = 'v', global = true)]
    pub verbose: bool,
    /// Say on stderr what is done in detail
    #[arg(long, short = 'd', global = true)]
    pub debug: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole service in this process
    Up(UpArgs),
    /// Ask for fractals; what is not given is drawn at random
    Create(Box<CreateArgs>),
    /// List all fractals
    List(ListArgs),
    /// Show what is known about a fractal
    Show(ShowArgs),
    /// Download a fractal's picture
    Get(GetArgs),
    /// Delete fractals
    Delete(DeleteArgs),
    /// Print what happens to fractals while it happens
    Watch(WatchArgs),
    /// Look at the settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page of faafo or of one of its commands
    Man {
        /// The command
        command: Option<String>,
    },
}

/// What to do with the settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check file and environment, and say what is wrong with them
    Check,
    /// Print the effective settings and where each comes from; passwords are hidden
    Show,
}

impl Cli {
    /// The settings that flags override.
    pub fn overrides(&self) -> Vec<Override> {
        let mut overrides = match &self.command {
            Some(Command::Up(args)) => args.overrides(),
            _ => Vec::new(),
        };
        if let Some(url) = &self.global.endpoint_url {
            overrides.push(Override::new("endpoint_url", "--endpoint-url", url.clone()));
        }
        overrides
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Cli {
        Cli::try_parse_from(line.split_whitespace()).unwrap()
    }

    #[test]
    fn the_argument_definitions_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_original_s_commands_still_parse() {
        let uuid = "00000000-0000-4000-8000-000000000001";
        for command in [
            "create",
            "list",
            &format!("show {uuid}"),
            &format!("get {uuid}"),
            &format!("delete {uuid}"),
        ] {
            let cli = parse(&format!(
                "faafo --endpoint-url http://localhost:8080 --verbose {command}"
            ));
            assert!(cli.global.verbose);
        }
    }

    #[test]
    fn global_flags_stand_before_or_after_the_command() {
        for line in [
            "faafo --endpoint-url http://a list",
            "faafo list --endpoint-url http://a",
        ] {
            assert_eq!(parse(line).global.endpoint_url.as_deref(), Some("http://a"));
        }
    }

    #[test]
    fn no_command_at_all_is_allowed() {
        assert!(parse("faafo").command.is_none());
    }
}
