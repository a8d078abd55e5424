//! Who may do what, and how much of it at once: what every request passes before its route sees it.

mod body;
mod keys;
mod origin;
mod peer;
mod rates;
mod refusal;
mod rule;
mod session;
mod who;

pub(crate) use body::Broken;
pub use keys::{MintError, mint, mint_first};
pub(crate) use origin::is_host;
pub use origin::{asked_host, is_own_name};
pub use peer::networks;
pub(crate) use peer::{Peer, scheme};
pub use rule::Scope;
pub(crate) use rule::{BodyLimit, Kind, Need, Rule, Rules};
pub(crate) use who::Visitor;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use faafo_store::Store;
use ipnet::IpNet;
use keys::Keys;
use rates::{Key, Rates};
use refusal::Refusal;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, SemaphorePermit};

/// The most bytes of a request's address and headers.
const HEADER_BYTES: usize = 32 * 1024;

/// What is free, and what needs a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everything is free.
    Open,
    /// Reading is free, writing needs a token.
    Writes,
    /// Reading needs a token, too.
    All,
}

/// The settings of a server's [`Guard`].
#[derive(Debug, Clone)]
pub struct Security {
    /// What needs a token.
    pub access: Access,
    /// Whether only this machine reaches the server.
    pub loopback: bool,
    /// Names by which an open server on this machine may be addressed besides localhost; `*` is any.
    pub allowed_hosts: Vec<String>,
    /// Whose `X-Forwarded-…` headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The largest blob that is taken, in bytes.
    pub max_upload: u64,
    /// How many connections there may be.
    pub max_connections: usize,
    /// How many requests may be worked on at the same time.
    pub max_requests: usize,
    /// How many writes a second a client may make; twice as many at once.
    pub rate_limit: Option<u32>,
    /// How long a body may take for each of its 16 KiB.
    pub body_timeout: Duration,
}

/// What stands between the clients and the routes.
pub struct Guard {
    security: Security,
    keys: Keys,
    rates: Rates,
    requests: Semaphore,
    pub(crate) connections: Arc<Semaphore>,
}

impl Guard {
    /// A guard that knows the tokens in this store.
    pub fn new(store: Store, security: Security) -> Self {
        let most = |number: usize| number.min(Semaphore::MAX_PERMITS);
        Self {
            keys: Keys::new(store),
            rates: Rates::new(security.rate_limit),
            requests: Semaphore::new(most(security.max_requests)),
            connections: Arc::new(Semaphore::new(most(security.max_connections))),
            security,
        }
    }

    /// Tokens were revoked: what is remembered of them does not hold any more.
    pub(crate) fn forget_tokens(&self) {
        self.keys.forget();
    }

    async fn admit(
        &self,
        request: &mut Request,
        rule: Rule,
    ) -> Result<Option<SemaphorePermit<'_>>, Refusal> {
        if header_bytes(request) > HEADER_BYTES {
            return Err(Refusal::large_headers());
        }
        let client = peer::client(&self.security.trusted_proxies, request);
        if self.security.access == Access::Open && self.security.loopback {
            origin::check_host(request, &self.security.allowed_hosts)?;
        }
        let changes = rule::is_change(request.method());
        match changes {
            true => origin::check_origin(request.headers())?,
            false => origin::check_embedding(request.headers())?,
        }
        let permit = match rule.kind {
            // Whoever watches over us must not take a busy server for a dead one.
            Kind::Probe => None,
            _ => Some(
                self.requests
                    .try_acquire()
                    .map_err(|_| Refusal::too_busy())?,
            ),
        };
        let now = Instant::now();
        let address = Key::of(client);
        let who = who::identify(self, request.headers(), address, now).await?;
        who.check(self.security.access, rule.need)?;
        if changes {
            let key = who.token().map_or(address, Key::Token);
            self.rates.take(key, now).map_err(Refusal::too_many)?;
            body::limit(request, rule.body, &self.security)?;
        }
        request
            .extensions_mut()
            .insert(who.visitor(self.security.access));
        Ok(permit)
    }

    /// What caches on the way may do with an answer.
    fn restrict(&self, headers: &mut HeaderMap) {
        if self.security.access == Access::Open {
            return;
        }
        headers.append(header::VARY, HeaderValue::from_static("cookie"));
        let is_public = |value: &HeaderValue| value.as_bytes().starts_with(b"public");
        if self.security.access == Access::All
            && headers.get(header::CACHE_CONTROL).is_some_and(is_public)
        {
            let private = HeaderValue::from_static("private, max-age=31536000, immutable");
            headers.insert(header::CACHE_CONTROL, private);
        }
    }
}

fn header_bytes(request: &Request) -> usize {
    let address = request.uri().path().len() + request.uri().query().map_or(0, str::len);
    let headers = request.headers().iter();
    headers.fold(address, |sum, (name, value)| {
        sum + name.as_str().len() + value.len()
    })
}

/// Lets a request through to its route, or answers it.
pub(crate) async fn guard(
    State((guard, rules)): State<(Arc<Guard>, Arc<Rules>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.extensions().get::<MatchedPath>();
    let rule = rules.find(request.method(), path.map(MatchedPath::as_str));
    let wants_page = who::wants_page(&request, rule.kind);
    let mut response = match guard.admit(&mut request, rule).await {
        Ok(_permit) => next.run(request).await,
        Err(refusal) => refusal.answer(wants_page.as_deref()),
    };
    guard.restrict(response.headers_mut());
    response
}
