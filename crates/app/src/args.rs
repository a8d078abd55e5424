//! The command line: every flag and command, and nothing of what they do.

mod bench;
mod create;
mod observe;
mod query;
mod recipe;
mod render;
mod roles;
mod storage;
mod token;
mod up;

pub use bench::BenchArgs;
pub use create::CreateArgs;
pub use observe::ObserveArgs;
pub use query::{
    ControlArgs, DeleteArgs, GetArgs, ListArgs, PriorityArgs, ShowArgs, WatchArgs, WorkersArgs,
};
pub use recipe::{RANDOM_REAL, RANDOM_WHOLE, RecipeArgs};
pub use render::RenderArgs;
pub use roles::{ApiArgs, ProducerArgs, TrackerArgs, WorkerArgs};
pub use storage::{CheckArgs, MigrateArgs, StorageCommand};
pub use token::TokenCommand;
pub use up::UpArgs;

use crate::config::Override;
use clap::{Args, Parser, Subcommand};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

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
    /// The service to talk to; given several times, the next one is tried where one does not answer
    /// [default: http://localhost:8080] [env: FAAFO_ENDPOINT_URL]
    #[arg(
        long,
        short = 'e',
        global = true,
        value_name = "URL",
        value_delimiter = ','
    )]
    pub endpoint_url: Vec<String>,
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
    /// Serve REST and pages, beside others that do the rest
    Api(ApiArgs),
    /// Take tasks from the queue, render them and store the pictures
    Worker(WorkerArgs),
    /// Keep database and queue in step
    Tracker(TrackerArgs),
    /// Ask for random fractals again and again, for demonstrations and load
    Producer(Box<ProducerArgs>),
    /// Ask for fractals; what is not given is drawn at random
    Create(Box<CreateArgs>),
    /// Render a picture, or its numbers, on this machine, without any service
    Render(Box<RenderArgs>),
    /// List all fractals
    List(ListArgs),
    /// Show what is known about a fractal
    Show(ShowArgs),
    /// Download a fractal's picture
    Get(GetArgs),
    /// Delete fractals
    Delete(DeleteArgs),
    /// Withdraw fractals that are not done yet
    Cancel(ControlArgs),
    /// Queue failed or cancelled fractals again
    Retry(ControlArgs),
    /// Let fractals that wait be rendered sooner or later than others
    Priority(PriorityArgs),
    /// List the workers heard of within a day
    Workers(WorkersArgs),
    /// Print what happens to fractals while it happens
    Watch(WatchArgs),
    /// Check stored pictures, or move them to another store
    #[command(subcommand)]
    Storage(StorageCommand),
    /// Say who may do what: make, list and revoke tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Measure how fast this machine renders, against what its processor could do at most
    Bench(BenchArgs),
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
    /// Reads the arguments of this process. Under the name faafo-api (faafo-worker, …) it is that command.
    pub fn of_process() -> Self {
        Self::parse_from(with_role(std::env::args_os().collect()))
    }

    /// Whether this is a role that runs until it is stopped.
    pub fn is_service(&self) -> bool {
        use Command::{Api, Producer, Tracker, Up, Worker};
        matches!(
            self.command,
            None | Some(Up(_) | Api(_) | Worker(_) | Tracker(_) | Producer(_))
        )
    }

    /// The settings that flags override.
    pub fn overrides(&self) -> Vec<Override> {
        let mut overrides = match &self.command {
            Some(Command::Up(args)) => args.overrides(),
            Some(Command::Api(args)) => args.overrides(),
            Some(Command::Worker(args)) => args.overrides(),
            Some(Command::Tracker(args)) => args.overrides(),
            Some(Command::Storage(command)) => command.overrides(),
            _ => Vec::new(),
        };
        if !self.global.endpoint_url.is_empty() {
            let urls = self.global.endpoint_url.join(",");
            overrides.push(Override::new("endpoint_url", "--endpoint-url", urls));
        }
        overrides
    }
}

/// Arguments with the command that the program's own name stands for, if it does.
fn with_role(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let name = arguments
        .first()
        .and_then(|path| Path::new(path).file_name())
        .and_then(OsStr::to_str);
    if let Some(role @ ("api" | "worker" | "tracker" | "producer")) =
        name.and_then(|name| name.strip_prefix("faafo-"))
    {
        let role = OsString::from(role);
        arguments.insert(1, role);
    }
    arguments
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
            assert_eq!(parse(line).global.endpoint_url, ["http://a"]);
        }
    }

    #[test]
    fn under_a_role_s_name_the_program_is_that_role() {
        let arguments =
            |line: &str| with_role(line.split_whitespace().map(OsString::from).collect());
        assert_eq!(
            arguments("/usr/bin/faafo-worker --slots 2"),
            ["/usr/bin/faafo-worker", "worker", "--slots", "2"]
        );
        assert_eq!(arguments("faafo list"), ["faafo", "list"]);
        assert_eq!(arguments("faafo-other x"), ["faafo-other", "x"]);
    }

    #[test]
    fn no_command_at_all_is_allowed() {
        assert!(parse("faafo").command.is_none());
    }
}
