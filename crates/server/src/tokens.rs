//! The tokens over REST. They say of themselves what they are for, and never what they are: that is said once.

use crate::auth::{Scope, mint};
use crate::error::{ApiError, Result};
use crate::{Server, body};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use faafo_model::limits::Mistake;
use faafo_model::{FieldError, Uuid};
use faafo_store::Token;
use serde_json::{Map, Value, json};
use std::time::SystemTime;

/// The longest label, in characters.
const LABEL: usize = 200;

/// `POST /v1/tokens` with `{"scope": …, "label": …}`: the only answer that has the token itself.
pub(crate) async fn create(
    State(server): State<Server>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    let object = body::object(&headers, body).await?;
    let (scope, label) = read(&object)?;
    let (id, token) = mint(&server.store, scope, &label).await?;
    tracing::info!(%id, %scope, "a token was made");
    let answer = json!({"id": id, "scope": scope.name(), "label": label, "token": token});
    let headers = [(header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::CREATED, headers, Json(answer)).into_response())
}

fn read(object: &Map<String, Value>) -> std::result::Result<(Scope, String), FieldError> {
    for field in object.keys() {
        if !matches!(field.as_str(), "scope" | "label") {
            return Err(FieldError::new(
                field,
                Mistake::Unknown,
                "no such field of a token",
            ));
        }
    }
    let scope = match object.get("scope") {
        None => return Err(FieldError::new("scope", Mistake::Missing, "is missing")),
        Some(scope) => scope.as_str().unwrap_or_default().parse(),
    };
    let scope = scope.map_err(|demand: String| FieldError::new("scope", Mistake::Range, demand))?;
    let label = match object.get("label") {
        None | Some(Value::Null) => Some(""),
        Some(label) => label
            .as_str()
            .filter(|text| text.chars().count() <= LABEL)
            .filter(|text| !text.contains(char::is_control)),
    };
    let label = label.ok_or_else(|| {
        let demand = format!("must be text of at most {LABEL} characters");
        FieldError::new("label", Mistake::Range, demand)
    })?;
    Ok((scope, label.to_owned()))
}

/// `GET /v1/tokens`
pub(crate) async fn list(State(server): State<Server>) -> Result<Response> {
    let tokens = server.store.tokens().await?;
    let tokens: Vec<Value> = tokens.iter().map(shown).collect();
    let headers = [(header::CACHE_CONTROL, "no-store")];
    Ok((headers, Json(json!({"objects": tokens}))).into_response())
}

fn shown(token: &Token) -> Value {
    json!({
        "id": token.id,
        "scope": token.scope,
        "label": token.label,
        "created_at": token.created_at,
        "revoked": token.revoked,
    })
}

/// `DELETE /v1/tokens/<id>`: it, and the sessions that were begun with it, allow nothing any more.
pub(crate) async fn revoke(
    State(server): State<Server>,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    let missing = || ApiError::new(StatusCode::NOT_FOUND, "there is no such token");
    let id = Uuid::try_parse(&id).map_err(|_| missing())?;
    let now = SystemTime::now().into();
    if !server.store.revoke_token(id, now).await? {
        return Err(missing());
    }
    server.guard.forget_tokens();
    tracing::info!(%id, "a token was revoked");
    Ok(StatusCode::NO_CONTENT)
}
