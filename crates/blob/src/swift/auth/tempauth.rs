//! Swift's own signing in, version 1.

use super::{ErrorKind, Http, Issued, Session};
use crate::Error;
use crate::location::{Location, config};
use faafo_http::{Call, refusal};
use reqwest::{Method, Url};
use std::time::Duration;

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

    pub(super) async fn sign_in(&self, http: &Http) -> Result<Issued<Session>, faafo_http::Error> {
        let call = || {
            Call::new(Method::GET, self.url.clone())
                .header("x-auth-user", &self.user)
                .header("x-auth-key", &self.key)
        };
        let response = http.send(call).await?;
        let (status, what) = (response.status(), "Swift: sign in");
        if !status.is_success() {
            return Err(refusal(what, status, "", CREDENTIALS));
        }
        let text = |name: &str| response.headers().get(name)?.to_str().ok();
        let storage = text("x-storage-url").and_then(|url| {
            let url = Url::parse(url.trim_end_matches('/')).ok()?;
            matches!(url.scheme(), "http" | "https").then_some(url)
        });
        let token = response.headers().get("x-auth-token").cloned();
        let (Some(storage), Some(mut token)) = (storage, token) else {
            let message = format!("{what}: no token or no address");
            return Err(faafo_http::Error::new(ErrorKind::Unavailable, message));
        };
        token.set_sensitive(true);
        let seconds = text("x-auth-token-expires").and_then(|seconds| seconds.parse().ok());
        Ok(Issued {
            session: Session { storage, token },
            lifetime: seconds.map(Duration::from_secs),
        })
    }
}
