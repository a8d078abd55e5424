//! What workers report, recorded only as far as the states' table allows. Rendering is a pure function of the recipe,
//! so a picture is welcome from any attempt; failures and returns count only for the current one.

use crate::backend::Work;
use crate::backend::transaction;
use crate::outbox::HAS_TASK;
use crate::posters::is_band;
use crate::sql::{marks, sql};
use crate::{Error, MAX_ATTEMPTS, Store, blobs, outbox};
use faafo_model::{BlobKey, BlobRef, State, Timestamp, Uuid};
use faafo_telemetry::metrics;
use sqlx::Row;
use std::collections::{BTreeMap, HashSet};
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
    /// It is a band of a poster; what is stored of it stands for picture and thumbnail.
    pub is_band: bool,
}

impl Finish {
    fn keys(&self) -> [BlobKey; 2] {
        [self.picture.key, self.thumbnail.key]
    }
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
pub(crate) fn reached_from(state: State) -> String {
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
        let update = sql(format!(
            "UPDATE fractals SET state = 'rendering', progress = ?, updated_at = ? WHERE uuid = ? AND attempt = ? AND {}",
            reached_from(State::Rendering)
        ));
        let ids: Vec<_> = reports.iter().map(|(id, ..)| *id).collect();
        transaction!(self.backend, async |work| {
            work.lock("fractals", &ids).await?;
            let mut counted = Vec::with_capacity(reports.len());
            for (id, attempt, progress) in reports {
                let update = update.clone().bind(*progress).bind(now);
                let changed = work.execute(update.bind(id).bind(*attempt)).await?;
                counted.push(changed > 0);
            }
            Ok(counted)
        })
    }

    /// Lets the rows refer to their stored blobs, so that these can't be deleted any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reserve(&self, finishes: &[Finish]) -> Result<Vec<Reservation>, Error> {
        let ids: Vec<_> = finishes.iter().map(|finish| finish.id).collect();
        let find = sql(format!(
            "SELECT uuid, picture, thumbnail FROM fractals WHERE uuid IN ({}) AND {} ORDER BY uuid{}",
            marks(ids.len()),
            reached_from(State::Done),
            self.backend.dialect.for_update()
        ))
        .bind_all(&ids);
        let refer = "UPDATE fractals SET picture = ?, thumbnail = ? WHERE uuid = ?";
        if finishes.is_empty() {
            return Ok(Vec::new());
        }
        transaction!(self.backend, async |work| {
            let rows = work.rows(find.clone()).await?;
            let wanting: HashSet<_> = outbox::ids(&rows)?.into_iter().collect();
            // The blobs that rows are to refer to, and those that they did refer to or are not to.
            let mut keys = BTreeMap::new();
            for row in &rows {
                for column in ["picture", "thumbnail"] {
                    let key: Option<String> = row.try_get(column)?;
                    keys.extend(key.and_then(|key| key.parse().ok()).map(|key| (key, false)));
                }
            }
            for finish in finishes {
                for key in finish.keys() {
                    *keys.entry(key).or_insert(false) |= wanting.contains(&finish.id);
                }
            }
            let mut usable = HashSet::new();
            for (key, wanted) in &keys {
                if !wanted {
                    blobs::suspect_stored(work, key).await?;
                } else if blobs::make_use(work, key).await? {
                    usable.insert(*key);
                }
            }
            let mut reservations = Vec::with_capacity(finishes.len());
            for finish in finishes {
                let keys = finish.keys();
                reservations.push(if !wanting.contains(&finish.id) {
                    Reservation::NotWanted
                } else if keys.iter().all(|key| usable.contains(key)) {
                    let refer = sql(refer).bind_all(&keys).bind(finish.id);
                    work.execute(refer).await?;
                    Reservation::Reserved
                } else {
                    for key in &keys {
                        blobs::suspect(work, key).await?;
                    }
                    Reservation::BlobGoing
                });
            }
            Ok(reservations)
        })
    }

    /// The reserved blobs exist: the fractals are done. Returns for each whether its state changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish(&self, finishes: &[Finish], now: Timestamp) -> Result<Vec<bool>, Error> {
        let update = sql(format!(
            "UPDATE fractals SET state = 'done', progress = 1.0, error = NULL, finished_at = ?, updated_at = ?, \
             duration = ?, checksum = ?, size = ?, generated_by = ? \
             WHERE uuid = ? AND picture = ? AND thumbnail = ? AND {}",
            reached_from(State::Done)
        ))
        .bind(now)
        .bind(now);
        let ids: Vec<_> = finishes.iter().map(|finish| finish.id).collect();
        let changed = transaction!(self.backend, async |work| {
            work.lock("fractals", &ids).await?;
            let mut changed = Vec::with_capacity(finishes.len());
            let mut done = Vec::new();
            for finish in finishes {
                let update = update
                    .clone()
                    .bind(finish.duration)
                    .bind(&finish.picture.key)
                    .bind(i64::try_from(finish.picture.size).unwrap_or(i64::MAX))
                    .bind(finish.worker.as_deref())
                    .bind(finish.id)
                    .bind(&finish.picture.key)
                    .bind(&finish.thumbnail.key);
                changed.push(work.execute(update).await? > 0);
                if changed.ends_with(&[true]) {
                    done.push(finish.id);
                }
            }
            outbox::remove(work, &done).await?;
            Ok(changed)
        })?;
        let fractals = changed.iter().zip(finishes);
        let done = fractals.filter(|(changed, finish)| **changed && !finish.is_band);
        let done = done.count();
        metrics::FINISHED.add([State::Done.name()], done as u64);
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
        let (failed, is_band) = transaction!(self.backend, async |work| {
            let failed = fail(work, id, attempt, reason, now).await?;
            Ok((failed, is_band(work, id).await?))
        })?;
        metrics::FINISHED.add([State::Failed.name()], u64::from(failed && !is_band));
        Ok(failed)
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
        let from = reached_from(State::Rendering);
        let lock = self.backend.dialect.for_update();
        let find = sql(format!(
            "SELECT first_attempt, parent FROM fractals WHERE uuid = ? AND attempt = ? AND {from}{lock}"
        ))
        .bind(id)
        .bind(attempt);
        let (outcome, is_band) = transaction!(self.backend, async |work| {
            let Some(row) = work.row(find.clone()).await? else {
                return Ok((Outcome::Stale, false));
            };
            let is_band = row.try_get::<Option<String>, _>(1)?.is_some();
            let tries = i64::from(attempt) - row.try_get::<i64, _>(0)? + 1;
            if tries >= i64::from(MAX_ATTEMPTS) {
                let reason = format!("gave up after {tries} attempts: {reason}");
                fail(work, id, attempt, &reason, now).await?;
                return Ok((Outcome::Failed, is_band));
            }
            let update = "UPDATE fractals SET state = 'queued', attempt = attempt + 1, progress = 0.0, error = ?, \
                     updated_at = ? WHERE uuid = ?";
            work.execute(sql(update).bind(reason).bind(now).bind(id))
                .await?;
            outbox::add(work, &[id], now).await?;
            Ok((Outcome::Queued, is_band))
        })?;
        let failed = outcome == Outcome::Failed && !is_band;
        metrics::FINISHED.add([State::Failed.name()], u64::from(failed));
        Ok(outcome)
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
        let query = format!(
            "SELECT uuid, attempt FROM fractals WHERE state = 'rendering' AND updated_at < ? AND {HAS_TASK} \
             ORDER BY updated_at LIMIT {limit}"
        );
        let rows = self.backend.rows(sql(query).bind(now.minus(lease))).await?;
        let attempts = rows.iter().map(|row| {
            let attempt: i64 = row.try_get(1)?;
            Ok(u32::try_from(attempt).unwrap_or(u32::MAX))
        });
        let attempts = attempts.collect::<Result<Vec<_>, Error>>()?;
        Ok(outbox::ids(&rows)?.into_iter().zip(attempts).collect())
    }

    /// Records what an old worker says of a fractal that is not yet final. Returns whether there was such a one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn legacy_result(&self, id: Uuid, result: &LegacyResult) -> Result<bool, Error> {
        let update = sql(format!(
            "UPDATE fractals SET duration = COALESCE(?, duration), checksum = COALESCE(?, checksum), \
             size = COALESCE(?, size), generated_by = COALESCE(?, generated_by), url = COALESCE(?, url) \
             WHERE uuid = ? AND parent IS NULL AND {}",
            reached_from(State::Done)
        ))
        .bind(result.duration)
        .bind(result.checksum.as_deref())
        .bind(result.size)
        .bind(result.generated_by.as_deref())
        .bind(result.url.as_deref())
        .bind(id);
        transaction!(self.backend, async |work| Ok(work
            .execute(update.clone())
            .await?
            > 0))
    }
}

pub(crate) async fn fail(
    work: &mut Work,
    id: Uuid,
    attempt: u32,
    reason: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    let update = sql(format!(
        "UPDATE fractals SET state = 'failed', error = ?, finished_at = ?, updated_at = ? \
         WHERE uuid = ? AND attempt = ? AND {}",
        reached_from(State::Failed)
    ));
    let update = update
        .bind(reason)
        .bind(now)
        .bind(now)
        .bind(id)
        .bind(attempt);
    let failed = work.execute(update).await? > 0;
    if failed {
        outbox::remove(work, &[id]).await?;
        blobs::let_go(work, &[id]).await?;
    }
    Ok(failed)
}
