//! Which workers there are, as far as they are heard of.

use crate::backend::transaction;
use crate::sql::sql;
use crate::{Error, Store};
use faafo_model::{Presence, Timestamp, Uuid};
use serde::Serialize;
use sqlx::Row;
use std::time::Duration;

/// After so long without a word a worker is forgotten.
const MEMORY: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest name kept, in characters.
const NAME: usize = 255;

/// A worker that was heard of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Worker {
    /// What it said last.
    #[serde(flatten)]
    pub info: Presence,
    /// When it was heard of first.
    pub first_seen: Timestamp,
    /// When it was heard of last.
    pub last_seen: Timestamp,
}

impl Store {
    /// A worker was heard of. One that has stopped is forgotten.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn heartbeat(&self, info: &Presence, now: Timestamp) -> Result<(), Error> {
        if info.stopped {
            let forget = sql("DELETE FROM workers WHERE name = ?").bind(name(info));
            return transaction!(self.backend.hasty(), async |work| work
                .execute(forget.clone())
                .await
                .map(drop));
        }
        let tasks: Vec<_> = info.current.iter().map(Uuid::to_string).collect();
        let update = sql(
            "UPDATE workers SET version = ?, cores = ?, host = ?, tasks = ?, last_seen = ? WHERE name = ?",
        );
        let insert = sql(
            "INSERT INTO workers (version, cores, host, tasks, last_seen, name, first_seen) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        );
        let said = |statement| {
            let statement: crate::sql::Sql = statement;
            statement
                .bind(&*info.version)
                .bind(info.cores)
                .bind(&*info.host)
                .bind(tasks.join(" "))
                .bind(now)
                .bind(name(info))
        };
        transaction!(self.backend.hasty(), async |work| {
            if work.execute(said(update.clone())).await? == 0 {
                let forget = sql("DELETE FROM workers WHERE last_seen < ?");
                work.execute(forget.bind(now.minus(MEMORY))).await?;
                work.execute(said(insert.clone()).bind(now))
                    .await
                    .map_err(Error::duplicate_is_lost_race)?;
            }
            Ok(())
        })
    }

    /// The workers heard of within the last day, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn workers(&self, now: Timestamp) -> Result<Vec<Worker>, Error> {
        let query = sql(
            "SELECT name, version, cores, host, tasks, first_seen, last_seen FROM workers \
             WHERE last_seen >= ? ORDER BY name",
        );
        let rows = self.backend.rows(query.bind(now.minus(MEMORY))).await?;
        rows.iter()
            .map(|row| {
                let tasks: String = row.try_get("tasks")?;
                let tasks = tasks.split_whitespace().map(Uuid::try_parse);
                let info = Presence {
                    name: row.try_get("name")?,
                    version: row.try_get("version")?,
                    cores: u32::try_from(row.try_get::<i64, _>("cores")?).unwrap_or(u32::MAX),
                    host: row.try_get("host")?,
                    current: tasks.filter_map(Result::ok).collect(),
                    stopped: false,
                };
                Ok(Worker {
                    info,
                    first_seen: Timestamp(row.try_get("first_seen")?),
                    last_seen: Timestamp(row.try_get("last_seen")?),
                })
            })
            .collect()
    }
}

fn name(info: &Presence) -> String {
    info.name.chars().take(NAME).collect()
}
