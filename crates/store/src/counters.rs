//! How many fractals are in which state. The totals change in the transactions that change the rows, so nobody has to
//! count these.

use crate::backend::{Dialect, whole};
use crate::sql::{Sql, sql};
use crate::{Error, Store};
use faafo_model::State;
use serde::Serialize;

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

/// What one transaction changes of the totals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Changes([i64; State::ALL.len()]);

impl Changes {
    /// So many fractals have come into this state, or left it.
    pub(crate) fn add(&mut self, state: State, number: i64) {
        for (known, change) in State::ALL.into_iter().zip(&mut self.0) {
            if known == state {
                *change += number;
            }
        }
    }

    /// A fractal has gone from one state to another.
    pub(crate) fn moved(&mut self, from: State, to: State) {
        self.add(from, -1);
        self.add(to, 1);
    }

    /// What writes it down, if there is anything.
    pub(crate) fn statement(&self, dialect: &dyn Dialect) -> Option<Sql> {
        if *self == Self::default() {
            return None;
        }
        let shard = fastrand::i64(0..dialect.shards());
        let update = "UPDATE counters SET queued = queued + ?, rendering = rendering + ?, done = done + ?, \
             failed = failed + ?, cancelled = cancelled + ? WHERE what = 'fractal' AND shard = ?";
        Some(sql(update).bind_all(self.0).bind(shard))
    }
}

impl Store {
    /// How many fractals are in each state.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn counts(&self) -> Result<Counts, Error> {
        let query = sql(
            "SELECT queued, rendering, done, failed, cancelled FROM counters WHERE what = 'fractal'",
        );
        let mut sums = [0i64; State::ALL.len()];
        for row in self.backend.rows(query).await? {
            for (column, sum) in sums.iter_mut().enumerate() {
                *sum += whole(&row, column)?;
            }
        }
        Ok(counts(sums))
    }

    /// How many fractals are in each state by the totals, and by counting every row at the same moment. They are equal.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recount(&self) -> Result<(Counts, Counts), Error> {
        let columns = |prefix: &str, from: &str| {
            let columns = State::ALL.map(|state| prefix.replace("{}", state.name()));
            format!("SELECT {} FROM {from}", columns.join(", "))
        };
        let kept = columns("{} AS {}", "counters WHERE what = 'fractal'");
        let found = columns(
            "(SELECT COUNT(*) FROM fractals WHERE state = '{}') AS {}",
            "counters WHERE what = 'fractal' AND shard = 0",
        );
        // One statement sees one moment.
        let query = format!(
            "SELECT 0 AS found, k.* FROM ({kept}) k UNION ALL SELECT 1 AS found, f.* FROM ({found}) f"
        );
        let mut sums = [[0i64; State::ALL.len()]; 2];
        for row in self.backend.rows(sql(query)).await? {
            let found = whole(&row, 0)? == 1;
            for (column, sum) in sums[usize::from(found)].iter_mut().enumerate() {
                *sum += whole(&row, column + 1)?;
            }
        }
        Ok((counts(sums[0]), counts(sums[1])))
    }
}

fn counts(sums: [i64; State::ALL.len()]) -> Counts {
    let [queued, rendering, done, failed, cancelled] =
        sums.map(|sum| u64::try_from(sum).unwrap_or(0));
    Counts {
        queued,
        rendering,
        done,
        failed,
        cancelled,
    }
}
