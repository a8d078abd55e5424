//! The faafo executable: every role and every client command.

mod args;
mod client;
mod commands;
mod config;
mod logging;
mod output;
mod service;
mod table;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = args::Cli::of_process();
    output::exit_code(commands::run(cli))
}
