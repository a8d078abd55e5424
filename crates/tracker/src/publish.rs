//! From the outbox to the queue.

use crate::{Tracker, now, wait_after};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Tasks published between two looks at the outbox.
const BATCH: u32 = 100;

impl Tracker {
    pub(crate) async fn publish(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let full = tokio::select! {
                full = self.publish_batch(stop) => full,
                // The queue may have no room for a long time.
                () = stop.cancelled() => return,
            };
            if !full {
                tokio::select! {
                    () = self.wake.notified() => {}
                    () = tokio::time::sleep(Duration::from_secs(1)) => {}
                    () = stop.cancelled() => {}
                }
            }
        }
    }

    /// Returns whether there may be more at once.
    async fn publish_batch(&self, stop: &CancellationToken) -> bool {
        let tasks = match self.store.unpublished(BATCH).await {
            Ok(tasks) if tasks.is_empty() => return false,
            Ok(tasks) => tasks,
            Err(error) => {
                wait_after(&error, "read the outbox", stop).await;
                return true;
            }
        };
        for (number, task) in tasks.iter().enumerate() {
            if let Err(error) = self.queue.publish_task(task).await {
                self.confirm(&tasks[..number], stop).await;
                wait_after(&error, "publish a task", stop).await;
                return true;
            }
        }
        self.confirm(&tasks, stop).await;
        tasks.len() == BATCH as usize
    }

    async fn confirm(&self, tasks: &[faafo_model::Task], stop: &CancellationToken) {
        if let Err(error) = self.store.published(tasks, now()).await {
            // They will be published twice, which is harmless.
            wait_after(&error, "clear the outbox", stop).await;
        }
    }
}
