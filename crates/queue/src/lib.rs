//! Tasks to workers, reports back, events to whoever watches. Messages are hints: the rows are the truth, so a queue may
//! lose, repeat or delay anything but must say honestly what it has confirmed.

mod delivery;
mod memory;
mod rabbit;

pub use delivery::Delivery;

use async_trait::async_trait;
use faafo_model::{Event, Lane, Report, Task};
use std::sync::Arc;
use tokio::sync::broadcast;

/// Where tasks and reports wait. Waiting calls may be dropped at any time without losing a message.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Hands over a task; returns once the queue has taken it, which may wait for room.
    ///
    /// # Errors
    /// When the queue did not confirm, at the latest after some 10 seconds; the task may or may not have been taken.
    async fn publish_task(&self, task: &Task, lane: Lane) -> Result<(), Error>;

    /// Whether so many more tasks of this lane would be taken without waiting for room.
    fn has_room(&self, lane: Lane, tasks: usize) -> bool;

    /// Asks for tasks: at most `prefetch` *of each lane* (see [`Lane::share`]) will be in this process's hands at a
    /// time. To hold none back from other workers, call [`next_task`](Self::next_task) from as many places for each
    /// lane. 0 asks for no more and hands back those that nobody has taken; a new queue begins with 0.
    fn consume_tasks(&self, prefetch: u16);

    /// The next task of this lane, once there is one.
    ///
    /// # Errors
    /// When the queue is away; ask again later.
    async fn next_task(&self, lane: Lane) -> Result<Delivery<Task>, Error>;

    /// Hands over a report; returns once the queue has taken it.
    ///
    /// # Errors
    /// When the queue did not confirm, at the latest after some 10 seconds.
    async fn publish_report(&self, report: &Report) -> Result<(), Error>;

    /// Asks for reports, like [`consume_tasks`](Self::consume_tasks); a few hundred keep a tracker busy.
    fn consume_reports(&self, prefetch: u16);

    /// At least one report for a tracker, once there is one, and up to `limit` of those that wait. A task that became a
    /// dead letter comes as a report about it, for who else would tell.
    ///
    /// # Errors
    /// When the queue is away; ask again later.
    async fn next_reports(&self, limit: usize) -> Result<Vec<Delivery<Report>>, Error>;

    /// Tells everybody; may be lost.
    fn publish_event(&self, event: Event);

    /// Events from about now on. A subscriber that is too slow loses the oldest ones and is told so.
    fn subscribe(&self) -> broadcast::Receiver<Event>;

    /// Whether tasks are forgotten when the process ends, so that a new process must publish all of them again.
    fn forgets(&self) -> bool;

    /// How much waits, if the queue can say so now.
    async fn depth(&self) -> Option<QueueDepth>;

    /// Whether the queue answers, now.
    ///
    /// # Errors
    /// When it doesn't, and why.
    async fn ping(&self) -> Result<(), Error>;

    /// Before the process ends: sends what is still to be sent, acknowledgements above all, for a few seconds at most.
    /// Afterwards the queue is of no more use.
    async fn close(&self);
}

/// Messages that wait; those in somebody's hands are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueDepth {
    /// Tasks of every lane.
    pub tasks: u64,
    /// Reports.
    pub reports: u64,
    /// Dead letters: messages that could not be read or came back too often, kept for people to look at.
    pub dead: u64,
}

/// A failure of the queue.
#[derive(Debug, thiserror::Error)]
#[error("queue: {message}")]
pub struct Error {
    /// Whether the URL is wrong, so that trying again can't help.
    pub is_config: bool,
    message: String,
}

impl Error {
    fn config(message: impl Into<String>) -> Self {
        Self {
            is_config: true,
            message: message.into(),
        }
    }

    fn failed(message: impl Into<String>) -> Self {
        Self {
            is_config: false,
            message: message.into(),
        }
    }
}

/// The queue that `url` names: `memory:`, or RabbitMQ as
/// `amqp://user:password@host[:port][,host[:port]…]/vhost[?prefix=…&heartbeat=…&ack_early=…&cacertfile=…]`, `amqps:`
/// for TLS. A broker need not be there yet: the queue connects on its own, and again whenever it must. To be called
/// inside a tokio runtime.
///
/// # Errors
/// For a URL that no back end answers to.
pub fn open(url: &str) -> Result<Arc<dyn Queue>, Error> {
    match url.split(':').next().unwrap_or_default() {
        "memory" => Ok(Arc::new(memory::Memory::new())),
        "amqp" | "amqps" => Ok(Arc::new(rabbit::Rabbit::open(url)?)),
        scheme => Err(Error::config(format!(
            "transport_url: no back end for {scheme:?}; there are memory:, amqp: and amqps:"
        ))),
    }
}
