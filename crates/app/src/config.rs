//! Settings: defaults, overridden by a file, by `FAAFO_…` environment variables, by flags, in this order.

mod find;
mod keys;
mod redact;
mod settings;
mod show;

pub use find::{Environment, environment};
pub use redact::redact;
pub use settings::{Override, Settings};

use anyhow::Context;
use serde::Deserialize;
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// The effective settings. Names, defaults and meanings stand in the table of keys.
#[derive(Clone, PartialEq, Deserialize)]
pub struct Config {
    /// The service that client commands talk to: `endpoint_url`, `FAAFO_ENDPOINT_URL`, default http://localhost:8080.
    pub endpoint_url: String,
    /// Where the service listens: `listen_address`, `FAAFO_LISTEN_ADDRESS`, default 127.0.0.1.
    pub listen_address: IpAddr,
    /// The port it listens on, 0 for any: `bind_port`, `FAAFO_BIND_PORT`, default 8080.
    pub bind_port: u16,
    /// Folder for everything it keeps: `data`, `FAAFO_DATA`, default ./faafo-data.
    pub data: PathBuf,
    /// `database_url`, `FAAFO_DATABASE_URL`; unset: an SQLite file in `data`.
    pub database_url: Option<String>,
    /// `transport_url`, `FAAFO_TRANSPORT_URL`; unset: a queue inside the process.
    pub transport_url: Option<String>,
    /// `storage_url`, `FAAFO_STORAGE_URL`; unset: files in `data`.
    pub storage_url: Option<String>,
    /// The largest width × height accepted, in pixels: `max_area`, `FAAFO_MAX_AREA`, default 400000000.
    pub max_area: u64,
    /// Pictures rendered at the same time, of each urgency: `slots`, `FAAFO_SLOTS`; 0: nothing is rendered; unset: one more
    /// than threads.
    pub slots: Option<usize>,
    /// Threads that render: `threads`, `FAAFO_THREADS`; unset: one for each core.
    pub threads: Option<NonZeroUsize>,
    /// Whether an empty data folder gets a first picture: `welcome`, `FAAFO_WELCOME`, default true.
    pub welcome: bool,
}

impl fmt::Debug for Config {
    /// Without passwords: this may end up in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = |url: &Option<String>| url.as_deref().map(redact);
        f.debug_struct("Config")
            .field("endpoint_url", &redact(&self.endpoint_url))
            .field("listen_address", &self.listen_address)
            .field("bind_port", &self.bind_port)
            .field("data", &self.data)
            .field("database_url", &hidden(&self.database_url))
            .field("transport_url", &hidden(&self.transport_url))
            .field("storage_url", &hidden(&self.storage_url))
            .field("max_area", &self.max_area)
            .field("slots", &self.slots)
            .field("threads", &self.threads)
            .field("welcome", &self.welcome)
            .finish()
    }
}

/// Collects the settings from everywhere. `named` is the file the user named, if any.
///
/// # Errors
/// A file that is named and can't be read, an unknown key, or a value that its key may not hold; each names the key
/// and where it stands.
pub fn load(
    named: Option<&Path>,
    environment: &Environment,
    overrides: Vec<Override>,
) -> anyhow::Result<Settings> {
    let mut settings = Settings::defaults()?;
    if let Some((path, text)) = find::file(named, environment)? {
        settings.add_file(&path, &text)?;
    }
    settings.add_environment(environment)?;
    settings.add_overrides(overrides)?;
    Ok(settings)
}

impl Settings {
    /// The settings as the program uses them.
    ///
    /// # Errors
    /// None once every layer has been checked, which adding it does.
    pub fn config(&self) -> anyhow::Result<Config> {
        self.table().try_into().context("the settings don't fit")
    }
}

#[cfg(test)]
mod tests;
