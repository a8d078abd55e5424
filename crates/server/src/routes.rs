//! Which address does what.

use crate::auth::BodyLimit::{self, Empty, Short, Upload};
use crate::auth::Kind::{self, Api, Page, Probe};
use crate::auth::Need::{self, Admin, Blob, Nothing, Read, Worker, Write};
use crate::auth::{self, Rule, Rules};
use crate::error::ApiError;
use crate::{
    Server, blobs, control, events, fractals, health, list, openapi, pages, pictures, results,
    sign_in, tokens, watch, workers,
};
use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on, options};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// All routes: a row is all that the router, the guard and the test of the description know of one.
#[rustfmt::skip] // Columns.
fn table() -> Vec<Row> {
    vec![
        row(POST,   "/v1/fractal",                 Write,   Short(64 * KIB), Api,   fractals::create),
        row(GET,    "/v1/fractal",                 Read,    Empty,           Api,   list::list),
        row(GET,    "/v1/fractal/{uuid}",          Read,    Empty,           Api,   fractals::show),
        // A picture of 24 MiB as base64; whoever renders larger ones stores them without the API.
        row(PUT,    "/v1/fractal/{uuid}",          Worker,  Short(32 * MIB), Api,   results::put),
        row(DELETE, "/v1/fractal/{uuid}",          Write,   Empty,           Api,   fractals::delete),
        row(POST,   "/v1/fractal/cancel",          Write,   Short(64 * KIB), Api,   control::cancel_many),
        row(POST,   "/v1/fractal/retry",           Write,   Short(64 * KIB), Api,   control::retry_many),
        row(POST,   "/v1/fractal/{uuid}/cancel",   Write,   Empty,           Api,   control::cancel),
        row(POST,   "/v1/fractal/{uuid}/retry",    Write,   Empty,           Api,   control::retry),
        row(POST,   "/v1/fractal/{uuid}/priority", Write,   Short(64 * KIB), Api,   control::priority),
        row(GET,    "/v1/blobs",                   Worker,  Empty,           Api,   blobs::may_store),
        row(PUT,    "/v1/blobs",                   Worker,  Upload,          Api,   blobs::put),
        row(GET,    "/v1/blobs/{sha256}",          Blob,    Empty,           Api,   blobs::get),
        row(GET,    "/v1/events",                  Read,    Empty,           Api,   events::events),
        row(GET,    "/v1/status",                  Read,    Empty,           Api,   health::status),
        row(GET,    "/v1/workers",                 Read,    Empty,           Api,   workers::workers),
        row(GET,    "/v1/tokens",                  Admin,   Empty,           Api,   tokens::list),
        row(POST,   "/v1/tokens",                  Admin,   Short(16 * KIB), Api,   tokens::create),
        row(DELETE, "/v1/tokens/{id}",             Admin,   Empty,           Api,   tokens::revoke),
        row(GET,    "/healthz",                    Nothing, Empty,           Probe, health::alive),
        row(GET,    "/readyz",                     Nothing, Empty,           Probe, health::ready),
        row(GET,    "/metrics",                    Read,    Empty,           Api,   health::metrics),
        row(GET,    "/openapi.json",               Read,    Empty,           Api,   openapi::document),
        row(GET,    "/fractal/{uuid}",             Read,    Empty,           Api,   pictures::picture),
        row(GET,    "/fractal/{uuid}/thumbnail",   Read,    Empty,           Api,   pictures::thumbnail),
        row(GET,    "/",                           Read,    Empty,           Page,  pages::first),
        row(GET,    "/index",                      Read,    Empty,           Page,  pages::first),
        row(GET,    "/index/{page}",               Read,    Empty,           Page,  pages::index),
        row(GET,    "/picture/{uuid}",             Read,    Empty,           Page,  pages::picture),
        row(GET,    "/new",                        Read,    Empty,           Page,  pages::new),
        row(GET,    "/docs",                       Read,    Empty,           Page,  pages::docs),
        row(GET,    "/static/{*name}",             Nothing, Empty,           Page,  pages::asset),
        row(GET,    "/login",                      Nothing, Empty,           Page,  sign_in::form),
        row(POST,   "/login",                      Nothing, Short(16 * KIB), Page,  sign_in::sign_in),
        row(POST,   "/logout",                     Nothing, Empty,           Page,  sign_in::sign_out),
    ]
}

type Verb = (Method, MethodFilter);
const GET: Verb = (Method::GET, MethodFilter::GET);
const POST: Verb = (Method::POST, MethodFilter::POST);
const PUT: Verb = (Method::PUT, MethodFilter::PUT);
const DELETE: Verb = (Method::DELETE, MethodFilter::DELETE);

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

struct Row {
    method: Method,
    path: &'static str,
    rule: Rule,
    handler: MethodRouter<Server>,
}

fn row<H, T>(
    (method, filter): Verb,
    path: &'static str,
    need: Need,
    body: BodyLimit,
    kind: Kind,
    handler: H,
) -> Row
where
    H: Handler<T, Server>,
    T: 'static,
{
    Row {
        method,
        path,
        rule: Rule { need, body, kind },
        handler: on(filter, handler),
    }
}

/// All routes, with what keeps foreign content out and what is counted.
pub(crate) fn router(server: Server) -> Router {
    let mut router = Router::new();
    let mut rules = Rules::default();
    let mut allowed: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for row in table() {
        router = router.route(row.path, row.handler);
        let methods = allowed.entry(row.path).or_default();
        methods.extend(["OPTIONS".to_owned(), row.method.to_string()]);
        if row.method == Method::GET {
            methods.insert("HEAD".to_owned());
        }
        rules.add(row.method, row.path, row.rule);
    }
    for (path, methods) in allowed {
        let methods: Vec<String> = methods.into_iter().collect();
        let answer = [
            (header::ALLOW, methods.join(", ")),
            (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        ];
        router = router.route(path, options(move || async move { answer }));
    }
    let guard = (Arc::clone(&server.guard), Arc::new(rules));
    router
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        .layer(from_fn_with_state(guard, auth::guard))
        .layer(from_fn(protect))
        .layer(from_fn(watch::watch))
        .with_state(server)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Scope;
    use serde_json::{Value, json};

    /// What is described of each route for programs: its methods, each with the scope that it needs and the answers to
    /// those who lack it or send too much.
    #[test]
    fn every_route_and_method_is_described_and_nothing_else_is() {
        let document = openapi::described();
        let paths = document["paths"].as_object().unwrap().iter();
        let mut described = BTreeMap::new();
        for (path, operations) in paths {
            for (method, operation) in operations.as_object().unwrap() {
                if method != "parameters" {
                    described.insert((path.as_str(), method.to_uppercase()), operation);
                }
            }
        }
        for row in table().iter().filter(|row| row.rule.kind != Page) {
            let what = (row.path, row.method.to_string());
            let operation = described.remove(&what);
            let operation = operation.unwrap_or_else(|| panic!("{what:?} is not described"));
            let needs_token = row.rule.need != Nothing;
            let security = match row.rule.need.scope() {
                _ if !needs_token => Value::Null,
                scope => json!([{}, {"bearer": [scope.name()]}]),
            };
            assert_eq!(operation["security"], security, "{what:?}");
            let takes_body = row.rule.body != Empty;
            assert_eq!(operation["requestBody"].is_object(), takes_body, "{what:?}");
            for (status, is_possible) in [
                ("401", needs_token),
                ("403", needs_token),
                ("413", takes_body),
            ] {
                let is_described = operation["responses"][status].is_object();
                assert_eq!(is_described, is_possible, "{what:?} {status}");
            }
        }
        assert!(
            described.is_empty(),
            "there are none: {:?}",
            described.keys()
        );
    }

    #[test]
    fn no_route_is_changed_without_a_token_but_to_sign_in_and_out() {
        let free = table().into_iter().filter(|row| row.rule.need == Nothing);
        let free = free.filter(|row| row.method != Method::GET);
        let free: Vec<_> = free.map(|row| row.path).collect();
        assert_eq!(free, ["/login", "/logout"]);
        let read = |row: &Row| Scope::Read.allows(row.rule.need);
        assert!(
            table()
                .iter()
                .all(|row| row.method == Method::GET || row.rule.kind == Page || !read(row))
        );
    }
}
