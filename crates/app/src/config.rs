//! Settings: defaults, overridden by a file, by `FAAFO_…` environment variables, by flags, in this order.

mod find;
mod keys;
mod levels;
mod redact;
mod security;
mod settings;
mod show;

pub use find::{Environment, environment};
pub use levels::Levels;
pub use redact::redact;
pub use security::Access;
pub use settings::{Override, Settings};

use anyhow::Context;
use serde::Deserialize;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// The effective settings. Names, defaults and meanings stand in the table of keys.
#[derive(Clone, PartialEq, Deserialize)]
pub struct Config {
    /// The service that client commands talk to: `endpoint_url`, `FAAFO_ENDPOINT_URL`, default http://localhost:8080.
    pub endpoint_url: String,
    /// The token shown to it: `token`, `FAAFO_TOKEN`; unset: what stands in `token_file`.
    pub token: Option<String>,
    /// A file that holds the token: `token_file`, `FAAFO_TOKEN_FILE`.
    pub token_file: Option<PathBuf>,
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
    /// What needs a token: `access`, `FAAFO_ACCESS`, default auto.
    pub access: Access,
    /// Names of an open service on this machine, with commas in between: `allowed_hosts`, `FAAFO_ALLOWED_HOSTS`.
    pub allowed_hosts: Option<String>,
    /// Whose `X-Forwarded-…` headers are believed: `trusted_proxies`, `FAAFO_TRUSTED_PROXIES`.
    pub trusted_proxies: Option<String>,
    /// Writes a second for each client, 0: no limit: `rate_limit`, `FAAFO_RATE_LIMIT`; unset: 200 unless access is open.
    pub rate_limit: Option<u32>,
    /// `max_connections`, `FAAFO_MAX_CONNECTIONS`, default 8192.
    pub max_connections: usize,
    /// Requests worked on at a time: `max_requests`, `FAAFO_MAX_REQUESTS`, default 1024.
    pub max_requests: usize,
    /// The largest blob taken, in bytes: `max_upload`, `FAAFO_MAX_UPLOAD`, default 4 GiB.
    pub max_upload: u64,
    /// Seconds for each 16 KiB of a request's body: `body_timeout`, `FAAFO_BODY_TIMEOUT`, default 30.
    pub body_timeout: u32,
    /// The largest width × height accepted, in pixels: `max_area`, `FAAFO_MAX_AREA`, default 400000000.
    pub max_area: u64,
    /// The largest width × height rendered as one task, in pixels: `band_area`, `FAAFO_BAND_AREA`, default 128000000.
    pub band_area: u64,
    /// Pictures rendered at the same time, of each lane: `slots`, `FAAFO_SLOTS`; 0: nothing is rendered; unset: one more
    /// than threads.
    pub slots: Option<usize>,
    /// Threads that render: `threads`, `FAAFO_THREADS`; unset: one for each core.
    pub threads: Option<NonZeroUsize>,
    /// What the worker calls itself, which no other one may: `worker_name`, `FAAFO_WORKER_NAME`; unset: the machine's name,
    /// with the process id behind it where the worker is a process of its own.
    pub worker_name: Option<String>,
    /// Seconds after which a stored object goes that no row refers to: `tidy_after`, `FAAFO_TIDY_AFTER`, default 3600.
    pub tidy_after: u64,
    /// Whether an empty data folder gets a first picture: `welcome`, `FAAFO_WELCOME`, default true.
    pub welcome: bool,
    /// Where metrics and health are served beside all else: `metrics_listen`, `FAAFO_METRICS_LISTEN`; unset: nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// How log lines look: `log_format`, `FAAFO_LOG_FORMAT`, default plain.
    pub log_format: LogFormat,
    /// Which log lines there are: `log_level`, `FAAFO_LOG_LEVEL`; unset: info for services, warn for clients.
    pub log_level: Option<String>,
    /// Where traces go by OTLP: `otlp_endpoint`, `FAAFO_OTLP_ENDPOINT`; unset: `OTEL_EXPORTER_OTLP_ENDPOINT`, else nowhere.
    pub otlp_endpoint: Option<String>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Plain,
    /// One JSON object a line.
    Json,
}

impl fmt::Debug for Config {
    /// Without passwords: this may end up in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = |url: &Option<String>| url.as_deref().map(redact);
        f.debug_struct("Config")
            .field("endpoint_url", &redact(&self.endpoint_url))
            .field("token", &self.token.as_ref().map(|_| "***"))
            .field("token_file", &self.token_file)
            .field("listen_address", &self.listen_address)
            .field("bind_port", &self.bind_port)
            .field("data", &self.data)
            .field("database_url", &hidden(&self.database_url))
            .field("transport_url", &hidden(&self.transport_url))
            .field("storage_url", &hidden(&self.storage_url))
            .field("access", &self.access)
            .field("allowed_hosts", &self.allowed_hosts)
            .field("trusted_proxies", &self.trusted_proxies)
            .field("rate_limit", &self.rate_limit)
            .field("max_connections", &self.max_connections)
            .field("max_requests", &self.max_requests)
            .field("max_upload", &self.max_upload)
            .field("body_timeout", &self.body_timeout)
            .field("max_area", &self.max_area)
            .field("band_area", &self.band_area)
            .field("slots", &self.slots)
            .field("threads", &self.threads)
            .field("worker_name", &self.worker_name)
            .field("tidy_after", &self.tidy_after)
            .field("welcome", &self.welcome)
            .field("metrics_listen", &self.metrics_listen)
            .field("log_format", &self.log_format)
            .field("log_level", &self.log_level)
            .field("otlp_endpoint", &hidden(&self.otlp_endpoint))
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
