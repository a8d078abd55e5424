//! Signing in on a page: whoever shows a token gets a session of their own in a cookie.

use crate::auth::Visitor;
use crate::error::Result;
use crate::list::form_pairs;
use crate::{Server, pages, ui};
use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};

/// `GET /login`; `?next=` says where to go afterwards.
pub(crate) async fn form(
    Extension(visitor): Extension<Visitor>,
    RawQuery(query): RawQuery,
) -> Response {
    let next = next(&form_pairs(&query.unwrap_or_default()));
    page(StatusCode::OK, &visitor, &next, "")
}

/// `POST /login` with a form of `token` and `next`.
pub(crate) async fn sign_in(
    State(server): State<Server>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let fields = form_pairs(&String::from_utf8_lossy(&body));
    let next = next(&fields);
    let token = fields.iter().find(|(name, _)| name == "token");
    let token = token.map(|(_, token)| token.trim()).unwrap_or_default();
    let Some(cookie) = server.guard.begin_session(&headers, token).await? else {
        let wrong = "This token is unknown, or it was revoked.";
        return Ok(page(StatusCode::UNAUTHORIZED, &visitor, &next, wrong));
    };
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&next)).into_response())
}

/// `POST /logout`
pub(crate) async fn sign_out(State(server): State<Server>, headers: HeaderMap) -> Result<Response> {
    let cookie = server.guard.end_session(&headers).await?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response())
}

/// The place to go to, which is one of ours: what begins with two slashes would be another host.
fn next(fields: &[(String, String)]) -> String {
    let next = fields.iter().find(|(name, _)| name == "next");
    let next = next.map(|(_, next)| next.as_str()).unwrap_or_default();
    let is_ours = next.starts_with('/')
        && !next.starts_with("//")
        && next
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && !next.starts_with("/login");
    if is_ours { next } else { "/" }.to_owned()
}

fn page(status: StatusCode, visitor: &Visitor, next: &str, wrong: &str) -> Response {
    let signed_in = visitor.signed_in.as_ref();
    let page = ui::sign_in(&ui::SignInPage {
        viewer: visitor.into(),
        scope: signed_in.map(|(scope, _)| scope.name()),
        label: signed_in.map(|(_, label)| label).map_or("", |label| label),
        next,
        wrong,
    });
    pages::html(status, page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_leads_to_own_pages_only() {
        let led = |next: &str| super::next(&[("next".to_owned(), next.to_owned())]);
        for own in ["/", "/new?xa=1&kind=julia", "/picture/1"] {
            assert_eq!(led(own), own);
        }
        for foreign in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a b",
            "/login?next=/",
            "/\r\nSet-Cookie: x",
        ] {
            assert_eq!(led(foreign), "/", "{foreign}");
        }
        assert_eq!(super::next(&[]), "/");
    }

    #[test]
    fn the_way_back_survives_the_way_there() {
        let query = "next=/new%3Fxa%3D-1%26xb%3D2%252B";
        assert_eq!(super::next(&form_pairs(query)), "/new?xa=-1&xb=2%2B");
    }
}
