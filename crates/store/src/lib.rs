//! The rows: fractals, the tasks that they take, and who needs which stored object, in an SQL database. A row is the truth about its fractal; whatever
//! a message says counts only as far as the conditional updates here let it.

mod argument;
mod backend;
mod blobs;
mod change;
mod chunks;
mod counters;
mod dialect;
mod error;
mod fractals;
mod gather;
mod mysql;
mod outbox;
mod owner;
mod pool;
mod posters;
mod postgres;
pub mod query;
mod recent;
mod relocate;
mod reports;
mod results;
mod schema;
mod sql;
mod sqlite;
mod tasks;
mod tokens;
mod workers;

use backend::{Backend, transaction};
pub use blobs::{Doomed, Reference, StoredBlob};
pub use chunks::{CHUNK, StoredChunks, UploadId};
pub use counters::Counts;
use dialect::Dialect;
pub use error::{Error, ErrorKind};
use faafo_model::Fractal;
use gather::Gathering;
pub use outbox::Claim;
pub use owner::{Owner, OwnerKind, Role};
pub use posters::{ActivePoster, Joining, Planning};
pub use query::Query;
use recent::Recent;
pub use relocate::Copied;
pub use reports::Outcome;
pub use results::{Finish, LegacyResult, Made, Reservation};
use std::sync::Arc;
pub use tasks::Subject;
pub use tokens::Token;
pub use workers::Worker;

/// The rows of one database. Cheap to clone: clones share the connections.
#[derive(Clone)]
pub struct Store {
    backend: Arc<Backend>,
    accepting: Arc<Gathering<fractals::Asked, Option<Fractal>>>,
    recent: Arc<Recent>,
}

/// How often a task is tried before its fractal fails.
pub const MAX_ATTEMPTS: u32 = 5;

impl Store {
    /// Connects to the database that `url` names and brings its tables up to date.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a URL that no back end answers to, [`ErrorKind::Unavailable`] when the database can't
    /// be reached.
    pub async fn open(url: &str) -> Result<Self, Error> {
        let scheme = url.split(':').next().unwrap_or_default();
        let dialect: &'static dyn Dialect = match scheme {
            "sqlite" => &sqlite::Sqlite,
            "postgres" | "postgresql" => &postgres::Postgres,
            "mysql" | "mariadb" => &mysql::MySql,
            _ => {
                return Err(Error::config(format!(
                    "database_url: no back end for {scheme:?}; there are sqlite:, postgres: and mysql:"
                )));
            }
        };
        sqlx::any::install_default_drivers();
        let target = dialect.url(url).parse().map_err(Error::from)?;
        schema::migrate(dialect, &target).await?;
        Ok(Self {
            backend: Arc::new(Backend::new(dialect, target)),
            accepting: Arc::default(),
            recent: Arc::default(),
        })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// The reason why it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        self.backend.row(sql::sql("SELECT 1")).await.map(drop)
    }

    /// Whether the database takes writes, now.
    ///
    /// # Errors
    /// The reason why it does not.
    pub async fn is_writable(&self) -> Result<(), Error> {
        if self.backend.was_full() {
            return Err(Error::full("database: there was no room a moment ago"));
        }
        let touch =
            sql::sql("UPDATE counters SET queued = queued WHERE what = 'fractal' AND shard = 0");
        transaction!(self.backend.hasty(), async |work| {
            work.execute(touch.clone()).await.map(drop)
        })
    }

    /// Closes all connections, waiting for statements under way.
    pub async fn close(&self) {
        self.backend.close().await;
    }
}
