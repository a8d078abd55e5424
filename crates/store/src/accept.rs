//! Accepting and deleting fractals.

use crate::{Error, Store, row};
use faafo_model::{CreateRequest, Fractal, State, Timestamp, Uuid};

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
        let id = request.id.unwrap_or_else(Uuid::new_v4);
        let recipe = &request.recipe;
        let constant = recipe.formula.constant();
        let mut transaction = self.backend.begin().await?;
        let inserted = self
            .backend
            .query(
                "INSERT INTO fractals (uuid, kind, cx, cy, xa, xb, ya, yb, width, height, iterations, palette, state, \
                 attempt, progress, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(id.to_string())
            .bind(recipe.formula.kind())
            .bind(constant.map(|(cx, _)| cx))
            .bind(constant.map(|(_, cy)| cy))
            .bind(recipe.view.xa)
            .bind(recipe.view.xb)
            .bind(recipe.view.ya)
            .bind(recipe.view.yb)
            .bind(i64::from(recipe.width))
            .bind(i64::from(recipe.height))
            .bind(i64::from(recipe.iterations))
            .bind(recipe.palette.name())
            .bind(State::Queued.name())
            .bind(1i64)
            .bind(0f64)
            .bind(now.0)
            .bind(now.0)
            .execute(&mut *transaction)
            .await;
        match inserted {
            Ok(_) => {}
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        self.backend
            .query("INSERT INTO outbox (uuid, since) VALUES (?, ?)")
            .bind(id.to_string())
            .bind(now.0)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Some(Fractal {
            id,
            recipe: recipe.clone(),
            state: State::Queued,
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
        }))
    }

    /// The fractal of that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get(&self, id: Uuid) -> Result<Option<Fractal>, Error> {
        let sql = format!("SELECT {} FROM fractals WHERE uuid = ?", row::COLUMNS);
        let found = self
            .backend
            .query(sql)
            .bind(id.to_string())
            .fetch_optional(&self.backend.read)
            .await?;
        found.as_ref().map(row::read).transpose()
    }

    /// Removes the fractal, its outbox entry and its references to blobs; a worker that still renders it will be
    /// refused. `None` if there is none.
    ///
    /// # Errors
    /// When the database fails; then nothing was removed.
    pub async fn delete(&self, id: Uuid) -> Result<Option<Fractal>, Error> {
        let mut transaction = self.backend.begin().await?;
        let sql = format!(
            "SELECT {} FROM fractals WHERE uuid = ?{}",
            row::COLUMNS,
            self.backend.dialect.for_update()
        );
        let found = self
            .backend
            .query(sql)
            .bind(id.to_string())
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(fractal) = found.as_ref().map(row::read).transpose()? else {
            return Ok(None);
        };
        for sql in [
            "DELETE FROM fractals WHERE uuid = ?",
            "DELETE FROM outbox WHERE uuid = ?",
        ] {
            self.backend
                .query(sql)
                .bind(id.to_string())
                .execute(&mut *transaction)
                .await?;
        }
        for key in [fractal.picture, fractal.thumbnail].into_iter().flatten() {
            self.backend
                .query("UPDATE blobs SET state = 1 WHERE sha256 = ? AND state = 0")
                .bind(key.to_string())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(Some(fractal))
    }
}
