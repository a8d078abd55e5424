//! What Keystone answers.

use crate::{Call, Issued};
use reqwest::Url;
use reqwest::header::HeaderValue;
use serde::Deserialize;
use std::time::{Duration, SystemTime};

/// Whom an endpoint is meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Interface {
    /// For everybody.
    #[default]
    Public,
    /// For those within the cloud's own network.
    Internal,
    /// For the cloud's operators.
    Admin,
}

impl Interface {
    /// As Keystone writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Admin => "admin",
        }
    }

    /// Reads the name, also as older clients write it: `publicURL`.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.strip_suffix("URL").unwrap_or(text);
        let all = [Self::Public, Self::Internal, Self::Admin];
        all.into_iter().find(|one| one.name() == name)
    }
}

/// A token and the catalogue of the services that it opens. Secret, so without `Debug`.
pub struct Token {
    value: HeaderValue,
    /// When it ends, by the server's clock.
    expires: Option<SystemTime>,
    project: Option<String>,
    catalogue: Vec<Service>,
}

impl Token {
    /// The value of the header `x-auth-token`, which logs don't show.
    pub fn value(&self) -> &HeaderValue {
        &self.value
    }

    /// A request that carries the token.
    pub fn call(&self, mut call: Call) -> Call {
        call.headers.insert("x-auth-token", self.value.clone());
        call
    }

    /// When it ends, by the server's clock.
    pub fn expires(&self) -> Option<SystemTime> {
        self.expires
    }

    /// The id of the project whose resources it opens.
    pub fn project(&self) -> Option<&str> {
        self.project.as_deref()
    }

    /// Where a service is, without a slash at its end; without a region, in the first that has it. `service` is one of
    /// the types of <https://service-types.openstack.org>, or one of the names that it had before (`volumev3`).
    pub fn endpoint(
        &self,
        service: &str,
        interface: Interface,
        region: Option<&str>,
    ) -> Option<Url> {
        let here = |endpoint: &&Endpoint| {
            let of_endpoint = endpoint.region.as_deref().or(endpoint.region_id.as_deref());
            endpoint.interface == interface.name()
                && region.is_none_or(|region| of_endpoint == Some(region))
        };
        let kinds = if BLOCK_STORAGE.contains(&service) {
            &BLOCK_STORAGE
        } else {
            std::slice::from_ref(&service)
        };
        let services = self.catalogue.iter();
        let endpoint = services
            .filter(|service| kinds.contains(&service.kind.as_str()))
            .flat_map(|service| &service.endpoints)
            .find(here)?;
        let url = Url::parse(endpoint.url.trim_end_matches('/')).ok()?;
        matches!(url.scheme(), "http" | "https").then_some(url)
    }
}

/// The names of one service, of which each cloud uses another.
const BLOCK_STORAGE: [&str; 3] = ["block-storage", "block-store", "volumev3"];

#[derive(Deserialize)]
struct Answer {
    token: Body,
}

#[derive(Deserialize)]
struct Body {
    issued_at: Option<String>,
    expires_at: Option<String>,
    project: Option<Project>,
    #[serde(default)]
    catalog: Vec<Service>,
}

#[derive(Deserialize)]
struct Project {
    id: String,
}

#[derive(Deserialize)]
struct Service {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    endpoints: Vec<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    interface: String,
    region: Option<String>,
    region_id: Option<String>,
    url: String,
}

/// The token with this value that the answer describes.
pub(super) fn read(mut value: HeaderValue, text: &str) -> serde_json::Result<Issued<Token>> {
    let Answer { token } = serde_json::from_str(text)?;
    let time = |text: Option<String>| humantime::parse_rfc3339_weak(&text?).ok();
    let (issued, expires) = (time(token.issued_at), time(token.expires_at));
    value.set_sensitive(true);
    Ok(Issued {
        // Both by the server's clock, so that it doesn't matter if ours is wrong.
        lifetime: expires.map(|end| {
            let begin = issued.unwrap_or_else(SystemTime::now);
            end.duration_since(begin).unwrap_or(Duration::ZERO)
        }),
        session: Token {
            value,
            expires,
            project: token.project.map(|project| project.id),
            catalogue: token.catalog,
        },
    })
}
