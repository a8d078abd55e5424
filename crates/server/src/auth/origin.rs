//! Which pages' requests are taken: other sites' pages must neither change anything here through a visitor's browser,
//! nor get in by a name of their own that leads to this machine (DNS rebinding).

use super::refusal::Refusal;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, header};
use std::net::{IpAddr, Ipv6Addr};

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses what another site's page sends. Programs say nothing of this kind and pass.
pub(super) fn check_origin(headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    let is_own = match (text(&SITE), text(&header::ORIGIN)) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => is_same(origin, text(&header::HOST).unwrap_or("")),
        // A browser names the origin of whatever changes something.
        (None, None) => true,
    };
    if is_own {
        return Ok(());
    }
    Err(Refusal::foreign_page())
}

/// Whether `origin` (scheme://host[:port]) is a page of `host` (host[:port]).
fn is_same(origin: &str, host: &str) -> bool {
    let Some((scheme, place)) = origin.split_once("://") else {
        return false;
    };
    let default = if scheme == "https" { ":443" } else { ":80" };
    let bare = |place: &str| {
        let place = place.strip_suffix(default).unwrap_or(place);
        place.to_ascii_lowercase()
    };
    !host.is_empty() && bare(place) == bare(host)
}

/// Refuses names that are not this machine's own. Only browsers are misled by names, and they always send `Host`.
pub(super) fn check_host(request: &Request, allowed: &[String]) -> Result<(), Refusal> {
    let header = request.headers().get(header::HOST);
    let host = match header {
        Some(host) => host.to_str().unwrap_or(""),
        None => match request.uri().host() {
            Some(host) => host,
            None => return Ok(()),
        },
    };
    if is_local(host) || allowed.iter().any(|name| is_name(host, name)) {
        return Ok(());
    }
    Err(Refusal::foreign_name(host))
}

fn is_local(host: &str) -> bool {
    if let Some(rest) = host.strip_prefix('[') {
        let address = rest.split(']').next().unwrap_or("");
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let name = without_port(host).to_ascii_lowercase();
    let is_below = || name.ends_with(".localhost") && is_host(&name);
    name.parse::<IpAddr>().is_ok() || name == "localhost" || is_below()
}

/// Whether it is a name or an address, perhaps with a port, and nothing else.
pub(crate) fn is_host(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

fn is_name(host: &str, allowed: &str) -> bool {
    allowed == "*"
        || host.eq_ignore_ascii_case(allowed)
        || without_port(host).eq_ignore_ascii_case(allowed)
}

fn without_port(host: &str) -> &str {
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn only_own_pages_and_programs_may_change_something() {
        let host = ("host", "pics.example");
        for own in [
            &[][..],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none"), ("origin", "null")],
            &[("origin", "http://pics.example")],
            &[("origin", "https://Pics.example:443")],
        ] {
            assert!(
                check_origin(&headers(&[own, &[host]].concat())).is_ok(),
                "{own:?}"
            );
        }
        for foreign in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", ""),
            ("origin", "null"),
            ("origin", "https://evil.example"),
            ("origin", "http://pics.example:8080"),
            ("origin", "http://pics.example.evil.example"),
        ] {
            assert!(check_origin(&headers(&[foreign, host])).is_err());
            assert!(check_origin(&headers(&[foreign])).is_err(), "no host");
        }
    }

    #[test]
    fn only_this_machine_s_own_names_lead_here() {
        let check = |host: &str| {
            let mut request = Request::new(Body::empty());
            *request.headers_mut() = headers(&[("host", host)]);
            check_host(&request, &["pics.lan".to_owned(), "x.lan:81".to_owned()]).is_ok()
        };
        for own in [
            "localhost",
            "LOCALHOST:8080",
            "a.localhost:1",
            "127.0.0.1:8080",
            "10.1.2.3",
            "[::1]:8080",
            "pics.lan",
            "PICS.lan:8080",
            "x.lan:81",
        ] {
            assert!(check(own), "{own}");
        }
        for foreign in [
            "evil.example",
            "localhost.evil.example",
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "notlocalhost",
            "",
            "[evil]",
            "evil/.localhost",
            "evil?.localhost:80",
            "x.lan:82",
        ] {
            assert!(!check(foreign), "{foreign}");
        }
        let mut request = Request::new(Body::empty());
        assert!(check_host(&request, &[]).is_ok(), "an old program");
        *request.headers_mut() = headers(&[("host", "any.example")]);
        assert!(check_host(&request, &["*".to_owned()]).is_ok());
    }
}
