//! Keeps rows and queue in step: publishes accepted tasks, records reports, takes tasks from silent workers, removes
//! blobs that nobody refers to. Any number may run: everything it writes is conditional on the row.

mod posters;
mod publish;
mod record;
mod sound;
mod sweep;
mod tidy;
mod watched;

use faafo_blob::BlobStore;
use faafo_model::Timestamp;
use faafo_queue::Queue;
use faafo_store::Store;
use faafo_telemetry::metrics;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// A tracker's surroundings.
#[derive(Clone)]
pub struct Tracker {
    /// The rows.
    pub store: Store,
    /// Where tasks go and reports come from.
    pub queue: Arc<dyn Queue>,
    /// Where pictures lie.
    pub blobs: Arc<dyn BlobStore>,
    /// Wakes the tracker when there is something new in the outbox or a blob fewer in use; without it the tracker
    /// looks once a second.
    pub wake: Arc<Notify>,
    /// How old a stored object must be before it is removed because no row refers to it.
    pub tidy_after: Duration,
}

impl Tracker {
    /// Works until `stop`, and then records the reports that are still there.
    pub async fn run(&self, stop: CancellationToken) {
        self.begin(&stop).await;
        tokio::join!(
            self.publish(&stop),
            self.record(&stop),
            self.sweep(&stop),
            self.tidy(&stop)
        );
    }

    /// A queue that forgot its tasks with the last process gets all of them again.
    async fn begin(&self, stop: &CancellationToken) {
        while self.queue.forgets() && !stop.is_cancelled() {
            match self.store.republish_all(now()).await {
                Ok(0) => return,
                Ok(number) => {
                    metrics::REPUBLISHED.add([], number);
                    return tracing::info!(number, "publishing unfinished fractals again");
                }
                Err(error) => wait_after(&error, "look for unfinished fractals", stop).await,
            }
        }
    }
}

fn now() -> Timestamp {
    SystemTime::now().into()
}

/// Says what failed and waits a little before the next try.
async fn wait_after(error: &(impl std::error::Error + Sync), what: &str, stop: &CancellationToken) {
    tracing::warn!(%error, "can't {what}; trying again");
    pause(Duration::from_secs(1), stop).await;
}

async fn pause(duration: Duration, stop: &CancellationToken) {
    let _ = tokio::time::timeout(duration, stop.cancelled()).await;
}
