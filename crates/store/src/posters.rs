//! Posters: fractals that are rendered in bands. A poster has a row like every other fractal. Each of its bands has one
//! too, which names it as its parent and which nobody sees but workers and trackers, so that all that holds of tasks
//! holds of bands.

mod cascade;

use crate::backend::{Work, transaction};
use crate::results::reached_from;
use crate::sql::{marks, sql};
use crate::{Error, Store, accept, blobs, outbox, results, row};
pub(crate) use cascade::{cancel_bands, remove_bands, requeue_bands, set_priority};
use faafo_model::poster::{BANDS_SHARE, Fragment};
use faafo_model::{Bands, BlobKey, BlobRef, PlannedBand, Stage, State, Timestamp, Uuid};
use faafo_telemetry::metrics;
use sqlx::Row;
use std::collections::{HashMap, HashSet};

/// Posters looked at in one go.
const MOST: u32 = 200;

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

/// A band to be inserted.
pub(crate) struct NewBand {
    pub(crate) poster: Uuid,
    pub(crate) first: u32,
    pub(crate) planned: PlannedBand,
}

impl Store {
    /// A worker has planned the poster: its bands become rows with outbox entries of their own, and it has a preview.
    /// Saying so twice does no harm.
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
        let find = sql(format!(
            "SELECT {} FROM fractals WHERE uuid = ? AND stage = '{}' AND {}{}",
            row::COLUMNS,
            Stage::Plan,
            reached_from(State::Rendering),
            self.backend.dialect.for_update()
        ))
        .bind(id);
        let update = sql(format!(
            "UPDATE fractals SET first_attempt = attempt + 1, attempt = attempt + 1, state = 'rendering', stage = '{}', \
             progress = 0.0, error = NULL, updated_at = ? WHERE uuid = ?",
            Stage::Bands
        ))
        .bind(now)
        .bind(id);
        transaction!(self.backend, async |work| {
            let Some(row) = work.row(find.clone()).await? else {
                blobs::suspect_stored(work, &preview.key).await?;
                return Ok(Planning::NotWanted);
            };
            let poster = row::read(&row)?;
            let rows: u64 = bands.iter().map(|band| u64::from(band.rows)).sum();
            if rows != u64::from(poster.recipe.height) || bands.iter().any(|band| band.rows == 0) {
                return Ok(Planning::Wrong);
            }
            work.execute(update.clone()).await?;
            let (mut ids, mut first) = (Vec::with_capacity(bands.len()), 0);
            for band in bands {
                let mut fractal = poster.clone();
                fractal.id = Uuid::new_v4();
                let new = NewBand {
                    poster: id,
                    first,
                    planned: *band,
                };
                accept::insert(work, &fractal, Some(&new), now).await?;
                ids.push(fractal.id);
                first += band.rows;
            }
            outbox::remove(work, &[id]).await?;
            outbox::add(work, &ids, now).await?;
            if let Some(old) = poster.thumbnail {
                blobs::suspect(work, &old).await?;
            }
            let preview = blobs::make_use(work, &preview.key)
                .await?
                .then_some(&preview.key);
            let show = "UPDATE fractals SET thumbnail = ? WHERE uuid = ?";
            work.execute(sql(show).bind(preview).bind(id)).await?;
            Ok(Planning::Planned)
        })
    }

    /// The posters whose bands are to be rendered or are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn active_posters(&self) -> Result<Vec<ActivePoster>, Error> {
        let query = format!(
            "SELECT uuid, progress FROM fractals WHERE stage = '{}' AND {} ORDER BY uuid LIMIT {MOST}",
            Stage::Bands,
            reached_from(State::Rendering)
        );
        let rows = self.backend.rows(sql(query)).await?;
        let ids = outbox::ids(&rows)?;
        let mut tallies = self.tally(&ids).await?;
        let posters = ids.into_iter().zip(rows).filter_map(|(id, row)| {
            let tally = tallies.remove(&id)?;
            let poster = row.try_get("progress").map(|progress| ActivePoster {
                id,
                progress,
                bands: tally.bands,
                failed: tally.failed,
                work_done: tally.done / tally.work.max(f64::MIN_POSITIVE),
                since: Timestamp(tally.since),
            });
            Some(poster.map_err(Error::from))
        });
        posters.collect()
    }

    /// How the fractal's bands stand, if it has any.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bands(&self, id: Uuid) -> Result<Option<Bands>, Error> {
        let tally = self.tally(&[id]).await?.remove(&id);
        Ok(tally.map(|tally| tally.bands))
    }

    async fn tally(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, Tally>, Error> {
        let mut tallies = HashMap::<Uuid, Tally>::new();
        if ids.is_empty() {
            return Ok(tallies);
        }
        // Sums of whole numbers have another type in each database; of real ones they have the same in all.
        let query = format!(
            "SELECT parent, state, COUNT(*) AS n, SUM(band_work) AS work, SUM(band_work * progress) AS done, \
             SUM(band_work * 0.0 + attempt - 1) AS again, MIN(created_at) AS since FROM fractals WHERE parent IN ({}) GROUP BY parent, state",
            marks(ids.len())
        );
        for row in self.backend.rows(sql(query).bind_all(ids)).await? {
            let parent: String = row.try_get("parent")?;
            let parent = Uuid::try_parse(&parent)
                .map_err(|_| Error::corrupt(format!("band of {parent:?}, which is no id")))?;
            let state: String = row.try_get("state")?;
            let number = u64::try_from(row.try_get::<i64, _>("n")?).unwrap_or(0);
            let tally = tallies.entry(parent).or_default();
            tally.bands.total += number;
            tally.bands.again += row.try_get::<f64, _>("again")? as u64;
            tally.since = tally.since.min(row.try_get("since")?);
            tally.work += row.try_get::<f64, _>("work")?;
            tally.done += row.try_get::<f64, _>("done")?;
            match state.parse() {
                Ok(State::Done) => tally.bands.done += number,
                Ok(State::Rendering) => tally.bands.rendering += number,
                Ok(State::Failed) => tally.failed += number,
                _ => {}
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
        now: Timestamp,
    ) -> Result<bool, Error> {
        let update = sql(format!(
            "UPDATE fractals SET state = 'rendering', progress = ?, eta = ?, updated_at = ? \
             WHERE uuid = ? AND stage = '{}' AND {}",
            Stage::Bands,
            reached_from(State::Rendering)
        ));
        let update = update.bind(progress).bind(eta).bind(now).bind(id);
        let changed = transaction!(self.backend, async |work| work
            .execute(update.clone())
            .await)?;
        Ok(changed > 0)
    }

    /// The poster's finished bands from top to bottom.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fragments(&self, id: Uuid) -> Result<Vec<Fragment>, Error> {
        let query = "SELECT band_rows, picture, size FROM fractals WHERE parent = ? AND state = 'done' \
             ORDER BY band_first";
        let rows = self.backend.rows(sql(query).bind(id)).await?;
        rows.iter()
            .map(|row| {
                let corrupt = || Error::corrupt(format!("a band of {id} makes no sense"));
                let key: Option<String> = row.try_get("picture")?;
                Ok(Fragment {
                    rows: u32::try_from(row.try_get::<i64, _>("band_rows")?)
                        .map_err(|_| corrupt())?,
                    key: key.and_then(|key| key.parse().ok()).ok_or_else(corrupt)?,
                    size: u64::try_from(row.try_get::<i64, _>("size")?).map_err(|_| corrupt())?,
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
        manifest: &BlobKey,
        now: Timestamp,
    ) -> Result<Joining, Error> {
        let lock = self.backend.dialect.for_update();
        let find = sql(format!(
            "SELECT uuid FROM fractals WHERE uuid = ? AND stage = '{}' AND {}{lock}",
            Stage::Bands,
            reached_from(State::Rendering)
        ))
        .bind(id);
        let missing = sql("SELECT uuid FROM fractals WHERE parent = ? AND state <> 'done' LIMIT 1");
        let update = sql(format!(
            "UPDATE fractals SET first_attempt = attempt + 1, attempt = attempt + 1, state = 'queued', stage = '{}', \
             progress = {BANDS_SHARE}, eta = NULL, manifest = ?, updated_at = ? WHERE uuid = ?",
            Stage::Join
        ));
        transaction!(self.backend, async |work| {
            if work.row(find.clone()).await?.is_none()
                || work.row(missing.clone().bind(id)).await?.is_some()
            {
                blobs::suspect_stored(work, manifest).await?;
                return Ok(Joining::NotWanted);
            }
            let update = update.clone().bind(manifest).bind(now).bind(id);
            work.execute(update).await?;
            outbox::add(work, &[id], now).await?;
            if !blobs::make_use(work, manifest).await? {
                let back = format!(
                    "UPDATE fractals SET state = 'rendering', stage = '{}', manifest = NULL WHERE uuid = ?",
                    Stage::Bands
                );
                work.execute(sql(back).bind(id)).await?;
                outbox::remove(work, &[id]).await?;
                return Ok(Joining::BlobGoing);
            }
            Ok(Joining::Queued)
        })
    }

    /// A band failed for good, and so does its poster, for the same reason; its other bands are called off. Returns
    /// whether its state changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fail_poster(&self, id: Uuid, now: Timestamp) -> Result<bool, Error> {
        let lock = self.backend.dialect.for_update();
        let find = sql(format!(
            "SELECT attempt FROM fractals WHERE uuid = ? AND stage = '{}' AND {}{lock}",
            Stage::Bands,
            reached_from(State::Failed)
        ))
        .bind(id);
        let why = sql("SELECT band_first, band_rows, error FROM fractals WHERE parent = ? AND state = 'failed' \
             ORDER BY band_first LIMIT 1")
        .bind(id);
        let failed = transaction!(self.backend, async |work| {
            let (Some(poster), Some(band)) =
                (work.row(find.clone()).await?, work.row(why.clone()).await?)
            else {
                return Ok(false);
            };
            let first: i64 = band.try_get("band_first")?;
            let last = first + band.try_get::<i64, _>("band_rows")? - 1;
            let error: Option<String> = band.try_get("error")?;
            let reason = format!(
                "rows {first} to {last}: {}",
                error.as_deref().unwrap_or("no reason is known")
            );
            let attempt: i64 = poster.try_get("attempt")?;
            let attempt = u32::try_from(attempt).unwrap_or(u32::MAX);
            results::fail(work, id, attempt, &reason, now).await?;
            cancel_bands(work, &[id], now).await?;
            Ok(true)
        })?;
        metrics::FINISHED.add([State::Failed.name()], u64::from(failed));
        Ok(failed)
    }

    /// Removes the bands of posters that are done, which need them no more. Returns whether there were any.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_joined_bands(&self) -> Result<bool, Error> {
        let query = format!(
            "SELECT uuid FROM fractals WHERE stage IS NOT NULL AND state = 'done' LIMIT {MOST}"
        );
        let joined = outbox::ids(&self.backend.rows(sql(query)).await?)?;
        for id in &joined {
            transaction!(self.backend, async |work| {
                remove_bands(work, *id).await?;
                let update =
                    "UPDATE fractals SET stage = NULL, manifest = NULL, eta = NULL WHERE uuid = ?";
                work.execute(sql(update).bind(*id)).await
            })?;
        }
        Ok(!joined.is_empty())
    }

    /// Those of these ids that are bands of posters.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bands_among(&self, ids: &[Uuid]) -> Result<HashSet<Uuid>, Error> {
        if ids.is_empty() {
            return Ok(HashSet::new());
        }
        let query = format!(
            "SELECT uuid FROM fractals WHERE parent IS NOT NULL AND uuid IN ({})",
            marks(ids.len())
        );
        let rows = self.backend.rows(sql(query).bind_all(ids)).await?;
        Ok(outbox::ids(&rows)?.into_iter().collect())
    }
}

struct Tally {
    bands: Bands,
    failed: u64,
    /// Seconds of all bands, and those that are done of them.
    work: f64,
    done: f64,
    /// When the first was planned.
    since: i64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            bands: Bands::default(),
            failed: 0,
            work: 0.0,
            done: 0.0,
            since: i64::MAX,
        }
    }
}

/// Whether the row is a band.
pub(crate) async fn is_band(work: &mut Work, id: Uuid) -> Result<bool, Error> {
    let query = "SELECT uuid FROM fractals WHERE uuid = ? AND parent IS NOT NULL";
    Ok(work.row(sql(query).bind(id)).await?.is_some())
}
