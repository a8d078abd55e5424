//! Building the HTTP client: time-outs, proxies, TLS only where it is needed.

use anyhow::{Context, bail, ensure};
use reqwest::header::HeaderValue;
use reqwest::{Url, redirect};
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Between two pieces of an answer. There is no limit on the whole of it: pictures and lists may be long.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
const MAX_REDIRECTS: usize = 10;

/// Reads an endpoint URL.
///
/// # Errors
/// It is no HTTP URL, or has a query or fragment, which would get lost.
pub fn check_endpoint(endpoint: &str) -> anyhow::Result<Url> {
    let shown = crate::config::redact(endpoint);
    let demand =
        || format!("endpoint URL {shown:?} must be an HTTP URL such as http://localhost:8080");
    let url = Url::parse(endpoint.trim()).with_context(demand)?;
    ensure!(
        matches!(url.scheme(), "http" | "https") && url.has_host(),
        demand()
    );
    if url.query().is_some() || url.fragment().is_some() {
        bail!("endpoint URL {shown:?} must not have a query or fragment");
    }
    Ok(url)
}

/// Takes a token out of a URL: it stands where other URLs have a user without a password.
pub fn take_token(url: &mut Url) -> Option<String> {
    if url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let token = url.username().to_owned();
    // A URL with a host takes this.
    let _ = url.set_username("");
    Some(token)
}

/// The header that shows a token.
///
/// # Errors
/// It has characters that no token has.
pub fn bearer(token: &str) -> anyhow::Result<HeaderValue> {
    let is_fit = token.bytes().all(|byte| byte.is_ascii_graphic());
    ensure!(is_fit, "the token has characters that no token has");
    let mut value = HeaderValue::try_from(format!("Bearer {token}"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The HTTP client for these endpoints.
pub fn http_client(endpoints: &[Url]) -> anyhow::Result<reqwest::Client> {
    let mut builder = faafo_http::builder(&endpoints.iter().collect::<Vec<_>>())
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT);
    if endpoints.iter().all(|endpoint| endpoint.scheme() == "http") {
        builder = builder.redirect(redirect::Policy::custom(stay_in_plain_text));
    }
    builder.build().context("can't make an HTTP client")
}

/// Follows redirects, except to HTTPS, for which no certificates are loaded.
fn stay_in_plain_text(attempt: redirect::Attempt<'_>) -> redirect::Action {
    if attempt.url().scheme() != "http" {
        let message = format!(
            "it redirects to {}: name that as the endpoint",
            attempt.url()
        );
        return attempt.error(message);
    }
    if attempt.previous().len() > MAX_REDIRECTS {
        return attempt.error("it redirects again and again");
    }
    attempt.follow()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_urls_are_endpoints() {
        for good in [
            "http://localhost:8080",
            "https://host/prefix/",
            "http://[::1]:1",
            "http://u:p@h",
        ] {
            check_endpoint(good).unwrap();
        }
        for bad in [
            "",
            "localhost:8080",
            "localhost",
            "ftp://host",
            "http://",
            "http://h?x",
            "http://h#x",
        ] {
            let error = check_endpoint(bad).unwrap_err().to_string();
            // What is asked for may be a secret.
            let (shown, _) = bad.split_once('?').unwrap_or((bad, ""));
            assert!(error.contains(shown), "{error}");
        }
        let error = check_endpoint("ftp://u:s3cret@h").unwrap_err();
        assert!(!format!("{error:#}").contains("s3cret"));
    }

    #[test]
    fn a_token_in_a_url_is_taken_out_and_a_password_is_not() {
        let mut url = Url::parse("http://faafo_abc@h:1/x").unwrap();
        assert_eq!(take_token(&mut url).as_deref(), Some("faafo_abc"));
        assert_eq!(url.as_str(), "http://h:1/x");
        for other in ["http://h/", "http://u:p@h/"] {
            let mut url = Url::parse(other).unwrap();
            assert_eq!(take_token(&mut url), None);
            assert_eq!(url.as_str(), other);
        }
        assert!(bearer("a\nb").is_err());
        assert!(!format!("{:?}", bearer("s3cret").unwrap()).contains("s3cret"));
    }
}
