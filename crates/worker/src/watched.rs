//! What a worker's tasks leave behind in metrics and traces.

use crate::slot::NoResult;
use faafo_model::Lane;
use faafo_model::{BlobRef, Task, TaskResult};
use faafo_telemetry::metrics;
use faafo_telemetry::trace::{self, Begun, Kind, Service, Span};
use std::time::SystemTime;

/// A worker has just taken the task.
pub(crate) fn taken(task: &Task, lane: Lane, at: Begun) {
    tracing::debug!(lane = lane.name(), "task taken");
    let Some(published) = task.published_at.map(SystemTime::from) else {
        return;
    };
    // The clocks of two machines differ.
    let waited = at.at().duration_since(published).unwrap_or_default();
    metrics::QUEUE_SECONDS.observe([lane.name()], waited.as_secs_f64());
    Span::new(
        task.fractal(),
        "queued",
        Service::Worker,
        Kind::Consumer,
        at,
    )
    .between(published, at.at())
    .below(Some(trace::publish_id(task.id, task.attempt)))
    .with("faafo.attempt", task.attempt)
    .with("faafo.lane", lane.name())
    .record();
}

/// The picture is stored; `begun` is when its storing began, which goes on while it is rendered.
pub(crate) fn stored(task: &Task, worker: &str, picture: BlobRef, begun: Begun) {
    Span::new(
        task.fractal(),
        "store",
        Service::Worker,
        Kind::Internal,
        begun,
    )
    .below(Some(trace::render_id(task.id, task.attempt, worker)))
    .with("faafo.attempt", task.attempt)
    .with("faafo.bytes", picture.size)
    .record();
}

/// The task has come to this end.
pub(crate) fn ended(
    task: &Task,
    worker: &str,
    result: &Result<TaskResult, NoResult>,
    taken: Begun,
) {
    let (name, reason) = match result {
        Ok(TaskResult::Done { duration, .. }) => {
            metrics::RENDER_SECONDS.observe([], *duration);
            metrics::PIXELS.add([], task.part.pixels(&task.recipe));
            ("done", None)
        }
        Ok(TaskResult::Planned { .. }) => ("planned", None),
        Ok(TaskResult::Band { .. }) => {
            metrics::PIXELS.add([], task.part.pixels(&task.recipe));
            ("band", None)
        }
        Ok(TaskResult::Failed { reason }) => ("failed", Some(reason.as_str())),
        Ok(TaskResult::Returned { reason }) => ("returned", Some(reason.as_str())),
        // Never a result in the end.
        Ok(TaskResult::Rendering { .. }) => return,
        Err(NoResult::Unwanted) => ("unwanted", None),
        Err(NoResult::HandBack) => ("handed_back", None),
    };
    metrics::TASKS.add([name], 1);
    tracing::debug!(result = name, reason, "task ended");
    let span = Span::new(
        task.fractal(),
        "render",
        Service::Worker,
        Kind::Consumer,
        taken,
    )
    .below(Some(trace::publish_id(task.id, task.attempt)))
    .with("faafo.attempt", task.attempt)
    .with("faafo.worker", worker)
    .with("faafo.result", name)
    .with("faafo.part", task.part.name())
    .with("faafo.width", task.recipe.width)
    .with("faafo.height", task.recipe.height)
    .with("faafo.iterations", task.recipe.iterations)
    .failed(reason);
    // Whoever records the report refers to this one; a task that is handed back is rendered again under another id.
    let span = match result {
        Ok(_) => span.id(trace::render_id(task.id, task.attempt, worker)),
        Err(_) => span,
    };
    span.record();
}
