//! One way to every database, and the few points in which their SQL differs.

use crate::Error;
use crate::counters::Changes;
use crate::pool::{Lease, Pool};
use crate::sql::{Argument, Sql, ids};
use faafo_model::Uuid;
use futures_util::TryStreamExt;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, AnyRow};
use sqlx::{AnyConnection, Connection, Executor, Row};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

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

    /// The statement that begins a transaction which will write.
    fn begin_write(&self) -> &'static str {
        "BEGIN"
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

    /// Over how many rows a total is spread.
    fn shards(&self) -> i64 {
        crate::schema::SHARDS
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

/// How often a transaction is begun anew because another one was quicker.
const TRIES: u32 = 12;

/// The connections to one database.
pub(crate) struct Backend {
    pub(crate) dialect: &'static dyn Dialect,
    /// For statements that only read.
    read: Arc<Pool>,
    /// For statements that write; the same pool where the database serves several writers at once.
    write: Arc<Pool>,
}

impl Backend {
    /// Connections to the database, which has its tables.
    pub(crate) fn new(dialect: &'static dyn Dialect, target: AnyConnectOptions) -> Self {
        let (readers, writers) = dialect.connections();
        let write = Pool::new(options(dialect, writers), target.clone());
        let read = match readers {
            Some(readers) => Pool::new(options(dialect, readers), target),
            None => Arc::clone(&write),
        };
        Self {
            dialect,
            read,
            write,
        }
    }

    /// The rows that a query finds.
    pub(crate) async fn rows(&self, query: Sql) -> Result<Vec<AnyRow>, Error> {
        let mut work = self.begin(&self.read).await?;
        let rows = within(self.dialect, work.rows(query)).await;
        work.end(rows.as_ref().err());
        rows
    }

    /// The row that a query finds; it finds one at most.
    pub(crate) async fn row(&self, query: Sql) -> Result<Option<AnyRow>, Error> {
        Ok(self.rows(query).await?.into_iter().next())
    }

    /// The ids in the first column of all rows that a query finds, one row in memory at a time.
    pub(crate) async fn ids(&self, query: Sql) -> Result<Vec<Uuid>, Error> {
        let mut work = self.begin(&self.read).await?;
        let found = within(self.dialect, work.ids(query)).await;
        work.end(found.as_ref().err());
        found
    }

    /// For [`transaction!`].
    pub(crate) fn attempts(&self) -> Attempts<'_> {
        Attempts {
            backend: self,
            begun: Instant::now(),
            tries: 0,
        }
    }

    async fn begin(&self, pool: &Arc<Pool>) -> Result<Work, Error> {
        Ok(Work {
            dialect: self.dialect,
            counted: Changes::default(),
            lease: pool.acquire().await?,
        })
    }

    /// Closes all connections, waiting for what is under way, but not for a database that does not answer.
    pub(crate) async fn close(&self) {
        let closing = async { tokio::join!(self.read.close(), self.write.close()) };
        let _ = timeout(self.dialect.patience().0, closing).await;
    }
}

fn options(dialect: &'static dyn Dialect, most: u32) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(most)
        .acquire_timeout(dialect.patience().0)
        // Firewalls forget connections on which nothing happens.
        .idle_timeout(Duration::from_secs(60))
        .after_connect(move |connection, _| Box::pin(begin_session(dialect, connection)))
}

/// One connection, opened for the tables' sake and not for the pool.
pub(crate) async fn connect(
    dialect: &dyn Dialect,
    target: &AnyConnectOptions,
) -> Result<AnyConnection, Error> {
    let connecting = AnyConnection::connect_with(target);
    let Ok(connection) = timeout(dialect.patience().0, connecting).await else {
        return Err(Error::unavailable("database: it can't be reached"));
    };
    let mut connection = connection?;
    begin_session(dialect, &mut connection).await?;
    Ok(connection)
}

async fn begin_session(
    dialect: &dyn Dialect,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    for statement in dialect.session() {
        connection.execute(*statement).await?;
    }
    Ok(())
}

/// A connection at work.
pub(crate) struct Work {
    pub(crate) dialect: &'static dyn Dialect,
    /// What the transaction has changed of the totals. It is written last, because everybody writes there.
    pub(crate) counted: Changes,
    lease: Lease,
}

impl Work {
    /// Does it, and says how many rows it changed or found.
    pub(crate) async fn execute(&mut self, statement: Sql) -> Result<u64, Error> {
        let statement = statement.prepare(self.dialect);
        let done = statement.execute(self.lease.connection()).await?;
        Ok(done.rows_affected())
    }

    /// The rows that a query finds.
    pub(crate) async fn rows(&mut self, query: Sql) -> Result<Vec<AnyRow>, Error> {
        let query = query.prepare(self.dialect);
        Ok(query.fetch_all(self.lease.connection()).await?)
    }

    async fn ids(&mut self, query: Sql) -> Result<Vec<Uuid>, Error> {
        let query = query.prepare(self.dialect);
        let mut rows = query.fetch(self.lease.connection());
        let mut found = Vec::new();
        while let Some(row) = rows.try_next().await? {
            found.extend(ids(&[row])?);
        }
        Ok(found)
    }

    /// The row that a query finds; it finds one at most.
    pub(crate) async fn row(&mut self, query: Sql) -> Result<Option<AnyRow>, Error> {
        Ok(self.rows(query).await?.into_iter().next())
    }

    async fn plain(&mut self, statement: &'static str) -> Result<(), Error> {
        self.lease.connection().execute(statement).await?;
        Ok(())
    }

    /// Gives the connection back if it is fit for the next one.
    fn end(self, error: Option<&Error>) {
        match error {
            None => self.lease.give_back(),
            Some(error) if error.is_silence() => self.lease.give_up(),
            Some(_) => {}
        }
    }
}

/// Waits no longer than a database takes that is still there.
async fn within<T>(
    dialect: &dyn Dialect,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let patience = dialect.patience().1;
    match timeout(patience, work).await {
        Ok(result) => result,
        Err(_) => Err(Error::silence(patience)),
    }
}

/// Does what the closure says in one transaction: all of it or, when it fails, nothing. When other transactions are in
/// the way it is done again from the beginning, so it must not do anything but use the database. (As a function, with
/// a real closure, its future would not be `Send` as far as the compiler can see.)
macro_rules! transaction {
    ($backend:expr, async |$work:ident| $body:expr) => {
        async {
            let mut attempts = $backend.attempts();
            loop {
                let mut work = match attempts.begin().await {
                    Ok(work) => work,
                    Err(error) => break Err(error),
                };
                let $work = &mut work;
                let result = attempts.within(async { $body }).await;
                if let Some(result) = attempts.end(work, result).await {
                    break result;
                }
            }
        }
        .await
    };
}
pub(crate) use transaction;

/// The attempts at one transaction.
pub(crate) struct Attempts<'a> {
    backend: &'a Backend,
    begun: Instant,
    tries: u32,
}

impl Attempts<'_> {
    /// A connection with a new transaction.
    pub(crate) async fn begin(&mut self) -> Result<Work, Error> {
        self.tries += 1;
        let mut work = self.backend.begin(&self.backend.write).await?;
        let begin = work.plain(self.backend.dialect.begin_write());
        match self.within(begin).await {
            Ok(()) => Ok(work),
            Err(error) => {
                work.end(Some(&error));
                Err(error)
            }
        }
    }

    pub(crate) async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        within(self.backend.dialect, work).await
    }

    /// Ends the transaction. `None` if it is to be done again.
    pub(crate) async fn end<T>(
        &self,
        mut work: Work,
        result: Result<T, Error>,
    ) -> Option<Result<T, Error>> {
        let result = match (result, work.counted.statement(self.backend.dialect)) {
            (Ok(result), Some(count)) => {
                let counted = self.within(work.execute(count)).await;
                counted.map(|_| result)
            }
            (result, _) => result,
        };
        let result = match result {
            Ok(result) => self.within(work.plain("COMMIT")).await.map(|()| result),
            Err(error) if error.is_silence() => Err(error),
            Err(error) => {
                let undone = self.within(work.plain("ROLLBACK")).await;
                work.end(undone.as_ref().err());
                return self.fail(error).await;
            }
        };
        work.end(result.as_ref().err());
        match result {
            Ok(result) => Some(Ok(result)),
            Err(error) => self.fail(error).await,
        }
    }

    async fn fail<T>(&self, error: Error) -> Option<Result<T, Error>> {
        let late = self.begun.elapsed() > self.backend.dialect.patience().1;
        if !error.is_lost_race() || self.tries >= TRIES || late {
            return Some(Err(error));
        }
        tracing::debug!(%error, tries = self.tries, "transaction begun anew");
        sleep(Duration::from_millis(2) * self.tries).await;
        None
    }
}

/// A whole number, whatever width the database gives a computed one.
pub(crate) fn whole(row: &AnyRow, index: usize) -> Result<i64, Error> {
    let narrow = |_| row.try_get::<i32, _>(index).map(i64::from);
    Ok(row.try_get::<i64, _>(index).or_else(narrow)?)
}

/// A text that must be there.
pub(crate) fn text<I: sqlx::ColumnIndex<AnyRow>>(row: &AnyRow, column: I) -> Result<String, Error> {
    Ok(row.try_get(column)?)
}
