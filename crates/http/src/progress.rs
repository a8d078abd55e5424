//! A watch on one request: it barks when the other side has not moved for too long.

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Bytes handed to the connection at a time: each one taken is progress.
const PIECE: usize = 64 * 1024;

/// When the connection last took a piece of the body.
#[derive(Clone)]
pub(crate) struct Progress(Arc<Mutex<State>>);

struct State {
    last: Instant,
    /// It is we who have nothing to send, so nobody is late.
    waiting_for_us: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            last: Instant::now(),
            waiting_for_us: false,
        })))
    }

    fn moved(&self, waiting_for_us: bool) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State {
            last: Instant::now(),
            waiting_for_us,
        };
    }

    /// Returns once nothing has moved for `patience`.
    pub(crate) async fn stalled(&self, patience: Duration) {
        loop {
            let end = {
                let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                let since = if state.waiting_for_us {
                    Instant::now()
                } else {
                    state.last
                };
                since + patience
            };
            if end <= Instant::now() {
                return;
            }
            sleep_until(end).await;
        }
    }

    /// `bytes` as a body whose progress is seen here.
    pub(crate) fn body(&self, bytes: Bytes) -> reqwest::Body {
        let progress = self.clone();
        let pieces = stream::unfold(bytes, move |mut bytes| {
            progress.moved(false);
            let piece = bytes.split_to(bytes.len().min(PIECE));
            std::future::ready((!piece.is_empty()).then(|| (std::io::Result::Ok(piece), bytes)))
        });
        reqwest::Body::wrap_stream(pieces)
    }

    /// Pieces that come when they come, as a body whose progress is seen here.
    pub(crate) fn stream(
        &self,
        pieces: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    ) -> reqwest::Body {
        let progress = self.clone();
        let pieces = stream::unfold(Box::pin(pieces), move |mut pieces| {
            let progress = progress.clone();
            async move {
                progress.moved(true);
                let piece = pieces.next().await;
                progress.moved(false);
                Some((piece?, pieces))
            }
        });
        reqwest::Body::wrap_stream(pieces)
    }
}
