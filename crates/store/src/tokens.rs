//! Who may do what. A token itself is never stored, only its SHA-256.

use crate::backend::transaction;
use crate::{Error, Store, sql::sql};
use faafo_model::{Timestamp, Uuid};
use sqlx::Row;
use sqlx::any::AnyRow;
use std::fmt::Write;

/// What is known of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its name when it is listed and revoked.
    pub id: Uuid,
    /// What it allows.
    pub scope: String,
    /// What it is for, in its owner's words.
    pub label: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether it allows nothing any more.
    pub revoked: bool,
}

const COLUMNS: &str = "id, scope, label, created_at, revoked_at";

impl Store {
    /// Makes the token with this SHA-256 known. Returns its id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_token(
        &self,
        hash: &[u8; 32],
        scope: &str,
        label: &str,
        now: Timestamp,
    ) -> Result<Uuid, Error> {
        let id = Uuid::new_v4();
        let insert =
            sql("INSERT INTO tokens (id, hash, scope, label, created_at) VALUES (?, ?, ?, ?, ?)")
                .bind(id)
                .bind(hex(hash))
                .bind(scope)
                .bind(label)
                .bind(now);
        transaction!(self.backend, async |work| work
            .execute(insert.clone())
            .await)?;
        Ok(id)
    }

    /// The token with this SHA-256, also when it is revoked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn token(&self, hash: &[u8; 32]) -> Result<Option<Token>, Error> {
        let query = sql(format!("SELECT {COLUMNS} FROM tokens WHERE hash = ?"));
        let row = self.backend.row(query.bind(hex(hash))).await?;
        row.as_ref().map(read).transpose()
    }

    /// All tokens, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tokens(&self) -> Result<Vec<Token>, Error> {
        let query = sql(format!(
            "SELECT {COLUMNS} FROM tokens ORDER BY created_at, id"
        ));
        self.backend.rows(query).await?.iter().map(read).collect()
    }

    /// The token allows nothing any more. Returns whether there is such a token.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_token(&self, id: Uuid, now: Timestamp) -> Result<bool, Error> {
        let update = sql("UPDATE tokens SET revoked_at = COALESCE(revoked_at, ?) WHERE id = ?");
        let update = update.bind(now).bind(id);
        transaction!(self.backend, async |work| Ok(work
            .execute(update.clone())
            .await?
            > 0))
    }
}

fn read(row: &AnyRow) -> Result<Token, Error> {
    let id: String = row.try_get("id")?;
    Ok(Token {
        id: Uuid::try_parse(&id).map_err(|_| Error::corrupt(format!("token {id:?} has no id")))?,
        scope: row.try_get("scope")?,
        label: row.try_get("label")?,
        created_at: Timestamp(row.try_get("created_at")?),
        revoked: row.try_get::<Option<i64>, _>("revoked_at")?.is_some(),
    })
}

fn hex(hash: &[u8; 32]) -> String {
    hash.iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
