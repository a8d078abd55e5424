//! SQLite: one file, one writer at a time, readers beside it (WAL).

use crate::dialect::{Dialect, Types};
use std::time::Duration;

pub(crate) struct Sqlite;

impl Dialect for Sqlite {
    fn url(&self, url: &str) -> String {
        let separator = if url.contains('?') { '&' } else { '?' };
        format!("{url}{separator}mode=rwc")
    }

    fn session(&self) -> &'static [&'static str] {
        // What is sorted, however much, goes to files once it is larger than the cache.
        // FULL: what was accepted survives a power cut, not only a crash of ours.
        &[
            "PRAGMA busy_timeout = 30000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
         PRAGMA foreign_keys = ON; PRAGMA cache_size = -2000; PRAGMA temp_store = FILE",
        ]
    }

    fn connections(&self) -> (Option<u32>, u32) {
        // Each reader is a thread with a page cache of its own.
        (Some(3), 1)
    }

    fn patience(&self) -> (Duration, Duration) {
        // Nothing can vanish here: who waits, waits for the other writers.
        (Duration::from_secs(30), Duration::from_secs(60))
    }

    fn takes_several(&self) -> bool {
        true
    }

    fn begin_write(&self) -> &'static str {
        // A deferred transaction that turns into a writer fails at once when another one was quicker.
        "PRAGMA synchronous = FULL; BEGIN IMMEDIATE"
    }

    fn begin_hasty(&self) -> &'static str {
        // The log is written in order: whatever syncs it next, syncs this.
        "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE"
    }

    fn for_update(&self) -> &'static str {
        ""
    }

    fn skip_locked(&self) -> &'static str {
        ""
    }

    fn types(&self) -> Types {
        Types {
            text: "TEXT",
            bytes: "BLOB",
            bytewise: "",
            table: "",
            partial_indexes: true,
        }
    }

    fn catalogue(&self) -> &'static str {
        "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'"
    }

    fn shards(&self) -> i64 {
        // There is one writer.
        1
    }

    fn alone(&self) -> (&'static [&'static str], &'static str) {
        (&["BEGIN IMMEDIATE"], "COMMIT")
    }
}
