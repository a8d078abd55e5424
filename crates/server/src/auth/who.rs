//! Who asks: somebody with a token, somebody who has signed in, or anybody.

use super::keys;
use super::rates::Key;
use super::refusal::Refusal;
use super::rule::{Kind, Need, Scope};
use super::session::COOKIE;
use super::{Access, Guard};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, header};
use faafo_model::Uuid;
use faafo_store::Token;
use std::time::Instant;

/// What pages may know of whoever looks at them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Visitor {
    /// There are things here that need a token.
    pub(crate) guarded: bool,
    /// The token they have signed in with, by its scope and label.
    pub(crate) signed_in: Option<(Scope, String)>,
    /// They may create and delete.
    pub(crate) may_write: bool,
}

/// Who asks.
pub(super) struct Who {
    token: Option<(Token, Scope)>,
}

/// Finds out who asks.
///
/// # Errors
/// There is a token, and it is none of ours; or nobody can tell at the moment.
pub(super) async fn identify(
    guard: &Guard,
    headers: &HeaderMap,
    address: Key,
    now: Instant,
) -> Result<Who, Refusal> {
    let anybody = Who { token: None };
    if guard.security.access == Access::Open {
        return Ok(anybody);
    }
    if let Some(bearer) = bearer(headers) {
        let token = find(guard, bearer, address, now).await?;
        let token = token.filter(|token| token.parent.is_none());
        return Who::new(token.ok_or_else(Refusal::bad_token)?);
    }
    if let Some(cookie) = cookie(headers) {
        let session = find(guard, cookie, address, now).await?;
        // A session that has ended is as good as none: its pages can still be read, as far as anybody's can.
        if let Some(session) = session.filter(|session| session.parent.is_some()) {
            return Who::new(session);
        }
    }
    Ok(anybody)
}

async fn find(
    guard: &Guard,
    token: &str,
    address: Key,
    now: Instant,
) -> Result<Option<Token>, Refusal> {
    let hash = keys::hash(token);
    if let Some(known) = guard.keys.recall(&hash, now) {
        return Ok(known);
    }
    let found = guard.keys.ask(&hash, now).await?;
    if found.is_none() {
        // Whoever guesses keeps the database busy. Others behind the same proxy have nothing to do with it.
        guard.rates.take(address, now).map_err(Refusal::too_many)?;
    }
    Ok(found)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    // Other schemes are for proxies on the way.
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// The session in the cookies.
pub(super) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter();
    cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
}

impl Who {
    fn new(token: Token) -> Result<Self, Refusal> {
        // A scope that a newer version knows allows nothing here.
        let scope = token.scope.parse().map_err(|_| Refusal::bad_token())?;
        Ok(Self {
            token: Some((token, scope)),
        })
    }

    /// The token, also that of a session.
    pub(super) fn token(&self) -> Option<Uuid> {
        let (token, _) = self.token.as_ref()?;
        Some(token.parent.unwrap_or(token.id))
    }

    fn may(&self, access: Access, need: Need) -> bool {
        let anybody = match access {
            Access::Open => true,
            Access::Writes => matches!(need, Need::Nothing | Need::Read | Need::Blob),
            Access::All => need == Need::Nothing,
        };
        let token = self.token.as_ref();
        anybody || token.is_some_and(|(_, scope)| scope.allows(need))
    }

    /// Whether this is allowed.
    ///
    /// # Errors
    /// It isn't.
    pub(super) fn check(&self, access: Access, need: Need) -> Result<(), Refusal> {
        if self.may(access, need) {
            return Ok(());
        }
        Err(match &self.token {
            None => Refusal::no_token(need.scope()),
            Some((_, scope)) => Refusal::wrong_scope(*scope, need.scope()),
        })
    }

    pub(super) fn visitor(&self, access: Access) -> Visitor {
        let token = self.token.as_ref();
        Visitor {
            guarded: access != Access::Open,
            signed_in: token.map(|(token, scope)| (*scope, token.label.clone())),
            may_write: self.may(access, Need::Write),
        }
    }
}

/// The address of the page that the request asks for, if it is one that people look at.
pub(super) fn wants_page(request: &Request, kind: Kind) -> Option<String> {
    let target = request.uri().path_and_query()?.as_str();
    (kind == Kind::Page && request.method() == Method::GET).then(|| target.to_owned())
}
