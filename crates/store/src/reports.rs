//! What workers report of their tasks, recorded only as far as the states' table allows. It counts only for the current
//! attempt.

use crate::backend::{Work, transaction};
use crate::fractals::{self, among};
use crate::sql::{ids, marks, sql};
use crate::tasks::{self, Locked, Subject};
use crate::{Error, MAX_ATTEMPTS, Store};
use faafo_model::{State, Timestamp, Uuid};
use faafo_telemetry::metrics;
use sqlx::Row;
use std::collections::HashMap;
use std::time::Duration;

/// What became of a task that was given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is to be published again.
    Queued(Subject),
    /// It was tried too often.
    Failed(Subject),
    /// The report is about an earlier attempt, or the task is gone or final.
    Stale,
}

impl Store {
    /// Workers are at these tasks: their progress, and their leases begin anew. Returns for each whom it was about, if it
    /// still counts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rendering(
        &self,
        reports: &[(Uuid, u32, f64)],
        now: Timestamp,
    ) -> Result<Vec<Option<Subject>>, Error> {
        if reports.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<_> = reports.iter().map(|(id, ..)| *id).collect();
        let (these, states) = (marks(ids.len()), State::Rendering.reached_from());
        let these = sql(format!("id IN ({these}) AND {}", among(states))).bind_all(&ids);
        transaction!(self.backend.hasty(), async |work| {
            let tasks = tasks::lock(work, these.clone()).await?;
            let tasks: HashMap<_, _> = tasks.into_iter().map(|task| (task.id, task)).collect();
            let current = |(id, attempt, _): &&(Uuid, u32, f64)| {
                let task = tasks.get(id);
                task.is_some_and(|task| task.attempt == *attempt)
            };
            let whole = |id: &Uuid| matches!(tasks.get(id), Some(task) if task.owner == *id);
            let owners: Vec<_> = reports
                .iter()
                .filter(current)
                .map(|(id, ..)| *id)
                .filter(whole)
                .collect();
            let owners = fractals::lock(work, &owners, states).await?;
            let mut owners: HashMap<_, _> = owners.into_iter().collect();
            let mut counted = Vec::with_capacity(reports.len());
            for report in reports {
                let (id, _, progress) = report;
                let Some(task) = tasks.get(id).filter(|_| current(&report)) else {
                    counted.push(None);
                    continue;
                };
                // It needn't be published any more.
                let update = "UPDATE tasks SET state = 'rendering', progress = ?, updated_at = ?, published = 1 \
                     WHERE id = ?";
                work.later(sql(update).bind(*progress).bind(now).bind(id));
                if task.subject() == Subject::Owner
                    && let Some(from) = owners.insert(*id, State::Rendering)
                {
                    let update =
                        "UPDATE fractals SET state = 'rendering', progress = ? WHERE uuid = ?";
                    work.later(sql(update).bind(*progress).bind(id));
                    work.counted.moved(from, State::Rendering);
                }
                counted.push(Some(task.subject()));
            }
            Ok(counted)
        })
    }

    /// Those of these tasks that nobody wants done: there is none of that id, or it has ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unwanted(&self, tasks: &[Uuid]) -> Result<Vec<Uuid>, Error> {
        if tasks.is_empty() {
            return Ok(Vec::new());
        }
        let query = format!(
            "SELECT id FROM tasks WHERE id IN ({}) AND {}",
            marks(tasks.len()),
            among(State::Done.reached_from())
        );
        let wanted = ids(&self.backend.rows(sql(query).bind_all(tasks)).await?)?;
        let unwanted = tasks.iter().filter(|task| !wanted.contains(task));
        Ok(unwanted.copied().collect())
    }

    /// The task can't be done: what it is about fails. Returns whom it was about, if its state changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fail(
        &self,
        id: Uuid,
        attempt: u32,
        reason: &str,
        now: Timestamp,
    ) -> Result<Option<Subject>, Error> {
        let failed = transaction!(self.backend, async |work| {
            match current(work, id, attempt).await? {
                Some(task) => {
                    fail(work, &task, reason, now).await?;
                    Ok(Some(task.subject()))
                }
                None => Ok(None),
            }
        })?;
        count_failed(failed);
        Ok(failed)
    }

    /// The task was given back: it is queued again under a new attempt, or fails when that was the last one.
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
        let outcome = transaction!(self.backend, async |work| {
            let Some(task) = current(work, id, attempt).await? else {
                return Ok(Outcome::Stale);
            };
            let tries = attempt.saturating_sub(task.first_attempt) + 1;
            if tries >= MAX_ATTEMPTS {
                let reason = format!("gave up after {tries} attempts: {reason}");
                fail(work, &task, &reason, now).await?;
                return Ok(Outcome::Failed(task.subject()));
            }
            let update = "UPDATE tasks SET state = 'queued', attempt = attempt + 1, progress = 0.0, error = ?, \
                 updated_at = ?, since = ?, published = 0, due = 0 WHERE id = ?";
            let update = sql(update).bind(reason).bind(now).bind(now).bind(id);
            work.execute(update).await?;
            queued(work, &task, 1, Some(reason)).await?;
            Ok(Outcome::Queued(task.subject()))
        })?;
        if let Outcome::Failed(subject) = outcome {
            count_failed(Some(subject));
        }
        Ok(outcome)
    }

    /// Queues the task again under the same attempt, to be published after `delay`: for what was nobody's fault. Returns
    /// whom it is about, if that attempt still counted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn postpone(
        &self,
        id: Uuid,
        attempt: u32,
        delay: Duration,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<Subject>, Error> {
        transaction!(self.backend, async |work| {
            let Some(task) = current(work, id, attempt).await? else {
                return Ok(None);
            };
            let update = "UPDATE tasks SET state = 'queued', progress = 0.0, error = COALESCE(?, error), \
                 updated_at = ?, published = 0, due = ? WHERE id = ?";
            let update = sql(update).bind(reason).bind(now).bind(now.plus(delay));
            work.execute(update.bind(id)).await?;
            queued(work, &task, 0, reason).await?;
            Ok(Some(task.subject()))
        })
    }

    /// Tasks that somebody works on and of which nothing was heard for `lease`, with their attempts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn silent(
        &self,
        lease: Duration,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<(Uuid, u32)>, Error> {
        let query = format!(
            "SELECT id, attempt FROM tasks WHERE state = 'rendering' AND updated_at < ? \
             ORDER BY updated_at LIMIT {limit}"
        );
        let rows = self.backend.rows(sql(query).bind(now.minus(lease))).await?;
        let attempts = rows.iter().map(|row| {
            let attempt: i64 = row.try_get(1)?;
            Ok(u32::try_from(attempt).unwrap_or(u32::MAX))
        });
        let attempts = attempts.collect::<Result<Vec<_>, Error>>()?;
        Ok(ids(&rows)?.into_iter().zip(attempts).collect())
    }
}

fn count_failed(failed: Option<Subject>) {
    let failed = failed == Some(Subject::Owner);
    metrics::FINISHED.add([State::Failed.name()], u64::from(failed));
}

/// The task, locked, if that is its attempt and it is not final.
async fn current(work: &mut Work, id: Uuid, attempt: u32) -> Result<Option<Locked>, Error> {
    let states = among(State::Rendering.reached_from());
    let condition = sql(format!("id = ? AND attempt = ? AND {states}"));
    let found = tasks::lock(work, condition.bind(id).bind(attempt)).await?;
    Ok(found.into_iter().next())
}

/// The owner of a task that was queued again is, too, if they are one.
async fn queued(
    work: &mut Work,
    task: &Locked,
    attempts: u32,
    error: Option<&str>,
) -> Result<(), Error> {
    if task.subject() == Subject::Part {
        return Ok(());
    }
    let states = State::Rendering.reached_from();
    for (id, from) in fractals::lock(work, &[task.owner], states).await? {
        let update = "UPDATE fractals SET state = 'queued', progress = 0.0, attempt = attempt + ?, \
             error = COALESCE(?, error) WHERE uuid = ?";
        let update = sql(update).bind(attempts).bind(error).bind(id);
        work.execute(update).await?;
        work.counted.moved(from, State::Queued);
    }
    Ok(())
}

async fn fail(work: &mut Work, task: &Locked, reason: &str, now: Timestamp) -> Result<(), Error> {
    let update =
        "UPDATE tasks SET state = 'failed', error = ?, updated_at = ?, published = 1 WHERE id = ?";
    work.execute(sql(update).bind(reason).bind(now).bind(task.id))
        .await?;
    if task.subject() == Subject::Part {
        return Ok(());
    }
    let states = State::Failed.reached_from();
    let fractals = fractals::lock(work, &[task.owner], states).await?;
    fractals::end(work, &fractals, State::Failed, Some(reason), now).await
}
