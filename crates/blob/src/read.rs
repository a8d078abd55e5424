//! Reading a range over HTTP. Content never changes under its name, so a connection that breaks is taken up again where
//! it broke.

use crate::{ByteStream, Error, ErrorKind};
use faafo_http::Http;
use futures_util::{Stream, StreamExt, stream};
use reqwest::{Response, StatusCode};
use std::ops::Range;
use std::sync::Arc;

/// Broken connections that one reading outlives.
const BREAKS: u32 = 3;

/// A store that answers `GET` with `Range`.
pub(crate) trait Ranged: Send + Sync + 'static {
    fn http(&self) -> &Http;

    /// Asks for a range that is not empty. A refusal is an error.
    fn open_range(
        self: Arc<Self>,
        name: String,
        range: Range<u64>,
    ) -> impl Future<Output = Result<Response, Error>> + Send;
}

/// The bytes of the object `name` in `range`, which must not be empty.
pub(crate) async fn read<R: Ranged>(
    store: Arc<R>,
    name: String,
    range: Range<u64>,
) -> Result<ByteStream, Error> {
    let response = open(&store, &name, &range).await?;
    let reading = Reading {
        store,
        name,
        range,
        response,
        breaks: 0,
    };
    Ok(pieces(reading).boxed())
}

/// The value of a `Range` header.
pub(crate) fn header(range: &Range<u64>) -> String {
    format!("bytes={}-{}", range.start, range.end.saturating_sub(1))
}

struct Reading<R> {
    store: Arc<R>,
    name: String,
    /// What is still to come.
    range: Range<u64>,
    response: Response,
    breaks: u32,
}

fn pieces<R: Ranged>(
    reading: Reading<R>,
) -> impl Stream<Item = Result<bytes::Bytes, Error>> + Send + 'static {
    stream::try_unfold(reading, |mut reading| async move {
        loop {
            let left = reading.range.end - reading.range.start;
            if left == 0 {
                return Ok(None);
            }
            let broken = match reading.store.http().piece(&mut reading.response).await {
                Ok(Some(mut piece)) => {
                    // A server that ignores where a range ends.
                    piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                    reading.range.start += piece.len() as u64;
                    return Ok(Some((piece, reading)));
                }
                Ok(None) => Error::new(ErrorKind::Unavailable, "the answer ends too early"),
                Err(error) => error.into(),
            };
            reading.breaks += 1;
            if reading.breaks > BREAKS {
                return Err(broken);
            }
            tracing::debug!(%broken, "reading on over another connection");
            reading.response = open(&reading.store, &reading.name, &reading.range).await?;
        }
    })
}

async fn open<R: Ranged>(
    store: &Arc<R>,
    name: &str,
    range: &Range<u64>,
) -> Result<Response, Error> {
    let response = Arc::clone(store)
        .open_range(name.to_owned(), range.clone())
        .await?;
    match response.status() {
        StatusCode::PARTIAL_CONTENT => Ok(response),
        StatusCode::OK if range.start == 0 => Ok(response),
        status => Err(Error::new(
            ErrorKind::Unavailable,
            format!("a range is answered with {status}"),
        )),
    }
}
