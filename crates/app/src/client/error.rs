//! What can go wrong between client and service, each in one clear line.

use crate::table::one_line;
use faafo_model::Uuid;
use reqwest::{Response, StatusCode};
use serde_json::Value;
use std::error::Error;

/// The most that is read of an error's body, in bytes.
const MOST_BODY: usize = 64 * 1024;
/// The most that is shown of it, in characters.
const MOST_SHOWN: usize = 500;

/// A request that did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers there; nothing was sent.
    #[error(
        "can't connect to {endpoint} ({cause}); `faafo up` starts a service on this machine, --endpoint-url names another"
    )]
    Connect {
        /// The service.
        endpoint: String,
        /// Why.
        cause: String,
    },
    /// The connection broke, or nothing came for too long; the request may have been carried out.
    #[error("the connection to {endpoint} broke: {cause}")]
    Broken {
        /// The service.
        endpoint: String,
        /// Why.
        cause: String,
    },
    /// There is no such fractal.
    #[error("fractal {0} not found")]
    NotFound(Uuid),
    /// The server refused, or failed.
    #[error("{message} (HTTP {})", status.as_u16())]
    Answer {
        /// The status.
        status: StatusCode,
        /// What the server said.
        message: String,
    },
    /// The answer can't be from a faafo service.
    #[error("{endpoint} gave an answer that makes no sense: {cause}")]
    Nonsense {
        /// The service.
        endpoint: String,
        /// What is wrong with it.
        cause: String,
    },
}

impl ClientError {
    /// From a request that got no whole answer.
    pub fn from_transport(endpoint: &str, error: reqwest::Error) -> Self {
        let endpoint = endpoint.to_owned();
        let cause = innermost(&error);
        if error.is_connect() {
            Self::Connect { endpoint, cause }
        } else if error.is_redirect() || error.is_builder() {
            Self::Nonsense { endpoint, cause }
        } else if error.is_timeout() {
            let cause = "nothing came for too long".to_owned();
            Self::Broken { endpoint, cause }
        } else {
            Self::Broken { endpoint, cause }
        }
    }

    /// From an answer that is no success.
    pub async fn from_answer(mut response: Response) -> Self {
        let status = response.status();
        let mut body = Vec::new();
        // A body that breaks off only costs the explanation.
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() > MOST_BODY {
                break;
            }
        }
        let message = explanation(&body).unwrap_or_else(|| format!("the server answered {status}"));
        Self::Answer { status, message }
    }

    /// From an answer that can't be read.
    pub fn nonsense(endpoint: &str, error: &dyn Error) -> Self {
        Self::Nonsense {
            endpoint: endpoint.to_owned(),
            cause: error.to_string(),
        }
    }

    /// The same about a certain fractal: a 404 then means that it does not exist.
    pub fn about(self, id: Uuid) -> Self {
        match self {
            Self::Answer { status, .. } if status == StatusCode::NOT_FOUND => Self::NotFound(id),
            other => other,
        }
    }

    /// Whether the service may well answer if asked again.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Broken { .. } => true,
            Self::Answer { status, .. } => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            Self::NotFound(_) | Self::Nonsense { .. } => false,
        }
    }

    /// Whether a row of that name exists already.
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Answer { status, message }
            if matches!(*status, StatusCode::BAD_REQUEST | StatusCode::CONFLICT)
                && message.contains("IntegrityError"))
    }
}

/// The part of an error's body that is meant for people: `detail`, else `message`.
fn explanation(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let text = ["detail", "message"].iter().find_map(|field| {
        let text = body.get(*field)?.as_str()?.trim();
        (!text.is_empty()).then_some(text)
    })?;
    let mut shown: String = one_line(text).chars().take(MOST_SHOWN).collect();
    if text.chars().nth(MOST_SHOWN).is_some() {
        shown.push('…');
    }
    Some(shown)
}

fn innermost(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_s_detail_is_preferred_to_its_message() {
        let body = br#"{"message": "IntegrityError", "detail": "uuid: exists\nalready"}"#;
        assert_eq!(explanation(body).unwrap(), "uuid: exists already");
        assert_eq!(explanation(br#"{"message": "No"}"#).unwrap(), "No");
        for silent in ["", "<html>", "{}", "3", r#"{"detail": ""}"#] {
            assert_eq!(explanation(silent.as_bytes()), None);
        }
    }

    #[test]
    fn a_long_explanation_is_cut() {
        let body = format!(r#"{{"detail": "{}"}}"#, "é".repeat(9000));
        assert_eq!(explanation(body.as_bytes()).unwrap().chars().count(), 501);
    }

    #[test]
    fn errors_say_what_to_do_in_one_line() {
        let connect = ClientError::Connect {
            endpoint: "http://localhost:8080".to_owned(),
            cause: "Connection refused (os error 111)".to_owned(),
        };
        let text = connect.to_string();
        assert!(text.contains("http://localhost:8080") && text.contains("faafo up"));
        let missing = ClientError::Answer {
            status: StatusCode::NOT_FOUND,
            message: String::new(),
        };
        assert_eq!(
            missing.about(Uuid::nil()).to_string(),
            "fractal 00000000-0000-0000-0000-000000000000 not found"
        );
    }
}
