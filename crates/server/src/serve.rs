//! Connections: each on its own task, none able to hold up another, all ended in time when the server stops.

use crate::auth::Peer;
use crate::{Server, routes};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// A client that connects and says nothing, or says it too slowly, is cut off after so long.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// The most headers (more are answered with 431), and the most that is read ahead of them in bytes.
const HEADERS: usize = 100;
const READ_AHEAD: usize = 64 * 1024;
/// How many of those for whom there is no room are told so at the same time, and how long that may take.
const TOLD: usize = 64;
const TELLING: Duration = Duration::from_secs(2);
/// How long answers under way may take once the server stops.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves until `server.stop`; then answers under way are finished, as far as they end soon.
pub async fn serve(listener: TcpListener, server: Server) {
    let stop = server.stop.clone();
    let room = Arc::clone(&server.guard.connections);
    let told = Arc::new(Semaphore::new(TOLD));
    let router = routes::router(server);
    let connections = GracefulShutdown::new();
    loop {
        let (stream, address) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, most likely: connections that end give some back.
                    tracing::warn!(%error, "can't accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = stop.cancelled() => break,
        };
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
            if let Ok(telling) = Arc::clone(&told).try_acquire_owned() {
                tokio::spawn(async move {
                    // Who does not listen has had the chance to.
                    let _ = tokio::time::timeout(TELLING, refuse(stream)).await;
                    drop(telling);
                });
            }
            continue;
        };
        let routes = TowerToHyperService::new(router.clone());
        let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(Peer(address));
            routes.call(request)
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .max_headers(HEADERS)
            .max_buf_size(READ_AHEAD)
            .serve_connection(TokioIo::new(prepared(stream)), service);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                // Clients break off all the time.
                tracing::debug!(%error, "a connection broke");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, connections.shutdown())
        .await
        .is_err()
    {
        tracing::info!("breaking off connections that take too long");
    }
}

/// Says that there are too many connections.
async fn refuse(mut stream: TcpStream) {
    let body = r#"{"detail":"too many connections; try again in a moment","message":"too many connections"}"#;
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    if stream.write_all(answer.as_bytes()).await.is_ok() && stream.shutdown().await.is_ok() {
        // A connection closed with something unread would take the answer along.
        let mut rest = [0; 4096];
        while matches!(stream.read(&mut rest).await, Ok(1..)) {}
    }
}

fn prepared(stream: TcpStream) -> TcpStream {
    // Small answers should not wait for more.
    let _ = stream.set_nodelay(true);
    stream
}
