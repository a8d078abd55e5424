//! What people change their minds about: cancelling, trying again, priorities.

use crate::backend::transaction;
use crate::fractals::{self, among};
use crate::posters::cancel_tasks;
use crate::sql::{marks, sql};
use crate::{Error, Query, Store, tasks};
use faafo_model::{Lane, Part, State, Timestamp, Uuid};
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
        let mut changed = Vec::new();
        for ids in ids.chunks(BATCH) {
            let batch = transaction!(self.backend, async |work| {
                tasks::lock_of(work, ids).await?;
                let states = State::Cancelled.reached_from();
                let found = fractals::lock(work, ids, states).await?;
                let ids: Vec<_> = found.iter().map(|(id, _)| *id).collect();
                if !ids.is_empty() {
                    cancel_tasks(work, &ids, now).await?;
                    fractals::end(work, &found, State::Cancelled, None, now).await?;
                }
                Ok(ids)
            })?;
            metrics::FINISHED.add([State::Cancelled.name()], batch.len() as u64);
            changed.extend(batch);
        }
        Ok(changed)
    }

    async fn retry_all(&self, ids: &[Uuid], now: Timestamp) -> Result<Vec<Uuid>, Error> {
        const ENDED: [State; 2] = [State::Failed, State::Cancelled];
        let mut changed = Vec::new();
        for ids in ids.chunks(BATCH) {
            let batch = transaction!(self.backend, async |work| {
                tasks::lock_of(work, ids).await?;
                let found = fractals::lock(work, ids, &ENDED).await?;
                let ids: Vec<_> = found.iter().map(|(id, _)| *id).collect();
                if ids.is_empty() {
                    return Ok(ids);
                }
                let these = marks(ids.len());
                // A new number, so that whatever is still said about the last attempt does not count. The first
                // assignment reads the old value in every database. What is done of a poster stays done.
                let tasks = format!(
                    "UPDATE tasks SET first_attempt = attempt + 1, attempt = attempt + 1, state = 'queued', \
                     progress = 0.0, error = NULL, updated_at = ?, since = ?, published = 0, due = 0 \
                     WHERE owner_id IN ({these}) AND {}",
                    among(&ENDED)
                );
                let tasks = sql(tasks).bind(now).bind(now).bind_all(&ids);
                work.execute(tasks).await?;
                let fractals = format!(
                    "UPDATE fractals SET attempt = attempt + 1, state = 'queued', progress = 0.0, error = NULL, \
                     finished_at = NULL WHERE uuid IN ({these})"
                );
                work.execute(sql(fractals).bind_all(&ids)).await?;
                for (_, from) in &found {
                    work.counted.moved(*from, State::Queued);
                }
                Ok(ids)
            })?;
            metrics::RETRIED.add([], batch.len() as u64);
            changed.extend(batch);
        }
        Ok(changed)
    }

    /// Sets how urgent the fractal is; the higher, the sooner. What of it waits in the queue already is published once
    /// more, ahead of its older task. Returns whether there is such a fractal.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_priority(&self, id: Uuid, priority: i64) -> Result<bool, Error> {
        let lock = self.backend.dialect.for_update();
        let find = sql(format!(
            "SELECT priority FROM fractals WHERE uuid = ?{lock}"
        ))
        .bind(id);
        let band = Part::Band {
            poster: id,
            first: 0,
            rows: 0,
        };
        let [band, other] = [band, Part::Whole].map(|part| Lane::of(part, priority).name());
        let tasks = sql(
            "UPDATE tasks SET turn = ?, lane = CASE WHEN kind = 'band' THEN ? ELSE ? END, \
             since = created_at WHERE owner_id = ?",
        )
        .bind(-priority)
        .bind(band)
        .bind(other)
        .bind(id);
        let publish =
            sql("UPDATE tasks SET published = 0, due = 0 WHERE owner_id = ? AND state = 'queued'");
        let is_there = transaction!(self.backend, async |work| {
            tasks::lock_of(work, &[id]).await?;
            let Some(row) = work.row(find.clone()).await? else {
                return Ok(false);
            };
            if row.try_get::<i64, _>(0)? != priority {
                let update = "UPDATE fractals SET priority = ? WHERE uuid = ?";
                work.execute(sql(update).bind(priority).bind(id)).await?;
                work.execute(tasks.clone()).await?;
                work.execute(publish.clone().bind(id)).await?;
            }
            Ok(true)
        });
        self.recent.forget(id);
        is_there
    }
}
