//! Which address does what.

use crate::error::ApiError;
use crate::{
    Server, auth, blobs, control, events, fractals, health, list, openapi, pages, pictures,
    results, watch, workers,
};
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post};

const READ: &str = "GET, HEAD, OPTIONS";

/// All routes, with what keeps foreign content out and what is counted.
pub(crate) fn router(server: Server) -> Router {
    table()
        .router
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        .layer(from_fn_with_state(server.clone(), auth::guard))
        .layer(from_fn(protect))
        .layer(from_fn(watch::watch))
        .with_state(server)
}

/// The routes, and what each allows: the description of the interface must know all of them.
#[derive(Default)]
struct Table {
    router: Router<Server>,
    known: Vec<(&'static str, &'static str)>,
}

impl Table {
    fn route(
        mut self,
        path: &'static str,
        (methods, allow): (MethodRouter<Server>, &'static str),
    ) -> Self {
        self.router = self.router.route(path, methods);
        self.known.push((path, allow));
        self
    }
}

/// Every route's template, and the methods that it allows.
#[cfg(test)]
pub(crate) fn known() -> Vec<(&'static str, &'static str)> {
    table().known
}

fn table() -> Table {
    let fractals = post(fractals::create).get(list::list);
    let fractal = get(fractals::show)
        .put(results::put)
        .delete(fractals::delete);
    Table::default()
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
        .route(
            "/v1/blobs",
            asked(
                get(blobs::may_store).put(blobs::put),
                "GET, HEAD, OPTIONS, PUT",
            ),
        )
        .route("/v1/blobs/{sha256}", asked(get(blobs::get), READ))
        .route("/v1/events", asked(get(events::events), READ))
        .route("/v1/status", asked(get(health::status), READ))
        .route("/v1/workers", asked(get(workers::workers), READ))
        .route("/healthz", asked(get(health::alive), READ))
        .route("/readyz", asked(get(health::ready), READ))
        .route("/metrics", asked(get(health::metrics), READ))
        .route("/openapi.json", asked(get(openapi::document), READ))
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
        .route("/docs", asked(get(pages::docs), READ))
        .route("/static/{*name}", asked(get(pages::asset), READ))
        .route(
            "/login",
            asked(
                get(auth::form).post(auth::sign_in),
                "GET, HEAD, OPTIONS, POST",
            ),
        )
        .route("/logout", asked(post(auth::sign_out), "OPTIONS, POST"))
        .route(
            "/v1/tokens",
            asked(
                get(auth::list).post(auth::create),
                "GET, HEAD, OPTIONS, POST",
            ),
        )
        .route(
            "/v1/tokens/{id}",
            asked(delete(auth::revoke), "DELETE, OPTIONS"),
        )
}

/// Every address answers OPTIONS with what it allows.
fn asked(
    methods: MethodRouter<Server>,
    allow: &'static str,
) -> (MethodRouter<Server>, &'static str) {
    let answer = [
        (header::ALLOW, allow),
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    ];
    (methods.options(move || async move { answer }), allow)
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
        // Not less: forms would then name no origin.
        (header::REFERRER_POLICY, "same-origin"),
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
