//! The setting `log_level`: which log lines there are.

use tracing::level_filters::LevelFilter;

/// A level for all, and others for parts: `info,faafo_worker=debug`.
#[derive(Debug, Default, PartialEq)]
pub struct Levels {
    /// Of everything that has no level of its own.
    pub all: Option<LevelFilter>,
    /// Of targets, by the beginning of their names.
    pub parts: Vec<(String, LevelFilter)>,
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
