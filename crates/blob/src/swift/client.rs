//! The handful of Swift calls that blobs need.

use super::auth::{Auth, Session};
use crate::read::Ranged;
use crate::{Error, ErrorKind, read};
use bytes::Bytes;
use faafo_http::{Call, Http, Sessions, hex, hmac_sha256, refusal};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::CONTENT_LENGTH;
use reqwest::{Method, Response, StatusCode, Url};
use serde::Deserialize;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::OnceCell;

const PATH: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// Where to look when the server refuses us although we could sign in.
const CREDENTIALS: &str = "the user's roles: it may not use this container";

pub(super) struct Client {
    pub(super) http: Http,
    sessions: Sessions<Auth>,
    pub(super) container: String,
    pub(super) prefix: String,
    temp_url_key: Option<String>,
    /// Whether the container has our key for temporary URLs.
    has_key: OnceCell<()>,
}

/// A request to the store, before it is known where that is.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    /// Without the prefix; `None` for the container.
    pub(super) object: Option<&'a str>,
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) headers: &'a [(&'static str, &'a str)],
    pub(super) body: Bytes,
}

impl<'a> Ask<'a> {
    pub(super) fn new(method: Method, object: Option<&'a str>) -> Self {
        Self {
            method,
            object,
            query: &[],
            headers: &[],
            body: Bytes::new(),
        }
    }
}

/// What `HEAD` tells of an object.
pub(super) struct Head {
    pub(super) size: u64,
    /// It is a manifest of segments.
    pub(super) segmented: bool,
}

/// How requests end that answer 200 or 202 before they are done: SLO manifests and their deletion.
#[derive(Deserialize)]
struct Outcome {
    #[serde(rename = "Response Status")]
    status: String,
    #[serde(rename = "Errors", default)]
    errors: Vec<(String, String)>,
}

impl Client {
    pub(super) fn new(
        http: Http,
        auth: Auth,
        container: String,
        prefix: String,
        temp_url_key: Option<String>,
    ) -> Self {
        Self {
            http,
            sessions: Sessions::new(auth),
            container,
            prefix,
            temp_url_key,
            has_key: OnceCell::new(),
        }
    }

    /// Sends with a token, once more with a new one if it has expired, and takes refusals for errors.
    pub(super) async fn ask(&self, what: &str, ask: &Ask<'_>) -> Result<Response, Error> {
        let make = |session: &Session| {
            let url = self.url(session, ask.object, ask.query);
            let mut call = Call::new(ask.method.clone(), url).body(ask.body.clone());
            for (name, value) in ask.headers {
                call = call.header(name, value);
            }
            call.headers.insert("x-auth-token", session.token.clone());
            call
        };
        let response = self.sessions.send(&self.http, make).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        Err(refusal(&format!("Swift: {what}"), status, "", CREDENTIALS).into())
    }

    /// As [`Client::ask`], and creates the container if it is missing.
    pub(super) async fn ask_in_container(
        &self,
        what: &str,
        ask: &Ask<'_>,
    ) -> Result<Response, Error> {
        match self.ask(what, ask).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.create_container().await?;
                self.ask(what, ask).await
            }
            other => other,
        }
    }

    /// As [`Client::ask_in_container`], for requests whose answer begins before the work ends.
    pub(super) async fn ask_for_outcome(&self, what: &str, ask: &Ask<'_>) -> Result<(), Error> {
        let response = self.ask_in_container(what, ask).await?;
        let answer = self.http.text(response).await?;
        let outcome: Outcome = serde_json::from_str(answer.trim()).map_err(|error| {
            Error::new(
                ErrorKind::Unavailable,
                format!("Swift: {what}: an answer that can't be read: {error}"),
            )
        })?;
        let code = outcome.status.split(' ').next().unwrap_or_default();
        let status = code.parse().unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status.is_success() {
            return Ok(());
        }
        let first = outcome.errors.first();
        let detail = first.map_or("", |(_, error)| error.as_str());
        Err(refusal(&format!("Swift: {what}"), status, detail, CREDENTIALS).into())
    }

    /// Makes sure that there is the container, with our key for temporary URLs.
    pub(super) async fn create_container(&self) -> Result<(), Error> {
        let mut ask = Ask::new(Method::PUT, None);
        let key = self
            .temp_url_key
            .as_deref()
            .map(|key| [("x-container-meta-temp-url-key", key)]);
        ask.headers = key.as_ref().map_or(&[], |headers| headers);
        self.ask("create the container", &ask).await.map(drop)
    }

    pub(super) async fn head(&self, object: &str) -> Result<Option<Head>, Error> {
        let ask = Ask::new(Method::HEAD, Some(object));
        let response = match self.ask("look", &ask).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let text = |name: &str| response.headers().get(name)?.to_str().ok();
        let size = text(CONTENT_LENGTH.as_str()).and_then(|size| size.parse().ok());
        Ok(Some(Head {
            size: size
                .ok_or_else(|| Error::new(ErrorKind::Unavailable, "Swift: look: no length"))?,
            segmented: text("x-static-large-object")
                .is_some_and(|value| value.eq_ignore_ascii_case("true")),
        }))
    }

    /// Deletes an object and its segments.
    pub(super) async fn delete(&self, object: &str) -> Result<(), Error> {
        let mut ask = Ask::new(Method::DELETE, Some(object));
        let deleted = match self.head(object).await? {
            None => return Ok(()),
            Some(Head {
                segmented: true, ..
            }) => {
                ask.query = &[("multipart-manifest", "delete")];
                ask.headers = &[("accept", "application/json")];
                self.ask_for_outcome("delete", &ask).await
            }
            Some(_) => self.ask("delete", &ask).await.map(drop),
        };
        match deleted {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// A URL that needs no token, if there is a key to sign it with.
    /// <https://docs.openstack.org/swift/latest/api/temporary_url_middleware.html>
    pub(super) async fn temporary_url(
        &self,
        object: &str,
        file_name: &str,
        valid_for: Duration,
    ) -> Result<Option<String>, Error> {
        let Some(key) = &self.temp_url_key else {
            return Ok(None);
        };
        self.has_key
            .get_or_try_init(|| self.create_container())
            .await?;
        let session = self.sessions.session(&self.http).await?;
        let mut url = self.url(&session, Some(object), &[]);
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let expires = (now + valid_for).as_secs();
        let signed = format!("GET\n{expires}\n{}", self.path(&session, object));
        let signature = hex(&hmac_sha256(key.as_bytes(), signed.as_bytes()));
        url.query_pairs_mut()
            .append_pair("temp_url_sig", &signature)
            .append_pair("temp_url_expires", &expires.to_string())
            .append_pair("filename", file_name);
        Ok(Some(url.into()))
    }

    fn url(&self, session: &Session, object: Option<&str>, query: &[(&str, &str)]) -> Url {
        let mut url = session.storage.clone();
        let mut path = format!("{}/{}", url.path(), encoded(&self.container));
        if let Some(object) = object {
            path = path + "/" + &encoded(&self.prefix) + &encoded(object);
        }
        url.set_path(&path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// An object's path as it is signed: not percent-encoded.
    fn path(&self, session: &Session, object: &str) -> String {
        let account = session.storage.path();
        format!("{account}/{}/{}{object}", self.container, self.prefix)
    }
}

impl Ranged for Client {
    fn http(&self) -> &Http {
        &self.http
    }

    async fn open_range(
        self: Arc<Self>,
        name: String,
        range: Range<u64>,
    ) -> Result<Response, Error> {
        let range = read::header(&range);
        let mut ask = Ask::new(Method::GET, Some(&name));
        let headers = [("range", range.as_str())];
        ask.headers = &headers;
        self.ask("read", &ask).await
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, &PATH).to_string()
}
