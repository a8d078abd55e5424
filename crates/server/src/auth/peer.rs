//! Who is at the other end, also behind proxies. Headers that say so count only where a trusted proxy has sent them;
//! from others they are removed, so that whatever comes later may believe what it sees.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use ipnet::IpNet;
use std::collections::HashMap;
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
    let forwarded = forwarded(headers);
    headers.remove(header::FORWARDED);
    if !is_trusted(&peer) {
        for name in [FOR, PROTO, HOST] {
            headers.remove(name);
        }
        return peer;
    }
    let old: Vec<String> = headers.get_all(FOR).iter().flat_map(parts).collect();
    // Of a proxy that speaks the other language each of the two is passed on as the client has invented it.
    let chain: Vec<Option<IpAddr>> = match (old.is_empty(), forwarded.is_empty()) {
        (false, false) => return peer,
        (false, true) => old.iter().map(|node| address(node)).collect(),
        (true, _) => {
            let node = |element: &Element| element.get("for").and_then(|node| address(node));
            let chain = forwarded.iter().map(node).collect();
            if let Some(last) = forwarded.last() {
                for (name, key) in [(PROTO, "proto"), (HOST, "host")] {
                    let value = last.get(key).and_then(|value| value.parse().ok());
                    value.and_then(|value| headers.insert(name, value));
                }
            }
            chain
        }
    };
    if let Some(host) = last(headers, &HOST).and_then(|host| HeaderValue::try_from(host).ok()) {
        headers.insert(header::HOST, host);
    }
    // Each proxy appends whom it has heard; what stands before the first foreign one may be invented. Whom it could not
    // or would not name, it answers for itself.
    let mut client = peer;
    for heard in chain.into_iter().rev() {
        match heard {
            None => break,
            Some(address) if is_trusted(&address) => client = address,
            Some(address) => return address,
        }
    }
    client
}

/// What one proxy says of a request, by names in lower case.
type Element = HashMap<String, String>;

/// The elements of `Forwarded` (RFC 7239, 4), from the first proxy to the last.
fn forwarded(headers: &HeaderMap) -> Vec<Element> {
    let element = |text: String| {
        let pairs = split(&text, ';');
        pairs
            .iter()
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), unquoted(value.trim())))
            .collect()
    };
    let values = headers.get_all(header::FORWARDED).iter();
    values.flat_map(parts).map(element).collect()
}

/// The parts of a header's value, which are separated by commas.
fn parts(value: &HeaderValue) -> Vec<String> {
    // What is no text is a part that nobody can read.
    split(&String::from_utf8_lossy(value.as_bytes()), ',')
}

/// What stands between separators that are not in quotes.
fn split(text: &str, separator: char) -> Vec<String> {
    let (mut quoted, mut escaped) = (false, false);
    let separates = |letter: char| {
        let is_end = letter == separator && !quoted;
        quoted ^= letter == '"' && !escaped;
        escaped = quoted && letter == '\\' && !escaped;
        is_end
    };
    text.split(separates).map(str::to_owned).collect()
}

/// A token, or a quoted string (RFC 9110, 5.6.4) without its quotes.
fn unquoted(text: &str) -> String {
    let inside = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let Some(inside) = inside else {
        return text.to_owned();
    };
    let mut letters = inside.chars();
    let mut plain = String::new();
    while let Some(letter) = letters.next() {
        plain.extend(match letter {
            '\\' => letters.next(),
            letter => Some(letter),
        });
    }
    plain
}

/// The address of a node as proxies write it: with or without a port, IPv6 with or without brackets.
fn address(node: &str) -> Option<IpAddr> {
    let node = node.trim();
    let address = node.parse::<IpAddr>();
    let address = address.or_else(|_| node.parse::<SocketAddr>().map(|both| both.ip()));
    let bare = || node.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    Some(address.ok().or_else(bare)?.to_canonical())
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
    fn whom_a_proxy_has_heard_is_understood_as_proxies_write_it() {
        let trusted = networks("10.0.0.0/8").unwrap();
        for (header, chain, expected) in [
            ("x-forwarded-for", "6.6.6.6, 9.9.9.9:1234", "9.9.9.9"),
            (
                "x-forwarded-for",
                "6.6.6.6, [2001:db8::1]:443",
                "2001:db8::1",
            ),
            ("x-forwarded-for", "6.6.6.6, [2001:db8::1]", "2001:db8::1"),
            ("x-forwarded-for", "6.6.6.6, 2001:db8::1", "2001:db8::1"),
            (
                "x-forwarded-for",
                "6.6.6.6, 9.9.9.9, 10.1.1.1:80",
                "9.9.9.9",
            ),
            // Whoever can't be named counts as the one who should have.
            ("x-forwarded-for", "6.6.6.6, unknown", "10.9.9.9"),
            ("x-forwarded-for", "6.6.6.6, unknown, 10.1.1.1", "10.1.1.1"),
            ("x-forwarded-for", "6.6.6.6,", "10.9.9.9"),
            ("x-forwarded-for", "6.6.6.6, 9.9.9.9:99999", "10.9.9.9"),
            (
                "forwarded",
                "for=6.6.6.6, For=9.9.9.9;proto=https",
                "9.9.9.9",
            ),
            (
                "forwarded",
                "for=6.6.6.6, for=\"[2001:db8::1]:4711\"",
                "2001:db8::1",
            ),
            (
                "forwarded",
                "for=\"6.6.6.6, for=7.7.7.7\";by=x, for=9.9.9.9",
                "9.9.9.9",
            ),
            ("forwarded", "for=6.6.6.6, for=_hidden", "10.9.9.9"),
            ("forwarded", "for=6.6.6.6, proto=https", "10.9.9.9"),
            ("forwarded", "for=9.9.9.9, for=10.2.2.2", "9.9.9.9"),
        ] {
            let mut request = request("10.9.9.9", &[(header, chain)]);
            let found = client(&trusted, &mut request).to_string();
            assert_eq!(found, expected, "{header}: {chain}");
        }
    }

    #[test]
    fn who_speaks_both_languages_is_not_believed() {
        let trusted = networks("10.0.0.0/8").unwrap();
        let both = [("x-forwarded-for", "9.9.9.9"), ("forwarded", "for=6.6.6.6")];
        let mut request = request("10.9.9.9", &both);
        assert_eq!(client(&trusted, &mut request).to_string(), "10.9.9.9");
    }

    #[test]
    fn scheme_and_host_are_those_that_the_nearest_proxy_names() {
        let trusted = networks("10.0.0.0/8").unwrap();
        let headers = [
            ("host", "inside"),
            (
                "forwarded",
                "for=6.6.6.6;proto=http;host=evil, for=9.9.9.9;proto=https;host=\"pics.example:8443\"",
            ),
        ];
        let mut from_proxy = request("10.9.9.9", &headers);
        client(&trusted, &mut from_proxy);
        assert_eq!(scheme(from_proxy.headers()), "https");
        assert_eq!(from_proxy.headers()["host"], "pics.example:8443");
        let mut direct = request("9.9.9.9", &headers);
        client(&trusted, &mut direct);
        assert_eq!(scheme(direct.headers()), "http");
        assert_eq!(direct.headers()["host"], "inside");
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
