//! Which pages' requests are taken: other sites' pages must neither change anything here through a visitor's browser,
//! nor get in by a name of their own that leads to this machine (DNS rebinding).

use super::refusal::Refusal;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, Uri, header};
use std::net::{IpAddr, Ipv6Addr};

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const DESTINATION: HeaderName = HeaderName::from_static("sec-fetch-dest");

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

/// Refuses what another site's page loads as a part of itself: it could not look at it, but have its visitors' browsers
/// keep the service busy. A link that somebody follows is no part of a page.
pub(super) fn check_embedding(headers: &HeaderMap) -> Result<(), Refusal> {
    let is_foreign = headers.get(&SITE).is_some_and(|site| site == "cross-site");
    let differs = |name: &HeaderName, followed: &str| {
        headers.get(name).is_some_and(|value| value != followed)
    };
    if is_foreign && (differs(&MODE, "navigate") || differs(&DESTINATION, "document")) {
        return Err(Refusal::embedded());
    }
    Ok(())
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
    match asked_host(request.headers(), request.uri()) {
        Some(host) if !is_own_name(&host, allowed) => Err(Refusal::foreign_name(&host)),
        _ => Ok(()),
    }
}

/// The host that a request asks for, by header or address.
pub fn asked_host(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let header = headers.get(header::HOST);
    let header = header.map(|host| host.to_str().unwrap_or_default());
    header.or_else(|| uri.host()).map(str::to_owned)
}

/// Whether a host, perhaps with a port, is this machine's own name or address, or one of those that are allowed.
pub fn is_own_name(host: &str, allowed: &[String]) -> bool {
    is_local(host) || allowed.iter().any(|name| is_name(host, name))
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
    fn other_sites_pages_lead_here_but_have_nothing_from_here_in_them() {
        let (cross, navigate) = (
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
        );
        let to = |destination| ("sec-fetch-dest", destination);
        for fine in [
            &[][..],
            &[cross],
            &[cross, navigate, to("document")],
            &[("sec-fetch-site", "same-origin"), to("image")],
            &[("sec-fetch-site", "same-site"), to("image")],
            &[("sec-fetch-site", "none"), navigate, to("document")],
        ] {
            assert!(check_embedding(&headers(fine)).is_ok(), "{fine:?}");
        }
        for embedded in [
            &[cross, ("sec-fetch-mode", "no-cors"), to("image")][..],
            &[cross, ("sec-fetch-mode", "cors"), to("empty")],
            &[cross, navigate, to("iframe")],
            &[cross, ("sec-fetch-mode", "no-cors"), to("document")],
        ] {
            assert!(check_embedding(&headers(embedded)).is_err(), "{embedded:?}");
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
