//! Swift's own signing in, version 1.

use super::{Session, session, strange};
use crate::Error;
use crate::http::{Call, Http, refusal};
use crate::location::{Location, config};
use reqwest::{Method, Url};

const CREDENTIALS: &str = "the user and key in storage_url, or ST_USER and ST_KEY";

/// User and key; secret, so without `Debug`.
pub(in crate::swift) struct Tempauth {
    pub(super) url: Url,
    user: String,
    key: String,
}

impl Tempauth {
    pub(super) fn read(url: Url, location: &mut Location<'_>) -> Result<Self, Error> {
        let missing = || config("lacks swift://user:key@… (or ST_USER and ST_KEY)");
        Ok(Self {
            url,
            user: location.user(&["ST_USER"]).ok_or_else(missing)?,
            key: location.password(&["ST_KEY"]).ok_or_else(missing)?,
        })
    }

    pub(super) async fn sign_in(&self, http: &Http) -> Result<Session, Error> {
        let call = || {
            Call::new(Method::GET, self.url.clone())
                .header("x-auth-user", &self.user)
                .header("x-auth-key", &self.key)
        };
        let response = http.send(call).await?;
        if !response.status().is_success() {
            return Err(refusal(
                "Swift: sign in",
                response.status(),
                "",
                CREDENTIALS,
            ));
        }
        let headers = response.headers();
        let storage = headers
            .get("x-storage-url")
            .and_then(|url| url.to_str().ok());
        session(storage.unwrap_or_default(), headers.get("x-auth-token")).ok_or_else(strange)
    }
}
