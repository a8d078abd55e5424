//! What the pages ask for.

use crate::{Error, Store, row, sql::sql};
use faafo_model::{Fractal, State};
use serde::Serialize;
use sqlx::Row;

/// How many fractals are in each state. Every accepted one is in exactly one of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are the states")]
pub struct Counts {
    pub queued: u64,
    pub rendering: u64,
    pub done: u64,
    pub failed: u64,
    pub cancelled: u64,
}

impl Counts {
    /// All of them: every fractal that was accepted and not deleted.
    pub fn accepted(&self) -> u64 {
        self.queued + self.rendering + self.done + self.failed + self.cancelled
    }
}

impl Store {
    /// How many fractals are in each state.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn counts(&self) -> Result<Counts, Error> {
        let query = sql("SELECT state, COUNT(*) AS n FROM fractals GROUP BY state \
             UNION ALL SELECT state, -COUNT(*) AS n FROM fractals WHERE parent IS NOT NULL GROUP BY state");
        let mut counts = Counts::default();
        for row in self.backend.rows(query).await? {
            let state: String = row.try_get("state")?;
            let number = row.try_get::<i64, _>("n")?;
            let count = match state
                .parse()
                .map_err(|error| Error::corrupt(format!("column state: {error}")))?
            {
                State::Queued => &mut counts.queued,
                State::Rendering => &mut counts.rendering,
                State::Done => &mut counts.done,
                State::Failed => &mut counts.failed,
                State::Cancelled => &mut counts.cancelled,
            };
            *count = count.saturating_add_signed(number);
        }
        Ok(counts)
    }

    /// How many tasks the queue has not confirmed yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unpublished(&self) -> Result<u64, Error> {
        let query = sql("SELECT COUNT(*) AS n FROM outbox");
        let row = self.backend.row(query).await?;
        let number = row.map_or(Ok(0), |row| row.try_get::<i64, _>("n"))?;
        Ok(u64::try_from(number).unwrap_or(0))
    }

    /// Finished pictures, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn newest(&self, limit: u64, offset: u64) -> Result<Vec<Fractal>, Error> {
        let query = sql(format!(
            "SELECT {} FROM fractals WHERE state = 'done' AND parent IS NULL ORDER BY finished_at DESC, uuid DESC LIMIT ? OFFSET ?",
            row::COLUMNS
        ));
        let most = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let query = query.bind(most(limit)).bind(most(offset));
        let rows = self.backend.rows(query).await?;
        rows.iter().map(row::read).collect()
    }

    /// Unfinished fractals: those being rendered, then those that have waited longest.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn active(&self, limit: usize) -> Result<Vec<Fractal>, Error> {
        let mut active = Vec::new();
        for state in [State::Rendering, State::Queued] {
            let query = sql(format!(
                "SELECT {} FROM fractals WHERE state = '{state}' AND parent IS NULL ORDER BY updated_at LIMIT {}",
                row::COLUMNS,
                limit - active.len()
            ));
            for row in self.backend.rows(query).await? {
                active.push(row::read(&row)?);
            }
        }
        Ok(active)
    }
}
