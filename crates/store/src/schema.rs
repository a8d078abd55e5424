//! The tables, and the way from each version of them to the next.

use crate::Error;
use crate::backend::Backend;
use sqlx::Row;

/// Each entry brings the tables from version n to n + 1; never change one that was released, append.
const MIGRATIONS: &[&[&str]] = &[&[
    // Numbers are 64 bits wide and points in time are microseconds since 1970, so that every database keeps every bit.
    "CREATE TABLE fractals (
        uuid VARCHAR(36) NOT NULL PRIMARY KEY,
        kind VARCHAR(32) NOT NULL,
        cx DOUBLE PRECISION,
        cy DOUBLE PRECISION,
        xa DOUBLE PRECISION NOT NULL,
        xb DOUBLE PRECISION NOT NULL,
        ya DOUBLE PRECISION NOT NULL,
        yb DOUBLE PRECISION NOT NULL,
        width BIGINT NOT NULL,
        height BIGINT NOT NULL,
        iterations BIGINT NOT NULL,
        palette VARCHAR(32) NOT NULL,
        state VARCHAR(16) NOT NULL,
        attempt BIGINT NOT NULL,
        progress DOUBLE PRECISION NOT NULL,
        error TEXT,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        finished_at BIGINT,
        duration DOUBLE PRECISION,
        checksum TEXT,
        size BIGINT,
        generated_by TEXT,
        url TEXT,
        picture VARCHAR(64),
        thumbnail VARCHAR(64)
    )",
    "CREATE INDEX fractals_finished ON fractals (state, finished_at, uuid)",
    "CREATE INDEX fractals_updated ON fractals (state, updated_at)",
    "CREATE INDEX fractals_picture ON fractals (picture)",
    "CREATE INDEX fractals_thumbnail ON fractals (thumbnail)",
    // Tasks that the queue has not yet confirmed.
    "CREATE TABLE outbox (
        uuid VARCHAR(36) NOT NULL PRIMARY KEY,
        since BIGINT NOT NULL
    )",
    "CREATE INDEX outbox_since ON outbox (since, uuid)",
    // Every blob that a row refers to or did: 0 in use, 1 perhaps unused, 2 being deleted.
    "CREATE TABLE blobs (
        sha256 VARCHAR(64) NOT NULL PRIMARY KEY,
        state BIGINT NOT NULL
    )",
    "CREATE INDEX blobs_state ON blobs (state)",
]];

/// Brings the tables to the newest version.
pub(crate) async fn migrate(backend: &Backend) -> Result<(), Error> {
    backend
        .query("CREATE TABLE IF NOT EXISTS faafo_schema (version BIGINT NOT NULL PRIMARY KEY)")
        .execute(&backend.write)
        .await?;
    let mut transaction = backend.begin().await?;
    let row = backend
        .query("SELECT COALESCE(MAX(version), 0) FROM faafo_schema")
        .fetch_one(&mut *transaction)
        .await?;
    let version = usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0);
    if version > MIGRATIONS.len() {
        return Err(Error::config(format!(
            "database_url: the tables are of version {version}, made by a newer faafo; this one knows {}",
            MIGRATIONS.len()
        )));
    }
    for (number, statements) in MIGRATIONS.iter().enumerate().skip(version) {
        for statement in *statements {
            backend.query(*statement).execute(&mut *transaction).await?;
        }
        backend
            .query("INSERT INTO faafo_schema (version) VALUES (?)")
            .bind(number as i64 + 1)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}
