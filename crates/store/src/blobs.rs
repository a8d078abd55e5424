//! Which stored objects are still needed. A blob is shared by all rows with the same content; it goes when the last
//! one has gone, and never between a worker's storing it and its row's referring to it.

use crate::{Error, Store};
use faafo_model::BlobKey;
use sqlx::{Any, Row, Transaction};

/// In use, as far as is known.
const IN_USE: i64 = 0;
/// Perhaps unused: to be looked at.
const PERHAPS_UNUSED: i64 = 1;
/// Being deleted: nobody may refer to it any more.
const GOING: i64 = 2;

impl Store {
    /// Notes stored objects that no row came to refer to, so that [`Self::doom_unused`] looks at them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn suspect(&self, keys: &[BlobKey]) -> Result<(), Error> {
        let mut transaction = self.backend.begin().await?;
        for key in keys {
            if self.blob_state(&mut transaction, key).await?.is_none() {
                self.insert_blob(&mut transaction, key, PERHAPS_UNUSED)
                    .await?;
            } else {
                self.backend
                    .query("UPDATE blobs SET state = 1 WHERE sha256 = ? AND state = 0")
                    .bind(key.to_string())
                    .execute(&mut *transaction)
                    .await?;
            }
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Finds blobs that no row refers to and dooms them: from now on nobody may refer to them. The caller deletes them
    /// and then calls [`Self::forget_blob`]. Blobs that were doomed before and never forgotten come again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn doom_unused(&self, limit: u32) -> Result<Vec<BlobKey>, Error> {
        let sql = format!("SELECT sha256 FROM blobs WHERE state > 0 ORDER BY sha256 LIMIT {limit}");
        let suspects = self
            .backend
            .query(sql)
            .fetch_all(&self.backend.read)
            .await?;
        let mut doomed = Vec::new();
        for suspect in suspects {
            let text: String = suspect.try_get(0)?;
            let key = text
                .parse()
                .map_err(|_| Error::corrupt(format!("blob {text:?} has no name")))?;
            if self.doom(&key).await? {
                doomed.push(key);
            }
        }
        Ok(doomed)
    }

    async fn doom(&self, key: &BlobKey) -> Result<bool, Error> {
        let mut transaction = self.backend.begin().await?;
        let Some(_) = self.blob_state(&mut transaction, key).await? else {
            return Ok(false);
        };
        let users = self
            .backend
            .query("SELECT uuid FROM fractals WHERE picture = ? UNION ALL SELECT uuid FROM fractals WHERE thumbnail = ? LIMIT 1")
            .bind(key.to_string())
            .bind(key.to_string())
            .fetch_optional(&mut *transaction)
            .await?;
        let state = if users.is_some() { IN_USE } else { GOING };
        self.backend
            .query("UPDATE blobs SET state = ? WHERE sha256 = ?")
            .bind(state)
            .bind(key.to_string())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(state == GOING)
    }

    /// The doomed blob is deleted.
    ///
    /// # Errors
    /// When the database fails; then it will be deleted again, which is harmless.
    pub async fn forget_blob(&self, key: &BlobKey) -> Result<(), Error> {
        self.backend
            .query("DELETE FROM blobs WHERE sha256 = ? AND state = 2")
            .bind(key.to_string())
            .execute(&self.backend.write)
            .await?;
        Ok(())
    }

    /// Whether a row may refer to the blob: notes the use, unless the blob is just being deleted.
    pub(crate) async fn use_blob(
        &self,
        transaction: &mut Transaction<'static, Any>,
        key: &BlobKey,
    ) -> Result<bool, Error> {
        match self.blob_state(transaction, key).await? {
            None => self.insert_blob(transaction, key, IN_USE).await?,
            Some(GOING) => return Ok(false),
            Some(IN_USE) => {}
            Some(_) => {
                self.backend
                    .query("UPDATE blobs SET state = 0 WHERE sha256 = ?")
                    .bind(key.to_string())
                    .execute(&mut **transaction)
                    .await?;
            }
        }
        Ok(true)
    }

    async fn blob_state(
        &self,
        transaction: &mut Transaction<'static, Any>,
        key: &BlobKey,
    ) -> Result<Option<i64>, Error> {
        let sql = format!(
            "SELECT state FROM blobs WHERE sha256 = ?{}",
            self.backend.dialect.for_update()
        );
        let row = self
            .backend
            .query(sql)
            .bind(key.to_string())
            .fetch_optional(&mut **transaction)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    async fn insert_blob(
        &self,
        transaction: &mut Transaction<'static, Any>,
        key: &BlobKey,
        state: i64,
    ) -> Result<(), Error> {
        self.backend
            .query("INSERT INTO blobs (sha256, state) VALUES (?, ?)")
            .bind(key.to_string())
            .bind(state)
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }
}
