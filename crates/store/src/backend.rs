//! One way to every database.

use crate::counters::Changes;
use crate::dialect::Dialect;
use crate::pool::{Lease, Pool};
use crate::sql::{Sql, ids, sql};
use crate::{Error, ErrorKind};
use faafo_model::Uuid;
use futures_util::{StreamExt, TryStreamExt};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, AnyRow};
use sqlx::{AnyConnection, Connection, Either, Executor};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// How often a transaction is begun anew because another one was quicker.
const TRIES: u32 = 12;
/// How long a database that had no room counts as full, unless it turns out that it has some.
const REMEMBERED: Duration = Duration::from_secs(5);

/// The connections to one database.
pub(crate) struct Backend {
    pub(crate) dialect: &'static dyn Dialect,
    /// For statements that only read.
    read: Arc<Pool>,
    /// For statements that write; the same pool where the database serves several writers at once.
    write: Arc<Pool>,
    /// When a transaction last found no room, unless one that was to stay has been written since.
    full: Mutex<Option<Instant>>,
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
            full: Mutex::default(),
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

    /// Whether there was no room a moment ago. Small writes may find some while larger ones don't.
    pub(crate) fn was_full(&self) -> bool {
        self.full().is_some_and(|when| when.elapsed() < REMEMBERED)
    }

    fn full(&self) -> MutexGuard<'_, Option<Instant>> {
        self.full.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For [`transaction!`].
    pub(crate) fn attempts(&self) -> Attempts<'_> {
        self.attempts_at(self.dialect.begin_write())
    }

    /// For transactions of which a power cut may take back the last ones, where that saves a trip to the disk. What a
    /// later one leaves on disk it leaves there together with all before it.
    pub(crate) fn hasty(&self) -> Hasty<'_> {
        Hasty(self)
    }

    fn attempts_at(&self, begin: &'static str) -> Attempts<'_> {
        Attempts {
            backend: self,
            begin,
            begun: Instant::now(),
            tries: 0,
        }
    }

    async fn begin(&self, pool: &Arc<Pool>) -> Result<Work, Error> {
        Ok(Work {
            dialect: self.dialect,
            counted: Changes::default(),
            waiting: Vec::new(),
            sent: false,
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
    /// Statements whose results nobody waits for. They go with the next one, because each trip takes its time.
    waiting: Vec<Sql>,
    sent: bool,
    lease: Lease,
}

impl Work {
    /// Has it done before whatever comes next, at the latest at the end of the transaction. If it can't be, that fails;
    /// a duplicate is a lost race.
    pub(crate) fn later(&mut self, statement: Sql) {
        self.waiting.push(statement);
    }

    /// Does it, and says how many rows it changed or found.
    pub(crate) async fn execute(&mut self, statement: Sql) -> Result<u64, Error> {
        Ok(self.send(Some(statement)).await?.0)
    }

    /// The rows that a query finds.
    pub(crate) async fn rows(&mut self, query: Sql) -> Result<Vec<AnyRow>, Error> {
        Ok(self.send(Some(query)).await?.1)
    }

    /// Sends what waits, and then the statement. Returns how many rows that has changed, and those it has found.
    async fn send(&mut self, statement: Option<Sql>) -> Result<(u64, Vec<AnyRow>), Error> {
        // The beginning can't be a duplicate.
        let has_waited = self.waiting.len() > usize::from(self.is_untouched());
        let mut all = std::mem::take(&mut self.waiting);
        self.sent = true;
        all.extend(statement);
        if self.dialect.takes_several() {
            all = Sql::joined(all).into_iter().collect();
        }
        let (mut changed, mut found) = (0, Vec::new());
        for statement in all {
            let statement = statement.prepare(self.dialect);
            let mut results = self.lease.connection().fetch_many(statement);
            while let Some(result) = results.next().await {
                match result.map_err(Error::from) {
                    Ok(Either::Left(result)) => changed = result.rows_affected(),
                    Ok(Either::Right(row)) => found.push(row),
                    Err(error) if has_waited => return Err(error.duplicate_is_lost_race()),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok((changed, found))
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

    /// Whether nothing of a transaction was sent yet, if its beginning goes with the first statement.
    fn is_untouched(&self) -> bool {
        self.dialect.takes_several() && !self.sent
    }

    async fn begin(&mut self, begin: &'static str) -> Result<(), Error> {
        if self.dialect.takes_several() {
            self.later(sql(begin));
        } else {
            self.lease.connection().execute(begin).await?;
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), Error> {
        // The beginning alone waits.
        if self.is_untouched() && self.waiting.len() == 1 {
            return Ok(());
        }
        if let Some(count) = self.counted.statement(self.dialect) {
            self.later(count);
        }
        if self.dialect.takes_several() {
            self.later(sql("COMMIT"));
        }
        self.send(None).await?;
        if !self.dialect.takes_several() {
            self.lease.connection().execute("COMMIT").await?;
        }
        Ok(())
    }

    async fn roll_back(&mut self) -> Result<(), Error> {
        if self.is_untouched() {
            return Ok(());
        }
        self.lease.connection().execute("ROLLBACK").await?;
        Ok(())
    }

    /// Gives the connection back if it is fit for the next one.
    fn end(self, error: Option<&Error>) {
        match error {
            None => self.lease.give_back(),
            Some(error) if error.is_of_connection() => self.lease.give_up(),
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

/// See [`Backend::hasty`].
pub(crate) struct Hasty<'a>(&'a Backend);

impl<'a> Hasty<'a> {
    /// For [`transaction!`].
    pub(crate) fn attempts(&self) -> Attempts<'a> {
        self.0.attempts_at(self.0.dialect.begin_hasty())
    }
}

/// The attempts at one transaction.
pub(crate) struct Attempts<'a> {
    backend: &'a Backend,
    begin: &'static str,
    begun: Instant,
    tries: u32,
}

impl Attempts<'_> {
    /// A connection with a new transaction.
    pub(crate) async fn begin(&mut self) -> Result<Work, Error> {
        self.tries += 1;
        let mut work = self.backend.begin(&self.backend.write).await?;
        match self.within(work.begin(self.begin)).await {
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
        let result = match result {
            Ok(result) => self.within(work.commit()).await.map(|()| result),
            Err(error) => Err(error),
        };
        let Err(error) = result else {
            work.end(None);
            if self.begin == self.backend.dialect.begin_write() {
                *self.backend.full() = None;
            }
            return Some(result);
        };
        if error.kind() == ErrorKind::Full {
            *self.backend.full() = Some(Instant::now());
        }
        if error.is_of_connection() {
            work.end(Some(&error));
        } else {
            let undone = self.within(work.roll_back()).await;
            work.end(undone.as_ref().err());
        }
        self.fail(error).await
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
