//! Where log lines go: stderr, with time, level and target; plain for people, or as JSON. Results go to stdout and never
//! through here.

mod json;

use crate::args::Cli;
use crate::config::{Config, Levels, LogFormat};
use json::JsonLines;
use std::io::{IsTerminal, Write};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;
use tracing_subscriber::util::SubscriberInitExt;

/// Sends log lines of the level that flags and settings ask for to stderr, coloured only on a terminal.
pub fn start(cli: &Cli, config: &Config) {
    let levels = config.log_level.as_deref().and_then(Levels::parse);
    let targets = targets(levels.unwrap_or_default(), level(cli));
    let colours = std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let lines = match config.log_format {
        LogFormat::Plain => tracing_subscriber::fmt::layer()
            .with_writer(|| OneLine)
            .with_ansi(colours)
            .boxed(),
        LogFormat::Json => JsonLines.boxed(),
    };
    // Fails only where a subscriber is installed already, which then does the job.
    let _ = registry().with(lines.with_filter(targets)).try_init();
}

/// Writes each line to stderr as one, whatever texts of strangers are in it.
struct OneLine;

impl Write for OneLine {
    /// A whole line, its end included.
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        std::io::stderr().write_all(one_line(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

fn one_line(line: &str) -> String {
    let mut one = String::with_capacity(line.len());
    for letter in line.strip_suffix('\n').unwrap_or(line).chars() {
        // Colours are made of escapes; those in texts are harmless by now.
        match letter.is_control() && letter != '\u{1b}' {
            true => one.extend(letter.escape_default()),
            false => one.push(letter),
        }
    }
    one.push('\n');
    one
}

/// What the flags ask for: more than a setting may say.
enum Asked {
    /// This, whatever the settings say.
    Exactly(LevelFilter),
    /// This, unless the settings say something else.
    Otherwise(LevelFilter),
}

/// Clients are quiet unless told otherwise; services tell what they do.
fn level(cli: &Cli) -> Asked {
    if cli.global.debug {
        Asked::Exactly(LevelFilter::DEBUG)
    } else if cli.global.verbose {
        Asked::Exactly(LevelFilter::INFO)
    } else if cli.is_service() {
        Asked::Otherwise(LevelFilter::INFO)
    } else {
        Asked::Otherwise(LevelFilter::WARN)
    }
}

/// What the setting says together with what the flags ask for.
fn targets(levels: Levels, asked: Asked) -> Targets {
    let level = match asked {
        Asked::Exactly(level) => level,
        Asked::Otherwise(level) => levels.all.unwrap_or(level),
    };
    // Libraries have a lot to say at debug level that is about themselves.
    Targets::new()
        .with_default(level.min(LevelFilter::INFO))
        .with_target("faafo", level)
        // It tells of every broken connection again, and prints messages; ours says it once.
        .with_target("lapin", LevelFilter::OFF)
        // Notices such as "already exists, skipping".
        .with_target("sqlx", level.min(LevelFilter::WARN))
        // It takes a database that went away for an error of ours, which our own lines don't.
        .with_target("sqlx_core::pool", LevelFilter::OFF)
        .with_targets(levels.parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use tracing::Level;

    fn level_of(line: &str) -> LevelFilter {
        match level(&Cli::try_parse_from(line.split_whitespace()).unwrap()) {
            Asked::Exactly(level) | Asked::Otherwise(level) => level,
        }
    }

    #[test]
    fn clients_are_quiet_until_asked_and_services_are_not() {
        assert_eq!(level_of("faafo list"), LevelFilter::WARN);
        assert_eq!(level_of("faafo --verbose list"), LevelFilter::INFO);
        assert_eq!(level_of("faafo list --debug --verbose"), LevelFilter::DEBUG);
        assert_eq!(level_of("faafo"), LevelFilter::INFO);
        assert_eq!(level_of("faafo up"), LevelFilter::INFO);
    }

    #[test]
    fn a_line_stays_one_line_whatever_is_in_it() {
        let forged = "WARN no palette \"x\r\n2026-01-01 INFO all is well\u{85}\"\n";
        let line = one_line(forged);
        assert_eq!(
            line,
            "WARN no palette \"x\\r\\n2026-01-01 INFO all is well\\u{85}\"\n"
        );
        assert_eq!(one_line("no end"), "no end\n");
    }

    fn targets_of(text: &str, asked: Asked) -> Targets {
        targets(Levels::parse(text).unwrap(), asked)
    }

    #[test]
    fn parts_have_levels_of_their_own() {
        let otherwise = Asked::Otherwise(LevelFilter::INFO);
        let targets = targets_of("warn, faafo_worker=debug,sqlx=off", otherwise);
        assert!(targets.would_enable("faafo_worker::slot", &Level::DEBUG));
        assert!(!targets.would_enable("faafo_server", &Level::INFO));
        assert!(targets.would_enable("faafo_server", &Level::WARN));
        assert!(!targets.would_enable("sqlx::query", &Level::ERROR));
    }

    #[test]
    fn a_flag_says_more_than_the_setting() {
        let targets = targets_of("error", Asked::Exactly(LevelFilter::DEBUG));
        assert!(targets.would_enable("faafo_server", &Level::DEBUG));
        assert!(!targets.would_enable("hyper", &Level::DEBUG));
    }
}
