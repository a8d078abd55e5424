//! What people change their minds about: cancelling, trying again, priorities.

use crate::backend::transaction;
use crate::posters::{self, cancel_bands, requeue_bands};
use crate::results::reached_from;
use crate::sql::{Sql, marks, sql};
use crate::{Error, Query, Store, blobs, outbox};
use faafo_model::{State, Timestamp, Uuid};
use faafo_telemetry::metrics;
use sqlx::Row;

/// Fractals changed in one transaction.
const BATCH: usize = 500;

impl Store {
    /// Withdraws the fractal if it is not finished. Returns whether it was changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cancel(&self, id: Uuid, now: Timestamp) -> Result<bool, Error> {
        Ok(!self.cancel_all(&[id], now).await?.is_empty())
    }

    /// Withdraws all unfinished fractals that the query finds. Returns those that were changed.
    ///
    /// # Errors
    /// When the database fails; then some may have been withdrawn.
    pub async fn cancel_many(&self, query: &Query, now: Timestamp) -> Result<Vec<Uuid>, Error> {
        self.cancel_all(&self.ids(query).await?, now).await
    }

    /// Queues a failed or cancelled fractal again; attempts are counted anew. Returns whether it was changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retry(&self, id: Uuid, now: Timestamp) -> Result<bool, Error> {
        Ok(!self.retry_all(&[id], now).await?.is_empty())
    }

    /// Queues all failed and cancelled fractals again that the query finds. Returns those that were changed.
    ///
    /// # Errors
    /// When the database fails; then some may have been queued.
    pub async fn retry_many(&self, query: &Query, now: Timestamp) -> Result<Vec<Uuid>, Error> {
        self.retry_all(&self.ids(query).await?, now).await
    }

    async fn cancel_all(&self, ids: &[Uuid], now: Timestamp) -> Result<Vec<Uuid>, Error> {
        let from = reached_from(State::Cancelled);
        let update =
            sql("UPDATE fractals SET state = 'cancelled', finished_at = ?, updated_at = ?");
        self.change(ids, &from, update.bind(now).bind(now), now, false)
            .await
    }

    async fn retry_all(&self, ids: &[Uuid], now: Timestamp) -> Result<Vec<Uuid>, Error> {
        // A new number, so that whatever is still said about the last attempt does not count. The first assignment
        // reads the old value in every database.
        let update = sql(
            "UPDATE fractals SET first_attempt = attempt + 1, attempt = attempt + 1, state = 'queued', \
             progress = 0.0, error = NULL, finished_at = NULL, updated_at = ?",
        );
        let from = "state IN ('failed', 'cancelled')";
        self.change(ids, from, update.bind(now), now, true).await
    }

    /// Updates those fractals that are in a state as `from` says, and puts them into the outbox or takes them out.
    async fn change(
        &self,
        ids: &[Uuid],
        from: &str,
        update: Sql,
        now: Timestamp,
        is_queued: bool,
    ) -> Result<Vec<Uuid>, Error> {
        let lock = self.backend.dialect.for_update();
        let mut changed = Vec::new();
        for ids in ids.chunks(BATCH) {
            let find = format!(
                "SELECT uuid FROM fractals WHERE uuid IN ({}) AND parent IS NULL AND {from} ORDER BY uuid{lock}",
                marks(ids.len())
            );
            let batch = transaction!(self.backend, async |work| {
                let found = outbox::ids(&work.rows(sql(find.clone()).bind_all(ids)).await?)?;
                if found.is_empty() {
                    return Ok(found);
                }
                let these = format!(" WHERE uuid IN ({})", marks(found.len()));
                let update = update.clone().and(&these).bind_all(&found);
                work.execute(update).await?;
                match is_queued {
                    true => {
                        outbox::add(work, &found, now).await?;
                        requeue_bands(work, &found, now).await?;
                    }
                    false => {
                        outbox::remove(work, &found).await?;
                        cancel_bands(work, &found, now).await?;
                        blobs::let_go(work, &found).await?;
                    }
                }
                Ok(found)
            })?;
            match is_queued {
                true => metrics::RETRIED.add([], batch.len() as u64),
                false => metrics::FINISHED.add([State::Cancelled.name()], batch.len() as u64),
            }
            changed.extend(batch);
        }
        Ok(changed)
    }

    /// Sets how urgent the fractal is; the higher, the sooner. One that waits in the queue already is published once
    /// more, ahead of its older task. Returns whether there is such a fractal.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_priority(&self, id: Uuid, priority: i64) -> Result<bool, Error> {
        let lock = self.backend.dialect.for_update();
        let find = sql(format!(
            "SELECT state, priority, created_at FROM fractals WHERE uuid = ? AND parent IS NULL{lock}"
        ))
        .bind(id);
        transaction!(self.backend, async |work| {
            let Some(row) = work.row(find.clone()).await? else {
                return Ok(false);
            };
            if row.try_get::<i64, _>("priority")? != priority {
                let update = "UPDATE fractals SET priority = ? WHERE uuid = ?";
                work.execute(sql(update).bind(priority).bind(id)).await?;
                let since = Timestamp(row.try_get("created_at")?);
                posters::set_priority(work, id, priority, since).await?;
                if row.try_get::<String, _>("state")? == State::Queued.name() {
                    outbox::add(work, &[id], since).await?;
                }
            }
            Ok(true)
        })
    }
}
