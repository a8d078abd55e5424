//! OpenStack's signing in, version 3: a token for a project, and the catalogue that says where its Swift is.
//! <https://docs.openstack.org/api-ref/identity/v3/#authentication-and-token-management>

use super::{Session, session, strange};
use crate::Error;
use crate::http::{Call, Http, refusal};
use crate::location::{Location, config};
use bytes::Bytes;
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::{Value, json};

const CREDENTIALS: &str = "user, password and project in storage_url, or OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME and \
     their domains";

/// Who signs in to what; secret, so without `Debug`.
pub(in crate::swift) struct Keystone {
    pub(super) url: Url,
    /// The request's body.
    request: Bytes,
    region: Option<String>,
    interface: String,
}

impl Keystone {
    pub(super) fn read(mut url: Url, location: &mut Location<'_>) -> Result<Self, Error> {
        let path = url.path().trim_end_matches('/').to_owned();
        let version = if path.ends_with("/v3") { "" } else { "/v3" };
        url.set_path(&format!("{path}{version}/auth/tokens"));
        let auth = match application_credential(location)? {
            Some(auth) => auth,
            None => password(location)?,
        };
        Ok(Self {
            url,
            request: Bytes::from(json!({ "auth": auth }).to_string()),
            region: location.option("region", &["OS_REGION_NAME"]),
            interface: location
                .option("interface", &["OS_INTERFACE"])
                .unwrap_or_else(|| "public".to_owned()),
        })
    }

    pub(super) async fn sign_in(&self, http: &Http) -> Result<Session, Error> {
        let call = || {
            Call::new(Method::POST, self.url.clone())
                .header("content-type", "application/json")
                .body(self.request.clone())
        };
        let response = http.send(call).await?;
        if !response.status().is_success() {
            return Err(refusal(
                "Keystone: sign in",
                response.status(),
                "",
                CREDENTIALS,
            ));
        }
        let token = response.headers().get("x-subject-token").cloned();
        let answer = http.text(response).await?;
        let answer: Answer = serde_json::from_str(&answer).map_err(|_| strange())?;
        let storage = self.storage(&answer.token).ok_or_else(|| {
            config(format!(
                "names a cloud whose catalogue has no {} object-store in this region: look at region and interface",
                self.interface
            ))
        })?;
        session(&storage, token.as_ref()).ok_or_else(strange)
    }

    fn storage(&self, token: &Token) -> Option<String> {
        let services = token
            .catalog
            .iter()
            .filter(|service| service.kind == "object-store");
        let endpoint = services
            .flat_map(|service| &service.endpoints)
            .find(|endpoint| {
                endpoint.interface == self.interface
                    && (self.region.is_none() || endpoint.region == self.region)
            });
        endpoint.map(|endpoint| endpoint.url.clone())
    }
}

#[derive(Deserialize)]
struct Answer {
    token: Token,
}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    catalog: Vec<Service>,
}

#[derive(Deserialize)]
struct Service {
    #[serde(rename = "type")]
    kind: String,
    endpoints: Vec<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    interface: String,
    region: Option<String>,
    url: String,
}

/// The secret of an application credential, which belongs to a project already.
fn application_credential(location: &mut Location<'_>) -> Result<Option<Value>, Error> {
    let missing = || config("lacks the application credential's swift://id:secret@…");
    let (id, secret) = match location.option("application", &[]).as_deref() {
        Some("id") => (location.user(&[]), location.password(&[])),
        Some(_) => return Err(config("knows only application=id")),
        None => {
            let variable = "OS_APPLICATION_CREDENTIAL_ID";
            match location.option("", &[variable]) {
                None => return Ok(None),
                id => (
                    id,
                    location.option("", &["OS_APPLICATION_CREDENTIAL_SECRET"]),
                ),
            }
        }
    };
    let (id, secret) = (id.ok_or_else(missing)?, secret.ok_or_else(missing)?);
    Ok(Some(json!({ "identity": {
        "methods": ["application_credential"],
        "application_credential": { "id": id, "secret": secret },
    } })))
}

fn password(location: &mut Location<'_>) -> Result<Value, Error> {
    let missing = || config("lacks swift://user:password@… (or OS_USERNAME and OS_PASSWORD)");
    let mut domain = |name: &str, variables: &[&str]| {
        let domain = location.option(name, variables);
        json!({ "name": domain.unwrap_or_else(|| "Default".to_owned()) })
    };
    let user_domain = domain("user_domain", &["OS_USER_DOMAIN_NAME"]);
    let project_domain = domain("project_domain", &["OS_PROJECT_DOMAIN_NAME"]);
    let by_name = location.option("project", &["OS_PROJECT_NAME"]);
    let project = match location.option("project_id", &["OS_PROJECT_ID"]) {
        Some(id) => json!({ "id": id }),
        None => {
            let name = by_name.ok_or_else(|| config("needs project=, or OS_PROJECT_NAME"))?;
            json!({ "name": name, "domain": project_domain })
        }
    };
    Ok(json!({
        "identity": {
            "methods": ["password"],
            "password": { "user": {
                "name": location.user(&["OS_USERNAME"]).ok_or_else(missing)?,
                "domain": user_domain,
                "password": location.password(&["OS_PASSWORD"]).ok_or_else(missing)?,
            } },
        },
        "scope": { "project": project },
    }))
}
