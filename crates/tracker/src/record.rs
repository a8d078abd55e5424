//! From reports to rows. A report is acknowledged only when the row says what it said.

use crate::{Tracker, now, wait_after, watched};
use faafo_model::{Event, Report, State, TaskReport, TaskResult, Uuid};
use faafo_queue::Delivery;
use faafo_store::{Error, Finish, Outcome, Reservation};
use faafo_telemetry::{metrics, trace};
use futures_util::future::join_all;
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Reports recorded in one transaction.
const BATCH: usize = 64;
/// Reports kept at hand; other trackers get the rest.
const PREFETCH: u16 = 256;
/// How long the store may take to say whether a picture is there; other reports wait meanwhile.
const LOOK: Duration = Duration::from_secs(3);
/// The pause before it is asked again.
const LATER: Duration = Duration::from_secs(2);

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
            Ok(undecided) => {
                for report in reports {
                    if done(&report).is_some_and(|id| undecided.contains(&id)) {
                        comes_again(report);
                    } else {
                        report.ack();
                    }
                }
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

    /// Returns the fractals about whose pictures the store could not say whether they are there.
    async fn record_batch(&self, reports: &[Delivery<Report>]) -> Result<HashSet<Uuid>, Error> {
        let mut about_tasks = Vec::with_capacity(reports.len());
        for report in reports {
            match &**report {
                Report::Task(report) => about_tasks.push(report),
                Report::Presence(presence) => {
                    self.store.heartbeat(presence, now()).await?;
                    metrics::REPORTS.add(["presence"], 1);
                }
            }
        }
        let begun = trace::begun();
        let undecided = self.record_tasks(&about_tasks).await?;
        for report in about_tasks {
            if !(is_done(&report.result) && undecided.contains(&report.id)) {
                watched::recorded(report, begun);
            }
        }
        Ok(undecided)
    }

    async fn record_tasks(&self, reports: &[&TaskReport]) -> Result<HashSet<Uuid>, Error> {
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
                        is_band: false,
                    },
                )),
                TaskResult::Band { fragment, duration } => finishes.push((
                    report.attempt,
                    Finish {
                        id: report.id,
                        picture: *fragment,
                        thumbnail: *fragment,
                        duration: Some(*duration),
                        worker: Some(report.worker.clone()),
                        is_band: true,
                    },
                )),
                TaskResult::Planned { preview, bands } => {
                    self.record_plan(report, *preview, bands).await?
                }
                TaskResult::Failed { reason } => {
                    if self
                        .store
                        .fail(report.id, report.attempt, reason, now())
                        .await?
                    {
                        tracing::warn!(uuid = %report.id, reason, "fractal failed");
                        self.tell(report.id, State::Failed).await?;
                    }
                }
                TaskResult::Returned { reason } => {
                    self.give_back(report.id, report.attempt, reason, "returned")
                        .await?
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
        let ids: Vec<_> = rendering.iter().map(|(id, ..)| *id).collect();
        let bands = self.store.bands_among(&ids).await?;
        for ((id, _, progress), counts) in rendering.iter().zip(counted) {
            if counts && !bands.contains(id) {
                self.queue
                    .publish_event(Event::state(*id, State::Rendering, *progress));
            }
        }
        Ok(())
    }

    /// Tells everybody what became of a fractal. Of its bands nobody wants to know.
    async fn tell(&self, id: Uuid, state: State) -> Result<(), Error> {
        if !self.store.bands_among(&[id]).await?.contains(&id) {
            self.queue.publish_event(Event::state(id, state, 0.0));
        }
        Ok(())
    }

    async fn record_finished(&self, finishes: Vec<(u32, Finish)>) -> Result<HashSet<Uuid>, Error> {
        if finishes.is_empty() {
            return Ok(HashSet::new());
        }
        let (attempts, finishes): (Vec<u32>, Vec<Finish>) = finishes.into_iter().unzip();
        let reservations = self.store.reserve(&finishes).await?;
        let looking = finishes
            .iter()
            .zip(&reservations)
            .map(async |(finish, state)| match state {
                Reservation::Reserved => self.all_stored(finish).await,
                _ => None,
            });
        let stored = join_all(looking).await;
        let mut unwanted = Vec::new();
        let mut wanted = Vec::new();
        let mut undecided = Vec::new();
        for (((finish, attempt), reservation), stored) in finishes
            .into_iter()
            .zip(attempts)
            .zip(reservations)
            .zip(stored)
        {
            let keys = [finish.picture.key, finish.thumbnail.key];
            match reservation {
                Reservation::Reserved if stored == Some(true) => wanted.push(finish),
                // Its worker has done its part; the lease goes on.
                Reservation::Reserved if stored.is_none() => {
                    undecided.push((finish.id, attempt, 1.0));
                }
                Reservation::Reserved => {
                    let reason = "the stored picture has disappeared";
                    self.give_back(finish.id, attempt, reason, "picture_missing")
                        .await?;
                }
                Reservation::BlobGoing => {
                    // An equal picture is just being deleted: soon there is room for this one, and nobody is to blame.
                    let (id, delay) = (finish.id, Duration::from_secs(2));
                    if self.store.postpone(id, attempt, delay, now()).await? {
                        self.tell(id, State::Queued).await?;
                    }
                }
                Reservation::NotWanted => unwanted.extend(keys),
            }
        }
        let changed = self.store.finish(&wanted, now()).await?;
        for (finish, _) in wanted.iter().zip(changed).filter(|(_, changed)| *changed) {
            if finish.is_band {
                tracing::debug!(uuid = %finish.id, seconds = finish.duration, bytes = finish.picture.size, "band done");
                continue;
            }
            tracing::info!(uuid = %finish.id, seconds = finish.duration, bytes = finish.picture.size, "fractal done");
            self.queue
                .publish_event(Event::state(finish.id, State::Done, 1.0));
        }
        if !unwanted.is_empty() {
            self.store.suspect(&unwanted).await?;
            self.wake.notify_one();
        }
        self.record_rendering(&undecided).await?;
        Ok(undecided.into_iter().map(|(id, ..)| id).collect())
    }

    /// Whether the blobs are there, if the store can say so soon. Who stored them may have seen them before they were
    /// deleted, so nobody's word will do.
    async fn all_stored(&self, finish: &Finish) -> Option<bool> {
        for key in [finish.picture.key, finish.thumbnail.key] {
            match timeout(LOOK, self.blobs.size(&key)).await {
                Ok(Ok(None)) => return Some(false),
                Ok(Ok(Some(_))) => {}
                Ok(Err(error)) => {
                    tracing::warn!(%error, %key, "can't look at a stored picture; trying again");
                    return None;
                }
                Err(_) => {
                    tracing::warn!(%key, "can't look at a stored picture; trying again");
                    return None;
                }
            }
        }
        Some(true)
    }

    pub(crate) async fn give_back(
        &self,
        id: Uuid,
        attempt: u32,
        reason: &str,
        counted_as: &str,
    ) -> Result<(), Error> {
        let state = match self.store.give_back(id, attempt, reason, now()).await? {
            Outcome::Queued => State::Queued,
            Outcome::Failed => State::Failed,
            Outcome::Stale => return Ok(()),
        };
        metrics::GIVEN_BACK.add([counted_as], 1);
        tracing::warn!(uuid = %id, attempt, reason, %state, "task given back");
        self.tell(id, state).await?;
        self.wake.notify_one();
        Ok(())
    }
}

/// The fractal or band that is done according to this report.
fn done(report: &Report) -> Option<Uuid> {
    match report {
        Report::Task(report) if is_done(&report.result) => Some(report.id),
        _ => None,
    }
}

fn is_done(result: &TaskResult) -> bool {
    matches!(result, TaskResult::Done { .. } | TaskResult::Band { .. })
}

/// Gives a report back to the queue after a while.
fn comes_again(report: Delivery<Report>) {
    tokio::spawn(async move {
        tokio::time::sleep(LATER).await;
        drop(report);
    });
}
