//! Blobs through the API, for workers that reach nothing else.
//!
//! `http[s]://[<token>@]<host>[:<port>][/<path>]`, several separated by commas, each with `?timeout=` seconds without
//! progress if 30 do not suit. The token may also be in `FAAFO_TOKEN`. When an endpoint fails, the next one is asked.
//!
//! What the API has to answer below each endpoint, with `Authorization: Bearer <token>` if there is one:
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /v1/blobs` | 204: this client may store blobs |
//! | `PUT /v1/blobs`, the raw bytes as body, its length known or chunked | 201 and `{"key": "<SHA-256>", "size": <bytes>}`, once they are stored for good. A body that breaks off stores nothing |
//! | `GET /v1/blobs/<SHA-256>`, with `Range: bytes=<first>-<last>` | 206 (200 for all of it) and the bytes; 404 |
//! | `HEAD /v1/blobs/<SHA-256>` | 200 with `Content-Length`; 404 |
//! | `DELETE /v1/blobs/<SHA-256>` | 204, also if there is none |
//!
//! Everywhere 401 and 403 mean a missing or wrong token, 507 a full store, every other 5xx that another endpoint or
//! another time may do better. The SHA-256 is 64 lower-case hexadecimal digits.

mod upload;

use crate::location::{Location, config};
use crate::read::Ranged;
use crate::{BlobStore, ByteStream, Error, ErrorKind, Upload, read};
use async_trait::async_trait;
use faafo_http::{Call, Http, refusal};
use faafo_model::BlobKey;
use futures_util::stream::{self, StreamExt};
use reqwest::header::{CONTENT_LENGTH, HeaderValue};
use reqwest::{Method, Response, Url};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const CREDENTIALS: &str = "the token in storage_url, or FAAFO_TOKEN";

pub(crate) struct Api {
    client: Arc<Client>,
}

struct Client {
    http: Http,
    endpoints: Vec<Url>,
    token: Option<HeaderValue>,
    /// The endpoint that answered last.
    current: AtomicUsize,
}

impl Api {
    /// Reads the settings; the servers need not be there.
    pub(crate) fn open(
        urls: &str,
        environment: &(dyn Fn(&str) -> Option<String> + Sync),
    ) -> Result<Self, Error> {
        let mut endpoints = Vec::new();
        let (mut token, mut patience) = (None, None);
        for url in urls.split(',').filter(|url| !url.trim().is_empty()) {
            let mut location = Location::parse(url, environment)?;
            if !matches!(location.url.scheme(), "http" | "https") {
                return Err(config("needs http: or https: in each of its endpoints"));
            }
            token = token
                .or_else(|| location.password(&[]))
                .or_else(|| location.user(&["FAAFO_TOKEN"]));
            patience = patience.max(Some(location.patience()?));
            endpoints.push(location.url.clone());
            location.end()?;
        }
        let Some(patience) = patience else {
            return Err(config("names no endpoint"));
        };
        let token = match token {
            None => None,
            Some(token) => {
                let mut value = HeaderValue::try_from(format!("Bearer {token}"))
                    .map_err(|_| config("has a token with strange characters"))?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        let http = Http::new(patience, &endpoints.iter().collect::<Vec<_>>())?;
        Ok(Self {
            client: Arc::new(Client {
                http,
                endpoints,
                token,
                current: AtomicUsize::new(0),
            }),
        })
    }
}

impl Client {
    /// A request for the endpoint `number` behind the current one.
    fn call(&self, method: Method, blob: Option<&str>, endpoint: usize) -> Call {
        let mut url = self.endpoints[endpoint % self.endpoints.len()].clone();
        let path = format!("{}/v1/blobs", url.path().trim_end_matches('/'));
        url.set_path(&match blob {
            Some(blob) => format!("{path}/{blob}"),
            None => path,
        });
        let mut call = Call::new(method, url);
        if let Some(token) = &self.token {
            call.headers.insert("authorization", token.clone());
        }
        call
    }

    /// Asks the endpoints in turn, beginning with the one that answered last, and takes refusals for errors.
    async fn ask(&self, what: &str, make: impl Fn(usize) -> Call) -> Result<Response, Error> {
        let first = self.current.load(Ordering::Relaxed);
        let count = self.endpoints.len();
        let (number, response) = self
            .http
            .send_to_any(count, |number| make(first + number))
            .await?;
        self.current
            .store((first + number) % count, Ordering::Relaxed);
        accept(what, response)
    }

    /// Leaves an endpoint that has failed in the middle of something.
    fn leave(&self, endpoint: usize) {
        let next = (endpoint + 1) % self.endpoints.len();
        let _ = self
            .current
            .compare_exchange(endpoint, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    async fn size(&self, blob: &str) -> Result<Option<u64>, Error> {
        let head = |endpoint| self.call(Method::HEAD, Some(blob), endpoint);
        let response = match self.ask("look", head).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let length = response.headers().get(CONTENT_LENGTH);
        let size = length.and_then(|length| length.to_str().ok()?.parse().ok());
        size.map(Some)
            .ok_or_else(|| Error::new(ErrorKind::Unavailable, "API: look: no length"))
    }
}

fn accept(what: &str, response: Response) -> Result<Response, Error> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    Err(refusal(&format!("API: {what}"), status, "", CREDENTIALS).into())
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
        let get = |endpoint| {
            self.call(Method::GET, Some(&name), endpoint)
                .header("range", read::header(&range))
        };
        self.ask("read", get).await
    }
}

#[async_trait]
impl BlobStore for Api {
    async fn begin(&self) -> Result<Box<dyn Upload>, Error> {
        Ok(Box::new(upload::Sending::new(Arc::clone(&self.client))))
    }

    async fn read(&self, key: &BlobKey, range: Range<u64>) -> Result<ByteStream, Error> {
        if range.is_empty() {
            return match self.size(key).await? {
                Some(_) => Ok(stream::empty().boxed()),
                None => Err(Error::new(ErrorKind::NotFound, "read: no such blob")),
            };
        }
        read::read(Arc::clone(&self.client), key.to_string(), range).await
    }

    async fn size(&self, key: &BlobKey) -> Result<Option<u64>, Error> {
        self.client.size(&key.to_string()).await
    }

    async fn ping(&self) -> Result<(), Error> {
        let look = |endpoint| self.client.call(Method::GET, None, endpoint);
        self.client.ask("look", look).await.map(drop)
    }

    async fn delete(&self, key: &BlobKey) -> Result<(), Error> {
        let key = key.to_string();
        let delete = |endpoint| self.client.call(Method::DELETE, Some(&key), endpoint);
        match self.client.ask("delete", delete).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
