//! A small port of its own for whoever looks at a process from outside: `/metrics`, `/healthz`, `/readyz`. Roles that
//! serve nothing else have it too, and it is there before anything else is.

use anyhow::Context;
use bytes::Bytes;
use faafo_telemetry::Source;
use http_body_util::Full;
use hyper::header::{ALLOW, CONTENT_TYPE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpListener;

/// A client that says nothing is cut off after so long.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

type Sources = Arc<OnceLock<Arc<[Arc<dyn Source>]>>>;

/// The port, if there is one.
pub struct Lookout(Sources);

impl Lookout {
    /// Listens at this address for as long as the process lives. If only this machine reaches it, names that are neither
    /// its own nor allowed do not lead there: a foreign page could otherwise read it under a name of its own.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn open(
        address: Option<SocketAddr>,
        allowed_hosts: Vec<String>,
    ) -> anyhow::Result<Self> {
        let sources = Sources::default();
        if let Some(address) = address {
            let listener = TcpListener::bind(address).await;
            let listener =
                listener.with_context(|| format!("metrics_listen: can't listen on {address}"))?;
            let local = listener
                .local_addr()
                .context("can't tell the address listened on")?;
            tracing::info!(address = %local, "metrics and health");
            let is_local = local.ip().to_canonical().is_loopback();
            let names = Arc::new(is_local.then_some(allowed_hosts));
            tokio::spawn(serve(listener, Arc::clone(&sources), names));
        }
        Ok(Self(sources))
    }

    /// From now on the process is at work, and these are the parts that it can ask.
    pub fn begin(&self, sources: Arc<[Arc<dyn Source>]>) {
        // Whatever comes second has nothing new to say.
        let _ = self.0.set(sources);
    }
}

/// Names that lead here beside this machine's own; all, where there is no list.
type Names = Arc<Option<Vec<String>>>;

async fn serve(listener: TcpListener, sources: Sources, names: Names) {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, most likely: connections that end give some back.
                tracing::warn!(%error, "can't accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let (sources, names) = (Arc::clone(&sources), Arc::clone(&names));
        let service = service_fn(move |request| {
            let (sources, names) = (Arc::clone(&sources), Arc::clone(&names));
            async move { Ok::<_, Infallible>(answer(&request, &sources, &names).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                // Clients break off all the time.
                tracing::debug!(%error, "a connection broke");
            }
        });
    }
}

async fn answer<B>(
    request: &Request<B>,
    sources: &Sources,
    names: &Names,
) -> Response<Full<Bytes>> {
    let host = faafo_server::asked_host(request.headers(), request.uri());
    if let (Some(names), Some(host)) = (&**names, host)
        && !faafo_server::is_own_name(&host, names)
    {
        let detail = "nothing here has this name; see the setting allowed_hosts\n";
        return text(StatusCode::MISDIRECTED_REQUEST, detail);
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refusal = text(StatusCode::METHOD_NOT_ALLOWED, "only GET is possible\n");
        let allow = hyper::header::HeaderValue::from_static("GET, HEAD");
        refusal.headers_mut().insert(ALLOW, allow);
        return refusal;
    }
    let known = sources.get();
    match request.uri().path() {
        "/metrics" => {
            let none: Arc<[Arc<dyn Source>]> = Arc::new([]);
            text(
                StatusCode::OK,
                faafo_telemetry::page(known.unwrap_or(&none)).await,
            )
        }
        "/healthz" => text(StatusCode::OK, "alive\n"),
        "/readyz" => match known {
            None => text(StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
            Some(sources) => {
                let unready = faafo_telemetry::unready(sources).await;
                if unready.is_empty() {
                    return text(StatusCode::OK, "ready\n");
                }
                let unready = format!("not ready: {}\n", unready.join(", "));
                text(StatusCode::SERVICE_UNAVAILABLE, unready)
            }
        },
        _ => text(
            StatusCode::NOT_FOUND,
            "there are /metrics, /healthz and /readyz\n",
        ),
    }
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let content_type = hyper::header::HeaderValue::from_static(faafo_telemetry::CONTENT_TYPE);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
