//! Tokens: making them, and finding out what one allows without asking the database each time.

use super::rule::Scope;
use crate::error::ApiError;
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use faafo_model::{Timestamp, Uuid};
use faafo_store::{Store, Token};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use subtle::ConstantTimeEq;

/// For so long a token that was revoked elsewhere may still be taken.
const FRESH: Duration = Duration::from_secs(5);
/// The most tokens remembered.
const MOST: usize = 4096;
/// What tokens begin with, so that people and scanners know one when they see it.
const PREFIX: &str = "faafo_";

/// A token could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// The system has no randomness for us.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
    /// It could not be stored.
    #[error(transparent)]
    Store(#[from] faafo_store::Error),
}

impl From<MintError> for ApiError {
    fn from(error: MintError) -> Self {
        match error {
            MintError::Store(error) => error.into(),
            MintError::Random(_) => {
                tracing::error!(%error, "can't make a token");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
            }
        }
    }
}

/// Makes a token. Returns its id and the token itself, which nobody can find out later.
///
/// # Errors
/// When the database fails.
pub async fn mint(store: &Store, scope: Scope, label: &str) -> Result<(Uuid, String), MintError> {
    let token = secret(PREFIX)?;
    let id = store
        .add_token(&hash(&token), scope.name(), label, now())
        .await?;
    Ok((id, token))
}

/// Makes a token that allows everything, unless there is or was one already.
///
/// # Errors
/// When the database fails.
pub async fn mint_first(store: &Store) -> Result<Option<String>, MintError> {
    let token = secret(PREFIX)?;
    let hash = hash(&token);
    let made = store.add_first_token(&hash, Scope::Admin.name(), "made at the first start", now());
    Ok(made.await?.then_some(token))
}

/// 256 random bits as text.
pub(super) fn secret(prefix: &str) -> Result<String, MintError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(MintError::Random)?;
    Ok(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

pub(super) fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

pub(super) fn now() -> Timestamp {
    SystemTime::now().into()
}

/// What the tokens are that have been shown lately, also that they are none.
pub(super) struct Keys {
    pub(super) store: Store,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    tokens: HashMap<[u8; 32], (Option<Token>, Instant)>,
    /// Changes when something was revoked: what was asked before may be outdated.
    generation: u64,
}

impl Keys {
    pub(super) fn new(store: Store) -> Self {
        Self {
            store,
            known: Mutex::default(),
        }
    }

    /// What is known of a token without asking: that it is one, that it is none, or nothing.
    pub(super) fn recall(&self, hash: &[u8; 32], now: Instant) -> Option<Option<Token>> {
        let known = self.known();
        let (token, since) = known.tokens.get(hash)?;
        (now.duration_since(*since) < FRESH).then(|| token.clone())
    }

    /// Asks the database. Nothing that is revoked or has expired is found.
    pub(super) async fn ask(
        &self,
        hash: &[u8; 32],
        at: Instant,
    ) -> Result<Option<Token>, faafo_store::Error> {
        let generation = self.known().generation;
        let found = self.store.token(hash).await?;
        // The index has found it by the SHA-256, which an attacker can't choose; this needs no thought at all.
        let found = found
            .filter(|token| bool::from(token.hash.ct_eq(hash)))
            .filter(is_valid);
        let mut known = self.known();
        if known.generation == generation {
            if known.tokens.len() >= MOST {
                known.tokens.clear();
            }
            known.tokens.insert(*hash, (found.clone(), at));
        }
        Ok(found)
    }

    /// Something was revoked: everything is asked anew.
    pub(super) fn forget(&self) {
        let mut known = self.known();
        known.generation += 1;
        known.tokens.clear();
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_valid(token: &Token) -> bool {
    !token.revoked && token.expires_at.is_none_or(|end| end > now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_256_bits_and_none_comes_twice() {
        let (one, two) = (secret(PREFIX).unwrap(), secret(PREFIX).unwrap());
        assert_ne!(one, two);
        let bits = URL_SAFE_NO_PAD.decode(one.strip_prefix(PREFIX).unwrap());
        assert_eq!(bits.unwrap().len(), 32);
    }

    #[tokio::test]
    async fn a_revoked_token_is_forgotten_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/x.db", folder.path().display());
        let store = Store::open(&url).await.unwrap();
        let keys = Keys::new(store);
        let (id, token) = mint(&keys.store, Scope::Write, "").await.unwrap();
        let (hash, at) = (hash(&token), Instant::now());
        assert_eq!(keys.recall(&hash, at), None);
        assert_eq!(keys.ask(&hash, at).await.unwrap().unwrap().id, id);
        assert!(keys.recall(&hash, at).unwrap().is_some());
        assert_eq!(keys.recall(&hash, at + FRESH), None, "too long ago");
        keys.store.revoke_token(id, now()).await.unwrap();
        keys.forget();
        assert_eq!(keys.recall(&hash, at), None);
        assert_eq!(keys.ask(&hash, at).await.unwrap(), None);
        assert_eq!(keys.recall(&hash, at), Some(None));
    }
}
