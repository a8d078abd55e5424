//! Bodies that come too slowly, or are too large.

use super::Security;
use super::refusal::Refusal;
use super::rule::BodyLimit;
use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::header;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// So much of a body must come within its time limit, so that one byte now and then is not enough.
const STEP: usize = 16 * 1024;
/// A worker sends a picture while it renders it, and is silent while a block takes long.
const BLOB_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// Why a body ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    /// Nothing came for too long, or too little.
    #[error("the body came too slowly")]
    Slow,
    /// There was more of it than this many bytes.
    #[error("the body must be at most {0} bytes")]
    Large(u64),
}

/// Puts limits on a request's body.
///
/// # Errors
/// It says of itself that it is too large.
pub(super) fn limit(
    request: &mut Request,
    taken: BodyLimit,
    security: &Security,
) -> Result<(), Refusal> {
    if request.body().is_end_stream() {
        return Ok(());
    }
    let short = |most| Limits {
        most,
        patience: security.body_timeout,
        step: STEP,
    };
    let limits = match taken {
        BodyLimit::Empty => short(0),
        BodyLimit::Short(most) => short(most as u64),
        BodyLimit::Upload => {
            let length = request.headers().get(header::CONTENT_LENGTH);
            let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
            if length.is_some_and(|length| length > security.max_upload) {
                return Err(Refusal::too_large(security.max_upload));
            }
            Limits {
                most: security.max_upload,
                patience: BLOB_TIMEOUT,
                step: 1,
            }
        }
    };
    let body = std::mem::take(request.body_mut());
    *request.body_mut() = limited(body, limits);
    Ok(())
}

#[derive(Clone, Copy)]
struct Limits {
    most: u64,
    patience: Duration,
    step: usize,
}

fn limited(body: Body, limits: Limits) -> Body {
    let deadline = Instant::now() + limits.patience;
    let begun = (body.into_data_stream(), deadline, 0, 0);
    let pieces = stream::try_unfold(
        begun,
        move |(mut body, mut deadline, mut step, mut all)| async move {
            let piece: Bytes = match timeout_at(deadline, body.next()).await {
                Err(_) => return Err(axum::Error::new(Broken::Slow)),
                Ok(None) => return Ok(None),
                Ok(Some(piece)) => piece?,
            };
            all += piece.len() as u64;
            if all > limits.most {
                return Err(axum::Error::new(Broken::Large(limits.most)));
            }
            step += piece.len();
            if step >= limits.step {
                (step, deadline) = (0, Instant::now() + limits.patience);
            }
            Ok(Some((piece, (body, deadline, step, all))))
        },
    );
    Body::from_stream(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;
    use std::convert::Infallible;

    const LIMITS: Limits = Limits {
        most: 100_000,
        patience: Duration::from_secs(10),
        step: 1000,
    };

    /// A body of pieces of so many bytes, each after so many seconds.
    fn body(pieces: &'static [(usize, u64)]) -> Body {
        let pieces = stream::iter(pieces).then(|(length, seconds)| async move {
            tokio::time::sleep(Duration::from_secs(*seconds)).await;
            Ok::<_, Infallible>(Bytes::from(vec![7; *length]))
        });
        limited(Body::from_stream(pieces), LIMITS)
    }

    async fn end(pieces: &'static [(usize, u64)]) -> Result<usize, String> {
        let whole = to_bytes(body(pieces), usize::MAX).await;
        whole
            .map(|bytes| bytes.len())
            .map_err(|error| error.to_string())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_comes_slowly_is_cut_off_and_a_long_one_is_not() {
        assert_eq!(end(&[(1000, 9), (1000, 9), (10, 9)]).await, Ok(2010));
        let slow = Err("the body came too slowly".to_owned());
        assert_eq!(end(&[(1000, 9), (1, 11)]).await, slow);
        // A byte now and then is not enough.
        assert_eq!(end(&[(1, 4), (1, 4), (1, 4)]).await, slow);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_too_large_is_cut_off() {
        assert_eq!(end(&[(100_000, 0)]).await, Ok(100_000));
        let large = end(&[(100_000, 0), (1, 0)]).await.unwrap_err();
        assert!(large.contains("at most 100000 bytes"), "{large}");
    }
}
