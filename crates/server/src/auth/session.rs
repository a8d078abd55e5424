//! Sessions: what somebody who has signed in on a page has in a cookie. A session is no token, and ends with its token,
//! by itself or by signing out.

use super::{Guard, MintError, keys, scheme, who};
use axum::http::HeaderMap;
use std::time::{Duration, Instant};

/// The cookie that holds a session.
pub(super) const COOKIE: &str = "faafo_session";
/// How long a session lasts.
const SESSION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Guard {
    /// Begins a session for whoever shows this token, and returns its cookie; `None` if the token is none.
    ///
    /// # Errors
    /// When the database fails, or the system has no randomness for us.
    pub(crate) async fn begin_session(
        &self,
        headers: &HeaderMap,
        token: &str,
    ) -> Result<Option<String>, MintError> {
        let found = self.keys.ask(&keys::hash(token), Instant::now()).await?;
        let Some(found) = found.filter(|token| token.parent.is_none()) else {
            return Ok(None);
        };
        let session = keys::secret("")?;
        let now = keys::now();
        let hash = keys::hash(&session);
        let store = &self.keys.store;
        store
            .add_session(&hash, &found, now, now.plus(SESSION))
            .await?;
        tracing::info!(token = %found.id, "somebody signed in");
        Ok(Some(cookie(headers, &session, SESSION)))
    }

    /// Ends the session in the cookies, if there is one, and returns the cookie that replaces it.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn end_session(
        &self,
        headers: &HeaderMap,
    ) -> Result<String, faafo_store::Error> {
        if let Some(session) = who::cookie(headers) {
            self.keys.store.end_session(&keys::hash(session)).await?;
            self.forget_tokens();
        }
        Ok(cookie(headers, "", Duration::ZERO))
    }
}

fn cookie(headers: &HeaderMap, value: &str, lasts: Duration) -> String {
    let secure = match scheme(headers) {
        "https" => "; Secure",
        _ => "",
    };
    let seconds = lasts.as_secs();
    format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}")
}
