//! What things are called at the broker.

use faafo_model::Lane;

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

    /// Exchange for tasks; the routing key is the lane.
    pub(crate) fn tasks(&self) -> String {
        self.with_prefix("faafo.tasks")
    }

    /// Queue of the tasks of one lane.
    pub(crate) fn tasks_of(&self, lane: Lane) -> String {
        self.with_prefix(&format!("faafo.tasks.{}", routing_key(lane)))
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

/// What leads a task from its exchange to the queue of its lane.
pub(crate) fn routing_key(lane: Lane) -> &'static str {
    match lane {
        Lane::Interactive => "interactive",
        Lane::Batch => "batch",
        Lane::Bands => "bands",
        // As it was called at first: the arguments of the other queues name it and can't be changed.
        Lane::Quarantine => "alone",
    }
}

/// What leads a report from its exchange to its queue.
pub(crate) const REPORT: &str = "report";
