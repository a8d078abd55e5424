//! A database of its own for each test, of each kind.

use faafo_store::Store;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, Row};
use std::time::Duration;

/// The kinds of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
    MySql,
}

/// An empty database.
pub struct Database {
    pub kind: Kind,
    pub url: String,
    name: String,
    _folder: Option<tempfile::TempDir>,
}

impl Kind {
    /// The server's own database, from which others are made.
    fn server(self) -> String {
        let (variable, default) = match self {
            Self::Sqlite => return String::new(),
            Self::Postgres => (
                "FAAFO_TEST_POSTGRES",
                "postgres://postgres@127.0.0.1:5432/test",
            ),
            Self::MySql => ("FAAFO_TEST_MYSQL", "mysql://root@127.0.0.1:3306/test"),
        };
        std::env::var(variable).unwrap_or_else(|_| default.to_owned())
    }

    /// Tells the server something, over a connection that has nothing to do with the store.
    async fn tell(self, statement: String) {
        sqlx::any::install_default_drivers();
        let server = self.server();
        let connecting = AnyConnection::connect(&server);
        let connected = tokio::time::timeout(Duration::from_secs(30), connecting).await;
        let mut connection = connected.unwrap().unwrap_or_else(|error| {
            panic!("{self:?}: these tests need the server at {server}: {error}")
        });
        connection.execute(AssertSqlSafe(statement)).await.unwrap();
        connection.close().await.unwrap();
    }
}

impl Database {
    pub async fn create(kind: Kind) -> Self {
        let name = format!("faafo_test_{:016x}", fastrand::u64(..));
        if kind == Kind::Sqlite {
            let folder = tempfile::tempdir().unwrap();
            let url = format!("sqlite://{}/{name}.db", folder.path().display());
            return Self {
                kind,
                url,
                name,
                _folder: Some(folder),
            };
        }
        kind.tell(format!("CREATE DATABASE {name}")).await;
        if kind == Kind::Postgres {
            // Nobody pulls the plug on a test, and without waiting for the disk more happens at once.
            kind.tell(format!(
                "ALTER DATABASE {name} SET synchronous_commit = off"
            ))
            .await;
        }
        let (server, _) = kind
            .server()
            .rsplit_once('/')
            .map(|(server, test)| (server.to_owned(), test.to_owned()))
            .unwrap();
        Self {
            kind,
            url: format!("{server}/{name}"),
            name,
            _folder: None,
        }
    }

    pub async fn open(&self) -> Store {
        Store::open(&self.url).await.unwrap()
    }

    /// The server's address, and the URL for reaching this database at another address.
    pub fn by_way_of(&self, other: std::net::SocketAddr) -> (String, String) {
        let (start, rest) = self.url.split_once('@').unwrap();
        let (address, path) = rest.split_once('/').unwrap();
        (address.to_owned(), format!("{start}@{other}/{path}"))
    }

    /// Tells this database something, over a connection that has nothing to do with the store.
    pub async fn tell(&self, statements: &'static str) {
        let mut connection = AnyConnection::connect(&self.url).await.unwrap();
        connection.execute(statements).await.unwrap();
        connection.close().await.unwrap();
    }

    /// The text that this database answers.
    pub async fn ask(&self, query: &'static str) -> String {
        let mut connection = AnyConnection::connect(&self.url).await.unwrap();
        let row = connection.fetch_one(query).await.unwrap();
        connection.close().await.unwrap();
        row.get(0)
    }

    pub async fn drop(self) {
        let force = match self.kind {
            Kind::Sqlite => return,
            Kind::Postgres => " WITH (FORCE)",
            Kind::MySql => "",
        };
        let name = &self.name;
        self.kind.tell(format!("DROP DATABASE {name}{force}")).await;
    }
}

/// Runs a test with an open store in a fresh database, which goes afterwards even if the test fails.
pub async fn with_store<T, F>(kind: Kind, test: T)
where
    T: FnOnce(Store) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    with_database(kind, async |database: &Database| {
        let store = database.open().await;
        let result = tokio::spawn(test(store.clone())).await;
        store.close().await;
        result
    })
    .await;
}

/// Runs a test with a fresh database, which goes afterwards even if the test fails.
pub async fn with_database(
    kind: Kind,
    test: impl AsyncFnOnce(&Database) -> Result<(), tokio::task::JoinError>,
) {
    let database = Database::create(kind).await;
    let result = test(&database).await;
    database.drop().await;
    if let Err(error) = result {
        std::panic::resume_unwind(error.into_panic());
    }
}
