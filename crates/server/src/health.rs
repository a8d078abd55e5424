//! Whether the process lives, whether it can work, how much there is to do, and what was counted.

use crate::Server;
use crate::error::{ApiError, Result};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::{Value, json};

/// `GET /healthz`: the process answers.
pub(crate) async fn alive() -> Json<Value> {
    Json(json!({"status": "alive"}))
}

/// `GET /readyz`: nothing keeps it from accepting fractals and showing them.
pub(crate) async fn ready(State(server): State<Server>) -> Result<Json<Value>> {
    let unready = faafo_telemetry::unready(&server.sources).await;
    if unready.is_empty() {
        return Ok(Json(json!({"status": "ready"})));
    }
    let detail = format!("not ready: {}", unready.join(", "));
    Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, detail))
}

/// `GET /v1/status`: how many fractals are in each state; `accepted` is their sum.
pub(crate) async fn status(State(server): State<Server>) -> Result<Json<Value>> {
    let counts = server.store.counts().await?;
    Ok(Json(json!({
        "accepted": counts.accepted(),
        "queued": counts.queued,
        "rendering": counts.rendering,
        "done": counts.done,
        "failed": counts.failed,
        "cancelled": counts.cancelled,
    })))
}

/// `GET /metrics` for Prometheus. A part that does not answer is said to be down; the page is there.
pub(crate) async fn metrics(State(server): State<Server>) -> impl IntoResponse {
    let page = faafo_telemetry::page(&server.sources).await;
    let headers = [
        (header::CONTENT_TYPE, faafo_telemetry::CONTENT_TYPE),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, page)
}
