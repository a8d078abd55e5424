//! Flags of the roles that run in processes of their own.

use super::ObserveArgs;
use crate::config::Override;
use clap::Args;
use std::net::SocketAddr;
use std::num::NonZeroUsize;

/// Where the parts that roles share are.
#[derive(Debug, Default, Args)]
pub struct SharedArgs {
    /// The database, such as postgres://user:password@host/faafo [env: FAAFO_DATABASE_URL]
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// The queue, such as amqp://user:password@host [env: FAAFO_TRANSPORT_URL]
    #[arg(long, short = 'm', value_name = "URL")]
    pub transport_url: Option<String>,
    /// The picture store [env: FAAFO_STORAGE_URL]
    #[arg(long, value_name = "URL")]
    pub storage_url: Option<String>,
}

impl SharedArgs {
    /// The settings that these flags override.
    pub fn overrides(&self) -> Vec<Override> {
        [
            ("database_url", "--database-url", &self.database_url),
            ("transport_url", "--transport-url", &self.transport_url),
            ("storage_url", "--storage-url", &self.storage_url),
        ]
        .into_iter()
        .filter_map(|(key, flag, value)| value.clone().map(|value| Override::new(key, flag, value)))
        .collect()
    }
}

/// Flags of `faafo api`.
#[derive(Debug, Default, Args)]
pub struct ApiArgs {
    #[command(flatten)]
    pub shared: SharedArgs,
    /// Where to listen; port 0 lets the system choose one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// Largest width × height accepted, in pixels [default: 400000000]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u64).range(1..=i64::MAX as u64))]
    pub max_area: Option<u64>,
    /// Largest width × height rendered as one task, in pixels; larger ones in bands [default: 128000000]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u64).range(1..=i64::MAX as u64))]
    pub band_area: Option<u64>,
    /// Leave keeping store and queue in step to trackers in other processes
    #[arg(long)]
    pub no_tracker: bool,
    #[command(flatten)]
    pub observe: ObserveArgs,
}

/// Flags of `faafo tracker`.
#[derive(Debug, Default, Args)]
pub struct TrackerArgs {
    #[command(flatten)]
    pub shared: SharedArgs,
    #[command(flatten)]
    pub observe: ObserveArgs,
}

impl TrackerArgs {
    /// The settings that these flags override.
    pub fn overrides(&self) -> Vec<Override> {
        let mut overrides = self.shared.overrides();
        overrides.extend(self.observe.overrides());
        overrides
    }
}

/// Flags of `faafo worker`.
#[derive(Debug, Default, Args)]
pub struct WorkerArgs {
    /// The queue, such as amqp://user:password@host [env: FAAFO_TRANSPORT_URL]
    #[arg(long, short = 'm', value_name = "URL")]
    pub transport_url: Option<String>,
    /// The picture store [default: through the service at --endpoint-url] [env: FAAFO_STORAGE_URL]
    #[arg(long, value_name = "URL")]
    pub storage_url: Option<String>,
    /// Pictures rendered at the same time, of each lane [default: one more than threads]
    #[arg(long, value_name = "N")]
    pub slots: Option<NonZeroUsize>,
    /// Threads that render [default: one for each core]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// What it calls itself [default: the machine's name and the process id] [env: FAAFO_WORKER_NAME]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    #[command(flatten)]
    pub observe: ObserveArgs,
}

impl ApiArgs {
    /// The settings that these flags override.
    pub fn overrides(&self) -> Vec<Override> {
        let mut overrides = self.shared.overrides();
        overrides.extend(self.observe.overrides());
        if let Some(listen) = self.listen {
            overrides.push(Override::new(
                "listen_address",
                "--listen",
                listen.ip().to_string(),
            ));
            overrides.push(Override::new(
                "bind_port",
                "--listen",
                i64::from(listen.port()),
            ));
        }
        for (key, flag, area) in [
            ("max_area", "--max-area", self.max_area),
            ("band_area", "--band-area", self.band_area),
        ] {
            let area = area.map(|area| i64::try_from(area).unwrap_or(i64::MAX));
            overrides.extend(area.map(|area| Override::new(key, flag, area)));
        }
        overrides
    }
}

impl WorkerArgs {
    /// The settings that these flags override.
    pub fn overrides(&self) -> Vec<Override> {
        let (transport_url, storage_url) = (self.transport_url.clone(), self.storage_url.clone());
        let mut overrides = SharedArgs {
            database_url: None,
            transport_url,
            storage_url,
        }
        .overrides();
        if let Some(name) = &self.name {
            overrides.push(Override::new("worker_name", "--name", name.clone()));
        }
        overrides.extend(self.observe.overrides());
        for (key, flag, value) in [
            ("slots", "--slots", self.slots),
            ("threads", "--threads", self.threads),
        ] {
            if let Some(value) = value {
                overrides.push(Override::new(
                    key,
                    flag,
                    i64::try_from(value.get()).unwrap_or(i64::MAX),
                ));
            }
        }
        overrides
    }
}

/// Flags of `faafo producer`.
#[derive(Debug, Args)]
pub struct ProducerArgs {
    /// Ask once and end
    #[arg(long)]
    pub one_shot: bool,
    /// Shortest pause between two rounds, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 1)]
    pub min_pause: u32,
    /// Longest pause between two rounds, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub max_pause: u32,
    #[command(flatten)]
    pub create: super::CreateArgs,
}
