//! Where log lines go: stderr, with time, level and target. Results go to stdout and never through here.

use crate::args::Cli;
use std::io::IsTerminal;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Sends log lines of the level that the flags ask for to stderr, coloured only on a terminal.
pub fn start(cli: &Cli) {
    let level = level(cli);
    // Libraries have a lot to say at debug level that is about themselves.
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::INFO))
        .with_target("faafo", level)
        // It tells of every broken connection again, and prints messages; ours says it once.
        .with_target("lapin", LevelFilter::OFF)
        // Notices such as "already exists, skipping".
        .with_target("sqlx", LevelFilter::WARN);
    let colours = std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(colours);
    // Fails only where a subscriber is installed already, which then does the job.
    let _ = tracing_subscriber::registry()
        .with(targets)
        .with(lines)
        .try_init();
}

/// Clients are quiet unless told otherwise; services tell what they do.
fn level(cli: &Cli) -> LevelFilter {
    if cli.global.debug {
        LevelFilter::DEBUG
    } else if cli.global.verbose || cli.is_service() {
        LevelFilter::INFO
    } else {
        LevelFilter::WARN
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn level_of(line: &str) -> LevelFilter {
        level(&Cli::try_parse_from(line.split_whitespace()).unwrap())
    }

    #[test]
    fn clients_are_quiet_until_asked_and_services_are_not() {
        assert_eq!(level_of("faafo list"), LevelFilter::WARN);
        assert_eq!(level_of("faafo --verbose list"), LevelFilter::INFO);
        assert_eq!(level_of("faafo list --debug --verbose"), LevelFilter::DEBUG);
        assert_eq!(level_of("faafo"), LevelFilter::INFO);
        assert_eq!(level_of("faafo up"), LevelFilter::INFO);
    }
}
