//! AWS Signature Version 4, in the header and in the URL.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>

use crate::digest::{hex, hmac_sha256};
use crate::http::Call;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use reqwest::header::HeaderValue;
use sha2::{Digest, Sha256};
use std::time::{Duration, SystemTime};

/// All that a URL may not carry as it is.
const RESERVED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The longest that a presigned URL may be valid.
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// Who asks. Secret, so without `Debug`.
pub(super) struct Credentials {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) session_token: Option<String>,
}

/// Signs for one region.
pub(super) struct Signer {
    pub(super) region: String,
    pub(super) credentials: Credentials,
}

/// Text for a path's part or a query's name or value.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, &RESERVED).to_string()
}

impl Signer {
    /// Signs a request, all its headers and its body, whose SHA-256 is `payload`.
    pub(super) fn sign(&self, call: Call, payload: &str, now: SystemTime) -> Call {
        let (date, scope) = self.date_and_scope(now);
        let mut call = call
            .header("x-amz-content-sha256", payload)
            .header("x-amz-date", &date);
        if let Some(token) = &self.credentials.session_token {
            call = call.header("x-amz-security-token", token);
        }
        let mut headers: Vec<(String, String)> = call
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect();
        headers.push(("host".to_owned(), host(&call.url)));
        headers.sort();
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let lines: String = headers
            .iter()
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let request = format!(
            "{}\n{}\n{}\n{lines}\n{names}\n{payload}",
            call.method,
            call.url.path(),
            sorted_query(&call.url)
        );
        let signature = self.signature(&date, &scope, &request);
        let id = &self.credentials.id;
        call.header(
            "authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}"
            ),
        )
    }

    /// Makes `url` one that anybody may `GET` for as long as `valid_for`.
    pub(super) fn presign(&self, url: &mut Url, valid_for: Duration, now: SystemTime) {
        let (date, scope) = self.date_and_scope(now);
        let seconds = valid_for.min(WEEK).as_secs().max(1).to_string();
        let credential = format!("{}/{scope}", self.credentials.id);
        let mut added = vec![
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", &credential),
            ("X-Amz-Date", &date),
            ("X-Amz-Expires", &seconds),
            ("X-Amz-SignedHeaders", "host"),
        ];
        if let Some(token) = &self.credentials.session_token {
            added.push(("X-Amz-Security-Token", token));
        }
        let mut query = url.query().unwrap_or_default().to_owned();
        for (name, value) in added {
            push(&mut query, name, value);
        }
        url.set_query(Some(&query));
        let request = format!(
            "GET\n{}\n{}\nhost:{}\n\nhost\nUNSIGNED-PAYLOAD",
            url.path(),
            sorted_query(url),
            host(url)
        );
        push(
            &mut query,
            "X-Amz-Signature",
            &self.signature(&date, &scope, &request),
        );
        url.set_query(Some(&query));
    }

    fn signature(&self, date: &str, scope: &str, request: &str) -> String {
        let to_sign = format!(
            "AWS4-HMAC-SHA256\n{date}\n{scope}\n{}",
            hex(&Sha256::digest(request))
        );
        let first = format!("AWS4{}", self.credentials.secret);
        let key = scope.split('/').fold(first.into_bytes(), |key, part| {
            hmac_sha256(&key, part.as_bytes())
        });
        hex(&hmac_sha256(&key, to_sign.as_bytes()))
    }

    /// `20130524T000000Z` and `20130524/us-east-1/s3/aws4_request`.
    fn date_and_scope(&self, now: SystemTime) -> (String, String) {
        let date = humantime::format_rfc3339_seconds(now)
            .to_string()
            .replace(['-', ':'], "");
        let day = date.split('T').next().unwrap_or_default();
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        (date, scope)
    }
}

/// Appends a pair to an encoded query.
pub(super) fn push(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(&encode(name));
    query.push('=');
    query.push_str(&encode(value));
}

fn sorted_query(url: &Url) -> String {
    let mut pairs: Vec<&str> = url
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .collect();
    pairs.sort_unstable();
    pairs.join("&")
}

/// As the HTTP client writes it: with the port unless it is the scheme's own.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::Method;

    // The examples of the specification.
    fn signer() -> Signer {
        Signer {
            region: "us-east-1".to_owned(),
            credentials: Credentials {
                id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
                secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
                session_token: None,
            },
        }
    }

    fn day() -> SystemTime {
        humantime::parse_rfc3339("2013-05-24T00:00:00Z").unwrap()
    }

    #[test]
    fn a_get_is_signed_as_the_specification_shows() {
        let url = Url::parse("https://examplebucket.s3.amazonaws.com/test.txt").unwrap();
        let call = Call::new(Method::GET, url).header("range", "bytes=0-9");
        let signed = signer().sign(call, &hex(&Sha256::digest("")), day());
        let header = signed.headers["authorization"].to_str().unwrap();
        assert_eq!(
            header,
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
             SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, \
             Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );
    }

    #[test]
    fn a_query_is_signed_in_order() {
        let url =
            Url::parse("https://examplebucket.s3.amazonaws.com/?prefix=J&max-keys=2").unwrap();
        let signed = signer().sign(
            Call::new(Method::GET, url),
            &hex(&Sha256::digest("")),
            day(),
        );
        let header = signed.headers["authorization"].to_str().unwrap();
        assert!(
            header.ends_with("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
            "{header}"
        );
    }

    #[test]
    fn a_url_is_signed_as_the_specification_shows() {
        let mut url = Url::parse("https://examplebucket.s3.amazonaws.com/test.txt").unwrap();
        signer().presign(&mut url, Duration::from_secs(86400), day());
        assert!(
            url.as_str().ends_with(
                "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
            ),
            "{url}"
        );
    }
}
