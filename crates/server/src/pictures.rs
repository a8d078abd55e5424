//! The stored pictures, or their numbers, byte for byte as they were stored: their SHA-256 is the recorded checksum.

use crate::Server;
use crate::blobs::{OCTETS, send_blob};
use crate::error::{ApiError, Result};
use crate::fractals::find_stored;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use faafo_model::{Format, Fractal, State as FractalState};
use faafo_store::{Role, StoredBlob};
use std::time::Duration;

/// The content type of pictures.
const PNG: &str = "image/png";
/// How long a link to the store itself stays good.
const PRESIGNED_FOR: Duration = Duration::from_secs(300);

/// `GET /fractal/<uuid>`; with `?download` browsers save it.
pub(crate) async fn picture(
    State(server): State<Server>,
    Path(uuid): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    let (fractal, stored) = find_picture(&server, &uuid, Role::PICTURE).await?;
    let to_save = query
        .as_deref()
        .is_some_and(|query| query.split('&').any(|pair| pair.starts_with("download")));
    let format = fractal.recipe.format;
    let file_name = format!("{}.{}", fractal.id, format.name());
    if to_save
        && let (FractalState::Done, Some(stored)) = (fractal.state, &stored)
        && let Some(url) = server
            .blobs
            .presigned_get(&stored.key, &file_name, PRESIGNED_FOR)
            .await
    {
        // The store itself sends the bytes.
        return Ok(Redirect::temporary(&url).into_response());
    }
    let content_type = match format {
        Format::Png => PNG,
        Format::Npy => OCTETS,
    };
    let mut response = send(&server, stored, &fractal, content_type, &headers).await?;
    if to_save
        && let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{file_name}\""))
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
    let (fractal, stored) = find_picture(&server, &uuid, Role::THUMBNAIL).await?;
    if let Some(stored) = stored
        && !fractal.state.is_final()
    {
        return preview(&server, &stored, &fractal, &headers).await;
    }
    send(&server, stored, &fractal, PNG, &headers).await
}

/// What a poster will look like, about, while it grows.
async fn preview(
    server: &Server,
    stored: &StoredBlob,
    fractal: &Fractal,
    headers: &HeaderMap,
) -> Result<Response> {
    match send_blob(server, &stored.key, stored.size, PNG, headers).await {
        Ok(mut response) => {
            let until_done = HeaderValue::from_static("no-store");
            response
                .headers_mut()
                .insert(header::CACHE_CONTROL, until_done);
            Ok(response)
        }
        Err(error) if error.is_not_found() => Ok(not_yet(fractal)),
        Err(error) => Err(error),
    }
}

async fn find_picture(
    server: &Server,
    uuid: &str,
    role: Role,
) -> Result<(Fractal, Option<StoredBlob>)> {
    find_stored(server, uuid, role).await.map_err(|error| {
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
    stored: Option<StoredBlob>,
    fractal: &Fractal,
    content_type: &str,
    headers: &HeaderMap,
) -> Result<Response> {
    let StoredBlob { key, size } = match (fractal.state, stored) {
        (FractalState::Done, Some(stored)) => stored,
        _ => return Ok(not_yet(fractal)),
    };
    let sent = send_blob(server, &key, size, content_type, headers).await;
    sent.map_err(|error| {
        if !error.is_not_found() {
            return error;
        }
        tracing::error!(%key, "the stored picture is missing");
        let detail = "the stored picture is missing";
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    })
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
