//! Tasks on their way to the queue, and those that got lost there.

use crate::{Error, Store, row};
use faafo_model::{Task, Timestamp};

impl Store {
    /// The oldest tasks that the queue has not confirmed yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unpublished(&self, limit: u32) -> Result<Vec<Task>, Error> {
        let columns = row::COLUMNS.replace("uuid,", "f.uuid AS uuid,");
        let sql = format!(
            "SELECT {columns} FROM outbox o JOIN fractals f ON f.uuid = o.uuid ORDER BY o.since, o.uuid LIMIT {limit}"
        );
        let rows = self
            .backend
            .query(sql)
            .fetch_all(&self.backend.read)
            .await?;
        rows.iter()
            .map(|row| {
                let fractal = row::read(row)?;
                Ok(Task {
                    id: fractal.id,
                    attempt: fractal.attempt,
                    recipe: fractal.recipe,
                })
            })
            .collect()
    }

    /// The queue has confirmed these tasks.
    ///
    /// # Errors
    /// When the database fails; then they will be published again, which is harmless.
    pub async fn published(&self, tasks: &[Task], now: Timestamp) -> Result<(), Error> {
        let mut transaction = self.backend.begin().await?;
        for task in tasks {
            // Only this attempt's entry: the fractal may have been given back and queued anew meanwhile.
            self.backend
                .query(
                    "DELETE FROM outbox WHERE uuid = ? AND EXISTS \
                     (SELECT 1 FROM fractals f WHERE f.uuid = outbox.uuid AND f.attempt = ?)",
                )
                .bind(task.id.to_string())
                .bind(i64::from(task.attempt))
                .execute(&mut *transaction)
                .await?;
            self.backend
                .query("UPDATE fractals SET updated_at = ? WHERE uuid = ? AND attempt = ? AND state = 'queued'")
                .bind(now.0)
                .bind(task.id.to_string())
                .bind(i64::from(task.attempt))
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Puts every unfinished fractal back into the outbox: for a queue that forgot everything with the last process.
    /// Nobody is to blame, so no attempt is counted. Returns how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn republish_all(&self, now: Timestamp) -> Result<u64, Error> {
        let mut transaction = self.backend.begin().await?;
        let added = self
            .backend
            .query(
                "INSERT INTO outbox (uuid, since) SELECT uuid, created_at FROM fractals f \
                 WHERE state IN ('queued', 'rendering') \
                 AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.uuid = f.uuid)",
            )
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        self.backend
            .query("UPDATE fractals SET state = 'queued', progress = 0.0, updated_at = ? WHERE state = 'rendering'")
            .bind(now.0)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(added)
    }
}
