//! Who may do what. A token itself is never stored, only its SHA-256. A browser's session is a token that another one
//! has made for a while: it ends with that one.

use crate::backend::transaction;
use crate::sql::sql;
use crate::{Error, Store};
use faafo_model::{Timestamp, Uuid};
use sqlx::Row;
use sqlx::any::AnyRow;
use std::fmt::Write;

/// What is known of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its name when it is listed and revoked.
    pub id: Uuid,
    /// Its SHA-256.
    pub hash: [u8; 32],
    /// What it allows.
    pub scope: String,
    /// What it is for, in its owner's words.
    pub label: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether it allows nothing any more, also because the token that made it doesn't.
    pub revoked: bool,
    /// The token that made this one, which is a session then.
    pub parent: Option<Uuid>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
}

/// The first token's id: many servers may want to make it at once, and one gets it.
const FIRST: Uuid = Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0001);

const SELECT: &str = "SELECT t.id, t.hash, t.scope, t.label, t.created_at, t.parent, t.expires_at, \
    COALESCE(t.revoked_at, p.revoked_at) AS revoked_at \
    FROM tokens t LEFT JOIN tokens p ON p.id = t.parent";
const INSERT: &str = "INSERT INTO tokens (id, hash, scope, label, created_at, parent, expires_at) \
    VALUES (?, ?, ?, ?, ?, ?, ?)";

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
        let token = Token {
            id: Uuid::new_v4(),
            hash: *hash,
            scope: scope.to_owned(),
            label: label.to_owned(),
            created_at: now,
            revoked: false,
            parent: None,
            expires_at: None,
        };
        let insert = insert(&token);
        transaction!(self.backend, async |work| work
            .execute(insert.clone())
            .await)?;
        Ok(token.id)
    }

    /// Makes the token with this SHA-256 known if there never was any. Returns whether it did; of many who try at the
    /// same time one does.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_first_token(
        &self,
        hash: &[u8; 32],
        scope: &str,
        label: &str,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let token = Token {
            id: FIRST,
            hash: *hash,
            scope: scope.to_owned(),
            label: label.to_owned(),
            created_at: now,
            revoked: false,
            parent: None,
            expires_at: None,
        };
        let insert = insert(&token);
        let added = transaction!(self.backend, async |work| {
            let any = work.row(sql("SELECT id FROM tokens LIMIT 1")).await?;
            if any.is_none() {
                work.execute(insert.clone()).await?;
            }
            Ok(any.is_none())
        });
        match added {
            Err(error) if error.is_duplicate() => Ok(false),
            other => other,
        }
    }

    /// Makes a session known, which allows what `parent` does until it ends. Sessions that have ended are forgotten.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_session(
        &self,
        hash: &[u8; 32],
        parent: &Token,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), Error> {
        let token = Token {
            id: Uuid::new_v4(),
            hash: *hash,
            created_at: now,
            revoked: false,
            parent: Some(parent.id),
            expires_at: Some(expires_at),
            ..parent.clone()
        };
        let insert = insert(&token);
        let forget = sql("DELETE FROM tokens WHERE expires_at <= ?").bind(now);
        transaction!(self.backend, async |work| {
            work.execute(forget.clone()).await?;
            work.execute(insert.clone()).await
        })?;
        Ok(())
    }

    /// Ends the session with this SHA-256, if there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_session(&self, hash: &[u8; 32]) -> Result<(), Error> {
        let delete = sql("DELETE FROM tokens WHERE hash = ? AND parent IS NOT NULL");
        let delete = delete.bind(hex(hash));
        transaction!(self.backend, async |work| work
            .execute(delete.clone())
            .await)?;
        Ok(())
    }

    /// The token with this SHA-256, also when it is revoked or has expired.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn token(&self, hash: &[u8; 32]) -> Result<Option<Token>, Error> {
        let query = sql(format!("{SELECT} WHERE t.hash = ?"));
        let row = self.backend.row(query.bind(hex(hash))).await?;
        row.as_ref().map(read).transpose()
    }

    /// All tokens but sessions, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tokens(&self) -> Result<Vec<Token>, Error> {
        let query = sql(format!(
            "{SELECT} WHERE t.parent IS NULL ORDER BY t.created_at, t.id"
        ));
        self.backend.rows(query).await?.iter().map(read).collect()
    }

    /// The token, and every session that it has made, allows nothing any more. Returns whether there is such a token.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_token(&self, id: Uuid, now: Timestamp) -> Result<bool, Error> {
        // MySQL counts the rows that it has changed, which one that was revoked before is not.
        let there = sql("SELECT id FROM tokens WHERE id = ?").bind(id);
        let update = sql("UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL");
        let update = update.bind(now).bind(id);
        transaction!(self.backend, async |work| {
            work.execute(update.clone()).await?;
            Ok(work.row(there.clone()).await?.is_some())
        })
    }
}

fn insert(token: &Token) -> crate::sql::Sql {
    sql(INSERT)
        .bind(token.id)
        .bind(hex(&token.hash))
        .bind(&*token.scope)
        .bind(&*token.label)
        .bind(token.created_at)
        .bind(token.parent)
        .bind(token.expires_at)
}

fn read(row: &AnyRow) -> Result<Token, Error> {
    let id = |text: String| {
        Uuid::try_parse(&text).map_err(|_| Error::corrupt(format!("token {text:?} has no id")))
    };
    let hash: String = row.try_get("hash")?;
    let parent: Option<String> = row.try_get("parent")?;
    Ok(Token {
        id: id(row.try_get("id")?)?,
        hash: unhex(&hash).ok_or_else(|| Error::corrupt("a token without its hash"))?,
        scope: row.try_get("scope")?,
        label: row.try_get("label")?,
        created_at: Timestamp(row.try_get("created_at")?),
        revoked: row.try_get::<Option<i64>, _>("revoked_at")?.is_some(),
        parent: parent.map(id).transpose()?,
        expires_at: row.try_get::<Option<i64>, _>("expires_at")?.map(Timestamp),
    })
}

fn hex(hash: &[u8; 32]) -> String {
    hash.iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    for (place, pair) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *place = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    (text.len() == 64).then_some(hash)
}
