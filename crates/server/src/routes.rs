//! Which address does what.

use crate::error::ApiError;
use crate::{Server, blobs, control, events, fractals, health, list, pages, pictures, results};
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post, put};

const READ: &str = "GET, HEAD, OPTIONS";

/// All routes.
pub(crate) fn router(server: Server) -> Router {
    let fractals = post(fractals::create).get(list::list);
    let fractal = get(fractals::show)
        .put(results::put)
        .delete(fractals::delete);
    Router::new()
        .route("/v1/fractal", asked(fractals, "GET, HEAD, OPTIONS, POST"))
        .route(
            "/v1/fractal/{uuid}",
            asked(fractal, "DELETE, GET, HEAD, OPTIONS, PUT"),
        )
        .route(
            "/v1/fractal/cancel",
            asked(post(control::cancel_many), "OPTIONS, POST"),
        )
        .route(
            "/v1/fractal/retry",
            asked(post(control::retry_many), "OPTIONS, POST"),
        )
        .route(
            "/v1/fractal/{uuid}/cancel",
            asked(post(control::cancel), "OPTIONS, POST"),
        )
        .route(
            "/v1/fractal/{uuid}/retry",
            asked(post(control::retry), "OPTIONS, POST"),
        )
        .route(
            "/v1/fractal/{uuid}/priority",
            asked(post(control::priority), "OPTIONS, POST"),
        )
        .route("/v1/blobs", asked(put(blobs::put), "OPTIONS, PUT"))
        .route("/v1/blobs/{key}", asked(get(blobs::get), READ))
        .route("/v1/events", asked(get(events::events), READ))
        .route("/v1/status", asked(get(health::status), READ))
        .route("/healthz", asked(get(health::alive), READ))
        .route("/readyz", asked(get(health::ready), READ))
        .route("/fractal/{uuid}", asked(get(pictures::picture), READ))
        .route(
            "/fractal/{uuid}/thumbnail",
            asked(get(pictures::thumbnail), READ),
        )
        .route("/", asked(get(pages::first), READ))
        .route("/index", asked(get(pages::first), READ))
        .route("/index/{page}", asked(get(pages::index), READ))
        .route("/picture/{uuid}", asked(get(pages::picture), READ))
        .route("/new", asked(get(pages::new), READ))
        .route("/static/{*name}", asked(get(pages::asset), READ))
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        .layer(from_fn(protect))
        .with_state(server)
}

/// Every address answers OPTIONS with what it allows.
fn asked(methods: MethodRouter<Server>, allow: &'static str) -> MethodRouter<Server> {
    methods.options(move || async move {
        [
            (header::ALLOW, allow),
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        ]
    })
}

/// Programs get JSON, people get a page.
async fn not_found(request: Request) -> Response {
    let path = request.uri().path();
    if path.starts_with("/v1/") {
        return ApiError::new(StatusCode::NOT_FOUND, format!("there is nothing at {path}"))
            .into_response();
    }
    pages::not_found(&format!("There is nothing at {path}."))
}

async fn not_allowed(request: Request) -> ApiError {
    let detail = format!(
        "{} is not possible at {}",
        request.method(),
        request.uri().path()
    );
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, detail)
}

/// What keeps foreign content out of the pages.
async fn protect(request: Request, next: Next) -> Response {
    const HEADERS: [(HeaderName, &str); 4] = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; \
             frame-ancestors 'none'; form-action 'self'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}
