//! Who renders.

use crate::Server;
use crate::error::Result;
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use std::time::SystemTime;

/// `GET /v1/workers`: the workers heard of within a day, by name. One that says nothing for half a minute is gone or
/// cut off.
pub(crate) async fn workers(State(server): State<Server>) -> Result<Json<Value>> {
    let workers = server.store.workers(SystemTime::now().into()).await?;
    Ok(Json(json!({"workers": workers})))
}
