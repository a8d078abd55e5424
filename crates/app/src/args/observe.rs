//! Flags of every role for those who look at it from outside.

use crate::config::Override;
use clap::Args;
use std::net::SocketAddr;

/// Where metrics, log lines and traces go.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Metrics, logs, traces")]
pub struct ObserveArgs {
    /// Serve /metrics, /healthz and /readyz here as well; port 0 lets the system choose one [default: off; the server
    /// has them on its own port] [env: FAAFO_METRICS_LISTEN]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub metrics_listen: Option<SocketAddr>,
    /// How log lines look: plain or json [default: plain] [env: FAAFO_LOG_FORMAT]
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,
    /// Which log lines there are: error, warn, info, debug or trace, also by part, such as info,faafo_worker=debug
    /// [default: info] [env: FAAFO_LOG_LEVEL]
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// Send traces by OTLP over HTTP to the collector at this URL [default: off] [env: FAAFO_OTLP_ENDPOINT,
    /// OTEL_EXPORTER_OTLP_ENDPOINT]
    #[arg(long, value_name = "URL")]
    pub otlp_endpoint: Option<String>,
}

impl ObserveArgs {
    /// The settings that these flags override.
    pub fn overrides(&self) -> Vec<Override> {
        let listen = self.metrics_listen.map(|listen| listen.to_string());
        [
            ("metrics_listen", "--metrics-listen", &listen),
            ("log_format", "--log-format", &self.log_format),
            ("log_level", "--log-level", &self.log_level),
            ("otlp_endpoint", "--otlp-endpoint", &self.otlp_endpoint),
        ]
        .into_iter()
        .filter_map(|(key, flag, value)| value.clone().map(|value| Override::new(key, flag, value)))
        .collect()
    }
}
