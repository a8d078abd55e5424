//! OpenStack's identity service, version 3: a token, and the catalogue that says where the cloud's other services are.
//! <https://docs.openstack.org/api-ref/identity/v3/#authentication-and-token-management>

mod answer;
mod credentials;

pub use answer::{Interface, Token};
pub use credentials::{Application, Credentials, Domain, Named, Scope};

use crate::{Call, Error, ErrorKind, Http, Issued, SignIn, refusal};
use bytes::Bytes;
use reqwest::{Method, Url};

/// Who signs in to what; secret, so without `Debug`. [`Sessions`](crate::Sessions) renews its tokens.
pub struct Keystone {
    url: Url,
    /// The request's body.
    request: Bytes,
    /// The settings to look at when it refuses us.
    settings: String,
}

impl Keystone {
    /// `url` is what clients know as `OS_AUTH_URL`, with or without its version; `settings` says where the credentials
    /// come from, for whoever has to correct them.
    pub fn new(mut url: Url, credentials: &Credentials, scope: &Scope, settings: &str) -> Self {
        let path = url.path().trim_end_matches('/').to_owned();
        let version = if path.ends_with("/v3") { "" } else { "/v3" };
        url.set_path(&format!("{path}{version}/auth/tokens"));
        Self {
            url,
            request: Bytes::from(credentials::request(credentials, scope).to_string()),
            settings: settings.to_owned(),
        }
    }

    /// Where it signs in.
    pub fn url(&self) -> &Url {
        &self.url
    }
}

impl SignIn for Keystone {
    type Session = Token;

    async fn sign_in(&self, http: &Http) -> Result<Issued<Token>, Error> {
        let call = || {
            Call::new(Method::POST, self.url.clone())
                .header("content-type", "application/json")
                .body(self.request.clone())
        };
        let response = http.send(call).await?;
        let what = "Keystone: sign in";
        if !response.status().is_success() {
            return Err(refusal(what, response.status(), "", &self.settings));
        }
        let value = response.headers().get("x-subject-token").cloned();
        let text = http.text(response).await?;
        let value =
            value.ok_or_else(|| Error::new(ErrorKind::Unavailable, format!("{what}: no token")))?;
        answer::read(value, &text).map_err(|error| {
            let message = format!("{what}: an answer that can't be read: {error}");
            Error::new(ErrorKind::Unavailable, message).caused_by(error)
        })
    }
}
