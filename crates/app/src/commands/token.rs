//! `faafo token`: who may do what, asked of the service or, where nobody may ask it any more, of the database.

use crate::args::TokenCommand;
use crate::client::{Client, TokenRow};
use crate::config::Config;
use crate::output::Output;
use crate::service::database_in;
use crate::table;
use anyhow::Context;
use faafo_model::Uuid;
use faafo_server::{Scope, mint};
use faafo_store::Store;
use std::time::SystemTime;

/// Makes, lists or revokes tokens.
pub async fn run(
    config: &Config,
    client: &Client,
    command: &TokenCommand,
    out: &mut Output,
) -> anyhow::Result<()> {
    let tokens = match &command.place().database_url {
        None => Tokens::Service(client),
        Some(url) => Tokens::Database(open(config, url).await?),
    };
    let done = carry_out(&tokens, command, out).await;
    if let Tokens::Database(store) = tokens {
        store.close().await;
    }
    done
}

async fn open(config: &Config, url: &str) -> anyhow::Result<Store> {
    let url = match (url, &config.database_url) {
        ("", Some(url)) => url.clone(),
        ("", None) => {
            let path = config.data.join("faafo.db");
            // Opening it would make one.
            path.metadata().with_context(|| {
                format!(
                    "there is no database at {}; name one with --database-url, or its folder in the setting data",
                    path.display()
                )
            })?;
            database_in(&config.data)?
        }
        (url, _) => url.to_owned(),
    };
    Ok(Store::open(&url).await?)
}

async fn carry_out(
    tokens: &Tokens<'_>,
    command: &TokenCommand,
    out: &mut Output,
) -> anyhow::Result<()> {
    match command {
        TokenCommand::Create(args) => {
            let token = tokens.create(args.scope, &args.label).await?;
            out.line(&token)
        }
        TokenCommand::List(args) => {
            for row in tokens.list().await? {
                let line = if args.json {
                    serde_json::to_string(&row)?
                } else {
                    let state = if row.revoked { "revoked" } else { "valid" };
                    let label = table::one_line(&row.label);
                    let id = row.id.to_string();
                    table::plain_row(&[&id, &row.scope, &row.created_at, state, &label])
                };
                out.line(&line)?;
            }
            Ok(())
        }
        TokenCommand::Revoke(args) => {
            let mut missing = Vec::new();
            for id in &args.ids {
                if !tokens.revoke(*id).await? {
                    missing.push(format!("token {id} not found"));
                }
            }
            anyhow::ensure!(missing.is_empty(), "{}", missing.join("; "));
            Ok(())
        }
    }
}

enum Tokens<'a> {
    Service(&'a Client),
    Database(Store),
}

impl Tokens<'_> {
    async fn create(&self, scope: Scope, label: &str) -> anyhow::Result<String> {
        match self {
            Self::Service(client) => Ok(client.create_token(scope, label).await?),
            Self::Database(store) => {
                let (_, token) = mint(store, scope, label)
                    .await
                    .context("can't make a token")?;
                Ok(token)
            }
        }
    }

    async fn list(&self) -> anyhow::Result<Vec<TokenRow>> {
        match self {
            Self::Service(client) => Ok(client.tokens().await?),
            Self::Database(store) => {
                let tokens = store.tokens().await?.into_iter();
                Ok(tokens
                    .map(|token| TokenRow {
                        id: token.id,
                        scope: token.scope,
                        label: token.label,
                        created_at: token.created_at.to_string(),
                        revoked: token.revoked,
                    })
                    .collect())
            }
        }
    }

    async fn revoke(&self, id: Uuid) -> anyhow::Result<bool> {
        match self {
            Self::Service(client) => Ok(client.revoke_token(id).await?),
            Self::Database(store) => Ok(store.revoke_token(id, SystemTime::now().into()).await?),
        }
    }
}
