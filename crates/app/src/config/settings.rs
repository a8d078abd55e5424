//! The layers of settings, and where each value comes from.

use super::keys::{self, KEYS, Key};
use super::{Environment, redact};
use anyhow::{Context, bail};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Values by key, each with its origin. Keys without a value are unset.
#[derive(Default)]
pub struct Settings {
    values: BTreeMap<&'static str, (Value, Origin)>,
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// Built in.
    Default,
    /// This file.
    File(PathBuf),
    /// This environment variable.
    Environment(String),
    /// This flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(variable) => write!(f, "environment {variable}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// A setting that a flag sets.
#[derive(Debug, PartialEq)]
pub struct Override {
    key: &'static str,
    flag: &'static str,
    value: Value,
}

impl Override {
    /// `flag` sets `key`.
    pub fn new(key: &'static str, flag: &'static str, value: impl Into<Value>) -> Self {
        Self {
            key,
            flag,
            value: value.into(),
        }
    }
}

impl Settings {
    /// What holds where nothing else is said.
    pub fn defaults() -> anyhow::Result<Self> {
        let mut settings = Self::default();
        for key in KEYS {
            if let Some(default) = key.default {
                let table: Table = format!("{} = {default}", key.name).parse()?;
                settings.add_table(table, Origin::Default)?;
            }
        }
        Ok(settings)
    }

    /// Adds the settings in a file.
    pub fn add_file(&mut self, path: &Path, text: &str) -> anyhow::Result<()> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(1, |before| before.matches('\n').count() + 1);
            anyhow::anyhow!("{} line {line}: {}", path.display(), error.message())
        })?;
        self.add_table(table, Origin::File(path.to_owned()))
            .with_context(|| path.display().to_string())?;
        self.file = Some(path.to_owned());
        Ok(())
    }

    fn add_table(&mut self, table: Table, origin: Origin) -> anyhow::Result<()> {
        for (name, value) in table {
            let Some(key) = keys::find(&name) else {
                bail!(
                    "there is no setting {name:?}; did you mean {:?}?",
                    keys::nearest(&name)
                );
            };
            self.add(key, key.check(value), origin.clone())?;
        }
        Ok(())
    }

    /// Adds the settings in `FAAFO_…` variables. An empty variable is as good as none.
    pub fn add_environment(&mut self, environment: &Environment) -> anyhow::Result<()> {
        for (variable, text) in environment {
            let Some(name) = variable.strip_prefix("FAAFO_") else {
                continue;
            };
            // For tests; the worker reads it.
            if cfg!(debug_assertions) && name == "FAILPOINT" {
                continue;
            }
            let Some(key) = KEYS.iter().find(|key| key.variable() == *variable) else {
                bail!(
                    "environment: there is no setting {variable}; did you mean FAAFO_{}?",
                    keys::nearest(&name.to_lowercase()).to_uppercase()
                );
            };
            if !text.is_empty() {
                self.add(key, key.read(text), Origin::Environment(variable.clone()))
                    .with_context(|| format!("environment {variable}"))?;
            }
        }
        Ok(())
    }

    /// Adds the settings that flags make.
    pub fn add_overrides(&mut self, overrides: Vec<Override>) -> anyhow::Result<()> {
        for Override { key, flag, value } in overrides {
            let key = keys::find(key).with_context(|| format!("no setting {key} for {flag}"))?;
            self.add(key, key.check(value), Origin::Flag(flag))
                .with_context(|| flag.to_owned())?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        key: &'static Key,
        value: Result<Value, String>,
        origin: Origin,
    ) -> anyhow::Result<()> {
        let value = value.map_err(|demand| anyhow::anyhow!("{} {demand}", key.name))?;
        self.values.insert(key.name, (value, origin));
        Ok(())
    }

    /// The settings whose secrets stand in flags, where whoever lists the processes sees them, each with its flag.
    pub fn secrets_in_flags(&self) -> impl Iterator<Item = (&'static Key, &'static str)> {
        self.iter().filter_map(|(key, value)| match value {
            Some((Value::String(text), Origin::Flag(flag))) if redact(text) != *text => {
                Some((key, *flag))
            }
            _ => None,
        })
    }

    /// Every key with its value and origin, where it has them.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Key, Option<&(Value, Origin)>)> {
        KEYS.iter().map(|key| (key, self.values.get(key.name)))
    }

    /// The values alone.
    pub fn table(&self) -> Table {
        self.values
            .iter()
            .map(|(name, (value, _))| ((*name).to_owned(), value.clone()))
            .collect()
    }
}
