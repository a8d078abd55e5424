//! What nobody reports: workers that fell silent, blobs that are no longer needed.

use crate::{Tracker, now, pause, wait_after};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A worker says something about each of its tasks every second; after so long without a word its task is taken over.
const LEASE: Duration = Duration::from_secs(30);
/// Rows handled between two pauses.
const BATCH: u32 = 100;

impl Tracker {
    pub(crate) async fn sweep(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.take_over_silent().await {
                wait_after(&error, "look for silent workers", stop).await;
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
            self.give_back(id, attempt, &reason).await?;
        }
        Ok(())
    }

    async fn remove_unused(&self) -> Result<(), faafo_store::Error> {
        for key in self.store.doom_unused(BATCH).await? {
            match self.blobs.delete(&key).await {
                Ok(()) => self.store.forget_blob(&key).await?,
                // It stays doomed and comes again.
                Err(error) => tracing::warn!(%error, %key, "can't delete an unused blob"),
            }
        }
        Ok(())
    }
}
