//! Posters: fractals that are rendered in bands. A poster has one task after the other, to plan it and to join its bands,
//! and between these one task for each band. Where it stands follows from the tasks that it has.

use crate::backend::{Work, transaction};
use crate::fractals::{self, among};
use crate::owner::{OwnerKind, Role};
use crate::sql::{key, marks, sql, whole};
use crate::tasks::{self, NewTask};
use crate::{Error, Store, blobs};
use faafo_model::poster::{BANDS_SHARE, Fragment};
use faafo_model::{Bands, BlobRef, Part, PlannedBand, Recipe, State, Timestamp, Uuid};
use faafo_telemetry::metrics;
use sqlx::Row;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Posters looked at in one go.
const MOST: usize = 200;

/// What became of a poster's plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planning {
    /// Its bands are queued.
    Planned,
    /// The poster is gone, final or planned already.
    NotWanted,
    /// The bands are not the picture.
    Wrong,
}

/// What became of a poster whose bands are to be joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joining {
    /// It is queued to be joined.
    Queued,
    /// It is gone, final or joined already, or a band is not done.
    NotWanted,
    /// The manifest is just being deleted for want of use: store it again later.
    BlobGoing,
}

/// A poster whose bands are being rendered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ActivePoster {
    /// Its id.
    pub id: Uuid,
    /// The part that is rendered, as its row has it.
    pub progress: f64,
    /// How its bands stand.
    pub bands: Bands,
    /// Bands that failed for good.
    pub failed: u64,
    /// The part of the bands' work that is done, 0 to 1.
    pub work_done: f64,
    /// When it was planned.
    pub since: Timestamp,
}

impl Store {
    /// A worker has planned the poster: its bands become tasks, and it has a preview. Saying so twice does no harm.
    ///
    /// # Errors
    /// When the database fails; then nothing was changed.
    pub async fn plan(
        &self,
        id: Uuid,
        preview: BlobRef,
        bands: &[PlannedBand],
        now: Timestamp,
    ) -> Result<Planning, Error> {
        let states = State::Rendering.reached_from();
        let find = sql(format!("id = ? AND kind = 'plan' AND {}", among(states))).bind(id);
        let read = sql("SELECT recipe, priority FROM fractals WHERE uuid = ?").bind(id);
        let update = sql(
            "UPDATE fractals SET state = 'rendering', attempt = attempt + 1, progress = 0.0, error = NULL \
             WHERE uuid = ?",
        )
        .bind(id);
        transaction!(self.backend, async |work| {
            let plan = tasks::lock(work, find.clone()).await?;
            let poster = fractals::lock(work, &[id], states).await?;
            let (Some(_), Some((_, from)), Some(row)) =
                (plan.first(), poster.first(), work.row(read.clone()).await?)
            else {
                let unwanted = BTreeSet::from([preview.key]);
                blobs::note(work, &BTreeMap::new(), &unwanted).await?;
                return Ok(Planning::NotWanted);
            };
            let recipe = Recipe::from_json(row.try_get(0)?)
                .map_err(|error| Error::corrupt(format!("fractal {id}: {error}")))?;
            let rows: u64 = bands.iter().map(|band| u64::from(band.rows)).sum();
            if rows != u64::from(recipe.height) || bands.iter().any(|band| band.rows == 0) {
                return Ok(Planning::Wrong);
            }
            work.execute(update.clone()).await?;
            work.counted.moved(*from, State::Rendering);
            tasks::remove_of(work, &[id]).await?;
            if let Some(insert) = tasks::insert(&new_bands(id, bands, row.try_get(1)?, now)) {
                work.execute(insert).await?;
            }
            let wanted = BTreeMap::from([(preview.key, Some(preview.size))]);
            let going = blobs::note(work, &wanted, &BTreeSet::new()).await?;
            blobs::release(work, OwnerKind::FRACTAL, &[id], &[Role::THUMBNAIL]).await?;
            if going.is_empty() {
                let preview = (crate::Owner::fractal(id), Role::THUMBNAIL, preview.key);
                blobs::add(work, vec![preview]);
            }
            Ok(Planning::Planned)
        })
    }

    /// The posters whose bands are to be rendered or are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn active_posters(&self) -> Result<Vec<ActivePoster>, Error> {
        // One that has a task of its own is being planned or joined.
        let condition = format!(
            "t.kind = 'band' AND f.{} AND NOT EXISTS (SELECT 1 FROM tasks own WHERE own.id = t.owner_id)",
            among(State::Rendering.reached_from())
        );
        let mut active: Vec<_> = self.tally(&condition, &[]).await?.into_values().collect();
        active.sort_by_key(|poster| poster.id);
        active.truncate(MOST);
        Ok(active)
    }

    /// How the fractal's bands stand, if it has any.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bands(&self, id: Uuid) -> Result<Option<Bands>, Error> {
        let tally = self
            .tally("t.kind = 'band' AND t.owner_id = ?", &[id])
            .await?;
        Ok(tally.into_values().next().map(|poster| poster.bands))
    }

    async fn tally(
        &self,
        condition: &str,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, ActivePoster>, Error> {
        // Sums of whole numbers have another type in each database; of real ones they have the same in all.
        let query = format!(
            "SELECT t.owner_id, t.state, COUNT(*) AS n, SUM(t.work) AS work, SUM(t.work * t.progress) AS done, \
             SUM(t.work * 0.0 + t.attempt - 1) AS again, MIN(t.created_at) AS since, MAX(f.progress) AS progress \
             FROM tasks t JOIN fractals f ON f.uuid = t.owner_id WHERE {condition} GROUP BY t.owner_id, t.state"
        );
        let rows = self.backend.rows(sql(query).bind_all(ids)).await?;
        let mut work = HashMap::new();
        let mut tallies = HashMap::<Uuid, ActivePoster>::new();
        for (id, row) in crate::sql::ids(&rows)?.into_iter().zip(&rows) {
            let number = u64::try_from(whole(row, 2)?).unwrap_or(0);
            let since = Timestamp(row.try_get("since")?);
            let tally = tallies.entry(id).or_insert(ActivePoster {
                id,
                progress: row.try_get("progress")?,
                bands: Bands::default(),
                failed: 0,
                work_done: 0.0,
                since,
            });
            tally.bands.total += number;
            tally.bands.again += row.try_get::<f64, _>("again")? as u64;
            tally.since = tally.since.min(since);
            tally.work_done += row.try_get::<f64, _>("done")?;
            *work.entry(id).or_insert(0.0) += row.try_get::<f64, _>("work")?;
            match fractals::state(row, 1)? {
                State::Done => tally.bands.done += number,
                State::Rendering => tally.bands.rendering += number,
                State::Failed => tally.failed += number,
                State::Queued | State::Cancelled => {}
            }
        }
        for (id, work) in work {
            if let Some(tally) = tallies.get_mut(&id) {
                tally.work_done /= f64::max(work, f64::MIN_POSITIVE);
            }
        }
        Ok(tallies)
    }

    /// How far a poster's bands are, and the seconds that they will take. Returns whether that changed anything.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn poster_progress(
        &self,
        id: Uuid,
        progress: f64,
        eta: Option<f64>,
    ) -> Result<bool, Error> {
        let update =
            "UPDATE fractals SET state = 'rendering', progress = ?, eta = ? WHERE uuid = ?";
        let update = sql(update).bind(progress).bind(eta).bind(id);
        transaction!(self.backend, async |work| {
            let Some(from) = lock_without_task(work, id, State::Rendering).await? else {
                return Ok(false);
            };
            work.counted.moved(from, State::Rendering);
            work.execute(update.clone()).await?;
            Ok(true)
        })
    }

    /// The poster's finished bands from top to bottom.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fragments(&self, id: Uuid) -> Result<Vec<Fragment>, Error> {
        let query = "SELECT t.part, r.sha256, b.size FROM tasks t \
             JOIN blob_references r ON r.owner_id = t.id AND r.owner_kind = 'task' AND r.role = 'fragment' \
             JOIN blobs b ON b.sha256 = r.sha256 \
             WHERE t.owner_id = ? AND t.kind = 'band' AND t.state = 'done' ORDER BY t.place";
        let rows = self.backend.rows(sql(query).bind(id)).await?;
        rows.iter()
            .map(|row| {
                let corrupt = || Error::corrupt(format!("a band of {id} makes no sense"));
                let Part::Band { rows, .. } = tasks::part(row, 0)? else {
                    return Err(corrupt());
                };
                Ok(Fragment {
                    rows,
                    key: key(row, 1)?,
                    size: u64::try_from(row.try_get::<i64, _>(2)?).map_err(|_| corrupt())?,
                })
            })
            .collect()
    }

    /// All bands are done, and the stored manifest names them: the poster is queued to be joined.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn join(
        &self,
        id: Uuid,
        manifest: &BlobRef,
        now: Timestamp,
    ) -> Result<Joining, Error> {
        let read = sql("SELECT attempt, priority FROM fractals WHERE uuid = ?").bind(id);
        let update = sql(format!(
            "UPDATE fractals SET state = 'queued', attempt = attempt + 1, progress = {BANDS_SHARE}, eta = NULL \
             WHERE uuid = ?"
        ))
        .bind(id);
        let missing = sql("SELECT id FROM tasks WHERE owner_id = ? AND state <> 'done' LIMIT 1");
        transaction!(self.backend, async |work| {
            let bands = tasks::lock_of(work, &[id]).await?;
            let from = lock_without_task(work, id, State::Queued).await?;
            let missing = work.row(missing.clone().bind(id)).await?;
            let (Some(from), None, false) = (from, missing, bands.is_empty()) else {
                let unwanted = BTreeSet::from([manifest.key]);
                blobs::note(work, &BTreeMap::new(), &unwanted).await?;
                return Ok(Joining::NotWanted);
            };
            let wanted = BTreeMap::from([(manifest.key, Some(manifest.size))]);
            if !blobs::note(work, &wanted, &BTreeSet::new())
                .await?
                .is_empty()
            {
                return Ok(Joining::BlobGoing);
            }
            let Some(row) = work.row(read.clone()).await? else {
                return Ok(Joining::NotWanted);
            };
            let attempt = u32::try_from(row.try_get::<i64, _>(0)?).unwrap_or(u32::MAX);
            let part = Part::Join {
                manifest: manifest.key,
            };
            let join = NewTask {
                attempt: attempt.saturating_add(1),
                first_attempt: attempt.saturating_add(1),
                progress: BANDS_SHARE,
                ..NewTask::first(id, id, part, row.try_get(1)?, now)
            };
            work.execute(update.clone()).await?;
            work.counted.moved(from, State::Queued);
            if let Some(insert) = tasks::insert(&[join]) {
                let inserted = work.execute(insert).await;
                inserted.map_err(Error::duplicate_is_lost_race)?;
            }
            let manifest = (crate::Owner::task(id), Role::MANIFEST, manifest.key);
            blobs::add(work, vec![manifest]);
            Ok(Joining::Queued)
        })
    }

    /// A band failed for good, and so does its poster, for the same reason; its other bands are called off. Returns
    /// whether its state changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fail_poster(&self, id: Uuid, now: Timestamp) -> Result<bool, Error> {
        let why = sql(
            "SELECT part, error FROM tasks WHERE owner_id = ? AND kind = 'band' AND state = 'failed' \
             ORDER BY place LIMIT 1",
        )
        .bind(id);
        let failed = transaction!(self.backend, async |work| {
            tasks::lock_of(work, &[id]).await?;
            let from = lock_without_task(work, id, State::Failed).await?;
            let (Some(from), Some(band)) = (from, work.row(why.clone()).await?) else {
                return Ok(false);
            };
            let rows = match tasks::part(&band, 0)? {
                Part::Band { first, rows, .. } => (first, first.saturating_add(rows) - 1),
                _ => (0, 0),
            };
            let error: Option<String> = band.try_get(1)?;
            let error = error.as_deref().unwrap_or("no reason is known");
            let reason = format!("rows {} to {}: {error}", rows.0, rows.1);
            cancel_tasks(work, &[id], now).await?;
            fractals::end(work, &[(id, from)], State::Failed, Some(&reason), now).await?;
            Ok(true)
        })?;
        metrics::FINISHED.add([State::Failed.name()], u64::from(failed));
        Ok(failed)
    }
}

fn new_bands(poster: Uuid, bands: &[PlannedBand], priority: i64, now: Timestamp) -> Vec<NewTask> {
    let band = |first: &mut u32, band: &PlannedBand| {
        let part = Part::Band {
            poster,
            first: *first,
            rows: band.rows,
        };
        *first += band.rows;
        Some(NewTask {
            work: f64::from(band.work.max(f32::MIN_POSITIVE)),
            ..NewTask::first(Uuid::now_v7(), poster, part, priority, now)
        })
    };
    bands.iter().scan(0, band).collect()
}

/// The state of a poster that has bands and is neither planned nor joined just now, locked, if it may come into that
/// state.
async fn lock_without_task(work: &mut Work, id: Uuid, to: State) -> Result<Option<State>, Error> {
    // A retry is nobody's but people's.
    let unfinished = State::Rendering.reached_from();
    let states: Vec<_> = to
        .reached_from()
        .iter()
        .filter(|state| unfinished.contains(state))
        .copied()
        .collect();
    let from = fractals::lock(work, &[id], &states).await?;
    let own = "SELECT id FROM tasks WHERE id = ?";
    let bands = "SELECT id FROM tasks WHERE owner_id = ? AND kind = 'band' LIMIT 1";
    let own = work.row(sql(own).bind(id)).await?;
    let bands = work.row(sql(bands).bind(id)).await?;
    Ok(match (from.first(), own, bands) {
        (Some((_, from)), None, Some(_)) => Some(*from),
        _ => None,
    })
}

/// Calls off what is not done of these owners.
pub(crate) async fn cancel_tasks(
    work: &mut Work,
    owners: &[Uuid],
    now: Timestamp,
) -> Result<(), Error> {
    let update = format!(
        "UPDATE tasks SET state = 'cancelled', updated_at = ?, published = 1 WHERE owner_id IN ({}) AND {}",
        marks(owners.len()),
        among(State::Cancelled.reached_from())
    );
    let update = sql(update).bind(now).bind_all(owners);
    work.execute(update).await.map(drop)
}
