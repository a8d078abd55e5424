//! Where blobs lie in a test: each test has a bucket, container or folder of its own.

use crate::api::ApiServer;
use crate::database::Database;
use crate::server::{self, Line};
use faafo_blob::{BlobStore, open};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// What no message may show.
pub const WRONG_SECRET: &str = "n0t-the-s3cret";

type UrlOf = dyn Fn(SocketAddr, &str, &str) -> String + Send + Sync;

/// A place for blobs.
pub struct Place {
    /// The server behind it.
    pub server: SocketAddr,
    /// The URL of a store there, by server, secret and further options.
    url: Box<UrlOf>,
    secret: &'static str,
    _keep: Option<tempfile::TempDir>,
    _api: Option<ApiServer>,
    _database: Option<Database>,
}

impl Place {
    pub fn url(&self) -> String {
        self.url_at(self.server, "")
    }

    /// The URL when the server is reached at another address; `options` begin with `&`.
    pub fn url_at(&self, server: SocketAddr, options: &str) -> String {
        (self.url)(server, self.secret, options)
    }

    pub fn url_with_wrong_secret(&self) -> String {
        (self.url)(self.server, WRONG_SECRET, "")
    }

    pub async fn open(&self) -> Arc<dyn BlobStore> {
        open(&self.url()).await.unwrap()
    }
}

pub fn file() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file:{}/blobs", folder.path().display());
    without_server(url, Some(folder), None)
}

/// A place that is not reached over HTTP.
fn without_server(
    url: String,
    keep: Option<tempfile::TempDir>,
    database: Option<Database>,
) -> Place {
    Place {
        server: SocketAddr::from(([127, 0, 0, 1], 0)),
        url: Box::new(move |_, _, _| url.clone()),
        secret: "",
        _keep: keep,
        _api: None,
        _database: database,
    }
}

pub fn s3s() -> Place {
    let server = server::s3s().address("s3");
    s3(server, "access", "secret")
}

pub fn s3_on_swift() -> Place {
    let server = server::swift().address("s3");
    s3(server, "test%3Atester", "testing")
}

fn s3(server: SocketAddr, key: &'static str, secret: &'static str) -> Place {
    let bucket = fresh_name();
    Place {
        server,
        url: Box::new(move |server, secret, options| {
            format!("s3://{key}:{secret}@{bucket}?endpoint=http://{server}{options}")
        }),
        secret,
        _keep: None,
        _api: None,
        _database: None,
    }
}

pub fn swift() -> Place {
    let server = server::swift().address("swift");
    let container = fresh_name();
    Place {
        server,
        url: Box::new(move |server, key, options| {
            format!(
                "swift://test%3Atester:{key}@{container}?auth=http://{server}/auth/v1.0&temp_url_key=k3y{options}"
            )
        }),
        secret: "testing",
        _keep: None,
        _api: None,
        _database: None,
    }
}

pub fn sqlite() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("db:sqlite://{}/blobs.db", folder.path().display());
    without_server(url, Some(folder), None)
}

pub fn postgres() -> Place {
    database(Database::postgres(&fresh_name()))
}

pub fn mariadb() -> Place {
    database(Database::mariadb(&fresh_name()))
}

fn database(database: Database) -> Place {
    let url = format!("db:{}", database.url);
    without_server(url, None, Some(database))
}

pub fn api() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let api = ApiServer::start(folder.path(), "t0ken");
    Place {
        server: api.address,
        url: Box::new(|server, token, options| {
            let options = options.trim_start_matches('&');
            format!("http://{token}@{server}?{options}")
        }),
        secret: "t0ken",
        _keep: Some(folder),
        _api: Some(api),
        _database: None,
    }
}

fn fresh_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    // Processes of one test run share servers.
    format!("test-{}-{number}", std::process::id())
}
