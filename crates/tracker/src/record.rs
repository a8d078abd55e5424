//! From reports to rows. A report is acknowledged only when the row says what it said.

use crate::{Tracker, now, sound, wait_after, watched};
use faafo_model::{Event, Report, State, TaskReport, TaskResult, Uuid};
use faafo_queue::Delivery;
use faafo_settlement::{Settled, settle};
use faafo_store::{Error, Finish, Made, Outcome, Subject};
use faafo_telemetry::{metrics, trace};
use std::collections::HashSet;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Reports recorded in one transaction.
const BATCH: usize = 128;
/// Reports kept at hand; other trackers get the rest.
const PREFETCH: u16 = 256;
/// How long to wait for workers that can read a task.
const OTHER_WORKERS: Duration = Duration::from_secs(20);
/// The pause before the store is asked again.
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
                if self.queue.forgets() {
                    // There may be room for more.
                    self.wake.notify_one();
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
                Report::Task(report) => about_tasks.push(sound::report(report)),
                Report::Presence(presence) => {
                    let presence = sound::presence(presence);
                    self.store.heartbeat(&presence, now()).await?;
                    metrics::REPORTS.add(["presence"], 1);
                }
            }
        }
        let begun = trace::begun();
        let undecided = self.record_tasks(&about_tasks).await?;
        for report in &about_tasks {
            if !(is_done(&report.result) && undecided.contains(&report.id)) {
                watched::recorded(report, begun);
            }
        }
        Ok(undecided)
    }

    async fn record_tasks(&self, reports: &[TaskReport]) -> Result<HashSet<Uuid>, Error> {
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
                        made: Made::Picture {
                            picture: *picture,
                            thumbnail: *thumbnail,
                        },
                        duration: Some(*duration),
                        worker: Some(report.worker.clone()),
                    },
                )),
                TaskResult::Band { fragment, duration } => finishes.push((
                    report.attempt,
                    Finish {
                        id: report.id,
                        made: Made::Fragment(*fragment),
                        duration: Some(*duration),
                        worker: Some(report.worker.clone()),
                    },
                )),
                TaskResult::Planned { preview, bands } => {
                    self.record_plan(report, *preview, bands).await?
                }
                TaskResult::Failed { reason } => {
                    let failed = self.store.fail(report.id, report.attempt, reason, now());
                    if let Some(subject) = failed.await? {
                        tracing::warn!(uuid = %report.id, reason, "task failed");
                        self.tell(report.id, subject, State::Failed);
                    }
                }
                TaskResult::Returned { reason } => {
                    self.give_back(report.id, report.attempt, reason, "returned")
                        .await?
                }
                TaskResult::Unreadable => self.postpone_unreadable(report).await?,
            }
        }
        self.record_rendering(&rendering).await?;
        self.record_finished(finishes).await
    }

    async fn record_rendering(&self, rendering: &[(Uuid, u32, f64)]) -> Result<(), Error> {
        let counted = self.store.rendering(rendering, now()).await?;
        let mut stale = Vec::new();
        for ((id, _, progress), subject) in rendering.iter().zip(counted) {
            match subject {
                Some(Subject::Owner) => {
                    self.queue
                        .publish_event(Event::state(*id, State::Rendering, *progress))
                }
                Some(Subject::Part) => {}
                None => stale.push(*id),
            }
        }
        // A worker that was away when it was told, or that has made up its task.
        for task in self.store.unwanted(&stale).await? {
            tracing::info!(%task, "nobody wants it; its worker shall stop");
            self.queue.publish_event(Event::stop(task));
        }
        Ok(())
    }

    /// Tells everybody what became of a fractal. Of its bands nobody wants to know.
    fn tell(&self, id: Uuid, subject: Subject, state: State) {
        if subject == Subject::Owner {
            self.queue.publish_event(Event::state(id, state, 0.0));
        }
    }

    /// Returns the results of which the blob store could not say whether they are there.
    async fn record_finished(&self, finishes: Vec<(u32, Finish)>) -> Result<HashSet<Uuid>, Error> {
        if finishes.is_empty() {
            return Ok(HashSet::new());
        }
        let (attempts, finishes): (Vec<u32>, Vec<Finish>) = finishes.into_iter().unzip();
        let (blobs, queue) = (&*self.blobs, &*self.queue);
        let settled = settle(&self.store, blobs, queue, &finishes, now()).await?;
        let mut undecided = Vec::new();
        for ((finish, attempt), settled) in finishes.iter().zip(attempts).zip(settled) {
            match settled {
                Settled::Done => {}
                Settled::NotWanted => self.wake.notify_one(),
                // Its worker has done its part; the lease goes on.
                Settled::Undecided => undecided.push((finish.id, attempt, 1.0)),
                Settled::Missing => {
                    let reason = "the stored picture has disappeared";
                    self.give_back(finish.id, attempt, reason, "picture_missing")
                        .await?;
                }
                Settled::BlobGoing => {
                    // Soon there is room for this one, and nobody is to blame.
                    let (id, delay) = (finish.id, Duration::from_secs(2));
                    if let Some(subject) =
                        self.store.postpone(id, attempt, delay, None, now()).await?
                    {
                        self.tell(id, subject, State::Queued);
                    }
                }
            }
        }
        self.record_rendering(&undecided).await?;
        Ok(undecided.into_iter().map(|(id, ..)| id).collect())
    }

    /// Nobody is to blame, and a worker of another version will come.
    async fn postpone_unreadable(&self, report: &TaskReport) -> Result<(), Error> {
        let (id, attempt) = (report.id, report.attempt);
        let reason = "waits for a worker of another version: those that are here can't read it";
        let postponed = self
            .store
            .postpone(id, attempt, OTHER_WORKERS, Some(reason), now());
        if let Some(subject) = postponed.await? {
            tracing::warn!(task = %id, attempt, "a worker can't read the task; trying again later");
            self.tell(id, subject, State::Queued);
        }
        Ok(())
    }

    pub(crate) async fn give_back(
        &self,
        id: Uuid,
        attempt: u32,
        reason: &str,
        counted_as: &str,
    ) -> Result<(), Error> {
        let (subject, state) = match self.store.give_back(id, attempt, reason, now()).await? {
            Outcome::Queued(subject) => (subject, State::Queued),
            Outcome::Failed(subject) => (subject, State::Failed),
            Outcome::Stale => return Ok(()),
        };
        metrics::GIVEN_BACK.add([counted_as], 1);
        tracing::warn!(uuid = %id, attempt, reason, %state, "task given back");
        self.tell(id, subject, state);
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
