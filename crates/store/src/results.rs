//! What workers report, recorded only as far as the states' table allows. Rendering is a pure function of the recipe,
//! so a picture is welcome from any attempt; failures and returns count only for the current one.

use crate::{Error, MAX_ATTEMPTS, Store};
use faafo_model::{BlobRef, State, Timestamp, Uuid};
use std::time::Duration;

/// A rendered picture whose blobs are stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Finish {
    /// The fractal.
    pub id: Uuid,
    /// The stored picture; its key becomes the checksum.
    pub picture: BlobRef,
    /// The stored thumbnail.
    pub thumbnail: BlobRef,
    /// Seconds it took.
    pub duration: Option<f64>,
    /// Who rendered it.
    pub worker: Option<String>,
}

/// Whether a finished picture's row now refers to its blobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reservation {
    /// It does: the blobs stay. The caller makes sure that they exist and then calls [`Store::finish`].
    Reserved,
    /// The row is gone or final: nobody wants this picture.
    NotWanted,
    /// One of the blobs is just being deleted for want of use: store it again.
    BlobGoing,
}

/// What became of a fractal whose task was given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the outbox again.
    Queued,
    /// It was tried too often.
    Failed,
    /// The report is about an earlier attempt, or the row is gone or final.
    Stale,
}

/// Result fields as old workers send them before, or without, their picture. Absent fields stay as they are.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of Fractal")]
pub struct LegacyResult {
    pub duration: Option<f64>,
    pub checksum: Option<String>,
    pub size: Option<i64>,
    pub generated_by: Option<String>,
    pub url: Option<String>,
}

/// The states from which `state` may be reached, as SQL.
fn reached_from(state: State) -> String {
    let names: Vec<_> = state
        .reached_from()
        .iter()
        .map(|from| format!("'{from}'"))
        .collect();
    format!("state IN ({})", names.join(", "))
}

impl Store {
    /// A worker is rendering: its progress, and the lease begins anew. Returns for each whether it still counts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rendering(
        &self,
        reports: &[(Uuid, u32, f64)],
        now: Timestamp,
    ) -> Result<Vec<bool>, Error> {
        let sql = format!(
            "UPDATE fractals SET state = 'rendering', progress = ?, updated_at = ? WHERE uuid = ? AND attempt = ? AND {}",
            reached_from(State::Rendering)
        );
        let mut transaction = self.backend.begin().await?;
        let mut counted = Vec::with_capacity(reports.len());
        for (id, attempt, progress) in reports {
            let query = self
                .backend
                .query(&*sql)
                .bind(*progress)
                .bind(now.0)
                .bind(id.to_string());
            let done = query
                .bind(i64::from(*attempt))
                .execute(&mut *transaction)
                .await?;
            counted.push(done.rows_affected() > 0);
        }
        transaction.commit().await?;
        Ok(counted)
    }

    /// Lets the rows refer to their stored blobs, so that these can't be deleted any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reserve(&self, finishes: &[Finish]) -> Result<Vec<Reservation>, Error> {
        let sql = format!(
            "UPDATE fractals SET picture = ?, thumbnail = ? WHERE uuid = ? AND {}",
            reached_from(State::Done)
        );
        let mut transaction = self.backend.begin().await?;
        let mut reservations = Vec::with_capacity(finishes.len());
        for finish in finishes {
            let usable = self.use_blob(&mut transaction, &finish.picture.key).await?
                && self
                    .use_blob(&mut transaction, &finish.thumbnail.key)
                    .await?;
            if !usable {
                reservations.push(Reservation::BlobGoing);
                continue;
            }
            let updated = self
                .backend
                .query(&*sql)
                .bind(finish.picture.key.to_string())
                .bind(finish.thumbnail.key.to_string())
                .bind(finish.id.to_string())
                .execute(&mut *transaction)
                .await?
                .rows_affected();
            reservations.push(if updated > 0 {
                Reservation::Reserved
            } else {
                Reservation::NotWanted
            });
        }
        transaction.commit().await?;
        Ok(reservations)
    }

    /// The reserved blobs exist: the fractals are done. Returns for each whether its state changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish(&self, finishes: &[Finish], now: Timestamp) -> Result<Vec<bool>, Error> {
        let sql = format!(
            "UPDATE fractals SET state = 'done', progress = 1.0, error = NULL, finished_at = ?, updated_at = ?, \
             duration = ?, checksum = ?, size = ?, generated_by = ? WHERE uuid = ? AND picture = ? AND {}",
            reached_from(State::Done)
        );
        let mut transaction = self.backend.begin().await?;
        let mut changed = Vec::with_capacity(finishes.len());
        for finish in finishes {
            let key = finish.picture.key.to_string();
            let updated = self
                .backend
                .query(&*sql)
                .bind(now.0)
                .bind(now.0)
                .bind(finish.duration)
                .bind(&key)
                .bind(i64::try_from(finish.picture.size).unwrap_or(i64::MAX))
                .bind(finish.worker.clone())
                .bind(finish.id.to_string())
                .bind(&key)
                .execute(&mut *transaction)
                .await?
                .rows_affected();
            if updated > 0 {
                let query = self.backend.query("DELETE FROM outbox WHERE uuid = ?");
                query
                    .bind(finish.id.to_string())
                    .execute(&mut *transaction)
                    .await?;
            }
            changed.push(updated > 0);
        }
        transaction.commit().await?;
        Ok(changed)
    }

    /// The task can't be rendered: the fractal fails. Returns whether its state changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fail(
        &self,
        id: Uuid,
        attempt: u32,
        reason: &str,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let sql = format!(
            "UPDATE fractals SET state = 'failed', error = ?, finished_at = ?, updated_at = ? \
             WHERE uuid = ? AND attempt = ? AND {}",
            reached_from(State::Failed)
        );
        let query = self
            .backend
            .query(sql)
            .bind(reason)
            .bind(now.0)
            .bind(now.0)
            .bind(id.to_string());
        let done = query
            .bind(i64::from(attempt))
            .execute(&self.backend.write)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// The task was given back: the fractal is queued again under a new attempt, or fails when that was the last one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_back(
        &self,
        id: Uuid,
        attempt: u32,
        reason: &str,
        now: Timestamp,
    ) -> Result<Outcome, Error> {
        if attempt >= MAX_ATTEMPTS {
            let reason = format!("gave up after {attempt} attempts: {reason}");
            let failed = self.fail(id, attempt, &reason, now).await?;
            return Ok(if failed {
                Outcome::Failed
            } else {
                Outcome::Stale
            });
        }
        let sql = format!(
            "UPDATE fractals SET state = 'queued', attempt = attempt + 1, progress = 0.0, error = ?, updated_at = ? \
             WHERE uuid = ? AND attempt = ? AND {}",
            reached_from(State::Rendering)
        );
        let mut transaction = self.backend.begin().await?;
        let query = self
            .backend
            .query(sql)
            .bind(reason)
            .bind(now.0)
            .bind(id.to_string());
        let updated = query
            .bind(i64::from(attempt))
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        if updated == 0 {
            return Ok(Outcome::Stale);
        }
        self.backend
            .query("DELETE FROM outbox WHERE uuid = ?")
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await?;
        self.backend
            .query("INSERT INTO outbox (uuid, since) VALUES (?, ?)")
            .bind(id.to_string())
            .bind(now.0)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Outcome::Queued)
    }

    /// Fractals that somebody renders and of which nothing was heard for `lease`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn silent(
        &self,
        lease: Duration,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<(Uuid, u32)>, Error> {
        use sqlx::Row;
        let sql = format!(
            "SELECT uuid, attempt FROM fractals WHERE state = 'rendering' AND updated_at < ? ORDER BY updated_at LIMIT {limit}"
        );
        let rows = self
            .backend
            .query(sql)
            .bind(now.minus(lease).0)
            .fetch_all(&self.backend.read)
            .await?;
        rows.iter()
            .map(|row| {
                let (uuid, attempt): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
                let id = Uuid::try_parse(&uuid)
                    .map_err(|_| Error::corrupt(format!("fractal {uuid:?} has no id")))?;
                Ok((id, u32::try_from(attempt).unwrap_or(u32::MAX)))
            })
            .collect()
    }

    /// Records what an old worker says of a fractal that is not yet final. Returns whether there was such a one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn legacy_result(&self, id: Uuid, result: &LegacyResult) -> Result<bool, Error> {
        let sql = format!(
            "UPDATE fractals SET duration = COALESCE(?, duration), checksum = COALESCE(?, checksum), \
             size = COALESCE(?, size), generated_by = COALESCE(?, generated_by), url = COALESCE(?, url) \
             WHERE uuid = ? AND {}",
            reached_from(State::Done)
        );
        let query = self
            .backend
            .query(sql)
            .bind(result.duration)
            .bind(result.checksum.clone())
            .bind(result.size)
            .bind(result.generated_by.clone())
            .bind(result.url.clone())
            .bind(id.to_string());
        Ok(query.execute(&self.backend.write).await?.rows_affected() > 0)
    }
}
