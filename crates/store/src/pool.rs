//! Connections that may die in silence. A connection whose other end has vanished hangs in whatever is done with it,
//! and the pool waits for it for ever; so whoever was cut short closes his connection instead of returning it, and a
//! pool that gives no connection although it should have some is replaced.

use crate::Error;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// A pool of connections, replaced by a fresh one when it has run dry.
pub(crate) struct Pool {
    options: AnyPoolOptions,
    target: AnyConnectOptions,
    current: RwLock<Current>,
    /// Connections that somebody holds.
    lent: AtomicU32,
}

#[derive(Clone)]
struct Current {
    pool: AnyPool,
    generation: u64,
}

impl Pool {
    pub(crate) fn new(options: AnyPoolOptions, target: AnyConnectOptions) -> Arc<Self> {
        let pool = options.clone().connect_lazy_with(target.clone());
        Arc::new(Self {
            options,
            target,
            current: RwLock::new(Current {
                pool,
                generation: 0,
            }),
            lent: AtomicU32::new(0),
        })
    }

    /// A connection, for one thing to do.
    pub(crate) async fn acquire(self: &Arc<Self>) -> Result<Lease, Error> {
        let Current { pool, generation } = self.current();
        match pool.acquire().await {
            Ok(connection) => {
                self.lent.fetch_add(1, Ordering::Relaxed);
                Ok(Lease {
                    connection,
                    pool: Arc::clone(self),
                    generation,
                    whole: false,
                })
            }
            Err(sqlx::Error::PoolTimedOut) => {
                let most = self.options.get_max_connections();
                // If all are lent there is just much to do.
                if self.lent.load(Ordering::Relaxed) < most {
                    self.replace(generation);
                }
                let patience = self.options.get_acquire_timeout();
                Err(Error::unavailable(format!(
                    "database: no connection within {} s",
                    patience.as_secs()
                )))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until all connections are back and closes them.
    pub(crate) async fn close(&self) {
        self.current().pool.close().await;
    }

    fn current(&self) -> Current {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Leaves the pool of that generation to those who still hold connections of it, unless somebody did so before.
    fn replace(&self, generation: u64) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.generation == generation && !current.pool.is_closed() {
            tracing::warn!("the database does not answer; connecting anew");
            *current = Current {
                pool: self.options.clone().connect_lazy_with(self.target.clone()),
                generation: generation + 1,
            };
        }
    }
}

/// A connection while somebody uses it. Dropped, it is closed: whoever was cut short in the middle of something leaves
/// a connection that nobody else can use.
pub(crate) struct Lease {
    connection: PoolConnection<Any>,
    pool: Arc<Pool>,
    generation: u64,
    whole: bool,
}

impl Lease {
    pub(crate) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.connection
    }

    /// Nothing is under way on the connection: the next one may have it.
    pub(crate) fn give_back(mut self) {
        self.whole = true;
    }

    /// The other end does not answer; then the pool's other connections are probably as dead.
    pub(crate) fn give_up(self) {
        self.pool.replace(self.generation);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.pool.lent.fetch_sub(1, Ordering::Relaxed);
        if !self.whole {
            self.connection.close_on_drop();
        }
    }
}
