//! SQLite: one file, one writer at a time, readers beside it (WAL).

use crate::Error;
use crate::backend::{Backend, Dialect};
use async_trait::async_trait;
use sqlx::AnyPool;
use sqlx::Executor;
use sqlx::any::AnyPoolOptions;
use std::time::Duration;

pub(crate) struct Sqlite;

/// Readers at once; each is a thread with a page cache of its own.
const READERS: u32 = 4;

#[async_trait]
impl Dialect for Sqlite {
    async fn connect(&'static self, url: &str) -> Result<Backend, Error> {
        sqlx::any::install_default_drivers();
        let url = if url.contains('?') {
            format!("{url}&mode=rwc")
        } else {
            format!("{url}?mode=rwc")
        };
        // The writer first: it creates the file and switches it to WAL before anybody reads.
        let write = pool(&url, 1, 1).await?;
        let read = pool(&url, 1, READERS).await?;
        Ok(Backend {
            dialect: self,
            read,
            write,
        })
    }

    fn begin_write(&self) -> &'static str {
        // A deferred transaction that turns into a writer fails at once when another one was quicker.
        "BEGIN IMMEDIATE"
    }

    fn for_update(&self) -> &'static str {
        ""
    }
}

async fn pool(url: &str, least: u32, most: u32) -> Result<AnyPool, Error> {
    let options = AnyPoolOptions::new()
        .min_connections(least)
        .max_connections(most)
        .acquire_timeout(Duration::from_secs(30))
        .after_connect(|connection, _| {
            Box::pin(async move {
                // FULL: what was accepted survives a power cut, not only a crash of ours.
                connection
                    .execute(
                        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 30000; \
                         PRAGMA foreign_keys = ON; PRAGMA cache_size = -2000; PRAGMA temp_store = MEMORY",
                    )
                    .await
                    .map(drop)
            })
        });
    Ok(options.connect(url).await?)
}
