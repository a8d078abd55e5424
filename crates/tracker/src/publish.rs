//! From the outbox to the queue.

use crate::{Tracker, now, wait_after};
use faafo_model::Part;
use faafo_queue::Urgency;
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
        let claims = match self.store.claim_unpublished(BATCH, now()).await {
            Ok(claims) if claims.is_empty() => return false,
            Ok(claims) => claims,
            Err(error) => {
                wait_after(&error, "read the outbox", stop).await;
                return true;
            }
        };
        let begun = trace::begun();
        // All at once: a broker confirms many in the time that one takes.
        let publishing = claims.iter().map(|claim| {
            let urgency = lane(claim.task.part, claim.priority);
            self.queue.publish_task(&claim.task, urgency)
        });
        let results = join_all(publishing).await;
        let (mut published, mut left, mut failure) = (Vec::new(), Vec::new(), None);
        for (claim, result) in claims.into_iter().zip(results) {
            match result {
                Ok(()) => {
                    let (task, urgency) = (&claim.task, lane(claim.task.part, claim.priority));
                    metrics::PUBLISHED.add([urgency.name()], 1);
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
                    .with("faafo.urgency", urgency.name())
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

/// What somebody has moved forward overtakes the bulk of the work, also what the queue already has. Bands stand in a line
/// of their own; to plan and to join a poster is short work, for which it does not wait behind another one's bands.
fn lane(part: Part, priority: i64) -> Urgency {
    match part {
        _ if priority > 0 => Urgency::Interactive,
        Part::Band { .. } => Urgency::Bands,
        Part::Whole | Part::Plan { .. } | Part::Join { .. } => Urgency::Batch,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faafo_model::{BlobKey, Uuid};

    const BAND: Part = Part::Band {
        poster: Uuid::nil(),
        first: 0,
        rows: 1,
    };

    #[test]
    fn only_bands_stand_in_the_line_of_bands() {
        let manifest = BlobKey([0; 32]);
        let others = [
            Part::Whole,
            Part::Plan { band_area: 1 },
            Part::Join { manifest },
        ];
        for priority in [0, -100] {
            assert_eq!(lane(BAND, priority), Urgency::Bands);
            assert_eq!(others.map(|part| lane(part, priority)), [Urgency::Batch; 3]);
        }
    }

    #[test]
    fn what_is_moved_forward_overtakes_whatever_it_is() {
        for part in [Part::Whole, BAND] {
            assert_eq!(lane(part, 1), Urgency::Interactive);
        }
    }
}
