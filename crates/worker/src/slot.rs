//! One task after the other.

use crate::Worker;
use crate::cancel::{Cancellations, Wanted};
use crate::parts::Failure;
use crate::place::Place;
use crate::watched;
use faafo_kernel::{RenderError, Watch};
use faafo_model::Lane;
use faafo_model::poster::BANDS_SHARE;
use faafo_model::{Part, Task, TaskReport, TaskResult};
use faafo_queue::Delivery;
use faafo_telemetry::metrics;
use faafo_telemetry::trace::{self, Begun};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// How often a task under way is reported; the tracker takes it for lost after many times as long.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// What is done sooner is reported only once: most of the work on a tiny picture is talking about it.
const FIRST_WORD: Duration = Duration::from_millis(100);
/// How long what nobody wants any more may go on: what is stored in the end is then reported, and so removed at once.
const LAST_STEP: Duration = Duration::from_millis(500);
/// How long handing a task back may take; then the queue has to find out by itself.
const HAND_BACK: Duration = Duration::from_secs(2);
/// The longest pause before storage is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

pub(crate) struct Slot {
    pub(crate) worker: Arc<Worker>,
    pub(crate) lane: Lane,
    /// Where tasks of this lane are rendered.
    pub(crate) places: Arc<Semaphore>,
    pub(crate) cancellations: Arc<Cancellations>,
    pub(crate) stop: CancellationToken,
    pub(crate) hand_back: CancellationToken,
}

/// How a task ended that has no result to report.
pub(crate) enum NoResult {
    /// Nobody wants it any more.
    Unwanted,
    /// The worker stops: somebody else shall do it.
    HandBack,
}

impl Slot {
    pub(crate) async fn run(self) {
        loop {
            let next = async {
                let place = Place::take(&self.places).await;
                (place, self.worker.queue.next_task(self.lane).await)
            };
            let (place, task) = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                next = next => next,
            };
            let Some(place) = place else { return };
            match task {
                Ok(task) => {
                    // At a level that no filter leaves out: whatever is said meanwhile is about this fractal.
                    let span = tracing::error_span!("task", uuid = %task.fractal(), attempt = task.attempt);
                    self.work(task, &place).instrument(span).await;
                }
                Err(error) => {
                    tracing::warn!(%error, "can't receive tasks; trying again");
                    tokio::time::sleep(HEARTBEAT).await;
                }
            }
        }
    }

    async fn work(&self, task: Delivery<Task>, place: &Place) {
        let wanted = Wanted::default();
        let taken = trace::begun();
        watched::taken(&task, self.lane, taken);
        if !self.cancellations.begin(&task, &wanted) {
            watched::ended(&task, &self.worker.name, &Err(NoResult::Unwanted), taken);
            return task.ack();
        }
        let busy = metrics::BUSY.hold([self.lane.name()]);
        let result = tokio::select! {
            result = self.attempt(&task, &wanted, place) => result,
            // Only ends with the other branch.
            () = self.heartbeat(&task, &wanted.watch) => return,
        };
        drop(busy);
        self.cancellations.end(task.id);
        watched::ended(&task, &self.worker.name, &result, taken);
        match result {
            Ok(result) => {
                self.report(&task, result).await;
                task.ack();
            }
            Err(NoResult::Unwanted) => task.ack(),
            Err(NoResult::HandBack) => self.hand_back(task).await,
        }
    }

    /// Somebody else shall do it. A queue that outlives this process gets the task anew: it would count one that merely
    /// comes back as one that no worker survives.
    async fn hand_back(&self, task: Delivery<Task>) {
        let queue = &self.worker.queue;
        if !queue.forgets() && task.is_ours() {
            let publishing = queue.publish_task(&task, self.lane);
            if matches!(timeout(HAND_BACK, publishing).await, Ok(Ok(()))) {
                return task.ack();
            }
        }
        // Unacknowledged it goes back to the queue.
        drop(task);
    }

    /// Renders and stores. While storage fails, the task is neither lost nor to blame: it is tried until it succeeds, or
    /// until nobody wants it any more.
    async fn attempt(
        &self,
        task: &Task,
        wanted: &Wanted,
        place: &Place,
    ) -> Result<TaskResult, NoResult> {
        let begun = trace::begun();
        let mut pause = Duration::from_millis(500);
        loop {
            let ended = tokio::select! {
                ended = self.work_on_part(task, begun, &wanted.watch, place) => ended,
                // Also while storage keeps it waiting.
                () = wanted.is_long_gone(LAST_STEP) => return Err(NoResult::Unwanted),
                () = self.hand_back.cancelled() => {
                    wanted.watch.cancel();
                    return Err(NoResult::HandBack);
                }
            };
            let error = match ended {
                Ok(result) => return Ok(result),
                Err(Failure::Render(RenderError::Cancelled)) => return Err(NoResult::Unwanted),
                Err(Failure::Render(error @ (RenderError::Recipe(_) | RenderError::Field(_)))) => {
                    return Ok(TaskResult::Failed {
                        reason: error.to_string(),
                    });
                }
                Err(error @ (Failure::Render(RenderError::Panicked(_)) | Failure::Lost(_))) => {
                    return Ok(TaskResult::Returned {
                        reason: error.to_string(),
                    });
                }
                Err(Failure::Render(RenderError::Io(error))) => error.to_string(),
                Err(Failure::Storage(error)) => error.to_string(),
            };
            tracing::warn!(error, "can't store the picture; trying again");
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
                () = wanted.is_gone() => return Err(NoResult::Unwanted),
                // No use in waiting for storage while somebody waits for us.
                () = self.stop.cancelled() => return Err(NoResult::HandBack),
            }
        }
    }

    async fn work_on_part(
        &self,
        task: &Task,
        taken: Begun,
        watch: &Watch,
        place: &Place,
    ) -> Result<TaskResult, Failure> {
        let (worker, recipe, begun) = (&self.worker, &task.recipe, trace::begun());
        let seconds = || taken.elapsed().as_secs_f64();
        let (stored, result) = match task.part {
            Part::Whole => {
                let (picture, thumbnail) = worker.whole(recipe, watch, place).await?;
                let duration = seconds();
                let done = TaskResult::Done {
                    picture,
                    thumbnail,
                    duration,
                };
                (picture, done)
            }
            Part::Plan { band_area } => {
                let (preview, bands) = worker.plan(recipe, band_area, watch).await?;
                return Ok(TaskResult::Planned { preview, bands });
            }
            Part::Band { first, rows, .. } => {
                let rows = first..first.saturating_add(rows);
                let fragment = worker.band(recipe, rows, watch, place).await?;
                let duration = seconds();
                (fragment, TaskResult::Band { fragment, duration })
            }
            Part::Join { manifest } => {
                let (picture, thumbnail, before) = worker.join(recipe, &manifest, watch).await?;
                let duration = before + seconds();
                let done = TaskResult::Done {
                    picture,
                    thumbnail,
                    duration,
                };
                (picture, done)
            }
        };
        watched::stored(task, &worker.name, stored, begun);
        Ok(result)
    }

    /// Says soon and every second that the task is being worked on; for ever.
    async fn heartbeat(&self, task: &Task, watch: &Watch) {
        tokio::time::sleep(FIRST_WORD).await;
        loop {
            let progress = match task.part {
                Part::Whole | Part::Band { .. } => watch.progress(),
                Part::Plan { .. } => 0.0,
                Part::Join { .. } => BANDS_SHARE + (1.0 - BANDS_SHARE) * watch.progress(),
            };
            self.report(task, TaskResult::Rendering { progress }).await;
            tokio::time::sleep(HEARTBEAT).await;
        }
    }

    async fn report(&self, task: &Task, result: TaskResult) {
        let is_last = !matches!(result, TaskResult::Rendering { .. });
        let report = TaskReport {
            id: task.id,
            attempt: task.attempt,
            worker: self.worker.name.clone(),
            result,
        }
        .into();
        while let Err(error) = self.worker.queue.publish_report(&report).await {
            tracing::warn!(%error, "can't report");
            if !is_last || self.hand_back.is_cancelled() {
                return;
            }
            tokio::time::sleep(HEARTBEAT).await;
        }
    }
}
