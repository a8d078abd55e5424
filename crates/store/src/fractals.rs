//! What people asked for: accepting, finding and deleting fractals.

use crate::argument::Argument;
use crate::backend::{Backend, Work, transaction};
use crate::owner::{OwnerKind, Role};
use crate::recent::Found;
use crate::sql::{Sql, ids, key, marks, sql};
use crate::tasks::NewTask;
use crate::{Error, Store, StoredBlob, blobs, tasks};
use faafo_model::{CreateRequest, Field, Fractal, Part, Recipe, State, Timestamp, Uuid};
use faafo_telemetry::metrics;
use sqlx::Row;
use sqlx::any::AnyRow;
use std::collections::HashSet;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

/// The columns that [`read`] expects.
pub(crate) const COLUMNS: &str = "uuid, recipe, priority, state, attempt, progress, error, created_at, finished_at, eta, \
     duration, checksum, size, generated_by, url";

/// These and one for each field of a recipe that can be filtered by.
static ALL_COLUMNS: LazyLock<String> = LazyLock::new(|| {
    let fields: Vec<_> = Field::filterable().map(|field| field.name).collect();
    format!("{COLUMNS}, {}", fields.join(", "))
});

/// A row as a fractal.
///
/// # Errors
/// [`crate::ErrorKind::Corrupt`] for a row that this program can't have written.
pub(crate) fn read(row: &AnyRow) -> Result<Fractal, Error> {
    let uuid: String = row.try_get(0)?;
    let corrupt =
        |column: &str| Error::corrupt(format!("fractal {uuid}: column {column} makes no sense"));
    Ok(Fractal {
        id: Uuid::try_parse(&uuid).map_err(|_| corrupt("uuid"))?,
        recipe: Recipe::from_json(row.try_get(1)?).map_err(|_| corrupt("recipe"))?,
        priority: row.try_get(2)?,
        state: row
            .try_get::<&str, _>(3)?
            .parse()
            .map_err(|_| corrupt("state"))?,
        attempt: u32::try_from(row.try_get::<i64, _>(4)?).map_err(|_| corrupt("attempt"))?,
        progress: row.try_get(5)?,
        error: row.try_get(6)?,
        created_at: Timestamp(row.try_get(7)?),
        finished_at: row.try_get::<Option<i64>, _>(8)?.map(Timestamp),
        eta: row.try_get(9)?,
        duration: row.try_get(10)?,
        checksum: row.try_get(11)?,
        size: row
            .try_get::<Option<i64>, _>(12)?
            .and_then(|size| u64::try_from(size).ok()),
        generated_by: row.try_get(13)?,
        url: row.try_get(14)?,
    })
}

/// What inserts these fractals, if there are any.
pub(crate) fn insert(fractals: &[Fractal]) -> Option<Sql> {
    let row = |fractal: &Fractal| {
        let mut row = vec![
            Argument::from(fractal.id),
            fractal.recipe.to_json().into(),
            fractal.priority.into(),
            fractal.state.name().into(),
            fractal.attempt.into(),
            fractal.progress.into(),
            fractal.error.as_deref().into(),
            fractal.created_at.into(),
            fractal.finished_at.into(),
            fractal.eta.into(),
            fractal.duration.into(),
            fractal.checksum.as_deref().into(),
            fractal.size.into(),
            fractal.generated_by.as_deref().into(),
            fractal.url.as_deref().into(),
        ];
        let values = Field::filterable().map(|field| fractal.recipe.value(field));
        row.extend(values.map(Argument::from));
        row
    };
    let rows = fractals.iter().map(row).collect();
    (!fractals.is_empty()).then(|| crate::sql::insert("fractals", &ALL_COLUMNS, rows))
}

/// A fractal as it is accepted, and its first task.
fn accepted(request: &CreateRequest, now: Timestamp) -> (Fractal, NewTask) {
    let fractal = Fractal {
        id: request.id.unwrap_or_else(Uuid::now_v7),
        recipe: request.recipe.clone(),
        state: State::Queued,
        priority: request.priority,
        attempt: 1,
        progress: 0.0,
        error: None,
        created_at: now,
        finished_at: None,
        eta: None,
        duration: None,
        checksum: None,
        size: None,
        generated_by: None,
        url: None,
    };
    let part = match request.band_area {
        Some(band_area) => Part::Plan { band_area },
        None => Part::Whole,
    };
    let task = NewTask::first(fractal.id, fractal.id, part, request.priority, now);
    (fractal, task)
}

/// A request to be accepted, and when it came.
pub(crate) type Asked = (CreateRequest, Timestamp);

impl Store {
    /// Accepts a fractal: its row and its task in one transaction. Once this has returned the fractal ends done, failed
    /// or cancelled, whatever happens to the queue. `None` if the id is taken. Many that come at the same time share a
    /// transaction, for the sake of the disk.
    ///
    /// # Errors
    /// When the database fails; then nothing was accepted.
    pub async fn accept(
        &self,
        request: &CreateRequest,
        now: Timestamp,
    ) -> Result<Option<Fractal>, Error> {
        let asked = (request.clone(), now);
        let backend = Arc::clone(&self.backend);
        let accepting = move |asked| accept_all(Arc::clone(&backend), asked);
        let accepted = self.accepting.join(asked, accepting).await?;
        metrics::ACCEPTED.add([], u64::from(accepted.is_some()));
        Ok(accepted)
    }

    /// The fractal of that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get(&self, id: Uuid) -> Result<Option<Fractal>, Error> {
        let query = sql(format!("SELECT {COLUMNS} FROM fractals WHERE uuid = ?"));
        let found = self.backend.row(query.bind(id)).await?;
        found.as_ref().map(read).transpose()
    }

    /// The fractal of that id, with what is stored of it in that role. What has no thumbnail is its own. That one which
    /// is done was deleted elsewhere may be noticed a second late.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get_stored(&self, id: Uuid, role: Role) -> Result<Option<Found>, Error> {
        let reading = match self.recent.find(id, role, Instant::now()) {
            Ok(found) => return Ok(Some(found)),
            Err(reading) => reading,
        };
        let found = self.read_stored(id, role).await?;
        if let Some(found) = &found {
            self.recent.keep(role, &reading, found);
        }
        Ok(found)
    }

    async fn read_stored(&self, id: Uuid, role: Role) -> Result<Option<Found>, Error> {
        let query = sql(format!(
            "SELECT {COLUMNS}, r.sha256 AS stored, r.stored_size FROM fractals LEFT JOIN \
             (SELECT n.owner_id, n.role, n.sha256, b.size AS stored_size FROM blob_references n \
             LEFT JOIN blobs b ON b.sha256 = n.sha256 WHERE n.owner_kind = 'fractal' AND n.owner_id = ? \
             AND n.role IN (?, 'picture')) r ON r.owner_id = uuid WHERE uuid = ? ORDER BY r.role DESC"
        ));
        let query = query.bind(id).bind(role.name()).bind(id);
        // In this order a thumbnail stands before the picture.
        let Some(row) = self.backend.rows(query).await?.into_iter().next() else {
            return Ok(None);
        };
        let stored = match row.try_get::<Option<String>, _>("stored")? {
            Some(_) => Some(StoredBlob {
                key: key(&row, "stored")?,
                size: row
                    .try_get::<Option<i64>, _>("stored_size")?
                    .and_then(|size| u64::try_from(size).ok()),
            }),
            None => None,
        };
        Ok(Some((read(&row)?, stored)))
    }

    /// Removes the fractal, its tasks and its references to blobs; a worker that still renders it will be refused.
    /// `None` if there is none.
    ///
    /// # Errors
    /// When the database fails; then nothing was removed.
    pub async fn delete(&self, id: Uuid) -> Result<Option<Fractal>, Error> {
        let lock = self.backend.dialect.for_update();
        let query = format!("SELECT {COLUMNS} FROM fractals WHERE uuid = ?{lock}");
        let deleted = transaction!(self.backend, async |work| {
            tasks::lock_of(work, &[id]).await?;
            let found = work.row(sql(query.clone()).bind(id)).await?;
            let Some(fractal) = found.as_ref().map(read).transpose()? else {
                return Ok(None);
            };
            work.execute(sql("DELETE FROM fractals WHERE uuid = ?").bind(id))
                .await?;
            work.counted.add(fractal.state, -1);
            if fractal.state != State::Done {
                tasks::remove_of(work, &[id]).await?;
            }
            blobs::release(work, OwnerKind::FRACTAL, &[id], &[]).await?;
            Ok(Some(fractal))
        })?;
        self.recent.forget(id);
        metrics::DELETED.add([], u64::from(deleted.is_some()));
        Ok(deleted)
    }
}

async fn accept_all(
    backend: Arc<Backend>,
    asked: Vec<Asked>,
) -> Result<Vec<Option<Fractal>>, Error> {
    let new: Vec<_> = asked
        .iter()
        .map(|(request, now)| accepted(request, *now))
        .collect();
    // Ids that are made here are taken by nobody.
    let chosen: Vec<_> = asked.iter().filter_map(|(request, _)| request.id).collect();
    transaction!(backend, async |work| {
        let mut taken = taken(work, &chosen).await?;
        let (mut fractals, mut tasks) = (Vec::new(), Vec::new());
        let mut accepted = Vec::with_capacity(new.len());
        for (fractal, task) in &new {
            let free = taken.insert(fractal.id);
            accepted.push(free.then(|| fractal.clone()));
            if free {
                fractals.push(fractal.clone());
                tasks.push(task.clone());
            }
        }
        let inserts = [insert(&fractals), tasks::insert(&tasks)];
        for statement in inserts.into_iter().flatten() {
            work.later(statement);
        }
        work.counted.add(State::Queued, fractals.len() as i64);
        Ok(accepted)
    })
}

async fn taken(work: &mut Work, chosen: &[Uuid]) -> Result<HashSet<Uuid>, Error> {
    if chosen.is_empty() {
        return Ok(HashSet::new());
    }
    let query = format!(
        "SELECT uuid FROM fractals WHERE uuid IN ({})",
        marks(chosen.len())
    );
    let rows = work.rows(sql(query).bind_all(chosen)).await?;
    Ok(ids(&rows)?.into_iter().collect())
}

/// The states of those of these fractals that are in one of these states, locked.
pub(crate) async fn lock(
    work: &mut Work,
    fractals: &[Uuid],
    states: &[State],
) -> Result<Vec<(Uuid, State)>, Error> {
    if fractals.is_empty() {
        return Ok(Vec::new());
    }
    let query = format!(
        "SELECT uuid, state FROM fractals WHERE uuid IN ({}) AND {} ORDER BY uuid{}",
        marks(fractals.len()),
        among(states),
        work.dialect.for_update()
    );
    let rows = work.rows(sql(query).bind_all(fractals)).await?;
    let ids = ids(&rows)?;
    let found = ids.into_iter().zip(&rows);
    found.map(|(id, row)| Ok((id, state(row, 1)?))).collect()
}

/// A state.
pub(crate) fn state(row: &AnyRow, column: usize) -> Result<State, Error> {
    let state: &str = row.try_get(column)?;
    state
        .parse()
        .map_err(|error| Error::corrupt(format!("column state: {error}")))
}

/// The condition that the state is one of these.
pub(crate) fn among(states: &[State]) -> String {
    let names: Vec<_> = states.iter().map(|state| format!("'{state}'")).collect();
    format!("state IN ({})", names.join(", "))
}

/// Fractals that are locked come to the end that their work has come to; what was reserved for their pictures may go.
pub(crate) async fn end(
    work: &mut Work,
    fractals: &[(Uuid, State)],
    state: State,
    error: Option<&str>,
    now: Timestamp,
) -> Result<(), Error> {
    if fractals.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = fractals.iter().map(|(id, _)| *id).collect();
    let update = format!(
        "UPDATE fractals SET state = '{state}', error = COALESCE(?, error), finished_at = ?, eta = NULL \
         WHERE uuid IN ({})",
        marks(ids.len())
    );
    let update = sql(update).bind(error).bind(now).bind_all(&ids);
    work.execute(update).await?;
    for (_, from) in fractals {
        work.counted.moved(*from, state);
    }
    // A preview stays.
    let reserved = blobs::held(work, OwnerKind::FRACTAL, &ids).await?;
    let reserved: Vec<_> = reserved
        .into_keys()
        .filter_map(|(id, role)| (role == Role::PICTURE.name()).then_some(id))
        .collect();
    let roles = [Role::PICTURE, Role::THUMBNAIL];
    blobs::release(work, OwnerKind::FRACTAL, &reserved, &roles).await
}
