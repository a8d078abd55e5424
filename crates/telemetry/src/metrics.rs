//! Every metric there is, by name. Seconds and bytes are the units; counters end in `_total`.
//!
//! Two laws hold. In each reading `faafo_fractals_accepted` is the sum of `faafo_fractals` over its states, because
//! both come from one statement; deleted fractals are in neither. And over all processes what
//! `faafo_accepted_total` has grown by, less what `faafo_deleted_total` has grown by, is what
//! `faafo_fractals_accepted` has changed by, because events are counted apart from rows.

use crate::family::Family;
pub use crate::family::{Counter, Gauge, Histogram};
use crate::process;

/// Says what this process is there for; to be called first of all.
pub fn begin(role: &'static str) {
    process::begin(role);
}

const NONE: &[[&str; 0]] = &[[]];
const LANES: &[[&str; 1]] = &[["interactive"], ["batch"], ["bands"], ["quarantine"]];
/// From one small picture to one that takes a day.
const LONG: &[f64] = &[
    0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0,
    86400.0,
];
const SHORT: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident: $kind:ident<$n:literal> = ($($argument:expr),* $(,)?);)*) => {
        $($(#[$doc])* pub static $name: $kind<$n> = $kind::new($($argument),*);)*

        /// All of them, in the order of the page.
        pub(crate) static ALL: &[&dyn Family] = &[$(&$name),*];
    };
}

metrics! {
    /// Fractals accepted.
    ACCEPTED: Counter<0> = ("faafo_accepted_total", "Fractals that this process accepted.", [], NONE);
    /// Fractals deleted.
    DELETED: Counter<0> = ("faafo_deleted_total", "Fractals that this process deleted.", [], NONE);
    /// Fractals that became done, failed or cancelled.
    FINISHED: Counter<1> = ("faafo_finished_total", "Fractals that this process recorded as done, failed or cancelled.",
        ["state"], &[["done"], ["failed"], ["cancelled"]]);
    /// Failed or cancelled fractals queued again.
    RETRIED: Counter<0> = ("faafo_retried_total", "Failed and cancelled fractals that this process queued again.", [], NONE);

    /// Tasks handed to the queue.
    PUBLISHED: Counter<1> = ("faafo_tasks_published_total", "Tasks that the queue has confirmed.", ["lane"], LANES);
    /// Tasks that the queue did not take.
    UNPUBLISHED: Counter<0> = ("faafo_tasks_publish_failures_total", "Tasks that the queue did not confirm; they are tried again.", [], NONE);
    /// Tasks put into the outbox once more.
    REPUBLISHED: Counter<0> = ("faafo_tasks_republished_total", "Tasks published again because the queue may have lost them.", [], NONE);
    /// Attempts that ended without a picture and without anybody to blame in the recipe.
    GIVEN_BACK: Counter<1> = ("faafo_tasks_given_back_total",
        "Attempts that came to nothing: the worker returned the task, fell silent, or its picture has disappeared.",
        ["reason"], &[["returned"], ["silent"], ["picture_missing"]]);
    /// Reports recorded.
    REPORTS: Counter<1> = ("faafo_reports_recorded_total", "Reports of workers that were recorded, by what they say.",
        ["result"], &[["rendering"], ["done"], ["planned"], ["band"], ["failed"], ["returned"], ["presence"]]);
    /// Seconds from publication to a worker.
    QUEUE_SECONDS: Histogram<1> = ("faafo_queue_seconds", "Seconds from a task's publication to a worker that takes it.",
        ["lane"], LANES, LONG);

    /// Tasks by what became of them in this worker.
    TASKS: Counter<1> = ("faafo_tasks_total", "Tasks that this worker took, by what became of them.",
        ["result"], &[["done"], ["planned"], ["band"], ["failed"], ["returned"], ["unwanted"], ["handed_back"]]);
    /// Seconds a picture took.
    RENDER_SECONDS: Histogram<0> = ("faafo_render_seconds", "Seconds from taking a task to its picture being stored.", [], NONE, LONG);
    /// Pixels rendered.
    PIXELS: Counter<0> = ("faafo_rendered_pixels_total", "Pixels of the pictures that this worker has stored.", [], NONE);
    /// Slots that work.
    BUSY: Gauge<1> = ("faafo_slots_busy", "Tasks being worked on.", ["lane"], LANES);

    /// Bytes sent and stored as blobs.
    BLOB_WRITTEN: Counter<0> = ("faafo_blob_written_bytes_total", "Bytes sent to the picture store, which has taken them for good.", [], NONE);
    /// Bytes that the blob store has copied from blobs to blobs.
    BLOB_COPIED: Counter<0> = ("faafo_blob_copied_bytes_total", "Bytes of pictures that the picture store has copied by itself.", [], NONE);
    /// Bytes read from blobs.
    BLOB_READ: Counter<0> = ("faafo_blob_read_bytes_total", "Bytes read from the picture store.", [], NONE);
    /// What was asked of the blob store.
    BLOB_OPERATIONS: Counter<2> = ("faafo_blob_operations_total", "What was asked of the picture store, by how it ended.",
        ["operation", "result"], &[["write", "ok"], ["write", "failed"], ["read", "ok"], ["read", "failed"],
        ["size", "ok"], ["size", "failed"], ["delete", "ok"], ["delete", "failed"], ["compose", "ok"], ["compose", "failed"]]);

    /// Requests answered.
    HTTP_REQUESTS: Counter<3> = ("faafo_http_requests_total", "Requests answered, by method, route and class of status.",
        ["method", "route", "status"], &[]);
    /// Seconds to an answer.
    HTTP_SECONDS: Histogram<2> = ("faafo_http_request_seconds", "Seconds from a request's head to its answer's head.",
        ["method", "route"], &[], SHORT);
    /// Requests under way.
    HTTP_OPEN: Gauge<0> = ("faafo_http_requests_in_flight", "Requests whose answer has not begun.", [], NONE);
    /// Listeners to live events.
    SUBSCRIBERS: Gauge<0> = ("faafo_event_subscribers", "Open streams of live events.", [], NONE);

    /// Spans exported or not.
    SPANS: Counter<1> = ("faafo_spans_total", "Spans of traces, by what became of them.", ["result"], &[["sent"], ["dropped"]]);
}
