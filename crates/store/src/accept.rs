//! Accepting and deleting fractals.

use crate::backend::{Work, transaction};
use crate::blobs::suspect;
use crate::posters::{NewBand, remove_bands};
use crate::{Error, Store, outbox, row, sql::sql};
use faafo_model::{Colours, CreateRequest, Fractal, Poster, Stage, State, Timestamp, Uuid};
use faafo_telemetry::metrics;
use std::collections::{BTreeMap, BTreeSet};

impl Store {
    /// Accepts a fractal: its row and its outbox entry in one transaction. Once this has returned the fractal ends
    /// done, failed or cancelled, whatever happens to the queue. `None` if the id is taken.
    ///
    /// # Errors
    /// When the database fails; then nothing was accepted.
    pub async fn accept(
        &self,
        request: &CreateRequest,
        now: Timestamp,
    ) -> Result<Option<Fractal>, Error> {
        let fractal = Fractal {
            id: request.id.unwrap_or_else(Uuid::new_v4),
            recipe: request.recipe.clone(),
            state: State::Queued,
            priority: request.priority,
            attempt: 1,
            progress: 0.0,
            error: None,
            created_at: now,
            finished_at: None,
            duration: None,
            checksum: None,
            size: None,
            generated_by: None,
            url: None,
            picture: None,
            thumbnail: None,
            poster: request.band_area.map(|_| Poster {
                stage: Stage::Plan,
                eta: None,
            }),
        };
        let id = fractal.id;
        let inserted = transaction!(self.backend, async |work| {
            insert(work, &fractal, None, now).await?;
            if let Some(area) = request.band_area {
                let update = "UPDATE fractals SET stage = ?, band_area = ? WHERE uuid = ?";
                let area = i64::try_from(area).unwrap_or(i64::MAX);
                let update = sql(update).bind(Stage::Plan.name()).bind(area).bind(id);
                work.execute(update).await?;
            }
            outbox::add(work, &[id], now).await
        });
        match inserted {
            Ok(()) => {
                metrics::ACCEPTED.add([], 1);
                Ok(Some(fractal))
            }
            Err(error) if error.is_duplicate() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The fractal of that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get(&self, id: Uuid) -> Result<Option<Fractal>, Error> {
        let query = sql(format!(
            "SELECT {} FROM fractals WHERE uuid = ? AND parent IS NULL",
            row::COLUMNS
        ));
        let found = self.backend.row(query.bind(id)).await?;
        found.as_ref().map(row::read).transpose()
    }

    /// Removes the fractal, its outbox entry and its references to blobs; a worker that still renders it will be
    /// refused. `None` if there is none.
    ///
    /// # Errors
    /// When the database fails; then nothing was removed.
    pub async fn delete(&self, id: Uuid) -> Result<Option<Fractal>, Error> {
        let lock = self.backend.dialect.for_update();
        let query = sql(format!(
            "SELECT {} FROM fractals WHERE uuid = ? AND parent IS NULL{lock}",
            row::COLUMNS
        ));
        let deleted = transaction!(self.backend, async |work| {
            let found = work.row(query.clone().bind(id)).await?;
            let Some(fractal) = found.as_ref().map(row::read).transpose()? else {
                return Ok(None);
            };
            if fractal.poster.is_some() {
                remove_bands(work, id).await?;
            }
            work.execute(sql("DELETE FROM fractals WHERE uuid = ?").bind(id))
                .await?;
            outbox::remove(work, &[id]).await?;
            let keys: BTreeSet<_> = [fractal.picture, fractal.thumbnail].into();
            for key in keys.iter().flatten() {
                suspect(work, key).await?;
            }
            Ok(Some(fractal))
        })?;
        metrics::DELETED.add([], u64::from(deleted.is_some()));
        Ok(deleted)
    }
}

/// Inserts a fractal that is queued for the first time, or a band of one.
pub(crate) async fn insert(
    work: &mut Work,
    fractal: &Fractal,
    band: Option<&NewBand>,
    now: Timestamp,
) -> Result<(), Error> {
    let recipe = &fractal.recipe;
    let constant = recipe.formula.constant();
    let edges = recipe.view.edges();
    let parameters: BTreeMap<_, _> = recipe.formula.parameters().collect();
    let parameters = (!parameters.is_empty())
        .then(|| serde_json::to_string(&parameters))
        .transpose()
        .map_err(|error| Error::corrupt(format!("parameters: {error}")))?;
    let colours = (recipe.colours != Colours::default())
        .then(|| serde_json::to_string(&recipe.colours))
        .transpose()
        .map_err(|error| Error::corrupt(format!("colours: {error}")))?;
    let insert = sql(
        "INSERT INTO fractals (uuid, kind, cx, cy, parameters, colours, xa, xb, ya, yb, width, height, iterations, palette, \
         format, priority, state, attempt, first_attempt, progress, created_at, updated_at, \
         parent, band_first, band_rows, band_work) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', 1, 1, 0.0, ?, ?, ?, ?, ?, ?)",
    )
    .bind(fractal.id)
    .bind(recipe.formula.kind())
    .bind(constant.map(|(cx, _)| cx))
    .bind(constant.map(|(_, cy)| cy))
    .bind(parameters)
    .bind(colours)
    .bind(edges[0])
    .bind(edges[1])
    .bind(edges[2])
    .bind(edges[3])
    .bind(recipe.width)
    .bind(recipe.height)
    .bind(recipe.iterations)
    .bind(recipe.palette.name())
    .bind(recipe.format.name())
    .bind(fractal.priority)
    .bind(now)
    .bind(now)
    .bind(band.map(|band| band.poster))
    .bind(band.map(|band| band.first))
    .bind(band.map(|band| band.planned.rows))
    .bind(band.map(|band| f64::from(band.planned.work.max(f32::MIN_POSITIVE))));
    work.execute(insert).await.map(drop)
}
