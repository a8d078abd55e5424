//! What things are called at the broker.

use crate::Urgency;

/// The names of exchanges and queues, all with the same prefix.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    prefix: String,
}

impl Names {
    pub(crate) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
        }
    }

    fn with_prefix(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Exchange for tasks; the routing key is the urgency.
    pub(crate) fn tasks(&self) -> String {
        self.with_prefix("faafo.tasks")
    }

    /// Queue of the tasks of one urgency.
    pub(crate) fn tasks_of(&self, urgency: Urgency) -> String {
        self.with_prefix(&format!("faafo.tasks.{}", routing_key(urgency)))
    }

    /// Exchange and queue for reports.
    pub(crate) fn results(&self) -> String {
        self.with_prefix("faafo.results")
    }

    /// Queue for trackers, of the tasks that became dead letters.
    pub(crate) fn unfinished(&self) -> String {
        self.with_prefix("faafo.unfinished")
    }

    /// Exchange for events.
    pub(crate) fn events(&self) -> String {
        self.with_prefix("faafo.events")
    }

    /// Exchange for dead letters, and the queue that keeps them for people to look at.
    pub(crate) fn dead(&self) -> String {
        self.with_prefix("faafo.dead")
    }
}

/// What leads a task from its exchange to the queue of its urgency.
pub(crate) fn routing_key(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Interactive => "interactive",
        Urgency::Batch => "batch",
        Urgency::Bands => "bands",
        Urgency::Alone => "alone",
    }
}

/// What leads a report from its exchange to its queue.
pub(crate) const REPORT: &str = "report";
