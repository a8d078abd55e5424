//! AWS Signature Version 4, in the header and in the URL.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use crate::{Call, hex, hmac_sha256};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName};
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
pub struct Credentials {
    /// The access key's id.
    pub id: String,
    /// Its secret.
    pub secret: String,
    /// What temporary credentials have besides.
    pub session_token: Option<String>,
}

/// Signs for one service in one region.
pub struct Signer {
    /// As it signs: `s3`, `ec2`, `elasticloadbalancing`.
    pub service: String,
    /// For example `us-east-1`.
    pub region: String,
    /// Who signs.
    pub credentials: Credentials,
}

/// Text for a path's part or a query's name or value.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, &RESERVED).to_string()
}

impl Signer {
    /// Signs a request, all its headers and its body, whose [hash](payload_hash) is `payload`. Its query must be
    /// encoded as [`push`] does it.
    pub fn sign(&self, call: Call, payload: &str, now: SystemTime) -> Call {
        let (date, scope) = self.date_and_scope(now);
        let mut call = call.header("x-amz-date", &date);
        if self.is_s3() {
            call = call.header("x-amz-content-sha256", payload);
        }
        if let Some(token) = &self.credentials.session_token {
            call = call.header("x-amz-security-token", token);
        }
        let mut headers: Vec<(&str, String)> = call
            .headers
            .keys()
            .map(|name| (name.as_str(), values(&call.headers, name)))
            .collect();
        headers.push(("host", host(&call.url)));
        headers.sort_unstable();
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let lines: String = headers
            .iter()
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let request = format!(
            "{}\n{}\n{}\n{lines}\n{names}\n{payload}",
            call.method,
            self.path(&call.url),
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
    pub fn presign(&self, url: &mut Url, valid_for: Duration, now: SystemTime) {
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
            "GET\n{}\n{}\nhost:{}\n\nhost\n{}",
            self.path(url),
            sorted_query(url),
            host(url),
            if self.is_s3() {
                "UNSIGNED-PAYLOAD".to_owned()
            } else {
                payload_hash(&[])
            }
        );
        push(
            &mut query,
            "X-Amz-Signature",
            &self.signature(&date, &scope, &request),
        );
        url.set_query(Some(&query));
    }

    /// S3's rules differ: a path is signed as it is sent, and the payload's hash is sent along.
    fn is_s3(&self) -> bool {
        self.service == "s3"
    }

    /// The path as it is signed: everywhere but on S3 without empty parts and encoded once more.
    fn path(&self, url: &Url) -> String {
        if self.is_s3() {
            return url.path().to_owned();
        }
        let mut path = url.path().to_owned();
        while path.contains("//") {
            path = path.replace("//", "/");
        }
        let parts: Vec<String> = path.split('/').map(encode).collect();
        parts.join("/")
    }

    fn signature(&self, date: &str, scope: &str, request: &str) -> String {
        let to_sign = format!(
            "AWS4-HMAC-SHA256\n{date}\n{scope}\n{}",
            payload_hash(request.as_bytes())
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
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        (date, scope)
    }
}

/// The SHA-256 of a body.
pub fn payload_hash(body: &[u8]) -> String {
    hex(&Sha256::digest(body))
}

/// Appends a pair to an encoded query.
pub fn push(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(&encode(name));
    query.push('=');
    query.push_str(&encode(value));
}

/// The pairs by name and value; what has no value gets an empty one.
fn sorted_query(url: &Url) -> String {
    let query = url.query().unwrap_or_default();
    let mut pairs: Vec<(&str, &str)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
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

/// All values of a header in the order in which they are sent, with single spaces.
fn values(headers: &HeaderMap, name: &HeaderName) -> String {
    let values: Vec<String> = headers
        .get_all(name)
        .iter()
        .map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes());
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        })
        .collect();
    values.join(",")
}

#[cfg(test)]
mod tests;
