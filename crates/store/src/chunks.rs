//! Blobs kept in the database, in rows of 1 MiB: no database has to swallow a large value whole, and nobody has to hold
//! one. An upload is a blob without a name; giving it the name is all that makes it one, however large it is.

use crate::backend::transaction;
use crate::sql::sql;
use crate::{Error, Store};
use faafo_model::{BlobKey, Timestamp, Uuid};
use sqlx::Row;
use std::time::Duration;

/// Bytes in every chunk but the last.
pub const CHUNK: usize = 1 << 20;

/// After so long without a new chunk an upload is dead.
const DEAD: Duration = Duration::from_secs(24 * 60 * 60);
/// Chunks deleted in one transaction.
const BATCH: i64 = 64;

/// The condition that an upload is neither a blob nor being removed.
const OPEN: &str = "sha256 IS NULL AND touched_at > 0";

/// A blob that is not yet complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadId(Uuid);

/// A complete blob in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredChunks {
    /// Its name.
    pub key: BlobKey,
    /// Its length in bytes.
    pub size: u64,
    /// When its last chunk was stored.
    pub touched_at: Timestamp,
}

impl Store {
    /// Begins a blob. Also removes what is left of blobs that were begun more than a day ago and never finished.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_chunks(&self, now: Timestamp) -> Result<UploadId, Error> {
        self.remove_unfinished_chunks(now.minus(DEAD)).await?;
        let id = Uuid::new_v4();
        let insert = "INSERT INTO blob_uploads (upload, size, touched_at) VALUES (?, 0, ?)";
        let insert = sql(insert).bind(id).bind(now);
        transaction!(self.backend, async |work| work
            .execute(insert.clone())
            .await)?;
        Ok(UploadId(id))
    }

    /// Stores the `number`-th chunk, counted from 0; storing it again changes nothing.
    ///
    /// # Errors
    /// When the database fails, or the upload has been given up.
    pub async fn append_chunk(
        &self,
        upload: UploadId,
        number: u64,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<(), Error> {
        let number = index(number);
        let touch = format!("UPDATE blob_uploads SET touched_at = ? WHERE upload = ? AND {OPEN}");
        let touch = sql(touch).bind(now).bind(upload.0);
        let insert = "INSERT INTO blob_data (upload, number, length, bytes) VALUES (?, ?, ?, ?)";
        let insert = sql(insert)
            .bind(upload.0)
            .bind(number)
            .bind(bytes.len() as i64)
            .bind(bytes.to_vec());
        let stored = transaction!(self.backend, async |work| {
            if work.execute(touch.clone()).await? == 0 {
                return Err(Error::unavailable("database: this upload was given up"));
            }
            work.execute(insert.clone()).await
        });
        match stored {
            Err(error) if !error.is_duplicate() => Err(error),
            _ => Ok(()),
        }
    }

    /// The upload is complete: from now on it is the blob of that name. If there is one already the upload is removed.
    ///
    /// # Errors
    /// When the database fails, or the chunks are not those of a blob of that size.
    pub async fn finish_chunks(
        &self,
        upload: UploadId,
        key: &BlobKey,
        size: u64,
    ) -> Result<(), Error> {
        let lengths = sql("SELECT length FROM blob_data WHERE upload = ? ORDER BY number");
        let lengths = self.backend.rows(lengths.bind(upload.0)).await?;
        let lengths = lengths
            .iter()
            .map(|row| Ok(row.try_get(0)?))
            .collect::<Result<Vec<i64>, Error>>()?;
        let full = lengths.split_last().map_or(&[][..], |(_, full)| full);
        let is_whole = lengths.iter().sum::<i64>() == index(size)
            && full.iter().all(|length| *length == CHUNK as i64);
        if !is_whole {
            return Err(Error::corrupt(format!(
                "database: the chunks of blob {key} are not {size} bytes"
            )));
        }
        let name =
            format!("UPDATE blob_uploads SET sha256 = ?, size = ? WHERE upload = ? AND {OPEN}");
        let name = sql(name).bind(key).bind(index(size)).bind(upload.0);
        let named = transaction!(self.backend, async |work| work.execute(name.clone()).await);
        match named {
            // Perhaps this is asked again because the first answer got lost.
            Ok(0) if self.chunks_size(key).await? != Some(size) => {
                Err(Error::unavailable("database: this upload was given up"))
            }
            Ok(_) => Ok(()),
            Err(error) if error.is_duplicate() => self.remove(upload.0).await,
            Err(error) => Err(error),
        }
    }

    /// Gives an upload up and removes its chunks.
    ///
    /// # Errors
    /// When the database fails; then its rest is removed a day later.
    pub async fn abort_chunks(&self, upload: UploadId) -> Result<(), Error> {
        self.remove(upload.0).await
    }

    /// The `number`-th chunk of a blob, counted from 0.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn read_chunk(&self, key: &BlobKey, number: u64) -> Result<Option<Vec<u8>>, Error> {
        let query = "SELECT d.bytes AS bytes FROM blob_uploads u JOIN blob_data d ON d.upload = u.upload \
             WHERE u.sha256 = ? AND d.number = ?";
        let query = sql(query).bind(key).bind(index(number));
        let row = self.backend.row(query).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// The length of a blob in bytes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn chunks_size(&self, key: &BlobKey) -> Result<Option<u64>, Error> {
        let query = sql("SELECT size FROM blob_uploads WHERE sha256 = ?").bind(key);
        let Some(row) = self.backend.row(query).await? else {
            return Ok(None);
        };
        Ok(u64::try_from(row.try_get::<i64, _>(0)?).ok())
    }

    /// Removes a blob. Returns whether there was one.
    ///
    /// # Errors
    /// When the database fails; if the blob has gone its rest is removed later.
    pub async fn delete_chunks(&self, key: &BlobKey) -> Result<bool, Error> {
        let find = sql("SELECT upload FROM blob_uploads WHERE sha256 = ?").bind(key);
        let Some(row) = self.backend.row(find).await? else {
            return Ok(false);
        };
        let text: String = row.try_get(0)?;
        let upload = Uuid::try_parse(&text)
            .map_err(|_| Error::corrupt(format!("upload {text:?} has no id")))?;
        self.remove(upload).await?;
        Ok(true)
    }

    /// At most `limit` blobs in the order of their names, from behind `after` on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_chunks(
        &self,
        after: Option<&BlobKey>,
        limit: u32,
    ) -> Result<Vec<StoredChunks>, Error> {
        let query = format!(
            "SELECT sha256, size, touched_at FROM blob_uploads WHERE sha256 > ? ORDER BY sha256 LIMIT {limit}"
        );
        let after = after.map(BlobKey::to_string).unwrap_or_default();
        let rows = self.backend.rows(sql(query).bind(after)).await?;
        rows.iter()
            .map(|row| {
                let text: String = row.try_get("sha256")?;
                let corrupt = || Error::corrupt(format!("blob {text:?} makes no sense"));
                Ok(StoredChunks {
                    key: text.parse().map_err(|_| corrupt())?,
                    size: u64::try_from(row.try_get::<i64, _>("size")?).map_err(|_| corrupt())?,
                    touched_at: Timestamp(row.try_get("touched_at")?),
                })
            })
            .collect()
    }

    /// Removes what is left of blobs that were begun, not finished, and not touched since `before`. Returns of how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_unfinished_chunks(&self, before: Timestamp) -> Result<u64, Error> {
        let dead = "SELECT upload FROM blob_uploads WHERE sha256 IS NULL AND touched_at < ?";
        let dead = self.backend.rows(sql(dead).bind(before)).await?;
        let dead = crate::sql::ids(&dead)?;
        for upload in &dead {
            self.remove(*upload).await?;
        }
        Ok(dead.len() as u64)
    }

    /// Takes the name away first, so that nobody finds half a blob, and leaves nothing that is not found again.
    async fn remove(&self, upload: Uuid) -> Result<(), Error> {
        let unname = "UPDATE blob_uploads SET sha256 = NULL, touched_at = 0 WHERE upload = ?";
        let unname = sql(unname).bind(upload);
        transaction!(self.backend, async |work| work
            .execute(unname.clone())
            .await)?;
        let last = sql("SELECT MAX(number) FROM blob_data WHERE upload = ?").bind(upload);
        let last = self.backend.row(last).await?;
        let last: Option<i64> = last.map(|row| row.try_get(0)).transpose()?.flatten();
        let delete = "DELETE FROM blob_data WHERE upload = ? AND number >= ? AND number < ?";
        let mut first = 0;
        while last.is_some_and(|last| first <= last) {
            let delete = sql(delete).bind(upload).bind(first).bind(first + BATCH);
            transaction!(self.backend, async |work| work
                .execute(delete.clone())
                .await)?;
            first += BATCH;
        }
        let forget = sql("DELETE FROM blob_uploads WHERE upload = ?").bind(upload);
        transaction!(self.backend, async |work| work
            .execute(forget.clone())
            .await)?;
        Ok(())
    }
}

/// A number or size as databases have it.
fn index(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
