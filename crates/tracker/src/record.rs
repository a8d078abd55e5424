//! From reports to rows. A report is acknowledged only when the row says what it said.

use crate::{Tracker, now, wait_after};
use faafo_model::{BlobKey, Event, Report, State, TaskResult, Uuid};
use faafo_queue::Delivery;
use faafo_store::{Error, Finish, Outcome, Reservation};
use std::collections::HashSet;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Reports recorded in one transaction.
const BATCH: usize = 64;
/// Reports kept at hand; other trackers get the rest.
const PREFETCH: u16 = 256;

impl Tracker {
    pub(crate) async fn record(&self, stop: &CancellationToken) {
        self.queue.consume_reports(PREFETCH);
        loop {
            if stop.is_cancelled() {
                // Where they are not forgotten, other trackers may have them.
                self.queue.consume_reports(0);
            }
            let reports = tokio::select! {
                biased;
                reports = self.queue.next_reports(BATCH) => reports,
                // What is there already is recorded before stopping.
                () = stop.cancelled() => return self.queue.consume_reports(0),
            };
            match reports {
                Ok(reports) => {
                    if !self.record_all(reports).await && stop.is_cancelled() {
                        return tracing::warn!(
                            "the last reports are lost; their fractals will be rendered again"
                        );
                    }
                }
                Err(error) => wait_after(&error, "receive reports", stop).await,
            }
        }
    }

    /// Returns whether they were recorded. If not they go back to the queue and come again.
    async fn record_all(&self, reports: Vec<Delivery<Report>>) -> bool {
        match self.record_batch(&reports).await {
            Ok(()) => {
                reports.into_iter().for_each(Delivery::ack);
                true
            }
            Err(error) => {
                tracing::warn!(%error, "can't record reports; trying again");
                drop(reports);
                tokio::time::sleep(Duration::from_millis(500)).await;
                false
            }
        }
    }

    async fn record_batch(&self, reports: &[Delivery<Report>]) -> Result<(), Error> {
        let ended: HashSet<Uuid> = reports
            .iter()
            .filter(|report| !matches!(report.result, TaskResult::Rendering { .. }))
            .map(|report| report.id)
            .collect();
        let mut rendering = Vec::new();
        let mut finishes = Vec::new();
        for report in reports {
            match &report.result {
                TaskResult::Rendering { progress } if !ended.contains(&report.id) => {
                    rendering.push((report.id, report.attempt, *progress));
                }
                TaskResult::Rendering { .. } => {}
                TaskResult::Done {
                    picture,
                    thumbnail,
                    duration,
                } => finishes.push((
                    report.attempt,
                    Finish {
                        id: report.id,
                        picture: *picture,
                        thumbnail: *thumbnail,
                        duration: Some(*duration),
                        worker: Some(report.worker.clone()),
                    },
                )),
                TaskResult::Failed { reason } => {
                    if self
                        .store
                        .fail(report.id, report.attempt, reason, now())
                        .await?
                    {
                        tracing::warn!(id = %report.id, reason, "fractal failed");
                        self.queue
                            .publish_event(Event::state(report.id, State::Failed, 0.0));
                    }
                }
                TaskResult::Returned { reason } => {
                    self.give_back(report.id, report.attempt, reason).await?
                }
            }
        }
        self.record_rendering(&rendering).await?;
        self.record_finished(finishes).await
    }

    async fn record_rendering(&self, rendering: &[(Uuid, u32, f64)]) -> Result<(), Error> {
        if rendering.is_empty() {
            return Ok(());
        }
        let counted = self.store.rendering(rendering, now()).await?;
        for ((id, _, progress), _) in rendering.iter().zip(counted).filter(|(_, counts)| *counts) {
            self.queue
                .publish_event(Event::state(*id, State::Rendering, *progress));
        }
        Ok(())
    }

    async fn record_finished(&self, finishes: Vec<(u32, Finish)>) -> Result<(), Error> {
        if finishes.is_empty() {
            return Ok(());
        }
        let (attempts, finishes): (Vec<u32>, Vec<Finish>) = finishes.into_iter().unzip();
        let reservations = self.store.reserve(&finishes).await?;
        let mut unwanted = Vec::new();
        let mut wanted = Vec::new();
        for ((finish, attempt), reservation) in finishes.into_iter().zip(attempts).zip(reservations)
        {
            let keys = [finish.picture.key, finish.thumbnail.key];
            match reservation {
                Reservation::Reserved if self.all_stored(&keys).await => wanted.push(finish),
                Reservation::Reserved => {
                    self.give_back(finish.id, attempt, "the stored picture has disappeared")
                        .await?;
                }
                Reservation::BlobGoing => {
                    // An equal picture is just being deleted: soon there is room for this one, and nobody is to blame.
                    let (id, delay) = (finish.id, Duration::from_secs(2));
                    if self.store.postpone(id, attempt, delay, now()).await? {
                        self.queue
                            .publish_event(Event::state(id, State::Queued, 0.0));
                    }
                }
                Reservation::NotWanted => unwanted.extend(keys),
            }
        }
        let changed = self.store.finish(&wanted, now()).await?;
        for (finish, _) in wanted.iter().zip(changed).filter(|(_, changed)| *changed) {
            tracing::info!(id = %finish.id, seconds = finish.duration, bytes = finish.picture.size, "fractal done");
            self.queue
                .publish_event(Event::state(finish.id, State::Done, 1.0));
        }
        if !unwanted.is_empty() {
            self.store.suspect(&unwanted).await?;
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Whether the blobs are there. A store that can't say so now was just written to: it is believed.
    async fn all_stored(&self, keys: &[BlobKey]) -> bool {
        for key in keys {
            match self.blobs.size(key).await {
                Ok(None) => return false,
                Ok(Some(_)) => {}
                Err(error) => tracing::warn!(%error, %key, "can't look at a stored picture"),
            }
        }
        true
    }

    pub(crate) async fn give_back(
        &self,
        id: Uuid,
        attempt: u32,
        reason: &str,
    ) -> Result<(), Error> {
        let state = match self.store.give_back(id, attempt, reason, now()).await? {
            Outcome::Queued => State::Queued,
            Outcome::Failed => State::Failed,
            Outcome::Stale => return Ok(()),
        };
        tracing::warn!(%id, attempt, reason, %state, "task given back");
        self.queue.publish_event(Event::state(id, state, 0.0));
        self.wake.notify_one();
        Ok(())
    }
}
