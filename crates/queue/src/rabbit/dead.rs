//! Dead letters, as reports about the tasks that they were.

use faafo_model::{Report, TaskReport, TaskResult, Uuid};
use lapin::message::Delivery;
use lapin::types::{AMQPValue, ShortString};
use serde::Deserialize;

/// All that must be known about a task, which perhaps nobody can read.
#[derive(Deserialize)]
struct Known {
    id: Uuid,
    attempt: u32,
}

/// What to report of a dead letter; nothing of one that is no task. The letter itself is also kept for people.
pub(crate) fn report(letter: &Delivery) -> serde_json::Result<Option<Report>> {
    let is_task = |kind: &ShortString| kind.as_str() == "task";
    if !letter.properties.kind().as_ref().is_some_and(is_task) {
        return Ok(None);
    }
    let Ok(task) = serde_json::from_slice::<Known>(&letter.data) else {
        return Ok(None);
    };
    let result = if came_back_too_often(letter) {
        TaskResult::Failed {
            reason: "gave up after 5 attempts: each time the worker vanished".to_owned(),
        }
    } else {
        TaskResult::Unreadable
    };
    Ok(Some(Report::Task(TaskReport {
        id: task.id,
        attempt: task.attempt,
        worker: String::new(),
        result,
    })))
}

/// Else a worker has rejected it.
fn came_back_too_often(letter: &Delivery) -> bool {
    let headers = letter.properties.headers().as_ref();
    let deaths = headers.and_then(|headers| headers.inner().get("x-death"));
    let Some(AMQPValue::FieldArray(deaths)) = deaths else {
        return false;
    };
    // The last one comes first.
    let Some(AMQPValue::FieldTable(last)) = deaths.as_slice().first() else {
        return false;
    };
    matches!(last.inner().get("reason"), Some(AMQPValue::LongString(reason)) if reason.as_bytes() == b"delivery_limit")
}
