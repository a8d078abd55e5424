//! The few points in which databases differ.

use crate::argument::Argument;
use std::time::Duration;

/// How one kind of database is reached and spoken to; one file each.
pub(crate) trait Dialect: Send + Sync {
    /// The URL as the driver wants it.
    fn url(&self, url: &str) -> String {
        url.to_owned()
    }

    /// What each new connection begins with.
    fn session(&self) -> &'static [&'static str];

    /// The most connections, for reading and for writing; no pool of its own for reading where that is none.
    fn connections(&self) -> (Option<u32>, u32) {
        (None, 10)
    }

    /// How long to wait for a connection, and how long for what is done with it.
    fn patience(&self) -> (Duration, Duration) {
        (Duration::from_secs(5), Duration::from_secs(15))
    }

    /// The mark for the `number`-th argument, counted from 1.
    fn placeholder(&self, _number: usize, _argument: &Argument) -> String {
        "?".to_owned()
    }

    /// Whether several statements, each with arguments, can be sent as one.
    fn takes_several(&self) -> bool {
        false
    }

    /// The statement that begins a transaction which will write.
    fn begin_write(&self) -> &'static str {
        "BEGIN"
    }

    /// The same for one that need not be on disk before others follow it.
    fn begin_hasty(&self) -> &'static str {
        self.begin_write()
    }

    /// What locks the rows that a SELECT in a transaction reads.
    fn for_update(&self) -> &'static str {
        " FOR UPDATE"
    }

    /// What locks the rows that nobody else has locked, and leaves out the others.
    fn skip_locked(&self) -> &'static str {
        " FOR UPDATE SKIP LOCKED"
    }

    /// The names of types and the like in the tables' definitions.
    fn types(&self) -> Types;

    /// The names of all tables, each with each of its columns.
    fn catalogue(&self) -> &'static str;

    /// Over how many rows a total is spread, so that transactions that write at once needn't wait for each other's
    /// commits.
    fn shards(&self) -> i64 {
        16
    }

    /// Whether what changes tables takes effect at once, and not together with the rest of its transaction.
    fn changes_tables_at_once(&self) -> bool {
        false
    }

    /// What to do so that nobody else changes the tables at the same time, and after it.
    fn alone(&self) -> (&'static [&'static str], &'static str);

    /// Whether a statement that changes tables failed because it was done before; only where these are not
    /// transactional.
    fn is_done_already(&self, _error: &sqlx::Error) -> bool {
        false
    }
}

/// What differs in the definitions of tables.
pub(crate) struct Types {
    pub text: &'static str,
    pub bytes: &'static str,
    /// After the type of a text of limited length: compares byte by byte.
    pub bytewise: &'static str,
    /// After a table's closing parenthesis.
    pub table: &'static str,
    /// Whether an index can leave rows out.
    pub partial_indexes: bool,
}
