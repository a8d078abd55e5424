//! The one shape of every error answer: JSON with `message` (what old clients were told, where they were), `detail`
//! for people, and `field` where one is to blame.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use faafo_model::FieldError;
use faafo_model::limits::Mistake;
use serde_json::{Map, Value};

/// A request that can't be answered as asked.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    body: Map<String, Value>,
}

pub(crate) type Result<T> = std::result::Result<T, ApiError>;

impl ApiError {
    /// An error whose message for machines is its text for people.
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self::bare(status)
            .with("message", detail.clone())
            .with("detail", detail)
    }

    pub(crate) fn bare(status: StatusCode) -> Self {
        Self {
            status,
            body: Map::new(),
        }
    }

    /// Sets a field of the answer.
    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.body.insert(key.to_owned(), value.into());
        self
    }

    /// A field of the request is to blame.
    pub(crate) fn field(field: &str, reason: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, format!("{field}: {reason}")).with("field", field)
    }

    /// What the original answered for an id that it did not know.
    pub(crate) fn no_such_fractal() -> Self {
        Self::bare(StatusCode::NOT_FOUND)
    }

    pub(crate) fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    pub(crate) fn undecodable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail).with("message", "Unable to decode data")
    }

    /// The service, not the request, is to blame, and the operator's log says how.
    fn internal(status: StatusCode, error: &dyn std::error::Error) -> Self {
        match status {
            // It heals by itself, or with some room, and requests of the next seconds may say the same.
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::INSUFFICIENT_STORAGE => {
                tracing::warn!(%error, "request failed");
            }
            _ => tracing::error!(%error, "request failed"),
        }
        let detail = match status {
            StatusCode::SERVICE_UNAVAILABLE => {
                "the service can't do this right now; try again in a moment"
            }
            StatusCode::INSUFFICIENT_STORAGE => {
                "there is no room left: the operator has to make some"
            }
            _ => "an internal error; the service's log says more",
        };
        Self::new(status, detail)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<FieldError> for ApiError {
    fn from(error: FieldError) -> Self {
        let answer = Self::field(&error.field, &error.reason);
        match error.kind {
            Mistake::Unknown => answer.with(
                "validation_errors",
                "Could not determine specific validation errors",
            ),
            Mistake::Missing => answer.with("message", "IntegrityError"),
            Mistake::Type | Mistake::Range => answer.with("message", "DataError"),
        }
    }
}

impl From<faafo_store::Error> for ApiError {
    fn from(error: faafo_store::Error) -> Self {
        match error.kind() {
            faafo_store::ErrorKind::Unavailable => {
                Self::internal(StatusCode::SERVICE_UNAVAILABLE, &error)
            }
            faafo_store::ErrorKind::Full => {
                Self::internal(StatusCode::INSUFFICIENT_STORAGE, &error)
            }
            _ => Self::internal(StatusCode::INTERNAL_SERVER_ERROR, &error),
        }
    }
}

impl From<faafo_blob::Error> for ApiError {
    fn from(error: faafo_blob::Error) -> Self {
        match error.kind() {
            faafo_blob::ErrorKind::Unavailable => {
                Self::internal(StatusCode::SERVICE_UNAVAILABLE, &error)
            }
            faafo_blob::ErrorKind::Full => Self::internal(StatusCode::INSUFFICIENT_STORAGE, &error),
            _ => Self::internal(StatusCode::INTERNAL_SERVER_ERROR, &error),
        }
    }
}
