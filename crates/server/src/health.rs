//! Whether the process lives, whether it can work, how much there is to do, and what was counted.

use crate::Server;
use crate::error::{ApiError, Result};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use faafo_model::BlobKey;
use serde_json::{Value, json};

/// `GET /healthz`: the process answers.
pub(crate) async fn alive() -> Json<Value> {
    Json(json!({"status": "alive"}))
}

/// `GET /readyz`: database and storage answer too.
pub(crate) async fn ready(State(server): State<Server>) -> Result<Json<Value>> {
    let unready = |part: &str, error: &dyn std::error::Error| {
        tracing::warn!(part, %error, "not ready");
        ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("the {part} does not answer"),
        )
    };
    server
        .store
        .ping()
        .await
        .map_err(|error| unready("database", &error))?;
    server
        .blobs
        .size(&BlobKey([0; 32]))
        .await
        .map_err(|error| unready("storage", &error))?;
    Ok(Json(json!({"status": "ready"})))
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
