//! Flags of `faafo up`.

use crate::config::Override;
use clap::Args;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Flags of `faafo up`. Each overrides the setting of that name.
#[derive(Debug, Default, Args)]
pub struct UpArgs {
    /// Folder that holds database and pictures [default: ./faafo-data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where to listen; port 0 lets the system choose one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// Pictures rendered at the same time, of each lane; with 0 fractals are accepted and shown, but not rendered
    #[arg(long, value_name = "N")]
    pub slots: Option<usize>,
    /// Threads that render [default: one for each core]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Don't make a first picture in an empty data folder
    #[arg(long)]
    pub no_welcome: bool,
    /// Largest width × height accepted, in pixels [default: 400000000]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u64).range(1..=i64::MAX as u64))]
    pub max_area: Option<u64>,
    /// Largest width × height rendered as one task, in pixels; larger ones in bands [default: 128000000]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u64).range(1..=i64::MAX as u64))]
    pub band_area: Option<u64>,
    #[command(flatten)]
    pub observe: super::ObserveArgs,
}

impl UpArgs {
    /// The settings that these flags override.
    pub fn overrides(&self) -> Vec<Override> {
        let mut overrides = self.observe.overrides();
        let mut whole = |key, flag, value: Option<u64>| {
            if let Some(value) = value {
                // Values beyond what TOML can say mean the same as the largest it can.
                let value = i64::try_from(value).unwrap_or(i64::MAX);
                overrides.push(Override::new(key, flag, value));
            }
        };
        let count = |value: usize| value as u64;
        whole("slots", "--slots", self.slots.map(count));
        whole(
            "threads",
            "--threads",
            self.threads.map(NonZeroUsize::get).map(count),
        );
        whole("max_area", "--max-area", self.max_area);
        whole("band_area", "--band-area", self.band_area);
        if let Some(data) = &self.data {
            let data = data.to_string_lossy().into_owned();
            overrides.push(Override::new("data", "--data", data));
        }
        if let Some(listen) = self.listen {
            let (address, port) = (listen.ip().to_string(), i64::from(listen.port()));
            overrides.push(Override::new("listen_address", "--listen", address));
            overrides.push(Override::new("bind_port", "--listen", port));
        }
        if self.no_welcome {
            overrides.push(Override::new("welcome", "--no-welcome", false));
        }
        overrides
    }
}
