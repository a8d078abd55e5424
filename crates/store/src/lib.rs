//! The rows: fractals, their states and the outbox, in an SQL database. A row is the truth about its fractal; whatever
//! a message says counts only as far as the conditional updates here let it.

mod accept;
mod backend;
mod blobs;
mod change;
mod chunks;
mod error;
mod mysql;
mod outbox;
mod pool;
mod posters;
mod postgres;
pub mod query;
mod results;
mod row;
mod schema;
mod sql;
mod sqlite;
mod tokens;
mod views;
mod workers;

use backend::{Backend, Dialect};
pub use blobs::{Doomed, Reference};
pub use chunks::{CHUNK, StoredChunks, UploadId};
pub use error::{Error, ErrorKind};
pub use outbox::{Claim, Line};
pub use posters::{ActivePoster, Joining, Planning};
pub use query::Query;
pub use results::{Finish, LegacyResult, Outcome, Reservation};
use sql::sql;
use std::sync::Arc;
pub use tokens::Token;
pub use views::Counts;
pub use workers::Worker;

/// The rows of one database. Cheap to clone: clones share the connections.
#[derive(Clone)]
pub struct Store {
    backend: Arc<Backend>,
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
        let backend = Arc::new(Backend::open(dialect, url).await?);
        Ok(Self { backend })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// The reason why it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        self.backend.row(sql("SELECT 1")).await.map(drop)
    }

    /// Closes all connections, waiting for statements under way.
    pub async fn close(&self) {
        self.backend.close().await;
    }
}
