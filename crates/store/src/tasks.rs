//! Units of work, whatever they are for. A task says nothing of formulas: what it needs to know of its owner is added
//! when it is published. A task that goes through the same states as its owner has its owner's id; bands have ids of
//! their own.

use crate::backend::{Work, text};
use crate::owner::OwnerKind;
use crate::sql::{Argument, Sql, ids, insert as insert_rows, marks, sql};
use crate::{Error, blobs};
use faafo_model::{Lane, Part, State, Timestamp, Uuid};
use sqlx::Row;
use sqlx::any::AnyRow;

/// The kind of tasks that render bands, as [`Part::name`] has it.
pub(crate) const BAND: &str = "band";

/// Whom a task was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// All of its owner, whose state is the task's.
    Owner,
    /// A part, of which nobody but the tracker wants to know.
    Part,
}

/// A task to be inserted.
#[derive(Debug, Clone)]
pub(crate) struct NewTask {
    pub(crate) id: Uuid,
    pub(crate) owner: Uuid,
    pub(crate) part: Part,
    pub(crate) work: f64,
    pub(crate) lane: Lane,
    pub(crate) priority: i64,
    pub(crate) since: Timestamp,
    /// From when on it is to be published, if it is.
    pub(crate) due: Option<Timestamp>,
    pub(crate) state: State,
    pub(crate) attempt: u32,
    pub(crate) first_attempt: u32,
    pub(crate) progress: f64,
    pub(crate) error: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl NewTask {
    /// One that nobody has tried yet, to be published at once.
    pub(crate) fn first(id: Uuid, owner: Uuid, part: Part, priority: i64, now: Timestamp) -> Self {
        Self {
            id,
            owner,
            part,
            work: 0.0,
            lane: Lane::of(part, priority),
            priority,
            since: now,
            due: Some(Timestamp(0)),
            state: State::Queued,
            attempt: 1,
            first_attempt: 1,
            progress: 0.0,
            error: None,
            created_at: now,
            updated_at: now,
        }
    }
}

const COLUMNS: &str = "id, kind, owner_kind, owner_id, part, place, work, published, lane, turn, since, due, state, \
     attempt, first_attempt, progress, error, created_at, updated_at";

/// What inserts these tasks, if there are any.
pub(crate) fn insert(tasks: &[NewTask]) -> Option<Sql> {
    let row = |task: &NewTask| {
        let place = match task.part {
            Part::Band { first, .. } => first,
            _ => 0,
        };
        // Numbers and names: nothing of it can fail.
        let part = serde_json::to_string(&task.part).unwrap_or_default();
        vec![
            Argument::from(task.id),
            task.part.name().into(),
            OwnerKind::FRACTAL.name().into(),
            task.owner.into(),
            part.into(),
            place.into(),
            task.work.into(),
            i64::from(task.due.is_none()).into(),
            task.lane.name().into(),
            (-task.priority).into(),
            task.since.into(),
            task.due.unwrap_or(Timestamp(0)).into(),
            task.state.name().into(),
            task.attempt.into(),
            task.first_attempt.into(),
            task.progress.into(),
            task.error.as_deref().into(),
            task.created_at.into(),
            task.updated_at.into(),
        ]
    };
    let rows = tasks.iter().map(row).collect();
    (!tasks.is_empty()).then(|| insert_rows("tasks", COLUMNS, rows))
}

/// What a row says of the part of its owner that its task is about.
pub(crate) fn part<I: sqlx::ColumnIndex<AnyRow>>(row: &AnyRow, column: I) -> Result<Part, Error> {
    let json = text(row, column)?;
    serde_json::from_str(&json).map_err(|error| Error::corrupt(format!("task {json:?}: {error}")))
}

/// A task that is locked, so that nothing happens to it meanwhile.
#[derive(Debug, Clone)]
pub(crate) struct Locked {
    pub(crate) id: Uuid,
    pub(crate) owner: Uuid,
    pub(crate) kind: String,
    pub(crate) attempt: u32,
    pub(crate) first_attempt: u32,
}

impl Locked {
    pub(crate) fn subject(&self) -> Subject {
        if self.id == self.owner {
            Subject::Owner
        } else {
            Subject::Part
        }
    }
}

/// Locks the tasks of which the condition holds, in the order of their ids: two transactions that change several each
/// would otherwise come to wait for one another. Tables have an order as well: tasks, fractals, blobs, counters.
pub(crate) async fn lock(work: &mut Work, condition: Sql) -> Result<Vec<Locked>, Error> {
    let order = format!(" ORDER BY id{}", work.dialect.for_update());
    let select = "SELECT id, owner_id, kind, attempt, first_attempt FROM tasks WHERE ";
    let rows = work.rows(condition.after(select).and(&order)).await?;
    let number = |row: &AnyRow, column| -> Result<u32, Error> {
        Ok(u32::try_from(row.try_get::<i64, _>(column)?).unwrap_or(u32::MAX))
    };
    let ids = ids(&rows)?;
    let found = ids.into_iter().zip(&rows);
    found
        .map(|(id, row)| {
            let owner = text(row, 1)?;
            Ok(Locked {
                id,
                owner: Uuid::try_parse(&owner)
                    .map_err(|_| Error::corrupt(format!("task of {owner:?}, which is no id")))?,
                kind: text(row, 2)?,
                attempt: number(row, 3)?,
                first_attempt: number(row, 4)?,
            })
        })
        .collect()
}

/// Locks all tasks of these owners.
pub(crate) async fn lock_of(work: &mut Work, owners: &[Uuid]) -> Result<Vec<Locked>, Error> {
    if owners.is_empty() {
        return Ok(Vec::new());
    }
    let condition = sql(format!("owner_id IN ({})", marks(owners.len())));
    lock(work, condition.bind_all(owners)).await
}

/// Removes all tasks of these owners, and what is stored for them.
pub(crate) async fn remove_of(work: &mut Work, owners: &[Uuid]) -> Result<(), Error> {
    let tasks = lock_of(work, owners).await?;
    let with_blobs = tasks.iter().filter(|task| task.kind != Part::Whole.name());
    let with_blobs: Vec<_> = with_blobs.map(|task| task.id).collect();
    if !tasks.is_empty() {
        let marks = marks(owners.len());
        let delete = format!("DELETE FROM tasks WHERE owner_id IN ({marks})");
        work.execute(sql(delete).bind_all(owners)).await?;
    }
    blobs::release(work, OwnerKind::TASK, &with_blobs, &[]).await
}
