//! Creating, showing and deleting one fractal.

use crate::error::{ApiError, Result};
use crate::{Server, auth, body};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use faafo_model::{CreateRequest, Event, Fractal, FractalJson, State as FractalState, Uuid};
use faafo_store::{Role, StoredBlob};
use faafo_telemetry::trace::{self, Begun, Kind, Link, Service, Span};
use std::time::SystemTime;
use tracing::field::display;

/// `POST /v1/fractal`
pub(crate) async fn create(
    State(server): State<Server>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    let begun = trace::begun();
    let object = body::object(&headers, body).await?;
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
    tracing::Span::current().record("uuid", display(fractal.id));
    tracing::debug!("accepted");
    accepted(&fractal, begun, &headers);
    let location = format!("{}/v1/fractal/{}", base(&headers), fractal.id);
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        Json(FractalJson::from(&fractal)),
    )
        .into_response())
}

/// The first span of the fractal's trace; whoever traces the request finds it by the link.
fn accepted(fractal: &Fractal, begun: Begun, headers: &HeaderMap) {
    let parent = headers.get("traceparent");
    let parent = parent.and_then(|value| Link::from_traceparent(value.to_str().ok()?));
    let recipe = &fractal.recipe;
    Span::new(fractal.id, "accept", Service::Api, Kind::Server, begun)
        .id(trace::accept_id(fractal.id))
        .below(None)
        .link(parent)
        .with("faafo.kind", recipe.formula.kind())
        .with("faafo.width", recipe.width)
        .with("faafo.height", recipe.height)
        .with("faafo.iterations", recipe.iterations)
        .record();
}

/// `GET /v1/fractal/<uuid>`
pub(crate) async fn show(
    State(server): State<Server>,
    Path(uuid): Path<String>,
) -> Result<Json<FractalJson>> {
    let fractal = find(&server, &uuid).await?;
    let mut json = FractalJson::from(&fractal);
    // They go when they are joined.
    if fractal.state != FractalState::Done {
        json.bands = server.store.bands(fractal.id).await?;
    }
    Ok(Json(json))
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
    tracing::info!("deleted");
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

/// The fractal that an address names, with what is stored of it in that role.
pub(crate) async fn find_stored(
    server: &Server,
    uuid: &str,
    role: Role,
) -> Result<(Fractal, Option<StoredBlob>)> {
    server
        .store
        .get_stored(parse(uuid)?, role)
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
        .filter(|host| auth::is_host(host))
        .unwrap_or("localhost");
    format!("{}://{host}", auth::scheme(headers))
}
