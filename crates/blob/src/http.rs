//! Requests to stores: time limits, and another try where that can help.

use crate::progress::Progress;
use crate::{Error, ErrorKind};
use bytes::Bytes;
use futures_util::Stream;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderValue};
use reqwest::{Method, Response, StatusCode, Url, redirect};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// For a connection to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// Tries at each server, and the pause after the first; each further pause is twice as long.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(200);
/// Answers that are read into memory (lists, errors) are not larger.
const LONGEST_TEXT: usize = 16 << 20;

/// One request, whole, so that it can be sent again.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        // Values are made here or come from the store's own answers, so they are header values.
        if let Ok(value) = HeaderValue::try_from(value.as_ref()) {
            self.headers.insert(name, value);
        }
        self
    }

    pub(crate) fn body(mut self, body: Bytes) -> Self {
        self.body = body;
        self
    }
}

/// A client with our time limits.
pub(crate) struct Http {
    client: reqwest::Client,
    pub(crate) patience: Duration,
}

impl Http {
    /// A client for these servers, which gives up after `patience` without progress.
    pub(crate) fn new(patience: Duration, servers: &[&Url]) -> Result<Self, Error> {
        // Already installed: just as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("faafo/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT.min(patience))
            // A redirected request would no longer be the one that was signed.
            .redirect(redirect::Policy::none());
        if servers.iter().all(|server| is_loopback(server)) {
            builder = builder.no_proxy();
        }
        if servers.iter().all(|server| server.scheme() == "http") {
            // Reading the system's certificates takes time and may fail.
            builder = builder.tls_certs_only([]);
        }
        let client = builder
            .build()
            .map_err(|error| Error::new(ErrorKind::Config, reason(&error)))?;
        Ok(Self { client, patience })
    }

    /// Sends what `make` returns, again while the server fails. The answer is not a failure of the server, but may be a
    /// refusal.
    pub(crate) async fn send(&self, mut make: impl FnMut() -> Call) -> Result<Response, Error> {
        Ok(self.send_to_any(1, |_| make()).await?.1)
    }

    /// Sends the request for one of `servers` servers, beginning with number 0, until one does not fail. Returns its
    /// number and its answer.
    pub(crate) async fn send_to_any(
        &self,
        servers: usize,
        mut make: impl FnMut(usize) -> Call,
    ) -> Result<(usize, Response), Error> {
        let begun = Instant::now();
        let mut pause = PAUSE;
        let mut tries = 1;
        loop {
            let mut failure = String::new();
            for number in 0..servers {
                let call = make(number);
                let place = place(&call.url);
                match self.once(call).await {
                    Ok(response) if !is_failure(response.status()) => {
                        return Ok((number, response));
                    }
                    Ok(response) => failure = format!("{place} answers {}", response.status()),
                    Err(error) => failure = error.to_string(),
                }
            }
            if tries == TRIES || begun.elapsed() >= self.patience {
                return Err(Error::new(ErrorKind::Unavailable, failure));
            }
            tracing::debug!(failure, tries, "the storage fails; trying again");
            sleep(pause).await;
            pause *= 2;
            tries += 1;
        }
    }

    /// Sends a body of unknown length as it comes; that works only once.
    pub(crate) async fn stream(
        &self,
        call: Call,
        pieces: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    ) -> Result<Response, Error> {
        let progress = Progress::new();
        let body = progress.stream(pieces);
        self.execute(call, body, progress).await
    }

    async fn once(&self, mut call: Call) -> Result<Response, Error> {
        let progress = Progress::new();
        let has_body = !call.body.is_empty();
        if has_body || matches!(call.method, Method::PUT | Method::POST) {
            let length = HeaderValue::from(call.body.len());
            call.headers.insert(CONTENT_LENGTH, length);
        }
        let body = if has_body {
            progress.body(std::mem::take(&mut call.body))
        } else {
            reqwest::Body::from("")
        };
        self.execute(call, body, progress).await
    }

    async fn execute(
        &self,
        call: Call,
        body: reqwest::Body,
        progress: Progress,
    ) -> Result<Response, Error> {
        let place = place(&call.url);
        let sending = self
            .client
            .request(call.method, call.url)
            .headers(call.headers)
            .body(body)
            .send();
        let failure = tokio::select! {
            answer = sending => match answer {
                Ok(response) => return Ok(response),
                Err(error) => reason(&error),
            },
            () = progress.stalled(self.patience) => self.silence(),
        };
        Err(Error::new(
            ErrorKind::Unavailable,
            format!("{place}: {failure}"),
        ))
    }

    /// The next piece of an answer's body.
    pub(crate) async fn piece(&self, response: &mut Response) -> Result<Option<Bytes>, Error> {
        let failure = match timeout(self.patience, response.chunk()).await {
            Ok(Ok(piece)) => return Ok(piece),
            Ok(Err(error)) => reason(&error),
            Err(_) => self.silence(),
        };
        Err(Error::new(
            ErrorKind::Unavailable,
            format!("{}: {failure}", place(response.url())),
        ))
    }

    /// An answer's body as text.
    pub(crate) async fn text(&self, mut response: Response) -> Result<String, Error> {
        let mut text = Vec::new();
        while let Some(piece) = self.piece(&mut response).await? {
            if text.len() + piece.len() > LONGEST_TEXT {
                let message = format!("{} answers too much", place(response.url()));
                return Err(Error::new(ErrorKind::Unavailable, message));
            }
            text.extend_from_slice(&piece);
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn silence(&self) -> String {
        format!("no progress for {} s", self.patience.as_secs())
    }
}

/// What an answer other than the hoped-for one means; `credentials` names the settings to look at.
pub(crate) fn refusal(what: &str, status: StatusCode, detail: &str, credentials: &str) -> Error {
    let status_text = match detail {
        "" => status.to_string(),
        detail => format!("{status}: {detail}"),
    };
    let (kind, hint) = match status {
        StatusCode::NOT_FOUND => (ErrorKind::NotFound, String::new()),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            (ErrorKind::Config, format!("; look at {credentials}"))
        }
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::INSUFFICIENT_STORAGE => {
            (ErrorKind::Full, String::new())
        }
        _ => (ErrorKind::Unavailable, String::new()),
    };
    Error::new(kind, format!("{what}: {status_text}{hint}"))
}

/// The server failed, but may do better next time: not where it can't do such a thing or is full. (498 is how Swift says "not so fast".)
fn is_failure(status: StatusCode) -> bool {
    match status.as_u16() {
        501 | 507 => false,
        408 | 429 | 498 => true,
        _ => status.is_server_error(),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// The server in a URL, for messages.
fn place(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// The last cause of an error, which says most; never the URL, which may be signed.
fn reason(error: &reqwest::Error) -> String {
    let mut error: &dyn std::error::Error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    match error.downcast_ref::<reqwest::Error>() {
        Some(error) if error.is_timeout() => "timed out".to_owned(),
        Some(_) => "the request failed".to_owned(),
        None => error.to_string(),
    }
}
