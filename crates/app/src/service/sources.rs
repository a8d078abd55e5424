//! What is looked up when somebody reads the metrics: the rows by their states, what waits, whether all parts answer.

use async_trait::async_trait;
use faafo_blob::BlobStore;
use faafo_queue::Queue;
use faafo_store::Store;
use faafo_telemetry::{Page, SILENT, Source};
use std::sync::Arc;

/// The parts that this process can ask. `accepts` says that it does what it is there for without the queue: what it
/// accepts waits in the database.
pub fn sources(
    store: Option<Store>,
    queue: Arc<dyn Queue>,
    blobs: Arc<dyn BlobStore>,
    accepts: bool,
) -> Arc<[Arc<dyn Source>]> {
    let mut sources: Vec<Arc<dyn Source>> = Vec::new();
    if let Some(store) = store {
        sources.push(Arc::new(Database(store)));
    }
    sources.push(Arc::new(Messages { queue, accepts }));
    sources.push(Arc::new(Storage(blobs)));
    sources.into()
}

struct Database(Store);

#[async_trait]
impl Source for Database {
    fn part(&self) -> &'static str {
        "database"
    }

    async fn write(&self, page: &mut Page) -> bool {
        // Whoever reads the page is told that it is down, and the log tells why where something is done about it.
        let (Ok(counts), Ok(unpublished)) = (self.0.counts().await, self.0.unpublished().await)
        else {
            return false;
        };
        let name = "faafo_fractals";
        page.family(name, "gauge", "Fractals by state, those deleted left out.");
        for (state, number) in [
            ("queued", counts.queued),
            ("rendering", counts.rendering),
            ("done", counts.done),
            ("failed", counts.failed),
            ("cancelled", counts.cancelled),
        ] {
            page.sample(name, &[("state", state.to_owned())], number as f64);
        }
        let name = "faafo_fractals_accepted";
        let help =
            "Fractals accepted and not deleted; always the sum of faafo_fractals over its states.";
        page.family(name, "gauge", help);
        page.sample(name, &[], counts.accepted() as f64);
        let name = "faafo_outbox_tasks";
        page.family(name, "gauge", "Tasks that the queue has not confirmed yet.");
        page.sample(name, &[], unpublished as f64);
        true
    }

    async fn ready(&self) -> Result<(), &'static str> {
        let Err(error) = self.0.is_writable().await else {
            return Ok(());
        };
        tracing::warn!(%error, "not ready");
        match (error.kind(), self.0.ping().await) {
            (faafo_store::ErrorKind::Full, _) => Err("is full"),
            (_, Ok(())) => Err("takes no writes"),
            (_, Err(_)) => Err(SILENT),
        }
    }
}

struct Messages {
    queue: Arc<dyn Queue>,
    accepts: bool,
}

#[async_trait]
impl Source for Messages {
    fn part(&self) -> &'static str {
        "queue"
    }

    async fn write(&self, page: &mut Page) -> bool {
        let Some(depth) = self.queue.depth().await else {
            return false;
        };
        let name = "faafo_queue_messages";
        let help =
            "Messages that wait in the queue, by kind; dead ones are kept for people to look at.";
        page.family(name, "gauge", help);
        for (kind, number) in [
            ("tasks", depth.tasks),
            ("reports", depth.reports),
            ("dead", depth.dead),
        ] {
            page.sample(name, &[("kind", kind.to_owned())], number as f64);
        }
        true
    }

    async fn ready(&self) -> Result<(), &'static str> {
        if self.accepts {
            return Ok(());
        }
        self.queue.ping().await.map_err(|error| {
            tracing::warn!(%error, "not ready");
            SILENT
        })
    }
}

struct Storage(Arc<dyn BlobStore>);

#[async_trait]
impl Source for Storage {
    fn part(&self) -> &'static str {
        "storage"
    }

    async fn write(&self, _page: &mut Page) -> bool {
        self.0.ping().await.is_ok()
    }
    async fn ready(&self) -> Result<(), &'static str> {
        self.0.ping().await.map_err(|error| {
            tracing::warn!(%error, "not ready");
            match error.kind() {
                faafo_blob::ErrorKind::Full => "is full",
                _ => SILENT,
            }
        })
    }
}
