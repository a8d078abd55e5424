//! The tables, and the way from each version of them to the next.

use crate::Error;
use crate::backend::{self, Dialect, whole};
use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};
use std::time::Duration;

/// Each entry brings the tables from version n to n + 1; never change one that was released, append. Every statement
/// changes one thing, so that it can be told whether it was done before.
const MIGRATIONS: &[&[&str]] = &[FIRST, SESSIONS, PARAMETERS, POSTERS, COLOURS, FORMAT];

const FIRST: &[&str] = &[
    // Numbers are 64 bits wide and points in time are microseconds since 1970, so that every database keeps every bit.
    "CREATE TABLE fractals (
        uuid VARCHAR(36){bytewise} NOT NULL PRIMARY KEY,
        kind VARCHAR(32){bytewise} NOT NULL,
        cx DOUBLE PRECISION,
        cy DOUBLE PRECISION,
        xa DOUBLE PRECISION NOT NULL,
        xb DOUBLE PRECISION NOT NULL,
        ya DOUBLE PRECISION NOT NULL,
        yb DOUBLE PRECISION NOT NULL,
        width BIGINT NOT NULL,
        height BIGINT NOT NULL,
        iterations BIGINT NOT NULL,
        palette VARCHAR(32){bytewise} NOT NULL,
        priority BIGINT NOT NULL,
        state VARCHAR(16){bytewise} NOT NULL,
        attempt BIGINT NOT NULL,
        first_attempt BIGINT NOT NULL,
        progress DOUBLE PRECISION NOT NULL,
        error {text},
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        finished_at BIGINT,
        duration DOUBLE PRECISION,
        checksum {text},
        size BIGINT,
        generated_by {text},
        url {text},
        picture VARCHAR(64){bytewise},
        thumbnail VARCHAR(64){bytewise}
    ){table}",
    "CREATE INDEX fractals_finished ON fractals (state, finished_at, uuid)",
    "CREATE INDEX fractals_updated ON fractals (state, updated_at)",
    "CREATE INDEX fractals_picture ON fractals (picture)",
    "CREATE INDEX fractals_thumbnail ON fractals (thumbnail)",
    // Tasks that the queue has not yet confirmed; turn is the negated priority, so that one index has their order.
    "CREATE TABLE outbox (
        uuid VARCHAR(36){bytewise} NOT NULL PRIMARY KEY,
        turn BIGINT NOT NULL,
        since BIGINT NOT NULL,
        claimed_until BIGINT NOT NULL
    ){table}",
    "CREATE INDEX outbox_turn ON outbox (turn, since, uuid)",
    // Every blob that a row refers to or did: 0 in use, 1 perhaps unused, 2 being deleted.
    "CREATE TABLE blobs (
        sha256 VARCHAR(64){bytewise} NOT NULL PRIMARY KEY,
        state BIGINT NOT NULL,
        claimed_until BIGINT NOT NULL
    ){table}",
    "CREATE INDEX blobs_state ON blobs (state)",
    "CREATE TABLE workers (
        name VARCHAR(255){bytewise} NOT NULL PRIMARY KEY,
        version {text} NOT NULL,
        cores BIGINT NOT NULL,
        host {text} NOT NULL,
        tasks {text} NOT NULL,
        first_seen BIGINT NOT NULL,
        last_seen BIGINT NOT NULL
    ){table}",
    "CREATE TABLE tokens (
        id VARCHAR(36){bytewise} NOT NULL PRIMARY KEY,
        hash VARCHAR(64){bytewise} NOT NULL UNIQUE,
        scope VARCHAR(32){bytewise} NOT NULL,
        label {text} NOT NULL,
        created_at BIGINT NOT NULL,
        revoked_at BIGINT
    ){table}",
    // Blobs kept in the database: an upload becomes a blob when it gets its name.
    "CREATE TABLE blob_uploads (
        upload VARCHAR(36){bytewise} NOT NULL PRIMARY KEY,
        sha256 VARCHAR(64){bytewise} UNIQUE,
        size BIGINT NOT NULL,
        touched_at BIGINT NOT NULL
    ){table}",
    "CREATE TABLE blob_data (
        upload VARCHAR(36){bytewise} NOT NULL,
        number BIGINT NOT NULL,
        length BIGINT NOT NULL,
        bytes {bytes} NOT NULL,
        PRIMARY KEY (upload, number)
    ){table}",
];

/// What formulas are told besides a constant: an object in JSON, or nothing.
const PARAMETERS: &[&str] = &["ALTER TABLE fractals ADD COLUMN parameters {text}"];

/// Large fractals are rendered in bands; a band is a row that names its poster as its parent.
const POSTERS: &[&str] = &[
    "ALTER TABLE fractals ADD COLUMN stage VARCHAR(8){bytewise}",
    "ALTER TABLE fractals ADD COLUMN band_area BIGINT",
    "ALTER TABLE fractals ADD COLUMN manifest VARCHAR(64){bytewise}",
    "ALTER TABLE fractals ADD COLUMN eta DOUBLE PRECISION",
    "ALTER TABLE fractals ADD COLUMN parent VARCHAR(36){bytewise}",
    "ALTER TABLE fractals ADD COLUMN band_first BIGINT",
    "ALTER TABLE fractals ADD COLUMN band_rows BIGINT",
    "ALTER TABLE fractals ADD COLUMN band_work DOUBLE PRECISION",
    "CREATE INDEX fractals_stage ON fractals (stage)",
    "CREATE INDEX fractals_manifest ON fractals (manifest)",
    "CREATE INDEX fractals_parent ON fractals (parent)",
];
/// What a recipe says about colours besides the palette: an object in JSON, or nothing.
const COLOURS: &[&str] = &["ALTER TABLE fractals ADD COLUMN colours {text}"];

/// What a fractal is stored as. All that were there before are pictures.
const FORMAT: &[&str] =
    &["ALTER TABLE fractals ADD COLUMN format VARCHAR(8){bytewise} NOT NULL DEFAULT 'png'"];

const SESSIONS: &[&str] = &[
    "ALTER TABLE tokens ADD COLUMN parent VARCHAR(36){bytewise}",
    "ALTER TABLE tokens ADD COLUMN expires_at BIGINT",
];

/// How long to wait for others that change the tables.
const PATIENCE: Duration = Duration::from_secs(60);

/// Brings the tables to the newest version, whoever else tries the same at the same time.
pub(crate) async fn migrate(
    dialect: &'static dyn Dialect,
    target: &AnyConnectOptions,
) -> Result<(), Error> {
    let mut connection = backend::connect(dialect, target).await?;
    let changing = change_tables(dialect, &mut connection);
    // A connection that is dropped loses its locks and its transaction.
    tokio::time::timeout(PATIENCE, changing)
        .await
        .map_err(|_| Error::unavailable("database: somebody else keeps changing the tables"))??;
    connection.close().await?;
    Ok(())
}

async fn change_tables(
    dialect: &'static dyn Dialect,
    connection: &mut AnyConnection,
) -> Result<(), Error> {
    let (alone, done) = dialect.alone();
    for statement in alone {
        connection.execute(*statement).await?;
    }
    let table = dialect.types().table;
    let versions = format!(
        "CREATE TABLE IF NOT EXISTS faafo_schema (version BIGINT NOT NULL PRIMARY KEY){table}"
    );
    connection.execute(AssertSqlSafe(versions)).await?;
    let row = connection
        .fetch_one("SELECT COALESCE(MAX(version), 0) FROM faafo_schema")
        .await?;
    let version = usize::try_from(whole(&row, 0)?).unwrap_or(0);
    if version > MIGRATIONS.len() {
        return Err(Error::config(format!(
            "database_url: the tables are of version {version}, made by a newer faafo; this one knows {}",
            MIGRATIONS.len()
        )));
    }
    for (number, statements) in MIGRATIONS.iter().enumerate().skip(version) {
        for statement in *statements {
            let statement = AssertSqlSafe(spelled(statement, dialect));
            match connection.execute(statement).await {
                Err(error) if !dialect.is_done_already(&error) => return Err(error.into()),
                _ => {}
            }
        }
        let number = number + 1;
        let version = format!("INSERT INTO faafo_schema (version) VALUES ({number})");
        connection.execute(AssertSqlSafe(version)).await?;
    }
    connection.execute(done).await?;
    Ok(())
}

fn spelled(statement: &str, dialect: &dyn Dialect) -> String {
    let types = dialect.types();
    statement
        .replace("{text}", types.text)
        .replace("{bytes}", types.bytes)
        .replace("{bytewise}", types.bytewise)
        .replace("{table}", types.table)
}
