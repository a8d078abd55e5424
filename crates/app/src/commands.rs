//! What each command does.

mod bench;
mod control;
mod create;
mod delete;
mod documents;
mod get;
mod list;
mod produce;
mod progress;
mod render;
mod settings;
mod show;
mod storage;
mod token;
mod watch;
mod workers;

use crate::args::{Cli, Command};
use crate::client::Client;
use crate::config::{self, Config};
use crate::logging;
use crate::output::Output;
use crate::service::{self, Role};
use anyhow::Context;
use tokio::runtime::Builder;

/// Runs the command that the arguments name.
pub fn run(cli: Cli) -> anyhow::Result<()> {
    match &cli.command {
        Some(Command::Completions { shell }) => return documents::completions(*shell),
        Some(Command::Man { command }) => return documents::man(command.as_deref()),
        Some(Command::Bench(args)) => return bench::run(args),
        Some(Command::Render(args)) => return render::run(args),
        _ => {}
    }
    let settings = config::load(
        cli.global.config_file.as_deref(),
        &config::environment(),
        cli.overrides(),
    )?;
    let config = settings.config()?;
    logging::start(&cli, &config);
    if cli.is_service() {
        for (key, flag) in settings.secrets_in_flags() {
            let variable = key.variable();
            tracing::warn!(
                "{flag} shows its password to everybody who lists processes; {variable} or a settings file does not"
            );
        }
    }
    match cli.command {
        None | Some(Command::Up(_)) => service::run(Role::Up, &config),
        Some(Command::Api(args)) => {
            let role = Role::Api {
                tracker: !args.no_tracker,
            };
            service::run(role, &config)
        }
        Some(Command::Worker(_)) => service::run(Role::Worker, &config),
        Some(Command::Tracker(_)) => service::run(Role::Tracker, &config),
        Some(Command::Storage(command)) => storage::run(&command, &config),
        Some(Command::Config(command)) => settings::run(&command, &settings),
        Some(command) => talk(command, &config),
    }
}

/// Runs a command that talks to a service. One thread does: there is hardly anything to do but to wait.
fn talk(command: Command, config: &Config) -> anyhow::Result<()> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .context("can't start the event loop")?;
    let result = runtime.block_on(async {
        let client = Client::new(&config.endpoint_url, config.token()?)?;
        let mut out = Output::new();
        match command {
            Command::Producer(args) => produce::run(&client, &args, &mut out).await,
            Command::Create(args) if args.dry_run => {
                create::dry_run::run(&client, &args, config.band_area, &mut out).await
            }
            Command::Create(args) => create::run(&client, &args, &mut out).await,
            Command::List(args) => list::run(&client, &args, &mut out).await,
            Command::Show(args) => show::run(&client, &args, &mut out).await,
            Command::Get(args) => get::run(&client, &args, &mut out).await,
            Command::Delete(args) => delete::run(&client, &args).await,
            Command::Cancel(args) => control::run(&client, "cancel", &args, &mut out).await,
            Command::Retry(args) => control::run(&client, "retry", &args, &mut out).await,
            Command::Priority(args) => control::prioritise(&client, &args).await,
            Command::Workers(args) => workers::run(&client, &args, &mut out).await,
            Command::Watch(args) => watch::run(&client, &args, &mut out).await,
            Command::Token(command) => token::run(config, &client, &command, &mut out).await,
            Command::Up(_)
            | Command::Api(_)
            | Command::Worker(_)
            | Command::Tracker(_)
            | Command::Storage(_)
            | Command::Config(_)
            | Command::Bench(_)
            | Command::Render(_)
            | Command::Completions { .. }
            | Command::Man { .. } => anyhow::bail!("this command talks to no service"),
        }?;
        out.flush()
    });
    // A name that takes long to resolve must not hold up the end.
    runtime.shutdown_background();
    result
}
