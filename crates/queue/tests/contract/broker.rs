//! A corner of the RabbitMQ that the tests use, for one test alone.

use faafo_queue::{Queue, open};
use futures_util::future::join_all;
use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::{Channel, Connection, ConnectionProperties};
use std::sync::{Arc, Mutex};

/// Names that nobody else uses, deleted at the end.
pub struct Place {
    server: String,
    prefix: String,
    opened: Mutex<Vec<Arc<dyn Queue>>>,
}

impl Place {
    /// At the server of `FAAFO_TEST_RABBITMQ`, which must be there.
    pub async fn new() -> Self {
        let server = std::env::var("FAAFO_TEST_RABBITMQ")
            .unwrap_or_else(|_| "amqp://guest:guest@127.0.0.1:5672/%2f".into());
        let place = Self {
            server,
            prefix: format!("test-{}.", uuid::Uuid::new_v4()),
            opened: Mutex::default(),
        };
        place.channel().await;
        place
    }

    /// A new connection of its own.
    pub fn open(&self) -> Arc<dyn Queue> {
        self.open_with("")
    }

    /// With more settings, as `&key=value`.
    pub fn open_with(&self, settings: &str) -> Arc<dyn Queue> {
        self.open_at(&self.server, settings)
    }

    /// The same place by another way.
    pub fn open_through(&self, hosts: &str) -> Arc<dyn Queue> {
        self.open_at(&self.server.replace(self.host(), hosts), "")
    }

    fn open_at(&self, server: &str, settings: &str) -> Arc<dyn Queue> {
        let queue = open(&format!("{server}?prefix={}{settings}", self.prefix)).unwrap();
        self.opened.lock().unwrap().push(Arc::clone(&queue));
        queue
    }

    /// `host:port` of the server.
    pub fn host(&self) -> &str {
        let rest = self.server.split("://").nth(1).unwrap();
        let authority = rest.split('/').next().unwrap();
        authority.rsplit('@').next().unwrap()
    }

    /// The URL with another password.
    pub fn with_password(&self, password: &str) -> String {
        let user = self.server.split("://").nth(1).unwrap();
        let user = user.split(':').next().unwrap();
        format!("amqp://{user}:{password}@{}", self.host())
    }

    /// The full name of a queue or exchange.
    pub fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A channel for what the queue under test doesn't offer.
    pub async fn channel(&self) -> Channel {
        channel(&self.server).await
    }
}

async fn channel(server: &str) -> Channel {
    let connection = Connection::connect(server, ConnectionProperties::default())
        .await
        .expect("these tests need a RabbitMQ, at FAAFO_TEST_RABBITMQ or on this machine");
    connection.create_channel().await.unwrap()
}

impl Drop for Place {
    /// Also when the test failed.
    fn drop(&mut self) {
        let (server, prefix) = (self.server.clone(), self.prefix.clone());
        let opened = std::mem::take(&mut *self.opened.lock().unwrap());
        let cleaning = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                // Else they would declare everything again.
                join_all(opened.iter().map(|queue| queue.close())).await;
                clean(&server, &prefix).await;
            });
        });
        assert!(cleaning.join().is_ok(), "the broker is not clean");
    }
}

async fn clean(server: &str, prefix: &str) {
    let channel = channel(server).await;
    for queue in [
        "tasks.interactive",
        "tasks.batch",
        "tasks.bands",
        "tasks.alone",
        "results",
        "unfinished",
        "dead",
    ] {
        let name = format!("{prefix}faafo.{queue}");
        channel
            .queue_delete(name.into(), QueueDeleteOptions::default())
            .await
            .unwrap();
    }
    for exchange in ["tasks", "results", "events", "dead"] {
        let name = format!("{prefix}faafo.{exchange}");
        channel
            .exchange_delete(name.into(), ExchangeDeleteOptions::default())
            .await
            .unwrap();
    }
}
