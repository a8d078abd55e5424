//! The stored pictures, byte for byte as they were stored: their SHA-256 is the recorded checksum.

use crate::Server;
use crate::error::{ApiError, Result};
use crate::fractals::find;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use faafo_model::{BlobKey, Fractal, State as FractalState};
use std::ops::Range;

/// `GET /fractal/<uuid>`; with `?download` browsers save it.
pub(crate) async fn picture(
    State(server): State<Server>,
    Path(uuid): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    let fractal = find_picture(&server, &uuid).await?;
    let mut response = send(&server, fractal.picture, &fractal, &headers).await?;
    if query
        .as_deref()
        .is_some_and(|query| query.split('&').any(|pair| pair.starts_with("download")))
        && let Ok(value) =
            HeaderValue::try_from(format!("attachment; filename=\"{}.png\"", fractal.id))
    {
        response
            .headers_mut()
            .insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// `GET /fractal/<uuid>/thumbnail`, at most 300 pixels a side
pub(crate) async fn thumbnail(
    State(server): State<Server>,
    Path(uuid): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let fractal = find_picture(&server, &uuid).await?;
    send(&server, fractal.thumbnail, &fractal, &headers).await
}

async fn find_picture(server: &Server, uuid: &str) -> Result<Fractal> {
    find(server, uuid).await.map_err(|error| {
        // The original's words, spelling included.
        if error.is_not_found() {
            error.with("code", 404).with("message", "Fracal not found")
        } else {
            error
        }
    })
}

async fn send(
    server: &Server,
    key: Option<BlobKey>,
    fractal: &Fractal,
    headers: &HeaderMap,
) -> Result<Response> {
    let key = match (fractal.state, key) {
        (FractalState::Done, Some(key)) => key,
        _ => return Ok(not_yet(fractal)),
    };
    let etag = format!("\"{key}\"");
    let fixed = [
        (header::ETAG, etag.clone()),
        (
            header::CACHE_CONTROL,
            "public, max-age=31536000, immutable".to_owned(),
        ),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::CONTENT_TYPE, "image/png".to_owned()),
    ];
    if text(headers, header::IF_NONE_MATCH).is_some_and(|known| matches(known, &etag)) {
        return Ok((StatusCode::NOT_MODIFIED, fixed).into_response());
    }
    let Some(size) = server.blobs.size(&key).await? else {
        tracing::error!(id = %fractal.id, %key, "the stored picture is missing");
        return Err(ApiError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the stored picture is missing",
        ));
    };
    let same = text(headers, header::IF_RANGE).is_none_or(|known| known == etag);
    match text(headers, header::RANGE)
        .filter(|_| same)
        .and_then(|range| parse_range(range, size))
    {
        None => {
            let body = Body::from_stream(server.blobs.read(&key, 0..size).await?);
            Ok((fixed, [(header::CONTENT_LENGTH, size)], body).into_response())
        }
        Some(Ok(range)) => {
            let content_range = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            let length = range.end - range.start;
            let body = Body::from_stream(server.blobs.read(&key, range).await?);
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

/// There is a fractal but no picture: not yet, or never.
fn not_yet(fractal: &Fractal) -> Response {
    let state = fractal.state;
    let (status, detail) = match (state, &fractal.error) {
        (FractalState::Failed, Some(error)) => (
            StatusCode::NOT_FOUND,
            format!("there is no picture: {error}"),
        ),
        _ if state.is_final() => (
            StatusCode::NOT_FOUND,
            format!("there is no picture: the fractal is {state}"),
        ),
        _ => (
            StatusCode::ACCEPTED,
            format!("there is no picture yet: the fractal is {state}"),
        ),
    };
    let body = ApiError::new(status, detail)
        .with("state", state.name())
        .with("progress", fractal.progress);
    (
        [
            (header::RETRY_AFTER, "1"),
            (header::CACHE_CONTROL, "no-store"),
        ],
        body,
    )
        .into_response()
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
