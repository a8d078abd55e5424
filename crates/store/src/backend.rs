//! One connection type for every database, and the few ways in which their SQL differs.

use crate::Error;
use async_trait::async_trait;
use sqlx::AnyPool;
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Row, Transaction};

/// How one kind of database is reached and spoken to; one file each.
#[async_trait]
pub(crate) trait Dialect: Send + Sync {
    /// Connects; creates what can be created (a file).
    async fn connect(&'static self, url: &str) -> Result<Backend, Error>;

    /// `sql` with its `?` in the form that this database takes.
    fn placeholders(&self, sql: String) -> String {
        sql
    }

    /// The statement that begins a transaction which will write.
    fn begin_write(&self) -> &'static str {
        "BEGIN"
    }

    /// What locks the rows that a SELECT in a transaction reads.
    fn for_update(&self) -> &'static str {
        " FOR UPDATE"
    }
}

/// The connections to one database.
#[derive(Clone)]
pub(crate) struct Backend {
    pub(crate) dialect: &'static dyn Dialect,
    /// For statements that only read.
    pub(crate) read: AnyPool,
    /// For statements that write; the same pool where the database serves several writers at once.
    pub(crate) write: AnyPool,
}

/// A statement's arguments are bound one by one with `.bind(…)`.
pub(crate) type Statement<'q> = sqlx::query::Query<'q, Any, sqlx::any::AnyArguments>;

impl Backend {
    /// A statement, with `?` for its arguments.
    pub(crate) fn query<'q>(&self, sql: impl Into<String>) -> Statement<'q> {
        // Every statement's text is put together from this crate's literals alone; values are always bound.
        sqlx::query(AssertSqlSafe(self.dialect.placeholders(sql.into())))
    }

    /// Begins a transaction that writes.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, Error> {
        Ok(self.write.begin_with(self.dialect.begin_write()).await?)
    }

    /// The one number that a query without arguments answers.
    pub(crate) async fn scalar(&self, sql: &str) -> Result<i64, Error> {
        let row: AnyRow = self.query(sql).fetch_one(&self.read).await?;
        // An integer literal is an INT to some databases and a BIGINT to others.
        Ok(row
            .try_get::<i64, _>(0)
            .or_else(|_| row.try_get::<i32, _>(0).map(i64::from))?)
    }

    pub(crate) async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}
