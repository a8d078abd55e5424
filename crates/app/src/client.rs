//! The REST interface as a client sees it.

mod connect;
mod error;
mod events;
mod follow;
mod splitter;
mod tokens;

pub use connect::{check_endpoint, http_client};
pub use error::ClientError;
pub use events::{Notice, subscribe};
pub use follow::{Follower, PATIENCE, Update, follow};
pub use splitter::Splitter;
pub use tokens::TokenRow;

use faafo_model::Uuid;
use faafo_model::fractal::FractalJson;
use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// How long to wait in all, for one request, because there were too many.
const MOST_WAIT: Duration = Duration::from_secs(60);

/// How long to wait, as the answer says.
fn pause(response: &Response) -> Duration {
    let seconds = response.headers().get(RETRY_AFTER);
    let seconds = seconds.and_then(|seconds| seconds.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(1).max(1))
}

/// A service to talk to, behind one address or several.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    endpoints: Arc<[Endpoint]>,
    /// Which of them answered last.
    current: Arc<AtomicUsize>,
    /// Who we are, as the header says it.
    token: Option<HeaderValue>,
}

/// One address of the service.
struct Endpoint {
    /// Without a slash at its end.
    base: String,
    /// The base as messages may show it.
    shown: String,
}

impl Client {
    /// A client for the service at this URL, or at these, with commas in between, that shows this token, or that in a
    /// URL (`http://token@host`). Nothing is sent yet.
    ///
    /// # Errors
    /// A URL is no HTTP URL, or the token can't be sent.
    pub fn new(endpoints: &str, mut token: Option<String>) -> anyhow::Result<Self> {
        let mut urls = Vec::new();
        let mut all = Vec::new();
        for endpoint in endpoints.split(',') {
            let mut url = connect::check_endpoint(endpoint)?;
            if let Some(found) = connect::take_token(&mut url) {
                token.get_or_insert(found);
            }
            all.push(Endpoint {
                base: url.as_str().trim_end_matches('/').to_owned(),
                shown: crate::config::redact(endpoint.trim()),
            });
            urls.push(url);
        }
        Ok(Self {
            http: connect::http_client(&urls)?,
            endpoints: all.into(),
            current: Arc::default(),
            token: token.as_deref().map(connect::bearer).transpose()?,
        })
    }

    fn endpoint(&self) -> &Endpoint {
        &self.endpoints[self.current.load(Relaxed) % self.endpoints.len()]
    }

    /// The service's address, as messages may show it.
    fn shown(&self) -> &str {
        &self.endpoint().shown
    }

    /// A request for a path below the endpoint; the path begins with a slash and needs no encoding.
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.endpoint().base);
        self.with_token(self.http.request(method, url))
    }

    /// What is redirected to another host goes there without the token.
    fn with_token(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.header(AUTHORIZATION, token.clone()),
            None => request,
        }
    }

    /// Sends a request; answers other than success become errors with what the server said.
    async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let response = self.send_as_is(request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(ClientError::from_answer(response).await)
    }

    /// Whoever asks too often is told to wait, and does.
    async fn send_as_is(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let mut waited = Duration::ZERO;
        loop {
            let Some(again) = request.try_clone() else {
                return self.send_somewhere(request).await;
            };
            let response = self.send_somewhere(again).await?;
            let wait = pause(&response);
            if response.status() != StatusCode::TOO_MANY_REQUESTS || waited + wait > MOST_WAIT {
                return Ok(response);
            }
            tracing::info!("too many requests; waiting for {} s", wait.as_secs());
            tokio::time::sleep(wait).await;
            waited += wait;
        }
    }

    /// Where nobody answers, the next address is tried: nothing was sent yet.
    async fn send_somewhere(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let (http, request) = request.build_split();
        let mut request = request.map_err(|error| self.broken(error))?;
        for left in (0..self.endpoints.len()).rev() {
            let again = request.try_clone();
            let failed = self.endpoint();
            let error = match http.execute(request).await {
                Ok(response) => return Ok(response),
                Err(error) => self.broken(error),
            };
            let Some(mut next) =
                again.filter(|_| left > 0 && matches!(error, ClientError::Connect { .. }))
            else {
                return Err(error);
            };
            tracing::info!("{error}; trying the next endpoint");
            self.current.fetch_add(1, Relaxed);
            let moved = next
                .url()
                .as_str()
                .replacen(&failed.base, &self.endpoint().base, 1);
            *next.url_mut() =
                Url::parse(&moved).map_err(|error| ClientError::nonsense(self.shown(), &error))?;
            request = next;
        }
        Err(self.cut_short())
    }

    /// What broke while a body was read.
    pub fn broken(&self, error: reqwest::Error) -> ClientError {
        ClientError::from_transport(self.shown(), error)
    }

    /// An answer ended before it was whole.
    pub fn cut_short(&self) -> ClientError {
        ClientError::Broken {
            endpoint: self.shown().to_owned(),
            cause: "the answer ended too early".to_owned(),
        }
    }

    async fn whole_body(&self, response: Response) -> Result<Vec<u8>, ClientError> {
        let body = response.bytes().await.map_err(|error| self.broken(error))?;
        Ok(body.to_vec())
    }

    /// Asks for a fractal with this JSON body; returns the row as the server sent it.
    pub async fn create(&self, body: Vec<u8>) -> Result<Vec<u8>, ClientError> {
        let request = self
            .request(Method::POST, "/v1/fractal")
            .header("Content-Type", "application/json")
            .header("Accept", "application/json")
            .body(body);
        let response = self.send(request).await?;
        self.whole_body(response).await
    }

    /// The row of a fractal.
    pub async fn fractal(&self, id: Uuid) -> Result<FractalJson, ClientError> {
        let request = self.request(Method::GET, &format!("/v1/fractal/{id}"));
        let response = self.send(request).await.map_err(|error| error.about(id))?;
        let body = self.whole_body(response).await?;
        serde_json::from_slice(&body).map_err(|error| ClientError::nonsense(self.shown(), &error))
    }

    /// Deletes a fractal.
    pub async fn delete(&self, id: Uuid) -> Result<(), ClientError> {
        let request = self.request(Method::DELETE, &format!("/v1/fractal/{id}"));
        self.send(request).await.map_err(|error| error.about(id))?;
        Ok(())
    }

    /// Cancels or retries a fractal.
    pub async fn control(&self, verb: &str, id: Uuid) -> Result<(), ClientError> {
        let request = self.request(Method::POST, &format!("/v1/fractal/{id}/{verb}"));
        self.send(request).await.map_err(|error| error.about(id))?;
        Ok(())
    }

    /// Gives a fractal another priority.
    pub async fn set_priority(&self, id: Uuid, priority: i64) -> Result<(), ClientError> {
        let request = self
            .request(Method::POST, &format!("/v1/fractal/{id}/priority"))
            .header("Content-Type", "application/json")
            .body(json!({"priority": priority}).to_string());
        self.send(request).await.map_err(|error| error.about(id))?;
        Ok(())
    }

    /// The workers heard of lately, as the server describes them.
    pub async fn workers(&self) -> Result<Vec<Value>, ClientError> {
        let response = self.send(self.request(Method::GET, "/v1/workers")).await?;
        let body = self.whole_body(response).await?;
        let nonsense = |error: &dyn std::error::Error| ClientError::nonsense(self.shown(), error);
        let mut answer: Value = serde_json::from_slice(&body).map_err(|error| nonsense(&error))?;
        serde_json::from_value(answer["workers"].take()).map_err(|error| nonsense(&error))
    }

    /// Cancels or retries all fractals that the query finds; returns how many there were.
    pub async fn control_many(&self, verb: &str, query: &Value) -> Result<u64, ClientError> {
        let request = self
            .request(Method::POST, &format!("/v1/fractal/{verb}"))
            .header("Content-Type", "application/json")
            .body(query.to_string());
        let response = self.send(request).await?;
        let body = self.whole_body(response).await?;
        let answer: Value = serde_json::from_slice(&body)
            .map_err(|error| ClientError::nonsense(self.shown(), &error))?;
        Ok(answer["changed"].as_u64().unwrap_or_default())
    }

    /// All rows as one document that streams, or those that a filter in the `q` language lets through.
    pub async fn list(&self, q: Option<&str>) -> Result<Response, ClientError> {
        let mut url = self.url("/v1/fractal")?;
        url.query_pairs_mut().append_pair("results_per_page", "-1");
        if let Some(q) = q {
            url.query_pairs_mut().append_pair("q", q);
        }
        self.send(self.with_token(self.http.get(url))).await
    }

    fn url(&self, path: &str) -> Result<Url, ClientError> {
        let url = Url::parse(&format!("{}{path}", self.endpoint().base));
        url.map_err(|error| ClientError::nonsense(self.shown(), &error))
    }

    /// A fractal's picture from byte `from` on, if it still is the one of that checksum, else all of it. The answer may
    /// be 200, 206 or 416.
    pub async fn picture(
        &self,
        id: Uuid,
        from: u64,
        checksum: Option<&str>,
    ) -> Result<Response, ClientError> {
        let mut request = self.request(Method::GET, &format!("/fractal/{id}"));
        if from > 0 {
            request = request.header("Range", format!("bytes={from}-"));
            if let Some(checksum) = checksum {
                request = request.header("If-Range", format!("\"{checksum}\""));
            }
        }
        let response = self.send_as_is(request).await?;
        match response.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                Ok(response)
            }
            _ => Err(ClientError::from_answer(response).await.about(id)),
        }
    }

    /// The stream of live events.
    async fn events(&self) -> Result<Response, ClientError> {
        let request = self
            .request(Method::GET, "/v1/events")
            .header("Accept", "text/event-stream");
        self.send(request).await
    }
}
