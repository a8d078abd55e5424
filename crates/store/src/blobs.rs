//! Which stored objects are still needed. A blob is shared by all rows with the same content; it goes when the last
//! one has gone, and never between a worker's storing it and its row's referring to it. Whoever changes a blob's entry
//! or relies on it locks it first, so all that concerns one blob happens one after the other.

use crate::backend::Work;
use crate::backend::transaction;
use crate::sql::{marks, sql};
use crate::{Error, Store};
use faafo_model::{BlobKey, Timestamp, Uuid};
use sqlx::Row;
use std::collections::BTreeSet;
use std::time::Duration;

/// In use, as far as is known.
const IN_USE: i64 = 0;
/// Perhaps unused: to be looked at.
const PERHAPS_UNUSED: i64 = 1;
/// Being deleted: nobody may refer to it any more.
const GOING: i64 = 2;

/// How long one tracker, and no other, may take to delete what it doomed.
const LEASE: Duration = Duration::from_secs(30);

/// A blob that one tracker is to delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doomed {
    /// The blob.
    pub key: BlobKey,
    /// When somebody else may delete it. Deleting it later could hit a new blob of the same name, so don't.
    pub until: Timestamp,
}

/// A stored object that a row refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// The fractal.
    pub id: Uuid,
    /// The object.
    pub key: BlobKey,
    /// Its length in bytes, where the row knows it.
    pub size: Option<u64>,
}

impl Store {
    /// What at most `limit` finished fractals refer to, in the order of their ids, from behind `after` on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn references(
        &self,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Reference>, Error> {
        let query = format!(
            "SELECT uuid, picture, thumbnail, size FROM fractals WHERE uuid > ? AND picture IS NOT NULL \
             ORDER BY uuid LIMIT {limit}"
        );
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let mut references = Vec::new();
        for row in self.backend.rows(sql(query).bind(after)).await? {
            let uuid: String = row.try_get("uuid")?;
            let corrupt = || Error::corrupt(format!("fractal {uuid:?} makes no sense"));
            let id = Uuid::try_parse(&uuid).map_err(|_| corrupt())?;
            let size: Option<i64> = row.try_get("size")?;
            for (column, size) in [("picture", size), ("thumbnail", None)] {
                let Some(text) = row.try_get::<Option<String>, _>(column)? else {
                    continue;
                };
                references.push(Reference {
                    id,
                    key: text.parse().map_err(|_| corrupt())?,
                    size: size.and_then(|size| u64::try_from(size).ok()),
                });
            }
        }
        Ok(references)
    }

    /// Those of these objects that a row refers to.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn referenced(&self, keys: &[BlobKey]) -> Result<BTreeSet<BlobKey>, Error> {
        let mut found = BTreeSet::new();
        if keys.is_empty() {
            return Ok(found);
        }
        for column in ["picture", "thumbnail", "manifest"] {
            let marks = marks(keys.len());
            let query =
                format!("SELECT DISTINCT {column} FROM fractals WHERE {column} IN ({marks})");
            for row in self.backend.rows(sql(query).bind_all(keys)).await? {
                let text: String = row.try_get(0)?;
                let key = text.parse();
                found
                    .insert(key.map_err(|_| Error::corrupt(format!("blob {text:?} has no name")))?);
            }
        }
        Ok(found)
    }

    /// Notes stored objects that no row came to refer to, so that [`Self::doom_unused`] looks at them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn suspect(&self, keys: &[BlobKey]) -> Result<(), Error> {
        let keys: BTreeSet<_> = keys.iter().collect();
        transaction!(self.backend, async |work| {
            for key in &keys {
                suspect_stored(work, key).await?;
            }
            Ok(())
        })
    }

    /// Finds blobs that no row refers to and dooms them: from now on nobody may refer to them. The caller deletes them
    /// while the claim lasts and then calls [`Self::forget_blob`]. Blobs that were doomed before and not forgotten
    /// while the claim lasted come again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn doom_unused(&self, limit: u32, now: Timestamp) -> Result<Vec<Doomed>, Error> {
        let query = format!(
            "SELECT sha256 FROM blobs WHERE state > 0 AND claimed_until <= ? ORDER BY sha256 LIMIT {limit}"
        );
        let mut doomed = Vec::new();
        for suspect in self.backend.rows(sql(query).bind(now)).await? {
            let text: String = suspect.try_get(0)?;
            let key = text
                .parse()
                .map_err(|_| Error::corrupt(format!("blob {text:?} has no name")))?;
            let until = now.plus(LEASE);
            if self.doom(&key, now, until).await? {
                doomed.push(Doomed { key, until });
            }
        }
        Ok(doomed)
    }

    async fn doom(&self, key: &BlobKey, now: Timestamp, until: Timestamp) -> Result<bool, Error> {
        let lock = self.backend.dialect.for_update();
        let find = sql(format!(
            "SELECT state FROM blobs WHERE sha256 = ? AND state > 0 AND claimed_until <= ?{lock}"
        ));
        let users = "SELECT uuid FROM fractals WHERE picture = ? \
             UNION ALL SELECT uuid FROM fractals WHERE thumbnail = ? \
             UNION ALL SELECT uuid FROM fractals WHERE manifest = ? LIMIT 1";
        transaction!(self.backend, async |work| {
            let find = find.clone().bind(key).bind(now);
            if work.row(find).await?.is_none() {
                return Ok(false);
            }
            let (state, until) = match work.row(sql(users).bind_all([key; 3])).await? {
                Some(_) => (IN_USE, Timestamp(0)),
                None => (GOING, until),
            };
            let update = "UPDATE blobs SET state = ?, claimed_until = ? WHERE sha256 = ?";
            work.execute(sql(update).bind(state).bind(until).bind(key))
                .await?;
            Ok(state == GOING)
        })
    }

    /// The doomed blob is deleted.
    ///
    /// # Errors
    /// When the database fails; then it will be deleted again, which is harmless.
    pub async fn forget_blob(&self, blob: &Doomed) -> Result<(), Error> {
        // Only under the same claim: somebody who claimed it since may yet delete it.
        let delete = sql("DELETE FROM blobs WHERE sha256 = ? AND state = 2 AND claimed_until = ?")
            .bind(&blob.key)
            .bind(blob.until);
        transaction!(self.backend, async |work| work
            .execute(delete.clone())
            .await
            .map(drop))
    }
}

/// Whether a row may refer to the blob: notes the use, unless the blob is just being deleted.
pub(crate) async fn make_use(work: &mut Work, key: &BlobKey) -> Result<bool, Error> {
    match state(work, key).await? {
        None => insert(work, key, IN_USE).await?,
        Some(GOING) => return Ok(false),
        Some(IN_USE) => {}
        Some(_) => {
            let update = "UPDATE blobs SET state = 0 WHERE sha256 = ?";
            work.execute(sql(update).bind(key)).await?;
        }
    }
    Ok(true)
}

/// A row that referred to the blob, or was to, does not.
pub(crate) async fn suspect(work: &mut Work, key: &BlobKey) -> Result<(), Error> {
    // Also one that is suspected already: this waits for whoever is just looking at it, and still sees the row.
    let update = "UPDATE blobs SET state = 1 WHERE sha256 = ? AND state < 2";
    work.execute(sql(update).bind(key)).await.map(drop)
}

/// These rows, which are locked, will not be done: what was reserved for them may go.
pub(crate) async fn let_go(work: &mut Work, ids: &[Uuid]) -> Result<(), Error> {
    let these = format!("uuid IN ({}) AND picture IS NOT NULL", marks(ids.len()));
    let find = sql(format!(
        "SELECT picture, thumbnail FROM fractals WHERE {these}"
    ));
    let mut keys = BTreeSet::new();
    for row in work.rows(find.bind_all(ids)).await? {
        for column in 0..2 {
            let key: Option<String> = row.try_get(column)?;
            keys.extend(key.and_then(|key| key.parse::<BlobKey>().ok()));
        }
    }
    if keys.is_empty() {
        return Ok(());
    }
    let forget = sql(format!(
        "UPDATE fractals SET picture = NULL, thumbnail = NULL WHERE {these}"
    ));
    work.execute(forget.bind_all(ids)).await?;
    for key in &keys {
        suspect(work, key).await?;
    }
    Ok(())
}

/// The blob is stored, and perhaps nobody knew of it; whether a row refers to it is to be looked at.
pub(crate) async fn suspect_stored(work: &mut Work, key: &BlobKey) -> Result<(), Error> {
    match state(work, key).await? {
        None => insert(work, key, PERHAPS_UNUSED).await,
        Some(_) => suspect(work, key).await,
    }
}

async fn state(work: &mut Work, key: &BlobKey) -> Result<Option<i64>, Error> {
    let lock = work.dialect.for_update();
    let query = sql(format!("SELECT state FROM blobs WHERE sha256 = ?{lock}")).bind(key);
    let row = work.row(query).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

async fn insert(work: &mut Work, key: &BlobKey, state: i64) -> Result<(), Error> {
    let insert = "INSERT INTO blobs (sha256, state, claimed_until) VALUES (?, ?, 0)";
    work.execute(sql(insert).bind(key).bind(state))
        .await
        .map(drop)
        .map_err(Error::duplicate_is_lost_race)
}
