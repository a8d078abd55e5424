//! Who is at the other end, also behind proxies. Headers that say so count only where a trusted proxy has sent them;
//! from others they are removed, so that whatever comes later may believe what it sees.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The other end of a request's connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Reads addresses and networks such as `10.0.0.0/8`, separated by commas; `None` if one is neither.
pub fn networks(text: &str) -> Option<Vec<IpNet>> {
    let parts = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let address = part.parse::<IpAddr>().map(IpNet::from);
            address.ok().or_else(|| part.parse().ok())
        })
        .collect()
}

/// The client's address. What the request says of itself after this is true.
pub(super) fn client(trusted: &[IpNet], request: &mut Request) -> IpAddr {
    let peer = request.extensions().get::<Peer>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| {
        peer.0.ip().to_canonical()
    });
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let headers = request.headers_mut();
    if !is_trusted(&peer) {
        for name in [FOR, PROTO, HOST] {
            headers.remove(name);
        }
        return peer;
    }
    if let Some(host) = last(headers, &HOST).and_then(|host| HeaderValue::try_from(host).ok()) {
        headers.insert(header::HOST, host);
    }
    let chain: Vec<IpAddr> = headers
        .get_all(FOR)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|address| address.trim().parse::<IpAddr>().ok())
        .map(|address| address.to_canonical())
        .collect();
    // Each proxy appends whom it has heard; what stands before the first foreign one may be invented.
    let foreign = chain.iter().rev().find(|address| !is_trusted(address));
    *foreign.or(chain.first()).unwrap_or(&peer)
}

/// By which scheme the client has reached us.
pub(crate) fn scheme(headers: &HeaderMap) -> &'static str {
    match last(headers, &PROTO) {
        Some("https") => "https",
        _ => "http",
    }
}

/// The last of a header's values: that of the nearest proxy.
fn last<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    let value = value.rsplit(',').next()?.trim();
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn request(peer: &str, headers: &[(&str, &str)]) -> Request {
        let mut request = Request::new(Body::empty());
        let peer = Peer(SocketAddr::new(peer.parse().unwrap(), 1));
        request.extensions_mut().insert(peer);
        for (name, value) in headers {
            let name = HeaderName::try_from(*name).unwrap();
            request.headers_mut().append(name, value.parse().unwrap());
        }
        request
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted = networks("10.0.0.0/8, ::1").unwrap();
        let headers = [
            ("host", "inside"),
            ("x-forwarded-for", "6.6.6.6, 8.8.8.8, 10.1.1.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "pictures.example"),
        ];
        let mut from_proxy = request("::ffff:10.2.2.2", &headers);
        let address = client(&trusted, &mut from_proxy);
        assert_eq!(address.to_string(), "8.8.8.8");
        assert_eq!(scheme(from_proxy.headers()), "https");
        assert_eq!(from_proxy.headers()["host"], "pictures.example");

        let mut direct = request("9.9.9.9", &headers);
        let address = client(&trusted, &mut direct);
        assert_eq!(address.to_string(), "9.9.9.9");
        assert_eq!(scheme(direct.headers()), "http");
        assert_eq!(direct.headers()["host"], "inside");
        assert_eq!(direct.headers().len(), 1);
    }

    #[test]
    fn a_chain_of_nothing_but_proxies_begins_with_the_client() {
        let trusted = networks("10.0.0.0/8").unwrap();
        for (chain, expected) in [("10.0.0.1, 10.0.0.2", "10.0.0.1"), ("rubbish", "10.9.9.9")] {
            let mut request = request("10.9.9.9", &[("x-forwarded-for", chain)]);
            assert_eq!(client(&trusted, &mut request).to_string(), expected);
        }
    }

    #[test]
    fn networks_are_addresses_with_or_without_a_length() {
        assert_eq!(networks("127.0.0.1,fd00::/8").unwrap().len(), 2);
        assert_eq!(networks("").unwrap(), []);
        for wrong in ["localhost", "10.0.0.0/33", "10.0.0.0/8 10.0.0.1"] {
            assert_eq!(networks(wrong), None, "{wrong}");
        }
    }
}
