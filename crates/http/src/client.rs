//! Requests with time limits, and another try where that can help.

use crate::progress::Progress;
use crate::{Error, ErrorKind, builder};
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

/// One request, whole, so that it can be sent again. It may hold secrets, so it has no `Debug`.
#[derive(Clone)]
pub struct Call {
    /// What to do.
    pub method: Method,
    /// With what.
    pub url: Url,
    /// Besides `host` and `content-length`, which are added when it is sent.
    pub headers: HeaderMap,
    /// Empty where there is none.
    pub body: Bytes,
    once: bool,
}

impl Call {
    /// A request without headers and body.
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            once: false,
        }
    }

    /// Sets a header.
    pub fn header(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        // Values are made here or come from the server's own answers, so they are header values.
        if let Ok(value) = HeaderValue::try_from(value.as_ref()) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: Bytes) -> Self {
        self.body = body;
        self
    }

    /// Makes it a request that must not be carried out twice: it is not tried again.
    pub fn once(mut self) -> Self {
        self.once = true;
        self
    }
}

/// A client with our time limits.
pub struct Http {
    client: reqwest::Client,
    patience: Duration,
}

impl Http {
    /// A client for these servers (see [`builder`]), which gives up after `patience` without progress.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when the system's certificates can't be read.
    pub fn new(patience: Duration, servers: &[&Url]) -> Result<Self, Error> {
        let builder = builder(servers)
            .connect_timeout(CONNECT.min(patience))
            // A redirected request would no longer be the one that was signed.
            .redirect(redirect::Policy::none());
        let client = builder
            .build()
            .map_err(|error| Error::new(ErrorKind::Config, reason(&error)).caused_by(error))?;
        Ok(Self { client, patience })
    }

    /// Sends what `make` returns, again while the server fails. The answer is not a failure of the server, but may be a
    /// refusal. A try may have been carried out although it failed; what must not happen twice is sent [`Call::once`].
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when no try succeeds.
    pub async fn send(&self, mut make: impl FnMut() -> Call) -> Result<Response, Error> {
        Ok(self.send_to_any(1, |_| make()).await?.1)
    }

    /// Sends the request for one of `servers` servers, beginning with number 0, until one does not fail. Returns its
    /// number and its answer.
    ///
    /// # Errors
    /// As [`Self::send`], of the last server.
    pub async fn send_to_any(
        &self,
        servers: usize,
        mut make: impl FnMut(usize) -> Call,
    ) -> Result<(usize, Response), Error> {
        let begun = Instant::now();
        let mut pause = PAUSE;
        let mut tries = 1;
        loop {
            let mut failure = Error::new(ErrorKind::Config, "no server to ask");
            for number in 0..servers {
                let call = make(number);
                let (place, once) = (place(&call.url), call.once);
                failure = match self.attempt(call).await {
                    Ok(response) if !is_failure(response.status()) => {
                        return Ok((number, response));
                    }
                    Ok(response) => {
                        let message = format!("{place} answers {}", response.status());
                        Error::new(ErrorKind::Unavailable, message)
                    }
                    Err(error) => error,
                };
                if once {
                    return Err(failure);
                }
            }
            if tries == TRIES || begun.elapsed() >= self.patience {
                return Err(failure);
            }
            tracing::debug!(%failure, tries, "the server fails; trying again");
            sleep(pause).await;
            pause *= 2;
            tries += 1;
        }
    }

    /// Sends a body of unknown length as it comes; that works only once. The answer may be any.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when there is no answer.
    pub async fn stream(
        &self,
        call: Call,
        pieces: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    ) -> Result<Response, Error> {
        let progress = Progress::new();
        let body = progress.stream(pieces);
        self.execute(call, body, progress).await
    }

    async fn attempt(&self, mut call: Call) -> Result<Response, Error> {
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
        tokio::select! {
            answer = sending => answer.map_err(|error| broken(&place, error)),
            () = progress.stalled(self.patience) => Err(self.silence(&place)),
        }
    }

    /// The next piece of an answer's body.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when the connection breaks or nothing comes for too long.
    pub async fn piece(&self, response: &mut Response) -> Result<Option<Bytes>, Error> {
        let result = timeout(self.patience, response.chunk()).await;
        let place = || place(response.url());
        match result {
            Ok(piece) => piece.map_err(|error| broken(&place(), error)),
            Err(_) => Err(self.silence(&place())),
        }
    }

    /// An answer's body as text.
    ///
    /// # Errors
    /// As [`Self::piece`], and when it is longer than any that makes sense.
    pub async fn text(&self, mut response: Response) -> Result<String, Error> {
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

    fn silence(&self, place: &str) -> Error {
        let seconds = self.patience.as_secs();
        let message = format!("{place}: no progress for {seconds} s");
        Error::new(ErrorKind::Unavailable, message)
    }
}

/// What an answer other than the hoped-for one means; `credentials` names the settings to look at.
pub fn refusal(what: &str, status: StatusCode, detail: &str, credentials: &str) -> Error {
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
        status if status.is_client_error() && !is_failure(status) => {
            (ErrorKind::Rejected, String::new())
        }
        _ => (ErrorKind::Unavailable, String::new()),
    };
    Error::new(kind, format!("{what}: {status_text}{hint}"))
}

/// The server failed, but may do better next time: not where it can't do such a thing or is full. (498 is OpenStack
/// Swift's way to limit rates.)
fn is_failure(status: StatusCode) -> bool {
    match status.as_u16() {
        501 | 507 => false,
        408 | 429 | 498 => true,
        _ => status.is_server_error(),
    }
}

/// The server in a URL, for messages.
fn place(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn broken(place: &str, error: reqwest::Error) -> Error {
    let message = format!("{place}: {}", reason(&error));
    // The URL may be signed.
    Error::new(ErrorKind::Unavailable, message).caused_by(error.without_url())
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
