//! Live events as server-sent events (HTML Living Standard, 9.2): `event: fractal`, `data:` the event's JSON.

use crate::Server;
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use faafo_model::Event as FractalEvent;
use faafo_model::message::Change;
use faafo_telemetry::metrics;
use futures_util::stream;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

/// `GET /v1/events`. A subscriber that is too slow misses events and is told so by `event: resync`.
pub(crate) async fn events(State(server): State<Server>) -> impl IntoResponse {
    let subscription = server.queue.subscribe();
    // At once, so that the client knows that from now on it misses nothing.
    let hello = Event::default().event("hello").data("{}");
    let stream = stream::unfold(
        (
            Some(hello),
            subscription,
            server.stop,
            metrics::SUBSCRIBERS.hold([]),
        ),
        |(hello, mut subscription, stop, held)| async move {
            if let Some(hello) = hello {
                return Some((Ok::<_, Infallible>(hello), (None, subscription, stop, held)));
            }
            let event = loop {
                tokio::select! {
                    event = subscription.recv() => match event {
                        // Between trackers and workers.
                        Ok(event) if matches!(event.change, Change::Stop(_)) => {}
                        Ok(event) => break tell(&event),
                        Err(RecvError::Lagged(_)) => {
                            break Event::default().event("resync").data("{}");
                        }
                        Err(RecvError::Closed) => return None,
                    },
                    () = stop.cancelled() => return None,
                }
            };
            Some((Ok(event), (None, subscription, stop, held)))
        },
    );
    // Proxies must not gather events.
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (
        headers,
        Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))),
    )
}

fn tell(event: &FractalEvent) -> Event {
    let data = serde_json::to_string(event).unwrap_or_else(|_| "{}".to_owned());
    Event::default().event("fractal").data(data)
}
