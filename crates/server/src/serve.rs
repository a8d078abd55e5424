//! Connections: each on its own task, none able to hold up another, all ended in time when the server stops.

use crate::{Server, routes};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// A client that connects and says nothing, or says it too slowly, is cut off after so long.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long answers under way may take once the server stops.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves until `server.stop`; then answers under way are finished, as far as they end soon.
pub async fn serve(listener: TcpListener, server: Server) {
    let stop = server.stop.clone();
    let router = routes::router(server);
    let connections = GracefulShutdown::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file descriptors, most likely: connections that end give some back.
                    tracing::warn!(%error, "can't accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = stop.cancelled() => break,
        };
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(
                TokioIo::new(prepared(stream)),
                TowerToHyperService::new(router.clone()),
            );
        let connection = connections.watch(connection);
        tokio::spawn(async move {
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

fn prepared(stream: TcpStream) -> TcpStream {
    // Small answers should not wait for more.
    let _ = stream.set_nodelay(true);
    stream
}
