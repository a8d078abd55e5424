//! One task after the other.

use crate::Worker;
use crate::cancel::Cancellations;
use crate::pipe::pipe;
use crate::watched;
use bytes::Bytes;
use faafo_blob::put;
use faafo_kernel::{RenderError, Watch};
use faafo_model::{BlobRef, Task, TaskReport, TaskResult};
use faafo_queue::{Delivery, Urgency};
use faafo_telemetry::{metrics, trace};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// How often a task under way is reported; the tracker takes it for lost after many times as long.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// What is done sooner is reported only once: most of the work on a tiny picture is talking about it.
const FIRST_WORD: Duration = Duration::from_millis(100);
/// How long handing a task back may take; then the queue has to find out by itself.
const HAND_BACK: Duration = Duration::from_secs(2);
/// The longest pause before storage is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

pub(crate) struct Slot {
    pub(crate) worker: Arc<Worker>,
    pub(crate) urgency: Urgency,
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
            let task = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                task = self.worker.queue.next_task(self.urgency) => task,
            };
            match task {
                Ok(task) => {
                    // At a level that no filter leaves out: whatever is said meanwhile is about this fractal.
                    let span =
                        tracing::error_span!("task", uuid = %task.id, attempt = task.attempt);
                    self.work(task).instrument(span).await;
                }
                Err(error) => {
                    tracing::warn!(%error, "can't receive tasks; trying again");
                    tokio::time::sleep(HEARTBEAT).await;
                }
            }
        }
    }

    async fn work(&self, task: Delivery<Task>) {
        let watch = Watch::new();
        let taken = trace::begun();
        watched::taken(&task, self.urgency, taken);
        if !self.cancellations.begin(task.id, &watch) {
            watched::ended(&task, &self.worker.name, &Err(NoResult::Unwanted), taken);
            return task.ack();
        }
        let busy = metrics::BUSY.hold([self.urgency.name()]);
        let result = tokio::select! {
            result = self.attempt(&task, &watch) => result,
            // Only ends with the other branch.
            () = self.heartbeat(&task, &watch) => return,
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
            let publishing = queue.publish_task(&task, self.urgency);
            if matches!(timeout(HAND_BACK, publishing).await, Ok(Ok(()))) {
                return task.ack();
            }
        }
        // Unacknowledged it goes back to the queue.
        drop(task);
    }

    /// Renders and stores. While storage fails, the task is neither lost nor to blame: it is tried until it succeeds.
    async fn attempt(&self, task: &Task, watch: &Watch) -> Result<TaskResult, NoResult> {
        let begun = trace::begun();
        let mut pause = Duration::from_millis(500);
        loop {
            let ended = tokio::select! {
                ended = self.render_and_store(task, watch) => ended,
                () = self.hand_back.cancelled() => {
                    watch.cancel();
                    return Err(NoResult::HandBack);
                }
            };
            let error = match ended {
                Ok((picture, thumbnail)) => {
                    let duration = begun.elapsed().as_secs_f64();
                    return Ok(TaskResult::Done {
                        picture,
                        thumbnail,
                        duration,
                    });
                }
                Err(Failure::Render(RenderError::Cancelled)) => return Err(NoResult::Unwanted),
                Err(Failure::Render(
                    error @ (RenderError::Recipe(_) | RenderError::Colours(_)),
                )) => {
                    return Ok(TaskResult::Failed {
                        reason: error.to_string(),
                    });
                }
                Err(Failure::Render(error @ RenderError::Panicked(_))) => {
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
                // No use in waiting for storage while somebody waits for us.
                () = self.stop.cancelled() => return Err(NoResult::HandBack),
            }
            if watch.is_cancelled() {
                return Err(NoResult::Unwanted);
            }
        }
    }

    async fn render_and_store(
        &self,
        task: &Task,
        watch: &Watch,
    ) -> Result<(BlobRef, BlobRef), Failure> {
        let begun = trace::begun();
        let mut upload = self.worker.blobs.begin().await?;
        let (writer, mut pieces) = pipe();
        let (renderer, recipe) = (Arc::clone(&self.worker.renderer), task.recipe.clone());
        let render_watch = watch.clone();
        let rendering = spawn_blocking(move || {
            #[cfg(debug_assertions)]
            let writer = crate::failpoint::Failpoint::new(writer, &recipe);
            let mut writer = writer;
            let rendered = renderer.render(&recipe, &render_watch, &mut writer)?;
            writer.flush()?;
            Ok::<_, RenderError>(rendered)
        });
        while let Some(piece) = pieces.recv().await {
            // On failure the pipe breaks, which ends the rendering.
            upload.write(piece).await?;
        }
        let rendered = match rendering.await {
            Ok(rendered) => rendered?,
            Err(error) => return Err(RenderError::Panicked(message(error)).into()),
        };
        let picture = upload.finish().await?;
        let thumbnail = put(&*self.worker.blobs, Bytes::from(rendered.thumbnail)).await?;
        watched::stored(task, &self.worker.name, picture, begun);
        Ok((picture, thumbnail))
    }

    /// Says soon and every second that the task is being worked on; for ever.
    async fn heartbeat(&self, task: &Task, watch: &Watch) {
        tokio::time::sleep(FIRST_WORD).await;
        loop {
            self.report(
                task,
                TaskResult::Rendering {
                    progress: watch.progress(),
                },
            )
            .await;
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

/// What a panic said.
fn message(error: JoinError) -> String {
    let other = error.to_string();
    let Ok(panic) = error.try_into_panic() else {
        return other;
    };
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or(other)
}

/// Why there is no stored picture.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Render(#[from] RenderError),
    #[error(transparent)]
    Storage(#[from] faafo_blob::Error),
}
