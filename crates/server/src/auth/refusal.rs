//! What is not let through, and how it is answered.

use super::rule::Scope;
use crate::error::ApiError;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use std::time::Duration;

/// A request that does not reach its route.
pub(crate) struct Refusal {
    error: ApiError,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// A person who signs in may see it.
    sign_in: bool,
}

impl Refusal {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            error: ApiError::new(status, detail),
            headers: Vec::new(),
            sign_in: false,
        }
    }

    fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::try_from(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// There is no token with the request.
    pub(super) fn no_token(needed: Scope) -> Self {
        let detail = format!(
            "this needs a token of scope {needed}: send it as \"Authorization: Bearer …\", or sign in at /login"
        );
        let refusal = Self::new(StatusCode::UNAUTHORIZED, detail);
        Self {
            sign_in: true,
            ..refusal.header(header::WWW_AUTHENTICATE, "Bearer realm=\"faafo\"")
        }
    }

    /// The token is none.
    pub(super) fn bad_token() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "the token is unknown, or it was revoked",
        )
        .header(
            header::WWW_AUTHENTICATE,
            "Bearer realm=\"faafo\", error=\"invalid_token\"",
        )
    }

    /// The token is for other things.
    pub(super) fn wrong_scope(has: Scope, needed: Scope) -> Self {
        let detail = format!("this needs a token of scope {needed}, and this one has {has}");
        let challenge =
            format!("Bearer realm=\"faafo\", error=\"insufficient_scope\", scope=\"{needed}\"");
        Self::new(StatusCode::FORBIDDEN, detail).header(header::WWW_AUTHENTICATE, &challenge)
    }

    /// Another site's page sent it.
    pub(super) fn foreign_page() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "another site's page must not change anything here (Origin, Sec-Fetch-Site)",
        )
    }

    /// Another site's page has it in it.
    pub(super) fn embedded() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "another site's page must not load anything from here (Sec-Fetch-Site)",
        )
    }

    /// It asks for a host that we are not.
    pub(super) fn foreign_name(host: &str) -> Self {
        let host: String = host.chars().take(100).collect();
        let detail = format!(
            "nothing here is called {host:?}; if that is a name of this service, add it to the setting allowed_hosts"
        );
        Self::new(StatusCode::MISDIRECTED_REQUEST, detail)
    }

    /// Too many requests are being worked on.
    pub(super) fn too_busy() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many requests at the same time; try again in a moment",
        )
    }

    /// Too many come from this client.
    pub(super) fn too_many(wait: Duration) -> Self {
        let seconds = wait.as_secs_f64().ceil().max(1.0);
        let detail = format!("too many writes; try again in {seconds} s");
        Self::new(StatusCode::TOO_MANY_REQUESTS, detail)
            .header(header::RETRY_AFTER, &format!("{seconds}"))
    }

    /// There is too much before the body.
    pub(super) fn large_headers() -> Self {
        Self::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "address and headers are too large",
        )
    }

    /// The body says of itself that it is too large.
    pub(super) fn too_large(most: u64) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body must be at most {most} bytes"),
        )
    }

    /// The answer. Whoever wants to see the page at `page` is led to where people sign in.
    pub(super) fn answer(self, page: Option<&str>) -> Response {
        if let (true, Some(page)) = (self.sign_in, page) {
            return Redirect::to(&sign_in_address(page)).into_response();
        }
        let mut response = self.error.into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}

/// Where people sign in who want to go to `next`.
fn sign_in_address(next: &str) -> String {
    let mut address = "/login?next=".to_owned();
    for byte in next.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' => {
                address.push(char::from(byte));
            }
            _ => address += &format!("%{byte:02X}"),
        }
    }
    address
}

impl From<faafo_store::Error> for Refusal {
    fn from(error: faafo_store::Error) -> Self {
        Self {
            error: error.into(),
            headers: Vec::new(),
            sign_in: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_part_of_the_way_to_sign_in() {
        let address = sign_in_address("/new?xa=-1&xb=2%2B");
        assert_eq!(address, "/login?next=/new%3Fxa%3D-1%26xb%3D2%252B");
    }
}
