//! From the outbox to the queue.

use crate::{Tracker, now, wait_after};
use faafo_model::Lane;
use faafo_store::Claim;
use faafo_telemetry::metrics;
use faafo_telemetry::trace::{self, Kind, Service, Span};
use futures_util::future::join_all;
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
        // A queue that waited for room in one lane would keep the others waiting.
        let has_room = |lane: &Lane| self.queue.has_room(*lane, BATCH as usize);
        let lanes: Vec<Lane> = Lane::ALL.into_iter().filter(has_room).collect();
        let claiming = self.store.claim_unpublished(&lanes, BATCH, now());
        let claims = match claiming.await {
            Ok(claims) if claims.is_empty() => return false,
            Ok(claims) => claims,
            Err(error) => {
                wait_after(&error, "read the outbox", stop).await;
                return true;
            }
        };
        let begun = trace::begun();
        // All at once: a broker confirms many in the time that one takes.
        let publishing = claims
            .iter()
            .map(|claim| self.queue.publish_task(&claim.task, claim.lane));
        let results = join_all(publishing).await;
        let (mut published, mut left, mut failure) = (Vec::new(), Vec::new(), None);
        for (claim, result) in claims.into_iter().zip(results) {
            match result {
                Ok(()) => {
                    let (task, lane) = (&claim.task, claim.lane);
                    metrics::PUBLISHED.add([lane.name()], 1);
                    Span::new(
                        task.fractal(),
                        "publish",
                        Service::Tracker,
                        Kind::Producer,
                        begun,
                    )
                    .id(trace::publish_id(task.id, task.attempt))
                    .with("faafo.attempt", task.attempt)
                    .with("faafo.part", task.part.name())
                    .with("faafo.lane", lane.name())
                    .record();
                    published.push(claim);
                }
                Err(error) => {
                    metrics::UNPUBLISHED.add([], 1);
                    left.push(claim);
                    failure = Some(error);
                }
            }
        }
        let full = published.len() == BATCH as usize;
        self.confirm(&published, stop).await;
        let Some(error) = failure else { return full };
        if let Err(error) = self.store.unclaim(&left).await {
            tracing::debug!(%error, "claimed tasks have to wait until the claim lapses");
        }
        wait_after(&error, "publish a task", stop).await;
        true
    }

    async fn confirm(&self, claims: &[Claim], stop: &CancellationToken) {
        if let Err(error) = self.store.published(claims, now()).await {
            // They will be published twice, which is harmless.
            wait_after(&error, "clear the outbox", stop).await;
        }
    }
}
