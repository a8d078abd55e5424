//! Signing in: where the store is and the token that opens it.

mod keystone;
mod tempauth;

use crate::Error;
use crate::location::{Location, config};
use faafo_http::{ErrorKind, Http, Issued, SignIn};
use keystone::Keystone;
use reqwest::Url;
use reqwest::header::HeaderValue;
use tempauth::Tempauth;

/// What signing in gives, until it expires.
pub(super) struct Session {
    /// The account's URL, without a slash at its end.
    pub(super) storage: Url,
    pub(super) token: HeaderValue,
}

/// How to sign in.
pub(super) enum Auth {
    Tempauth(Tempauth),
    Keystone(Keystone),
}

impl Auth {
    pub(super) fn read(location: &mut Location<'_>) -> Result<Self, Error> {
        let url = location
            .server("auth", &["OS_AUTH_URL", "ST_AUTH"])?
            .ok_or_else(|| config("needs auth=, the URL that signs in, or OS_AUTH_URL"))?;
        if url.path().ends_with("/v1.0") || url.path().ends_with("/v1") {
            Ok(Self::Tempauth(Tempauth::read(url, location)?))
        } else {
            Ok(Self::Keystone(Keystone::read(url, location)?))
        }
    }

    pub(super) fn url(&self) -> &Url {
        match self {
            Self::Tempauth(auth) => &auth.url,
            Self::Keystone(auth) => auth.keystone.url(),
        }
    }
}

impl SignIn for Auth {
    type Session = Session;

    async fn sign_in(&self, http: &Http) -> Result<Issued<Session>, faafo_http::Error> {
        match self {
            Self::Tempauth(auth) => auth.sign_in(http).await,
            Self::Keystone(auth) => auth.sign_in(http).await,
        }
    }
}
