//! From version 6, where a band was a row among the fractals and a recipe was spread over columns. Where a database
//! can't change tables in a transaction each step can be done again, so that what was cut off goes on.

use super::{FRACTALS, Tables, create, execute};
use crate::Error;
use crate::backend::{Dialect, text};
use crate::sql::{Sql, sql};
use crate::tasks::NewTask;
use crate::{fractals, tasks};
use faafo_model::{
    Colours, Format, Formula, Fractal, Lane, Palette, Part, Recipe, State, Timestamp, Uuid, View,
};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Executor, Row};
use std::collections::BTreeMap;

/// Rows copied at a time.
const BATCH: u32 = 250;

/// Tables of version 6 under the names that they have until they are gone. The last one goes last.
const OLD: [(&str, &str); 3] = [
    ("outbox", "outbox_6"),
    ("blobs", "blobs_6"),
    (FRACTALS, "fractals_6"),
];

/// Everything but recipes, which databases can't write as documents.
const COPY: [&str; 8] = [
    "INSERT INTO blobs (sha256, size, state, claimed_until) \
     SELECT b.sha256, (SELECT MAX(f.size) FROM fractals_6 f WHERE f.picture = b.sha256 AND f.state = 'done'), \
     b.state, b.claimed_until FROM blobs_6 b",
    "INSERT INTO blob_references (owner_kind, owner_id, role, sha256) \
     SELECT 'fractal', uuid, 'picture', picture FROM fractals_6 WHERE picture IS NOT NULL AND parent IS NULL",
    "INSERT INTO blob_references (owner_kind, owner_id, role, sha256) \
     SELECT 'fractal', uuid, 'thumbnail', thumbnail FROM fractals_6 WHERE thumbnail IS NOT NULL AND parent IS NULL",
    "INSERT INTO blob_references (owner_kind, owner_id, role, sha256) \
     SELECT 'task', uuid, 'fragment', picture FROM fractals_6 WHERE picture IS NOT NULL AND parent IS NOT NULL",
    "INSERT INTO blob_references (owner_kind, owner_id, role, sha256) \
     SELECT 'task', uuid, 'manifest', manifest FROM fractals_6 WHERE manifest IS NOT NULL",
    // Of posters that were done, whose bands had not gone yet.
    "DELETE FROM blob_references WHERE owner_kind = 'task' AND owner_id NOT IN (SELECT id FROM tasks)",
    "UPDATE blobs SET state = 1 WHERE state = 0 \
     AND NOT EXISTS (SELECT 1 FROM blob_references r WHERE r.sha256 = blobs.sha256)",
    "UPDATE counters SET \
     queued = (SELECT COUNT(*) FROM fractals WHERE state = 'queued'), \
     rendering = (SELECT COUNT(*) FROM fractals WHERE state = 'rendering'), \
     done = (SELECT COUNT(*) FROM fractals WHERE state = 'done'), \
     failed = (SELECT COUNT(*) FROM fractals WHERE state = 'failed'), \
     cancelled = (SELECT COUNT(*) FROM fractals WHERE state = 'cancelled') \
     WHERE what = 'fractal' AND shard = 0",
];

pub(super) async fn change(
    dialect: &dyn Dialect,
    connection: &mut AnyConnection,
    tables: &Tables,
) -> Result<(), Error> {
    tracing::info!("changing the tables to a new version, which may take some minutes");
    // The new tables are made after all of these have their new names, and copied before the last one goes.
    let renamed = tables.have("tasks");
    for (name, old) in OLD {
        if !renamed && !tables.have(old) {
            let rename = format!("ALTER TABLE {name} RENAME TO {old}");
            execute(dialect, connection, rename).await?;
        }
    }
    create(dialect, connection, 6).await?;
    if !renamed || tables.have("fractals_6") {
        copy_rows(dialect, connection).await?;
        for statement in COPY {
            execute(dialect, connection, statement).await?;
        }
    }
    for (_, old) in OLD {
        execute(dialect, connection, format!("DROP TABLE IF EXISTS {old}")).await?;
    }
    Ok(())
}

async fn copy_rows(dialect: &dyn Dialect, connection: &mut AnyConnection) -> Result<(), Error> {
    let last = "SELECT MAX(id) FROM (SELECT MAX(uuid) AS id FROM fractals UNION ALL SELECT MAX(id) AS id FROM tasks) t";
    let row = connection.fetch_one(last).await?;
    let mut after: String = row.try_get::<Option<String>, _>(0)?.unwrap_or_default();
    let read = format!(
        "SELECT f.*, o.since AS outbox_since, o.claimed_until AS outbox_due, p.state AS parent_state FROM fractals_6 f \
         LEFT JOIN outbox_6 o ON o.uuid = f.uuid LEFT JOIN fractals_6 p ON p.uuid = f.parent \
         WHERE f.uuid > ? ORDER BY f.uuid LIMIT {BATCH}"
    );
    loop {
        let read = sql(read.clone()).bind(after.as_str()).prepare(dialect);
        let rows = read.fetch_all(&mut *connection).await?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = text(last, "uuid")?;
        let (mut copied, mut unfinished) = (Vec::new(), Vec::new());
        for row in &rows {
            let task = task(row)?;
            let is_band = row.try_get::<Option<String>, _>("parent")?.is_some();
            if !is_band {
                copied.push(fractal(row)?);
            }
            unfinished.extend(task);
        }
        let at_once = dialect.changes_tables_at_once();
        if at_once {
            connection.execute("BEGIN").await?;
        }
        let statements = [fractals::insert(&copied), tasks::insert(&unfinished)];
        for statement in statements.into_iter().flatten() {
            run(dialect, connection, statement).await?;
        }
        if at_once {
            connection.execute("COMMIT").await?;
        }
    }
}

async fn run(
    dialect: &dyn Dialect,
    connection: &mut AnyConnection,
    statement: Sql,
) -> Result<(), Error> {
    let statement = statement.prepare(dialect);
    statement.execute(&mut *connection).await?;
    Ok(())
}

fn corrupt(row: &AnyRow, column: &str) -> Error {
    let uuid: String = row.try_get("uuid").unwrap_or_default();
    Error::corrupt(format!("fractal {uuid}: column {column} makes no sense"))
}

fn whole(row: &AnyRow, column: &str) -> Result<u32, Error> {
    u32::try_from(row.try_get::<i64, _>(column)?).map_err(|_| corrupt(row, column))
}

fn id(row: &AnyRow, column: &str) -> Result<Uuid, Error> {
    let id: String = row.try_get(column)?;
    Uuid::try_parse(&id).map_err(|_| corrupt(row, column))
}

fn state(row: &AnyRow) -> Result<State, Error> {
    let state: String = row.try_get("state")?;
    state.parse().map_err(|_| corrupt(row, "state"))
}

fn fractal(row: &AnyRow) -> Result<Fractal, Error> {
    Ok(Fractal {
        id: id(row, "uuid")?,
        recipe: recipe(row)?,
        state: state(row)?,
        priority: row.try_get("priority")?,
        attempt: whole(row, "attempt")?,
        progress: row.try_get("progress")?,
        error: row.try_get("error")?,
        created_at: Timestamp(row.try_get("created_at")?),
        finished_at: row.try_get::<Option<i64>, _>("finished_at")?.map(Timestamp),
        eta: row.try_get("eta")?,
        duration: row.try_get("duration")?,
        checksum: row.try_get("checksum")?,
        size: row
            .try_get::<Option<i64>, _>("size")?
            .and_then(|size| u64::try_from(size).ok()),
        generated_by: row.try_get("generated_by")?,
        url: row.try_get("url")?,
    })
}

fn recipe(row: &AnyRow) -> Result<Recipe, Error> {
    let parameters: Option<String> = row.try_get("parameters")?;
    let parameters: BTreeMap<String, f64> = parameters
        .map_or(Ok(BTreeMap::new()), |json| serde_json::from_str(&json))
        .map_err(|_| corrupt(row, "parameters"))?;
    let colours: Option<String> = row.try_get("colours")?;
    let colours = colours
        .map_or(Ok(Colours::default()), |json| serde_json::from_str(&json))
        .map_err(|_| corrupt(row, "colours"))?;
    let kind: String = row.try_get("kind")?;
    let (cx, cy): (Option<f64>, Option<f64>) = (row.try_get("cx")?, row.try_get("cy")?);
    let palette: String = row.try_get("palette")?;
    let format: String = row.try_get("format")?;
    Ok(Recipe {
        formula: Formula::from_parts(&kind, cx.zip(cy), parameters)
            .ok_or_else(|| corrupt(row, "kind"))?,
        view: View {
            xa: row.try_get("xa")?,
            xb: row.try_get("xb")?,
            ya: row.try_get("ya")?,
            yb: row.try_get("yb")?,
        },
        width: whole(row, "width")?,
        height: whole(row, "height")?,
        iterations: whole(row, "iterations")?,
        palette: Palette::named(&palette).ok_or_else(|| corrupt(row, "palette"))?,
        colours,
        format: Format::named(&format).ok_or_else(|| corrupt(row, "format"))?,
    })
}

/// The task that the row stands for, if it has one.
fn task(row: &AnyRow) -> Result<Option<NewTask>, Error> {
    let state = state(row)?;
    let (part, owner, work) = match row.try_get::<Option<String>, _>("parent")? {
        Some(_) => {
            let parent: Option<String> = row.try_get("parent_state")?;
            if parent.is_none_or(|parent| parent == State::Done.name()) {
                return Ok(None);
            }
            let poster = id(row, "parent")?;
            let (first, rows) = (whole(row, "band_first")?, whole(row, "band_rows")?);
            let part = Part::Band {
                poster,
                first,
                rows,
            };
            (part, poster, row.try_get("band_work")?)
        }
        None if state == State::Done => return Ok(None),
        None => {
            let stage: Option<String> = row.try_get("stage")?;
            let part = match stage.as_deref() {
                None => Part::Whole,
                Some("plan") => {
                    let area = row.try_get::<i64, _>("band_area")?;
                    let area = u64::try_from(area).map_err(|_| corrupt(row, "band_area"))?;
                    Part::Plan { band_area: area }
                }
                Some("join") => {
                    let manifest: String = text(row, "manifest")?;
                    let manifest = manifest.parse().map_err(|_| corrupt(row, "manifest"))?;
                    Part::Join { manifest }
                }
                // Its bands have tasks.
                Some(_) => return Ok(None),
            };
            (part, id(row, "uuid")?, 0.0)
        }
    };
    let created_at = Timestamp(row.try_get("created_at")?);
    let priority: i64 = row.try_get("priority")?;
    let since = row.try_get::<Option<i64>, _>("outbox_since")?;
    let due = row.try_get::<Option<i64>, _>("outbox_due")?;
    Ok(Some(NewTask {
        id: id(row, "uuid")?,
        owner,
        part,
        work,
        lane: Lane::of(part, priority),
        priority,
        since: since.map_or(created_at, Timestamp),
        due: due.map(Timestamp).filter(|_| state == State::Queued),
        state,
        attempt: whole(row, "attempt")?,
        first_attempt: whole(row, "first_attempt")?,
        progress: row.try_get("progress")?,
        error: row.try_get("error")?,
        created_at,
        updated_at: Timestamp(row.try_get("updated_at")?),
    }))
}
