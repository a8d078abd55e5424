//! Second thoughts about accepted fractals: cancel, retry, another priority; one, or all that a query finds.

use crate::error::{ApiError, Result};
use crate::{Server, body, fractals, language};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use faafo_model::{Event, FractalJson, State as FractalState, Uuid, request};
use serde_json::{Value, json};
use std::time::SystemTime;

/// `POST /v1/fractal/<uuid>/cancel`: nobody renders it any more.
pub(crate) async fn cancel(server: State<Server>, uuid: Path<String>) -> Result<Json<FractalJson>> {
    change(server, uuid, Verb::Cancel).await
}

/// `POST /v1/fractal/<uuid>/retry`: a failed or cancelled one is queued again.
pub(crate) async fn retry(server: State<Server>, uuid: Path<String>) -> Result<Json<FractalJson>> {
    change(server, uuid, Verb::Retry).await
}

/// `POST /v1/fractal/cancel` with a query such as `{"filters": […]}`.
pub(crate) async fn cancel_many(
    server: State<Server>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>> {
    change_many(server, &headers, body, Verb::Cancel).await
}

/// `POST /v1/fractal/retry` with a query such as `{"filters": […]}`.
pub(crate) async fn retry_many(
    server: State<Server>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>> {
    change_many(server, &headers, body, Verb::Retry).await
}

/// `POST /v1/fractal/<uuid>/priority` with `{"priority": n}`: higher ones are rendered first.
pub(crate) async fn priority(
    State(server): State<Server>,
    Path(uuid): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<FractalJson>> {
    let object = body::object(&headers, body).await?;
    let fractal = fractals::find(&server, &uuid).await?;
    let priority = request::parse_priority(object.get("priority").unwrap_or(&Value::Null))?;
    server.store.set_priority(fractal.id, priority).await?;
    fractals::show(State(server), Path(uuid)).await
}

/// What can be done to a fractal's state from outside.
#[derive(Clone, Copy)]
enum Verb {
    Cancel,
    Retry,
}

impl Verb {
    /// The state it leads to.
    fn target(self) -> FractalState {
        match self {
            Self::Cancel => FractalState::Cancelled,
            Self::Retry => FractalState::Queued,
        }
    }

    fn participle(self) -> &'static str {
        match self {
            Self::Cancel => "cancelled",
            Self::Retry => "retried",
        }
    }
}

async fn change(
    State(server): State<Server>,
    Path(uuid): Path<String>,
    verb: Verb,
) -> Result<Json<FractalJson>> {
    let fractal = fractals::find(&server, &uuid).await?;
    let now = SystemTime::now().into();
    let changed = match verb {
        Verb::Cancel => server.store.cancel(fractal.id, now).await?,
        Verb::Retry => server.store.retry(fractal.id, now).await?,
    };
    if !changed {
        let (state, what) = (fractal.state, verb.participle());
        let detail = format!("the fractal is {state} and can't be {what}");
        return Err(ApiError::new(StatusCode::CONFLICT, detail).with("state", state.name()));
    }
    tell(&server, &[fractal.id], verb.target());
    fractals::show(State(server), Path(uuid)).await
}

async fn change_many(
    State(server): State<Server>,
    headers: &HeaderMap,
    body: Body,
    verb: Verb,
) -> Result<Json<Value>> {
    let object = body::object(headers, body).await?;
    let query = language::parse(Some(&Value::Object(object).to_string()))?.query;
    let now = SystemTime::now().into();
    let ids = match verb {
        Verb::Cancel => server.store.cancel_many(&query, now).await?,
        Verb::Retry => server.store.retry_many(&query, now).await?,
    };
    tell(&server, &ids, verb.target());
    Ok(Json(json!({"changed": ids.len()})))
}

fn tell(server: &Server, ids: &[Uuid], state: FractalState) {
    for id in ids {
        tracing::info!(uuid = %id, %state, "asked for");
        server.queue.publish_event(Event::state(*id, state, 0.0));
    }
    server.wake.notify_one();
}
