//! Stored bytes as they are: what pictures are made of, and what workers without a store of their own send.

use crate::error::{ApiError, Result};
use crate::{Server, body};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use faafo_model::{BlobKey, BlobRef};
use futures_util::TryStreamExt;
use std::ops::Range;

/// The content type of bytes that are no more than that.
pub(crate) const OCTETS: &str = "application/octet-stream";

/// `GET /v1/blobs`: whoever gets an answer may store blobs here, which a worker wants to know before it takes a task.
pub(crate) async fn may_store() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// `PUT /v1/blobs`: stores the body, whatever it is, under its SHA-256.
pub(crate) async fn put(
    State(server): State<Server>,
    content: Body,
) -> Result<(StatusCode, Json<BlobRef>)> {
    let mut upload = server.blobs.begin().await?;
    let mut pieces = content.into_data_stream();
    while let Some(piece) = pieces
        .try_next()
        .await
        .map_err(|error| body::broken(&error))?
    {
        upload.write(piece).await?;
    }
    Ok((StatusCode::CREATED, Json(upload.finish().await?)))
}

/// `GET /v1/blobs/<sha256>`
pub(crate) async fn get(
    State(server): State<Server>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let key = key
        .parse()
        .map_err(|_| ApiError::new(StatusCode::NOT_FOUND, "there is no such blob"))?;
    // Nobody's browser shall make anything of it.
    send_blob(&server, &key, None, OCTETS, &headers).await
}

/// A blob as the answer to a request: whole, a range of it, or only the news that it has not changed. `content_type` says
/// what it is.
pub(crate) async fn send_blob(
    server: &Server,
    key: &BlobKey,
    size: Option<u64>,
    content_type: &str,
    headers: &HeaderMap,
) -> Result<Response> {
    let etag = format!("\"{key}\"");
    let fixed = [
        (header::ETAG, etag.clone()),
        (
            header::CACHE_CONTROL,
            "public, max-age=31536000, immutable".to_owned(),
        ),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::CONTENT_TYPE, content_type.to_owned()),
    ];
    if text(headers, header::IF_NONE_MATCH).is_some_and(|known| matches(known, &etag)) {
        return Ok((StatusCode::NOT_MODIFIED, fixed).into_response());
    }
    let size = match size {
        Some(size) => Some(size),
        None => server.blobs.size(key).await?,
    };
    let Some(size) = size else {
        return Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "there is no such blob",
        ));
    };
    let same = text(headers, header::IF_RANGE).is_none_or(|known| known == etag);
    match text(headers, header::RANGE)
        .filter(|_| same)
        .and_then(|range| parse_range(range, size))
    {
        None => {
            let body = Body::from_stream(server.blobs.read(key, 0..size).await?);
            Ok((fixed, [(header::CONTENT_LENGTH, size)], body).into_response())
        }
        Some(Ok(range)) => {
            let content_range = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            let length = range.end - range.start;
            let body = Body::from_stream(server.blobs.read(key, range).await?);
            let varying = [
                (header::CONTENT_RANGE, content_range),
                (header::CONTENT_LENGTH, length.to_string()),
            ];
            Ok((StatusCode::PARTIAL_CONTENT, fixed, varying, body).into_response())
        }
        Some(Err(OutOfReach)) => {
            let content_range = format!("bytes */{size}");
            let error = ApiError::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                format!("the picture has {size} bytes"),
            );
            Ok(([(header::CONTENT_RANGE, content_range)], error).into_response())
        }
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn matches(known: &str, etag: &str) -> bool {
    known
        .split(',')
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == etag || tag == "*")
}

/// The asked range lies behind the end.
#[derive(Debug, PartialEq, Eq)]
struct OutOfReach;

/// The one range of a `Range` header (RFC 9110, 14.2), or `None` where the whole is to be sent: for other units, for
/// several ranges and for what can't be understood.
fn parse_range(value: &str, size: u64) -> Option<std::result::Result<Range<u64>, OutOfReach>> {
    let (first, last) = value.strip_prefix("bytes=")?.trim().split_once('-')?;
    let range = if first.is_empty() {
        let length: u64 = last.parse().ok()?;
        if length == 0 {
            return Some(Err(OutOfReach));
        }
        size.saturating_sub(length)..size
    } else {
        let first: u64 = first.parse().ok()?;
        let end = if last.is_empty() {
            size
        } else {
            last.parse::<u64>().ok()?.saturating_add(1).min(size)
        };
        if !last.is_empty() && last.parse::<u64>().ok()? < first {
            return None;
        }
        first..end
    };
    Some(if range.start < range.end {
        Ok(range)
    } else {
        Err(OutOfReach)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        let range = |value| parse_range(value, 100);
        assert_eq!(range("bytes=0-0"), Some(Ok(0..1)));
        assert_eq!(range("bytes=10-"), Some(Ok(10..100)));
        assert_eq!(range("bytes=10-1000"), Some(Ok(10..100)));
        assert_eq!(range("bytes=-10"), Some(Ok(90..100)));
        assert_eq!(range("bytes=-1000"), Some(Ok(0..100)));
        assert_eq!(range("bytes=100-"), Some(Err(OutOfReach)));
        assert_eq!(range("bytes=-0"), Some(Err(OutOfReach)));
        for whole in [
            "bytes=5-4",
            "bytes=0-1,3-4",
            "rows=1-2",
            "bytes=",
            "bytes=-",
            "bytes=x-y",
            "bytes=1-99999999999999999999",
        ] {
            assert_eq!(range(whole), None, "{whole}");
        }
    }
}
