//! The settings about who may do what.

use super::Config;
use anyhow::{Context, ensure};
use faafo_server::Security;
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Writes a second for each client, where a token is needed for them and nothing else is said.
const RATE_LIMIT: u32 = 200;

/// The setting `access`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Open where only this machine reaches the service, also by no proxy that is known of; else writes.
    Auto,
    /// Nothing needs a token.
    Open,
    /// Writing does.
    Writes,
    /// Reading does, too.
    All,
}

impl Config {
    /// What holds for a service that listens at `local`.
    ///
    /// # Errors
    /// None once the settings have been checked.
    pub fn security(&self, local: SocketAddr) -> anyhow::Result<Security> {
        let loopback = is_loopback(local.ip());
        let proxies = self.trusted_proxies.as_deref().unwrap_or_default();
        let access = match (self.access, loopback && proxies.is_empty()) {
            (Access::Open, _) | (Access::Auto, true) => faafo_server::Access::Open,
            (Access::Writes, _) | (Access::Auto, false) => faafo_server::Access::Writes,
            (Access::All, _) => faafo_server::Access::All,
        };
        let is_open = access == faafo_server::Access::Open;
        Ok(Security {
            access,
            loopback,
            allowed_hosts: self.allowed_hosts(),
            trusted_proxies: faafo_server::networks(proxies)
                .context("trusted_proxies names no networks")?,
            max_upload: self.max_upload,
            max_connections: self.max_connections,
            max_requests: self.max_requests,
            rate_limit: match self.rate_limit {
                None if is_open => None,
                None => Some(RATE_LIMIT),
                Some(limit) => Some(limit).filter(|limit| *limit > 0),
            },
            body_timeout: Duration::from_secs(self.body_timeout.into()),
        })
    }

    /// Names that lead to this machine beside its own.
    pub fn allowed_hosts(&self) -> Vec<String> {
        let hosts = self.allowed_hosts.as_deref().unwrap_or_default();
        let names = hosts.split(',').map(|name| name.trim().to_owned());
        names.filter(|name| !name.is_empty()).collect()
    }

    /// The token to show to the service, from wherever it is set.
    ///
    /// # Errors
    /// The file that should hold it can't be read, or is empty.
    pub fn token(&self) -> anyhow::Result<Option<String>> {
        let (None, Some(path)) = (&self.token, &self.token_file) else {
            return Ok(self.token.clone());
        };
        let what = || format!("token_file {}", path.display());
        let text = std::fs::read_to_string(path).with_context(what)?;
        let token = text.trim();
        ensure!(!token.is_empty(), "{} is empty", what());
        Ok(Some(token.to_owned()))
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}
