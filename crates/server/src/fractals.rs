//! Creating, showing and deleting one fractal.

use crate::error::{ApiError, Result};
use crate::{Server, body};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use faafo_model::{CreateRequest, Event, Fractal, FractalJson, Uuid};
use std::time::SystemTime;

/// A recipe takes a few hundred bytes.
const CREATE_LIMIT: usize = 64 * 1024;

/// `POST /v1/fractal`
pub(crate) async fn create(
    State(server): State<Server>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    let object = body::object(&headers, body, CREATE_LIMIT).await?;
    let request = CreateRequest::parse(&object, &server.limits, &mut fastrand::Rng::new())?;
    let Some(fractal) = server
        .store
        .accept(&request, SystemTime::now().into())
        .await?
    else {
        return Err(ApiError::field("uuid", "is taken").with("message", "IntegrityError"));
    };
    server.wake.notify_one();
    server
        .queue
        .publish_event(Event::state(fractal.id, fractal.state, 0.0));
    tracing::debug!(id = %fractal.id, "accepted");
    let location = format!("{}/v1/fractal/{}", base(&headers), fractal.id);
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        Json(FractalJson::from(&fractal)),
    )
        .into_response())
}

/// `GET /v1/fractal/<uuid>`
pub(crate) async fn show(
    State(server): State<Server>,
    Path(uuid): Path<String>,
) -> Result<Json<FractalJson>> {
    let fractal = find(&server, &uuid).await?;
    Ok(Json(FractalJson::from(&fractal)))
}

/// `DELETE /v1/fractal/<uuid>`
pub(crate) async fn delete(
    State(server): State<Server>,
    Path(uuid): Path<String>,
) -> Result<Response> {
    let id = parse(&uuid)?;
    let fractal = server
        .store
        .delete(id)
        .await?
        .ok_or_else(ApiError::no_such_fractal)?;
    // Stops a worker that is at it, and has the blobs removed.
    server.queue.publish_event(Event::deleted(fractal.id));
    server.wake.notify_one();
    tracing::info!(%id, "deleted");
    Ok((
        StatusCode::NO_CONTENT,
        [(header::CONTENT_TYPE, "application/json")],
    )
        .into_response())
}

/// The fractal that an address names.
pub(crate) async fn find(server: &Server, uuid: &str) -> Result<Fractal> {
    server
        .store
        .get(parse(uuid)?)
        .await?
        .ok_or_else(ApiError::no_such_fractal)
}

fn parse(uuid: &str) -> Result<Uuid> {
    Uuid::try_parse(uuid)
        .ok()
        .filter(|_| uuid.len() == 36)
        .ok_or_else(ApiError::no_such_fractal)
}

/// The address under which the client reached us.
pub(crate) fn base(headers: &HeaderMap) -> String {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost");
    format!("http://{host}")
}
