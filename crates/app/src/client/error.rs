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
/// What to do where nobody listens.
const START: &str = "; `faafo up` starts a service on this machine, --endpoint-url names another";

/// What to do where a token is needed.
const TOKEN: &str = "; put a token into FAAFO_TOKEN, or its file's name into the setting token_file (`faafo token create` makes tokens)";

/// A request that did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers there; nothing was sent.
    #[error("can't connect to {endpoint} ({cause}){hint}")]
    Connect {
        /// The service.
        endpoint: String,
        /// Why.
        cause: String,
        /// What to do about it, if that is clear.
        hint: &'static str,
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
        /// The word for it that programs understand, as the original's answers had it.
        code: Option<String>,
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
            let hint = if is_refused(&error) { START } else { "" };
            Self::Connect {
                endpoint,
                cause,
                hint,
            }
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
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let mut message =
            explanation(&body).unwrap_or_else(|| format!("the server answered {status}"));
        message.push_str(match status {
            StatusCode::UNAUTHORIZED => TOKEN,
            _ => "",
        });
        let code = body.get("message").and_then(Value::as_str);
        Self::Answer {
            status,
            message,
            code: code.map(str::to_owned),
        }
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
        matches!(self, Self::Answer { status, code, .. }
            if matches!(*status, StatusCode::BAD_REQUEST | StatusCode::CONFLICT)
                && code.as_deref() == Some("IntegrityError"))
    }
}

/// The part of an error's body that is meant for people: `detail`, else `message`.
fn explanation(body: &Value) -> Option<String> {
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

fn is_refused(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::ConnectionRefused) {
            return true;
        }
        source = error.source();
    }
    false
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
    use serde_json::json;

    #[test]
    fn the_server_s_detail_is_preferred_to_its_message() {
        let body = json!({"message": "IntegrityError", "detail": "uuid: exists\nalready"});
        assert_eq!(explanation(&body).unwrap(), "uuid: exists already");
        assert_eq!(explanation(&json!({"message": "No"})).unwrap(), "No");
        for silent in [json!(null), json!({}), json!(3), json!({"detail": ""})] {
            assert_eq!(explanation(&silent), None);
        }
    }

    #[test]
    fn a_long_explanation_is_cut() {
        let body = json!({"detail": "é".repeat(9000)});
        assert_eq!(explanation(&body).unwrap().chars().count(), 501);
    }

    #[test]
    fn errors_say_what_to_do_in_one_line() {
        let connect = ClientError::Connect {
            endpoint: "http://localhost:8080".to_owned(),
            cause: "Connection refused (os error 111)".to_owned(),
            hint: START,
        };
        let text = connect.to_string();
        assert!(text.contains("http://localhost:8080") && text.contains("faafo up"));
        let missing = ClientError::Answer {
            status: StatusCode::NOT_FOUND,
            message: String::new(),
            code: None,
        };
        assert_eq!(
            missing.about(Uuid::nil()).to_string(),
            "fractal 00000000-0000-0000-0000-000000000000 not found"
        );
    }
}
