//! Request bodies: JSON objects. How large they may be is said by the route's row, and the guard sees to it.

use crate::auth::Broken;
use crate::error::{ApiError, Result};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};

/// Reads a JSON object.
pub(crate) async fn object(headers: &HeaderMap, body: Body) -> Result<Map<String, Value>> {
    check_content_type(headers)?;
    let bytes = to_bytes(body, usize::MAX)
        .await
        .map_err(|error| broken(&error))?;
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(ApiError::undecodable("the body must be a JSON object")),
        Err(error) => Err(undecodable(&bytes, &error)),
    }
}

fn check_content_type(headers: &HeaderMap) -> Result<()> {
    let given = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let message = "Request must have \"Content-Type: application/json\" header";
    Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
}

/// Why a body could not be read to its end.
pub(crate) fn broken(error: &axum::Error) -> ApiError {
    let first: &(dyn std::error::Error + 'static) = error;
    let mut causes = std::iter::successors(Some(first), |cause| cause.source());
    let reason = causes.find_map(|cause| cause.downcast_ref::<Broken>());
    match reason {
        Some(slow @ Broken::Slow) => ApiError::new(StatusCode::REQUEST_TIMEOUT, slow.to_string()),
        Some(large @ Broken::Large(_)) => {
            ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, large.to_string())
        }
        None => ApiError::undecodable("the body broke off"),
    }
}

/// Python writes NaN and Infinity, which are no JSON, and nobody holds 1e999; the answer then still names the field.
fn undecodable(bytes: &[u8], error: &serde_json::Error) -> ApiError {
    let text = String::from_utf8_lossy(bytes);
    let detail = format!("the body is not JSON: {error}");
    match field_that_is_not_finite(&text).or_else(|| field_out_of_range(&text, error)) {
        Some(field) => ApiError::field(field, "must be a finite number")
            .with("message", "Unable to decode data"),
        None => ApiError::undecodable(detail),
    }
}

fn field_that_is_not_finite(text: &str) -> Option<&str> {
    let at = ["NaN", "Infinity"]
        .iter()
        .filter_map(|word| text.find(word))
        .min()?;
    field_before(text[..at].trim_end_matches('-'))
}

/// The field whose number is beyond what an f64 holds, where that is what's wrong.
fn field_out_of_range<'a>(text: &'a str, error: &serde_json::Error) -> Option<&'a str> {
    if !error.to_string().starts_with("number out of range") {
        return None;
    }
    let lines_before = text.split_inclusive('\n').take(error.line() - 1);
    let end = lines_before.map(str::len).sum::<usize>() + error.column();
    let is_numeric = |char: char| char.is_ascii_digit() || "+-.eE".contains(char);
    field_before(text.get(..end)?.trim_end_matches(is_numeric))
}

/// The field whose value begins where this text ends.
fn field_before(text: &str) -> Option<&str> {
    let before = text
        .trim_end()
        .strip_suffix(':')?
        .trim_end()
        .strip_suffix('"')?;
    before.rsplit_once('"').map(|(_, field)| field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_not_finite_is_blamed_on_its_field() {
        assert_eq!(
            field_that_is_not_finite(r#"{"xb": 1.5, "xa": NaN, "ya" : -Infinity}"#),
            Some("xa")
        );
        assert_eq!(
            field_that_is_not_finite(r#"{"ya" : -Infinity}"#),
            Some("ya")
        );
        assert_eq!(field_that_is_not_finite(r#"NaN"#), None);
        assert_eq!(field_that_is_not_finite(r#"{"a":"#), None);
    }

    #[test]
    fn a_number_that_nobody_holds_is_blamed_on_its_field() {
        for text in [
            r#"{"xa": 1e999}"#,
            "{\"yb\": 1,\n  \"xa\" : -12.5E+999, \"xb\": 1e999}",
        ] {
            let error = serde_json::from_str::<Value>(text).unwrap_err();
            assert_eq!(field_out_of_range(text, &error), Some("xa"), "{text}");
        }
        let error = serde_json::from_str::<Value>(r#"{"xa": }"#).unwrap_err();
        assert_eq!(field_out_of_range(r#"{"xa": }"#, &error), None);
    }
}
