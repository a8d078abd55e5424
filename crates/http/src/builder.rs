//! What all HTTP clients of the project have in common.

use reqwest::{ClientBuilder, Url};

/// A client for these servers: without a proxy if all are on this machine, without the system's certificates if none
/// needs them. An empty list means that they are not known yet.
pub fn builder(servers: &[&Url]) -> ClientBuilder {
    // Already installed: just as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = ClientBuilder::new().user_agent(concat!("faafo/", env!("CARGO_PKG_VERSION")));
    let all = |has: fn(&Url) -> bool| !servers.is_empty() && servers.iter().all(|url| has(url));
    if all(is_loopback) {
        builder = builder.no_proxy();
    }
    if all(|url| url.scheme() == "http") {
        // Reading the system's certificates takes longer than a short command, and may fail.
        builder = builder.tls_certs_only([]);
    }
    builder
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_hosts_are_known_in_every_spelling() {
        for (url, loopback) in [
            ("http://localhost:8080", true),
            ("http://127.0.0.2", true),
            ("http://[::1]:9", true),
            ("http://10.0.0.1", false),
            ("http://localhost.example.org", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), loopback, "{url}");
        }
    }
}
