//! Tasks on their way to the queue, and those that got lost there. A tracker claims tasks for a while, so that several
//! trackers don't publish everything several times; the claims of one that died lapse.

use crate::backend::transaction;
use crate::fractals::among;
use crate::sql::{Sql, ids, marks, sql};
use crate::{Error, Store, tasks};
use faafo_model::message::Version;
use faafo_model::{Lane, Recipe, State, Task, Timestamp, Uuid};
use sqlx::Row;
use std::collections::HashMap;
use std::time::Duration;

/// How long a tracker may take to publish what it claimed.
const LEASE: Duration = Duration::from_secs(10);
/// Tasks put back in one transaction.
const BATCH: u32 = 1000;

/// A task that one tracker, and for a while no other, is to publish.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// What to publish.
    pub task: Task,
    /// How urgent it is; the higher, the sooner.
    pub priority: i64,
    /// What it waits in.
    pub lane: Lane,
    /// When others may claim it. A task that was claimed again or renewed has another value, so that a late
    /// confirmation does not count for it.
    until: Timestamp,
}

impl Store {
    /// Claims the most urgent, then oldest tasks of these lanes that the queue has not confirmed and nobody else has
    /// claimed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_unpublished(
        &self,
        lanes: &[Lane],
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Claim>, Error> {
        let until = now.plus(LEASE);
        let claim = sql("UPDATE tasks SET due = ? WHERE ").bind(until);
        self.claim(lanes, limit, claim, until, now).await
    }

    /// The same for a queue in this process, which confirms what it is given: they count as published at once. What it
    /// has not yet been given when the process ends, it has forgotten like the rest.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_unpublished(
        &self,
        lanes: &[Lane],
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Claim>, Error> {
        let take = sql("UPDATE tasks SET published = 1, updated_at = ? WHERE ").bind(now);
        self.claim(lanes, limit, take, now, now).await
    }

    async fn claim(
        &self,
        lanes: &[Lane],
        limit: u32,
        claim: Sql,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Claim>, Error> {
        let lock = self.backend.dialect.skip_locked();
        // Most of the time there is nothing, and looking keeps nobody from writing.
        let of_lane = |lane: &Lane| {
            let query = format!(
                "SELECT 1 AS found FROM tasks WHERE published = 0 AND lane = '{}' AND due <= ? LIMIT 1",
                lane.name()
            );
            sql(query).bind(now)
        };
        let looking = Sql::united(lanes.iter().map(of_lane));
        let is_there = match looking {
            Some(looking) => self.backend.row(looking).await?.is_some(),
            None => false,
        };
        if !is_there {
            return Ok(Vec::new());
        }
        // What a power cut takes back is published twice, which is harmless.
        transaction!(self.backend.hasty(), async |work| {
            // Each lane has its own order in the index; together they would have to be sorted.
            let of_lane = |lane: &Lane| {
                let query = format!(
                    "SELECT id, turn, since FROM tasks WHERE published = 0 AND lane = '{}' AND due <= ? \
                     ORDER BY turn, since, id LIMIT {limit}{lock}",
                    lane.name()
                );
                sql(query).bind(now)
            };
            let queries = lanes.iter().map(of_lane);
            let queries: Vec<_> = match lock.is_empty() {
                true => Sql::united(queries).into_iter().collect(),
                false => queries.collect(),
            };
            let mut free = Vec::new();
            for query in queries {
                let rows = work.rows(query).await?;
                for (id, row) in ids(&rows)?.into_iter().zip(&rows) {
                    free.push((row.try_get::<i64, _>(1)?, row.try_get::<i64, _>(2)?, id));
                }
            }
            free.sort_unstable();
            free.truncate(limit as usize);
            let ids: Vec<Uuid> = free.into_iter().map(|(.., id)| id).collect();
            if ids.is_empty() {
                return Ok(Vec::new());
            }
            let marks = marks(ids.len());
            let claim = claim.clone().and(&format!("id IN ({marks})"));
            work.later(claim.bind_all(&ids));
            let read = format!(
                "SELECT t.id, t.attempt, t.part, t.turn, f.recipe FROM tasks t JOIN fractals f ON f.uuid = t.owner_id \
                 WHERE t.id IN ({marks})"
            );
            let rows = work.rows(sql(read).bind_all(&ids)).await?;
            let mut claims = HashMap::with_capacity(ids.len());
            for (id, row) in crate::sql::ids(&rows)?.into_iter().zip(&rows) {
                let priority = -row.try_get::<i64, _>(3)?;
                let part = tasks::part(row, 2)?;
                let recipe = Recipe::from_json(row.try_get(4)?);
                let task = Task {
                    version: Version,
                    id,
                    attempt: u32::try_from(row.try_get::<i64, _>(1)?).unwrap_or(u32::MAX),
                    recipe: recipe.map_err(|error| {
                        Error::corrupt(format!("the fractal of task {id} makes no sense: {error}"))
                    })?,
                    part,
                    published_at: Some(now),
                };
                let claim = Claim {
                    task,
                    priority,
                    lane: Lane::of(part, priority),
                    until,
                };
                claims.insert(id, claim);
            }
            Ok(ids.iter().filter_map(|id| claims.remove(id)).collect())
        })
    }

    /// The queue has confirmed these tasks.
    ///
    /// # Errors
    /// When the database fails; then they will be published again, which is harmless.
    pub async fn published(&self, claims: &[Claim], now: Timestamp) -> Result<(), Error> {
        self.end(claims, "published = 1, updated_at = ?", now).await
    }

    /// These tasks could not be published: any tracker may try at once.
    ///
    /// # Errors
    /// When the database fails; then the claims lapse.
    pub async fn unclaim(&self, claims: &[Claim]) -> Result<(), Error> {
        self.end(claims, "due = ?", Timestamp(0)).await
    }

    async fn end(&self, claims: &[Claim], change: &str, time: Timestamp) -> Result<(), Error> {
        // Claims that were made together end together.
        for claims in claims.chunk_by(|one, next| one.until == next.until) {
            let [first, ..] = claims else { continue };
            let mut ids: Vec<_> = claims.iter().map(|claim| claim.task.id).collect();
            ids.sort_unstable();
            let marks = marks(ids.len());
            let update = format!(
                "UPDATE tasks SET {change} WHERE published = 0 AND due = ? AND id IN ({marks})"
            );
            let lock = sql(format!("id IN ({marks})")).bind_all(&ids);
            let update = sql(update).bind(time).bind(first.until).bind_all(&ids);
            transaction!(self.backend.hasty(), async |work| {
                if !work.dialect.for_update().is_empty() {
                    tasks::lock(work, lock.clone()).await?;
                }
                work.execute(update.clone()).await
            })?;
        }
        Ok(())
    }

    /// Has every unfinished task published again: for a queue that forgot everything with the last process. Nobody is to
    /// blame, so no attempt is counted. Returns how many were not about to be published.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn republish_all(&self, now: Timestamp) -> Result<u64, Error> {
        let unfinished = among(State::Rendering.reached_from());
        let rendering = "UPDATE fractals SET state = 'queued', progress = 0.0 WHERE state = 'rendering' \
             AND EXISTS (SELECT 1 FROM tasks t WHERE t.id = fractals.uuid)";
        let again = format!(
            "UPDATE tasks SET state = 'queued', progress = 0.0, updated_at = ?, published = 0, due = 0 \
             WHERE published = 1 AND {unfinished}"
        );
        transaction!(self.backend, async |work| {
            let unclaim = "UPDATE tasks SET due = 0 WHERE published = 0 AND due > 0";
            work.execute(sql(unclaim)).await?;
            let republished = work.execute(sql(again.clone()).bind(now)).await?;
            let queued = work.execute(sql(rendering)).await?;
            let queued = i64::try_from(queued).unwrap_or(i64::MAX);
            work.counted.add(State::Rendering, -queued);
            work.counted.add(State::Queued, queued);
            Ok(republished)
        })
    }

    /// Has tasks published again that were published more than `age` ago and of which no worker has spoken: perhaps the
    /// queue lost them. No attempt is counted. Returns how many; there may be more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn republish_lost(&self, age: Duration, now: Timestamp) -> Result<u64, Error> {
        let lost = sql(format!(
            "SELECT id FROM tasks WHERE state = 'queued' AND published = 1 AND updated_at < ? \
             ORDER BY updated_at LIMIT {BATCH}"
        ));
        let lost = ids(&self.backend.rows(lost.bind(now.minus(age))).await?)?;
        if lost.is_empty() {
            return Ok(0);
        }
        let these = sql(format!(
            "state = 'queued' AND published = 1 AND id IN ({})",
            marks(lost.len())
        ))
        .bind_all(&lost);
        let update = "UPDATE tasks SET published = 0, due = 0 WHERE ";
        transaction!(self.backend, async |work| {
            tasks::lock(work, these.clone()).await?;
            work.execute(these.clone().after(update)).await
        })
    }

    /// How many tasks were handed to the queue, as far as is known, and not yet begun.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn waiting(&self) -> Result<u64, Error> {
        self.tasks("state = 'queued' AND published = 1").await
    }

    /// How many tasks the queue has not confirmed yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unpublished(&self) -> Result<u64, Error> {
        self.tasks("published = 0").await
    }

    async fn tasks(&self, condition: &str) -> Result<u64, Error> {
        let query = sql(format!("SELECT COUNT(*) AS n FROM tasks WHERE {condition}"));
        let row = self.backend.row(query).await?;
        let number = row.map_or(Ok(0), |row| row.try_get::<i64, _>("n"))?;
        Ok(u64::try_from(number).unwrap_or(0))
    }
}
