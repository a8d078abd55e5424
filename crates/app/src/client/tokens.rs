//! The tokens over REST.

use super::{Client, ClientError};
use faafo_model::Uuid;
use faafo_server::Scope;
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A token as the service lists it.
#[derive(Debug, Serialize, Deserialize)]
pub struct TokenRow {
    /// Its name.
    pub id: Uuid,
    /// What it allows.
    pub scope: String,
    /// What it is for.
    pub label: String,
    /// When it was made.
    pub created_at: String,
    /// Whether it allows nothing any more.
    pub revoked: bool,
}

#[derive(Deserialize)]
struct Made {
    token: String,
}

#[derive(Deserialize)]
struct All {
    objects: Vec<TokenRow>,
}

impl Client {
    /// Makes a token and returns it.
    pub async fn create_token(&self, scope: Scope, label: &str) -> Result<String, ClientError> {
        let body = json!({"scope": scope.name(), "label": label});
        let request = self
            .request(Method::POST, "/v1/tokens")
            .header("Content-Type", "application/json")
            .body(body.to_string());
        let response = self.send(request).await?;
        let body = self.whole_body(response).await?;
        let made: Made = serde_json::from_slice(&body)
            .map_err(|error| ClientError::nonsense(self.shown(), &error))?;
        Ok(made.token)
    }

    /// All tokens.
    pub async fn tokens(&self) -> Result<Vec<TokenRow>, ClientError> {
        let response = self.send(self.request(Method::GET, "/v1/tokens")).await?;
        let body = self.whole_body(response).await?;
        let all: All = serde_json::from_slice(&body)
            .map_err(|error| ClientError::nonsense(self.shown(), &error))?;
        Ok(all.objects)
    }

    /// Revokes a token. Returns whether there is one of that name.
    pub async fn revoke_token(&self, id: Uuid) -> Result<bool, ClientError> {
        let request = self.request(Method::DELETE, &format!("/v1/tokens/{id}"));
        match self.send(request).await {
            Ok(_) => Ok(true),
            Err(ClientError::Answer { status, .. }) if status == StatusCode::NOT_FOUND => Ok(false),
            Err(error) => Err(error),
        }
    }
}
