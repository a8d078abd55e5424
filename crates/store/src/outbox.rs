//! Tasks on their way to the queue, and those that got lost there. A tracker claims entries for a while, so that
//! several trackers don't publish everything several times; the claims of one that died lapse.

mod line;

use crate::backend::Work;
use crate::backend::transaction;
use crate::sql::{marks, sql};
use crate::{Error, Store, row};
use faafo_model::{State, Task, Timestamp, Uuid};
pub use line::Line;
use sqlx::Row;
use std::collections::HashMap;
use std::time::Duration;

/// How long a tracker may take to publish what it claimed.
const LEASE: Duration = Duration::from_secs(10);
/// Entries put back in one transaction.
const BATCH: u32 = 1000;

/// The condition that a row has a task: a poster whose bands are rendered has none.
pub(crate) const HAS_TASK: &str = "(stage IS NULL OR stage <> 'bands')";

/// A task that one tracker, and for a while no other, is to publish.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// What to publish.
    pub task: Task,
    /// How urgent it is; the higher, the sooner.
    pub priority: i64,
    /// When others may claim it. An entry that was claimed again or renewed has another value, so that a late
    /// confirmation does not remove it.
    until: Timestamp,
}

impl Claim {
    /// In which line it waits.
    pub fn line(&self) -> Line {
        Line::of(self.task.part, self.priority)
    }
}

/// Puts the fractals' current attempts into the outbox; an entry that is there begins anew.
pub(crate) async fn add(work: &mut Work, ids: &[Uuid], since: Timestamp) -> Result<(), Error> {
    remove(work, ids).await?;
    let insert = format!(
        "INSERT INTO outbox (uuid, turn, since, claimed_until) SELECT uuid, -priority, ?, 0 FROM fractals \
         WHERE uuid IN ({})",
        marks(ids.len())
    );
    work.execute(sql(insert).bind(since).bind_all(ids))
        .await
        .map_err(Error::duplicate_is_lost_race)?;
    Ok(())
}

/// Removes the fractals' entries, if there are any.
pub(crate) async fn remove(work: &mut Work, ids: &[Uuid]) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    work.lock("outbox", ids).await?;
    let delete = format!("DELETE FROM outbox WHERE uuid IN ({})", marks(ids.len()));
    work.execute(sql(delete).bind_all(ids)).await.map(drop)
}

/// The ids in a result's first column.
pub(crate) fn ids(rows: &[sqlx::any::AnyRow]) -> Result<Vec<Uuid>, Error> {
    rows.iter()
        .map(|row| {
            let uuid: String = row.try_get(0)?;
            Uuid::try_parse(&uuid)
                .map_err(|_| Error::corrupt(format!("fractal {uuid:?} has no id")))
        })
        .collect()
}

impl Store {
    /// Claims the most urgent, then oldest tasks that the queue has not confirmed and nobody else has claimed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_unpublished(&self, limit: u32, now: Timestamp) -> Result<Vec<Claim>, Error> {
        self.claim_unpublished_of(&Line::ALL, limit, now).await
    }

    /// The same of these lines, if there is no room for others now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_unpublished_of(
        &self,
        lines: &[Line],
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Claim>, Error> {
        let (lock, lines) = (self.backend.dialect.skip_locked(), Line::any_of(lines));
        let free = sql(format!(
            "SELECT uuid FROM outbox WHERE claimed_until <= ? AND {lines} \
             ORDER BY turn, since, uuid LIMIT {limit}{lock}"
        ))
        .bind(now);
        let until = now.plus(LEASE);
        transaction!(self.backend, async |work| {
            let ids = ids(&work.rows(free.clone()).await?)?;
            if ids.is_empty() {
                return Ok(Vec::new());
            }
            let marks = marks(ids.len());
            let claim = format!("UPDATE outbox SET claimed_until = ? WHERE uuid IN ({marks})");
            work.execute(sql(claim).bind(until).bind_all(&ids)).await?;
            let read = format!(
                "SELECT {} FROM fractals WHERE uuid IN ({marks})",
                row::COLUMNS
            );
            let mut found = HashMap::new();
            for row in work.rows(sql(read).bind_all(&ids)).await? {
                let fractal = row::read(&row)?;
                if let Some(part) = row::part(&row)? {
                    found.insert(fractal.id, (fractal, part));
                }
            }
            let mut claims = Vec::with_capacity(ids.len());
            let mut done = Vec::new();
            for id in ids {
                match found.remove(&id) {
                    Some((fractal, part)) if fractal.state == State::Queued => {
                        let task = Task {
                            id,
                            attempt: fractal.attempt,
                            recipe: fractal.recipe,
                            part,
                            published_at: Some(now),
                        };
                        claims.push(Claim {
                            task,
                            priority: fractal.priority,
                            until,
                        });
                    }
                    // Published by somebody who could not say so, and taken by a worker; or it waits for its bands.
                    _ => done.push(id),
                }
            }
            remove(work, &done).await?;
            Ok(claims)
        })
    }

    /// The queue has confirmed these tasks.
    ///
    /// # Errors
    /// When the database fails; then they will be published again, which is harmless.
    pub async fn published(&self, claims: &[Claim], now: Timestamp) -> Result<(), Error> {
        self.end(
            claims,
            "DELETE FROM outbox WHERE claimed_until = ? AND uuid IN",
            Some(now),
        )
        .await
    }

    /// These tasks could not be published: any tracker may try at once.
    ///
    /// # Errors
    /// When the database fails; then the claims lapse.
    pub async fn unclaim(&self, claims: &[Claim]) -> Result<(), Error> {
        self.end(
            claims,
            "UPDATE outbox SET claimed_until = 0 WHERE claimed_until = ? AND uuid IN",
            None,
        )
        .await
    }

    async fn end(
        &self,
        claims: &[Claim],
        statement: &str,
        published: Option<Timestamp>,
    ) -> Result<(), Error> {
        // Claims that were made together end together.
        for claims in claims.chunk_by(|one, next| one.until == next.until) {
            let [first, ..] = claims else { continue };
            let ids: Vec<_> = claims.iter().map(|claim| claim.task.id).collect();
            let marks = marks(ids.len());
            transaction!(self.backend, async |work| {
                if let Some(now) = published {
                    work.lock("fractals", &ids).await?;
                    let update = format!(
                        "UPDATE fractals SET updated_at = ? WHERE state = 'queued' AND uuid IN ({marks})"
                    );
                    work.execute(sql(update).bind(now).bind_all(&ids)).await?;
                }
                work.lock("outbox", &ids).await?;
                let end = sql(format!("{statement} ({marks})"));
                work.execute(end.bind(first.until).bind_all(&ids)).await
            })?;
        }
        Ok(())
    }

    /// Puts every unfinished fractal back into the outbox: for a queue that forgot everything with the last process.
    /// Nobody is to blame, so no attempt is counted. Returns how many were not there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn republish_all(&self, now: Timestamp) -> Result<u64, Error> {
        transaction!(self.backend, async |work| {
            work.execute(sql("UPDATE outbox SET claimed_until = 0"))
                .await?;
            let update = format!(
                "UPDATE fractals SET state = 'queued', progress = 0.0, updated_at = ? \
                 WHERE state = 'rendering' AND {HAS_TASK}"
            );
            work.execute(sql(update).bind(now)).await
        })?;
        let mut republished = 0;
        loop {
            let added = self.republish(Timestamp(i64::MAX)).await?;
            republished += added;
            if added < u64::from(BATCH) {
                return Ok(republished);
            }
        }
    }

    /// Puts fractals back into the outbox that were published more than `age` ago and of which no worker has spoken:
    /// perhaps the queue lost them. No attempt is counted. Returns how many; there may be more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn republish_lost(&self, age: Duration, now: Timestamp) -> Result<u64, Error> {
        self.republish(now.minus(age)).await
    }

    /// How many tasks were handed to the queue, as far as is known, and not yet begun.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn waiting(&self) -> Result<u64, Error> {
        let query = sql(format!(
            "SELECT COUNT(*) AS n FROM fractals f WHERE state = 'queued' AND {HAS_TASK} \
             AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.uuid = f.uuid)"
        ));
        let row = self.backend.row(query).await?;
        let number = row.map_or(Ok(0), |row| row.try_get::<i64, _>("n"))?;
        Ok(u64::try_from(number).unwrap_or(0))
    }

    async fn republish(&self, before: Timestamp) -> Result<u64, Error> {
        let lost = sql(format!(
            "SELECT uuid FROM fractals f WHERE state = 'queued' AND updated_at < ? AND {HAS_TASK} \
             AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.uuid = f.uuid) ORDER BY updated_at LIMIT {BATCH}"
        ))
        .bind(before);
        let lost = ids(&self.backend.rows(lost).await?)?;
        if lost.is_empty() {
            return Ok(0);
        }
        let insert = format!(
            "INSERT INTO outbox (uuid, turn, since, claimed_until) SELECT uuid, -priority, created_at, 0 \
             FROM fractals f WHERE uuid IN ({}) AND state = 'queued' \
             AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.uuid = f.uuid)",
            marks(lost.len())
        );
        transaction!(self.backend, async |work| {
            work.execute(sql(insert.clone()).bind_all(&lost))
                .await
                .map_err(Error::duplicate_is_lost_race)
        })
    }

    /// Queues the task again under the same attempt, to be published after `delay`: for what was nobody's fault.
    /// Returns whether that attempt still counted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn postpone(
        &self,
        id: Uuid,
        attempt: u32,
        delay: Duration,
        now: Timestamp,
    ) -> Result<bool, Error> {
        transaction!(self.backend, async |work| {
            let update = "UPDATE fractals SET state = 'queued', progress = 0.0, updated_at = ? \
                     WHERE uuid = ? AND attempt = ? AND state IN ('queued', 'rendering')";
            let update = sql(update).bind(now).bind(id).bind(attempt);
            if work.execute(update).await? == 0 {
                return Ok(false);
            }
            add(work, &[id], now).await?;
            let wait = "UPDATE outbox SET claimed_until = ? WHERE uuid = ?";
            work.execute(sql(wait).bind(now.plus(delay)).bind(id))
                .await?;
            Ok(true)
        })
    }
}
