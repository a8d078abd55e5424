//! What a recorded report leaves behind in metrics and traces.

use faafo_model::{TaskReport, TaskResult};
use faafo_telemetry::metrics;
use faafo_telemetry::trace::{self, Begun, Kind, Service, Span};

/// The report is recorded, since `begun` together with others.
pub(crate) fn recorded(report: &TaskReport, begun: Begun) {
    let (name, reason) = match &report.result {
        TaskResult::Rendering { .. } => ("rendering", None),
        TaskResult::Done { .. } => ("done", None),
        TaskResult::Planned { .. } => ("planned", None),
        TaskResult::Band { .. } => ("band", None),
        TaskResult::Failed { reason } => ("failed", Some(reason.as_str())),
        TaskResult::Returned { reason } => ("returned", Some(reason.as_str())),
        TaskResult::Unreadable => ("unreadable", Some("the worker could not read it")),
    };
    metrics::REPORTS.add([name], 1);
    // One a second for as long as it takes would say no more than the span of the rendering.
    // Of a band it is not known here whose trace it belongs to.
    if name == "rendering" || name == "band" {
        return;
    }
    let render = trace::render_id(report.id, report.attempt, &report.worker);
    Span::new(report.id, "record", Service::Tracker, Kind::Consumer, begun)
        .below(Some(render))
        .with("faafo.attempt", report.attempt)
        .with("faafo.worker", report.worker.as_str())
        .with("faafo.result", name)
        .failed(reason)
        .record();
}
