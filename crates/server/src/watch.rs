//! What every request leaves behind: its id, in the answer and in each line of the log that it causes; a count by
//! route; and how long it took.

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use faafo_model::Uuid;
use faafo_telemetry::metrics;
use std::time::Instant;
use tracing::Instrument;
use tracing::field::{Empty, display};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longer ids are no ids.
const LONGEST_ID: usize = 128;

/// Wraps every request.
pub(crate) async fn watch(request: Request, next: Next) -> Response {
    let id = given_id(request.headers()).unwrap_or_else(new_id);
    // At a level that no filter leaves out: each line that the request causes carries these fields.
    let span = tracing::error_span!("request", request_id = id.to_str().ok(), uuid = Empty);
    if let Some(uuid) = fractal_in(request.uri().path()) {
        span.record("uuid", display(uuid));
    }
    let mut response = answer(request, next).instrument(span).await;
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

async fn answer(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().cloned();
    // Every other word of a client's would be a new label.
    let counted = match method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "OPTIONS" | "PATCH") => known,
        _ => "other",
    };
    let open = metrics::HTTP_OPEN.hold([]);
    let response = next.run(request).await;
    drop(open);
    let (taken, status) = (begun.elapsed(), response.status());
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let class = ["1xx", "2xx", "3xx", "4xx", "5xx"];
    let class = class[usize::from(status.as_u16() / 100).clamp(1, 5) - 1];
    metrics::HTTP_REQUESTS.add([counted, route, class], 1);
    metrics::HTTP_SECONDS.observe([counted, route], taken.as_secs_f64());
    // Without the query, which is the client's own business.
    tracing::debug!(
        %method,
        path,
        route,
        status = status.as_u16(),
        seconds = taken.as_secs_f64(),
        "answered"
    );
    response
}

/// The client's own id, where it is one that fits into a line of a log.
fn given_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(REQUEST_ID)?;
    let text = id.to_str().ok()?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&byte);
    ((1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(fits)).then(|| id.clone())
}

fn new_id() -> HeaderValue {
    let id = Uuid::new_v4().simple().to_string();
    HeaderValue::try_from(id).unwrap_or_else(|_| HeaderValue::from_static("none"))
}

/// The fractal that an address is about.
fn fractal_in(path: &str) -> Option<Uuid> {
    path.split('/')
        .filter(|part| part.len() == 36)
        .find_map(|part| Uuid::try_parse(part).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_would_spoil_the_log_is_not_taken_over() {
        let given = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_str(text).unwrap());
            given_id(&headers).is_some()
        };
        assert!(given("a-1.b:2/c+d=e@f_g"));
        for bad in ["", "a b", "a\"b", "a,b", &"a".repeat(129)] {
            assert!(!given(bad), "{bad}");
        }
    }

    #[test]
    fn the_address_says_which_fractal_it_is_about() {
        let uuid = "9d1c8f0e-5a75-4c1c-9e3a-0d6d2b7c1f42";
        for path in ["/v1/fractal/%/cancel", "/fractal/%", "/picture/%"] {
            let found = fractal_in(&path.replace('%', uuid)).unwrap();
            assert_eq!(found.to_string(), uuid);
        }
        assert_eq!(fractal_in("/v1/fractal"), None);
    }
}
