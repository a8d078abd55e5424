//! Sends the spans of traces to a collector: OTLP over HTTP, in its JSON encoding. Nothing ever waits for it; a
//! collector that is away or slow gets what there is room for, and the rest is counted as dropped.

use super::folder::host_name;
use crate::client::{check_endpoint, http_client};
use anyhow::Context;
use faafo_telemetry::metrics;
use faafo_telemetry::trace::{self, Span, otlp};
use percent_encoding::percent_decode_str;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{StatusCode, Url};
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How often spans are sent.
const EVERY: Duration = Duration::from_secs(1);
/// Spans in one request.
const BATCH: usize = 512;
/// For one request.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest pause while the collector is away.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// For what is left at the end.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// The exporter, if there is a collector.
pub struct Traces(Option<(JoinHandle<()>, CancellationToken)>);

impl Traces {
    /// Turns tracing on if there is somebody to send traces to: the setting, or the environment as OpenTelemetry has
    /// it. The environment's `OTEL_EXPORTER_OTLP_HEADERS` go along.
    ///
    /// # Errors
    /// An endpoint that is no HTTP URL, headers that are none.
    pub fn start(endpoint: Option<&str>) -> anyhow::Result<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let named = variable("OTEL_EXPORTER_OTLP_ENDPOINT");
        let Some(endpoint) = endpoint.or(named.as_deref()) else {
            return Ok(Self(None));
        };
        let base = check_endpoint(endpoint).context("otlp_endpoint")?;
        let address = format!("{}/v1/traces", base.as_str().trim_end_matches('/'));
        let collector = Collector {
            url: Url::parse(&address).context("otlp_endpoint")?,
            http: http_client(&[base])?,
            headers: headers(&variable("OTEL_EXPORTER_OTLP_HEADERS").unwrap_or_default())?,
            instance: format!("{}:{}", host_name(), std::process::id()),
        };
        let stop = CancellationToken::new();
        let task = tokio::spawn(collector.export(trace::start(), stop.clone()));
        Ok(Self(Some((task, stop))))
    }

    /// Sends what is left, as far as that is done soon.
    pub async fn finish(self) {
        if let Some((task, stop)) = self.0 {
            stop.cancel();
            let _ = timeout(LAST_WORDS, task).await;
        }
    }
}

/// `name=value,name=value`, percent-encoded. Values are secrets and never shown.
fn headers(text: &str) -> anyhow::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
        let read = || {
            let (name, value) = pair.split_once('=')?;
            let decode = |text| percent_decode_str(text).decode_utf8().ok();
            let name = HeaderName::try_from(&*decode(name.trim())?).ok()?;
            let mut value = HeaderValue::try_from(&*decode(value.trim())?).ok()?;
            value.set_sensitive(true);
            Some((name, value))
        };
        let (name, value) = read()
            .context("OTEL_EXPORTER_OTLP_HEADERS must be name=value, with commas in between")?;
        headers.insert(name, value);
    }
    Ok(headers)
}

struct Collector {
    url: Url,
    http: reqwest::Client,
    headers: HeaderMap,
    instance: String,
}

/// Why spans did not arrive.
enum Failure {
    /// Another try may help.
    Away(String),
    /// The collector does not want these.
    Refused(String),
}

impl Collector {
    async fn export(self, mut spans: Receiver<Span>, stop: CancellationToken) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut pause = EVERY;
        let mut away = false;
        loop {
            while batch.len() < BATCH
                && let Ok(span) = spans.try_recv()
            {
                batch.push(span);
            }
            let full = batch.len() == BATCH;
            let sent = if batch.is_empty() {
                Ok(())
            } else {
                self.send(&batch).await
            };
            let number = batch.len() as u64;
            match sent {
                Ok(()) => {
                    metrics::SPANS.add(["sent"], number);
                    batch.clear();
                    if std::mem::take(&mut away) && number > 0 {
                        tracing::info!("traces arrive again");
                    }
                    pause = EVERY;
                    if full {
                        continue;
                    }
                }
                Err(Failure::Refused(reason)) => {
                    tracing::warn!(reason, number, "the collector refuses traces");
                    metrics::SPANS.add(["dropped"], number);
                    batch.clear();
                }
                Err(Failure::Away(reason)) => {
                    if !std::mem::replace(&mut away, true) {
                        tracing::warn!(reason, "traces don't arrive; trying again");
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
            if stop.is_cancelled() {
                // One try after everything has ended; whoever stops the process has no time for more.
                if away || spans.is_empty() {
                    let left = batch.len() + spans.len();
                    return metrics::SPANS.add(["dropped"], left as u64);
                }
                continue;
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    async fn send(&self, spans: &[Span]) -> Result<(), Failure> {
        let body = otlp::request(spans, &self.instance).to_string();
        let request = self
            .http
            .post(self.url.clone())
            .headers(self.headers.clone())
            .timeout(PATIENCE)
            .body(body);
        let answer = request.send().await.map_err(|error| {
            Failure::Away(format!("{:#}", anyhow::Error::new(error.without_url())))
        })?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            // Those that the specification calls retryable.
            status @ (StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT) => Err(Failure::Away(status.to_string())),
            status => Err(Failure::Refused(status.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_opentelemetry_has_them_and_kept_secret() {
        let read = headers("authorization=Bearer%20s3cret, x-team = a").unwrap();
        assert_eq!(read["authorization"], "Bearer s3cret");
        assert_eq!(read["x-team"], "a");
        assert!(!format!("{read:?}").contains("s3cret"));
        for bad in ["authorization", "a b=c", "a=\u{1}s3cret"] {
            let error = headers(bad).unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
