//! Second thoughts about accepted fractals: cancel, retry, another priority; one, or all that a query finds.

use crate::error::{ApiError, Result};
use crate::{Server, body, fractals, language};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use faafo_model::limits::Mistake;
use faafo_model::{Event, FieldError, FractalJson, State as FractalState, Uuid};
use faafo_store::Query;
use serde_json::{Value, json};
use std::time::SystemTime;

/// A query takes a few hundred bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// `POST /v1/fractal/<uuid>/cancel`: nobody renders it any more.
pub(crate) async fn cancel(
    State(server): State<Server>,
    Path(uuid): Path<String>,
) -> Result<Json<FractalJson>> {
    let fractal = fractals::find(&server, &uuid).await?;
    if !server
        .store
        .cancel(fractal.id, SystemTime::now().into())
        .await?
    {
        return Err(not_possible("cancelled", fractal.state));
    }
    tell(&server, &[fractal.id], FractalState::Cancelled);
    fractals::show(State(server), Path(uuid)).await
}

/// `POST /v1/fractal/<uuid>/retry`: a failed or cancelled one is queued again.
pub(crate) async fn retry(
    State(server): State<Server>,
    Path(uuid): Path<String>,
) -> Result<Json<FractalJson>> {
    let fractal = fractals::find(&server, &uuid).await?;
    if !server
        .store
        .retry(fractal.id, SystemTime::now().into())
        .await?
    {
        return Err(not_possible("retried", fractal.state));
    }
    tell(&server, &[fractal.id], FractalState::Queued);
    fractals::show(State(server), Path(uuid)).await
}

/// `POST /v1/fractal/<uuid>/priority` with `{"priority": n}`: higher ones are rendered first.
pub(crate) async fn priority(
    State(server): State<Server>,
    Path(uuid): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<FractalJson>> {
    let object = body::object(&headers, body, BODY_LIMIT).await?;
    let fractal = fractals::find(&server, &uuid).await?;
    let priority = object.get("priority").and_then(Value::as_i64);
    let priority = priority
        .filter(|priority| (-100..=100).contains(priority))
        .ok_or_else(|| {
            FieldError::new(
                "priority",
                Mistake::Range,
                "must be a whole number from -100 to 100",
            )
        })?;
    server.store.set_priority(fractal.id, priority).await?;
    fractals::show(State(server), Path(uuid)).await
}

/// `POST /v1/fractal/cancel` with a query such as `{"filters": […]}`.
pub(crate) async fn cancel_many(
    State(server): State<Server>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>> {
    let query = query(&headers, body).await?;
    let ids = server
        .store
        .cancel_many(&query, SystemTime::now().into())
        .await?;
    tell(&server, &ids, FractalState::Cancelled);
    Ok(Json(json!({"changed": ids.len()})))
}

/// `POST /v1/fractal/retry` with a query such as `{"filters": […]}`.
pub(crate) async fn retry_many(
    State(server): State<Server>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>> {
    let query = query(&headers, body).await?;
    let ids = server
        .store
        .retry_many(&query, SystemTime::now().into())
        .await?;
    tell(&server, &ids, FractalState::Queued);
    Ok(Json(json!({"changed": ids.len()})))
}

async fn query(headers: &HeaderMap, body: Body) -> Result<Query> {
    let object = body::object(headers, body, BODY_LIMIT).await?;
    Ok(language::parse(Some(&Value::Object(object).to_string()))?.query)
}

fn not_possible(what: &str, state: FractalState) -> ApiError {
    let detail = format!("the fractal is {state} and can't be {what}");
    ApiError::new(StatusCode::CONFLICT, detail).with("state", state.name())
}

fn tell(server: &Server, ids: &[Uuid], state: FractalState) {
    for id in ids {
        tracing::info!(%id, %state, "asked for");
        server.queue.publish_event(Event::state(*id, state, 0.0));
    }
    server.wake.notify_one();
}
