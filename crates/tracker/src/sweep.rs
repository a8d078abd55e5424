//! What nobody reports: workers that fell silent, blobs that are no longer needed.

use crate::posters::Paces;
use crate::{Tracker, now, pause, wait_after};
use faafo_telemetry::metrics;
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// A worker says something about each of its tasks every second; after so long without a word its task is taken over.
const LEASE: Duration = Duration::from_secs(30);
/// A task that was published so long ago and of which no worker has spoken may have been lost by the queue.
const LOST: Duration = Duration::from_secs(600);
/// The same while the queue says that it holds no task at all.
const LOST_BY_EMPTY_QUEUE: Duration = Duration::from_secs(20);
/// How often that is looked at, in rounds of a second each.
const LOOK_FOR_LOST: u32 = 5;
/// How long deleting a blob may take: well below the time for which a doomed one is this tracker's.
const DELETE: Duration = Duration::from_secs(10);
/// Rows handled between two pauses.
const BATCH: u32 = 100;

impl Tracker {
    pub(crate) async fn sweep(&self, stop: &CancellationToken) {
        let (mut round, mut paces) = (0u32, Paces::default());
        while !stop.is_cancelled() {
            round = round.wrapping_add(1);
            if let Err(error) = self.take_over_silent().await {
                wait_after(&error, "look for silent workers", stop).await;
            }
            if round.is_multiple_of(LOOK_FOR_LOST)
                && let Err(error) = self.republish_lost().await
            {
                wait_after(&error, "look for lost tasks", stop).await;
            }
            if let Err(error) = self.settle_posters(&mut paces).await {
                wait_after(&error, "see to posters", stop).await;
            }
            if let Err(error) = self.remove_unused().await {
                wait_after(&error, "look for unused blobs", stop).await;
            }
            pause(Duration::from_secs(1), stop).await;
        }
    }

    async fn take_over_silent(&self) -> Result<(), faafo_store::Error> {
        for (id, attempt) in self.store.silent(LEASE, BATCH, now()).await? {
            let reason = format!("nothing heard from its worker for {} s", LEASE.as_secs());
            self.give_back(id, attempt, &reason, "silent").await?;
        }
        Ok(())
    }

    /// A queue that lives in this process loses nothing while the process lives.
    async fn republish_lost(&self) -> Result<(), faafo_store::Error> {
        if self.queue.forgets() {
            return Ok(());
        }
        let age = match self.queue.depth().await {
            // A broker that came back without its data is empty, and so is one whose workers keep up.
            Some(depth) if depth.tasks == 0 => LOST_BY_EMPTY_QUEUE,
            // It takes long, but all are there: each published again would only be rendered twice.
            Some(depth) if depth.tasks >= self.store.waiting().await? => return Ok(()),
            _ => LOST,
        };
        let number = self.store.republish_lost(age, now()).await?;
        if number > 0 {
            metrics::REPUBLISHED.add([], number);
            tracing::warn!(
                number,
                "publishing tasks again that the queue may have lost"
            );
            self.wake.notify_one();
        }
        Ok(())
    }

    async fn remove_unused(&self) -> Result<(), faafo_store::Error> {
        for blob in self.store.doom_unused(BATCH, now()).await? {
            // After that another tracker may delete it, and then it may be stored anew.
            if now().plus(DELETE) >= blob.until {
                break;
            }
            // Nor may a deletion be tried again and again beyond that.
            let deleted = timeout(DELETE, self.blobs.delete(&blob.key)).await;
            // What fails stays doomed and comes again, and so do the others: the store is away.
            match deleted {
                Ok(Ok(())) => self.store.forget_blob(&blob).await?,
                Ok(Err(error)) => {
                    tracing::warn!(%error, key = %blob.key, "can't delete an unused blob");
                    break;
                }
                Err(_) => {
                    tracing::warn!(key = %blob.key, "can't delete an unused blob in time");
                    break;
                }
            }
        }
        Ok(())
    }
}
