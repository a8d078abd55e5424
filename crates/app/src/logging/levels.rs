//! Which log lines there are, as the setting `log_level` says it.

use super::Asked;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

/// A level for all, and others for parts: `info,faafo_worker=debug`.
#[derive(Debug, Default, PartialEq)]
pub struct Levels {
    all: Option<LevelFilter>,
    parts: Vec<(String, LevelFilter)>,
}

impl Levels {
    /// Reads the setting; `None` if it makes no sense.
    pub fn parse(text: &str) -> Option<Self> {
        let mut levels = Self::default();
        for directive in text.split(',').map(str::trim) {
            match directive.split_once('=') {
                None => levels.all = Some(level(directive)?),
                Some((part, directive)) if !part.trim().is_empty() => {
                    let part = part.trim().to_owned();
                    levels.parts.push((part, level(directive.trim())?));
                }
                Some(_) => return None,
            }
        }
        Some(levels)
    }

    /// Together with what the flags ask for.
    pub(super) fn targets(self, asked: Asked) -> Targets {
        let level = match asked {
            Asked::Exactly(level) => level,
            Asked::Otherwise(level) => self.all.unwrap_or(level),
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
            .with_targets(self.parts)
    }
}

/// By name; the numbers that would be levels as well are nobody's idea of one.
fn level(name: &str) -> Option<LevelFilter> {
    let known = ["off", "error", "warn", "info", "debug", "trace"];
    let name = name.to_ascii_lowercase();
    known
        .contains(&name.as_str())
        .then(|| name.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    fn targets(text: &str, asked: Asked) -> Targets {
        Levels::parse(text).unwrap().targets(asked)
    }

    #[test]
    fn parts_have_levels_of_their_own() {
        let otherwise = Asked::Otherwise(LevelFilter::INFO);
        let targets = targets("warn, faafo_worker=debug,sqlx=off", otherwise);
        assert!(targets.would_enable("faafo_worker::slot", &Level::DEBUG));
        assert!(!targets.would_enable("faafo_server", &Level::INFO));
        assert!(targets.would_enable("faafo_server", &Level::WARN));
        assert!(!targets.would_enable("sqlx::query", &Level::ERROR));
    }

    #[test]
    fn a_flag_says_more_than_the_setting() {
        let targets = targets("error", Asked::Exactly(LevelFilter::DEBUG));
        assert!(targets.would_enable("faafo_server", &Level::DEBUG));
        assert!(!targets.would_enable("hyper", &Level::DEBUG));
    }

    #[test]
    fn nonsense_is_no_level() {
        for text in [
            "",
            "loud",
            "3",
            "info,,",
            "=debug",
            "faafo=",
            "faafo_worker=9",
        ] {
            assert_eq!(Levels::parse(text), None, "{text}");
        }
    }
}
