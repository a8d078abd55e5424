//! Sessions that expire: signing in when there is none, shortly before one expires, and when a server refuses it.

use crate::{Call, Error, Http};
use reqwest::{Response, StatusCode};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long before its end a session is renewed, unless it is a short one.
const MARGIN: Duration = Duration::from_secs(300);
/// Until the next try to renew a session that is still good.
const PAUSE: Duration = Duration::from_secs(30);

/// A way to sign in.
pub trait SignIn: Send + Sync {
    /// What signing in gives.
    type Session: Send + Sync;

    /// Signs in.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) when the credentials are refused, or when the server is away.
    fn sign_in(
        &self,
        http: &Http,
    ) -> impl Future<Output = Result<Issued<Self::Session>, Error>> + Send;
}

/// A session from a server.
pub struct Issued<S> {
    /// What it opens.
    pub session: S,
    /// How long it is good from now on, if the server says so.
    pub lifetime: Option<Duration>,
}

/// Keeps a session, and signs in anew in time.
pub struct Sessions<A: SignIn> {
    auth: A,
    current: Mutex<Option<Current<A::Session>>>,
}

struct Current<S> {
    session: Arc<S>,
    /// When to renew it, and when it ends.
    due: Option<Instant>,
    end: Option<Instant>,
}

impl<A: SignIn> Sessions<A> {
    /// Nothing is sent yet.
    pub fn new(auth: A) -> Self {
        Self {
            auth,
            current: Mutex::new(None),
        }
    }

    /// The session.
    ///
    /// # Errors
    /// Those of signing in.
    pub async fn session(&self, http: &Http) -> Result<Arc<A::Session>, Error> {
        self.other_than(None, http).await
    }

    /// Sends what `make` returns for the session, once more for a new one if the server refuses it.
    ///
    /// # Errors
    /// As [`Http::send`], and those of signing in.
    pub async fn send(
        &self,
        http: &Http,
        make: impl Fn(&A::Session) -> Call,
    ) -> Result<Response, Error> {
        let session = self.session(http).await?;
        let response = http.send(|| make(&session)).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let session = self.other_than(Some(&session), http).await?;
        http.send(|| make(&session)).await
    }

    async fn other_than(
        &self,
        refused: Option<&Arc<A::Session>>,
        http: &Http,
    ) -> Result<Arc<A::Session>, Error> {
        // Whoever comes while somebody signs in waits for that.
        let mut current = self.current.lock().await;
        let now = Instant::now();
        let usable = current.as_mut().filter(|current| {
            refused.is_none_or(|refused| !Arc::ptr_eq(refused, &current.session))
                && current.end.is_none_or(|end| now < end)
        });
        if let Some(current) = &usable
            && current.due.is_none_or(|due| now < due)
        {
            return Ok(Arc::clone(&current.session));
        }
        match (self.auth.sign_in(http).await, usable) {
            (Ok(issued), _) => {
                let new = current.insert(Current::new(issued, Instant::now()));
                Ok(Arc::clone(&new.session))
            }
            (Err(error), Some(current)) => {
                tracing::debug!(%error, "can't renew a session that is still good");
                current.due = Some(Instant::now() + PAUSE);
                Ok(Arc::clone(&current.session))
            }
            (Err(error), None) => Err(error),
        }
    }
}

impl<S> Current<S> {
    fn new(issued: Issued<S>, now: Instant) -> Self {
        let good_for = |lifetime| now.checked_add(lifetime);
        let early = |lifetime: Duration| lifetime - MARGIN.min(lifetime / 10);
        Self {
            session: Arc::new(issued.session),
            due: issued.lifetime.map(early).and_then(good_for),
            end: issued.lifetime.and_then(good_for),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    use tokio::time::advance;

    const HOUR: Duration = Duration::from_secs(3600);

    /// Numbers its sessions.
    #[derive(Default)]
    struct Numbers {
        next: AtomicU32,
        lifetime: Option<Duration>,
        is_away: std::sync::atomic::AtomicBool,
    }

    impl SignIn for &Numbers {
        type Session = u32;

        async fn sign_in(&self, _: &Http) -> Result<Issued<u32>, Error> {
            if self.is_away.load(SeqCst) {
                return Err(Error::new(ErrorKind::Unavailable, "away"));
            }
            Ok(Issued {
                session: self.next.fetch_add(1, SeqCst),
                lifetime: self.lifetime,
            })
        }
    }

    fn http() -> Http {
        Http::new(HOUR, &[&reqwest::Url::parse("http://127.0.0.1").unwrap()]).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_is_renewed_shortly_before_it_ends() {
        let numbers = Numbers {
            lifetime: Some(HOUR),
            ..Numbers::default()
        };
        let (sessions, http) = (Sessions::new(&numbers), http());
        assert_eq!(*sessions.session(&http).await.unwrap(), 0);
        advance(HOUR - MARGIN - Duration::from_secs(1)).await;
        assert_eq!(*sessions.session(&http).await.unwrap(), 0);
        advance(Duration::from_secs(1)).await;
        assert_eq!(*sessions.session(&http).await.unwrap(), 1);
        assert_eq!(*sessions.session(&http).await.unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_without_an_end_is_kept() {
        let numbers = Numbers::default();
        let (sessions, http) = (Sessions::new(&numbers), http());
        assert_eq!(*sessions.session(&http).await.unwrap(), 0);
        advance(HOUR * 24 * 365).await;
        assert_eq!(*sessions.session(&http).await.unwrap(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_good_session_outlives_a_server_that_is_away_but_not_its_own_end() {
        let numbers = Numbers {
            lifetime: Some(HOUR),
            ..Numbers::default()
        };
        let (sessions, http) = (Sessions::new(&numbers), http());
        assert_eq!(*sessions.session(&http).await.unwrap(), 0);
        numbers.is_away.store(true, SeqCst);
        advance(HOUR - MARGIN).await;
        assert_eq!(*sessions.session(&http).await.unwrap(), 0);
        advance(MARGIN).await;
        sessions.session(&http).await.unwrap_err();
        numbers.is_away.store(false, SeqCst);
        assert_eq!(*sessions.session(&http).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_refused_session_is_replaced_once_for_all_who_had_it() {
        let numbers = Numbers::default();
        let (sessions, http) = (Sessions::new(&numbers), http());
        let refused = sessions.session(&http).await.unwrap();
        for _ in 0..2 {
            let new = sessions.other_than(Some(&refused), &http).await.unwrap();
            assert_eq!(*new, 1);
        }
    }
}
