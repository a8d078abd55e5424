//! Accepting and deleting fractals.

use crate::backend::transaction;
use crate::blobs::suspect;
use crate::{Error, Store, outbox, row, sql::sql};
use faafo_model::{Colours, CreateRequest, Fractal, State, Timestamp, Uuid};
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
        };
        let id = fractal.id;
        let recipe = &fractal.recipe;
        let constant = recipe.formula.constant();
        let parameters: BTreeMap<_, _> = recipe.formula.parameters().collect();
        let parameters = (!parameters.is_empty())
            .then(|| serde_json::to_string(&parameters))
            .transpose()
            .map_err(|error| Error::corrupt(format!("parameters: {error}")))?;
        let colours = (recipe.colours != Colours::default())
            .then(|| serde_json::to_string(&recipe.colours))
            .transpose()
            .map_err(|error| Error::corrupt(format!("colours: {error}")))?;
        let inserted = transaction!(self.backend, async |work| {
            let insert = sql(
                    "INSERT INTO fractals (uuid, kind, cx, cy, parameters, colours, xa, xb, ya, yb, width, height, iterations, palette, \
                     priority, state, attempt, first_attempt, progress, created_at, updated_at) \
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', 1, 1, 0.0, ?, ?)",
                )
                .bind(id)
                .bind(recipe.formula.kind())
                .bind(constant.map(|(cx, _)| cx))
                .bind(constant.map(|(_, cy)| cy))
                .bind(parameters.clone())
                .bind(colours.clone())
                .bind(recipe.view.xa)
                .bind(recipe.view.xb)
                .bind(recipe.view.ya)
                .bind(recipe.view.yb)
                .bind(recipe.width)
                .bind(recipe.height)
                .bind(recipe.iterations)
                .bind(recipe.palette.name())
                .bind(fractal.priority)
                .bind(now)
                .bind(now);
            work.execute(insert).await?;
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
            "SELECT {} FROM fractals WHERE uuid = ?",
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
            "SELECT {} FROM fractals WHERE uuid = ?{lock}",
            row::COLUMNS
        ));
        let deleted = transaction!(self.backend, async |work| {
            let found = work.row(query.clone().bind(id)).await?;
            let Some(fractal) = found.as_ref().map(row::read).transpose()? else {
                return Ok(None);
            };
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
