//! Tasks to workers, reports back, events to whoever watches. Messages are hints: the rows are the truth, so a queue may
//! lose, repeat or delay anything but must say honestly what it has confirmed.

mod memory;

use async_trait::async_trait;
use faafo_model::{Event, Report, Task};
use std::sync::Arc;
use tokio::sync::broadcast;

/// Where tasks and reports wait. Waiting calls may be dropped at any time without losing a message.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Hands over a task; returns once the queue has taken it, which may wait for room.
    ///
    /// # Errors
    /// When the queue did not confirm; the task may or may not have been taken.
    async fn publish_task(&self, task: &Task) -> Result<(), Error>;

    /// The next task for a worker, once there is one.
    ///
    /// # Errors
    /// When the queue is away; ask again later.
    async fn next_task(&self) -> Result<Delivery<Task>, Error>;

    /// Hands over a report; returns once the queue has taken it.
    ///
    /// # Errors
    /// When the queue did not confirm.
    async fn publish_report(&self, report: &Report) -> Result<(), Error>;

    /// At least one report for a tracker, once there is one, and up to `limit` of those that wait.
    ///
    /// # Errors
    /// When the queue is away; ask again later.
    async fn next_reports(&self, limit: usize) -> Result<Vec<Delivery<Report>>, Error>;

    /// Tells everybody; may be lost.
    fn publish_event(&self, event: Event);

    /// Events from now on. A subscriber that is too slow loses the oldest ones and is told so.
    fn subscribe(&self) -> broadcast::Receiver<Event>;

    /// Whether tasks are forgotten when the process ends, so that a new process must publish all of them again.
    fn forgets(&self) -> bool;
}

/// A message that goes back to its queue unless it is acknowledged.
pub struct Delivery<T> {
    payload: Option<T>,
    acknowledge: Option<Box<dyn Acknowledge<T>>>,
}

/// What a back end does with a message once its fate is known.
pub(crate) trait Acknowledge<T>: Send + Sync {
    /// It is dealt with for good.
    fn ack(self: Box<Self>);
    /// It is handed back, to be delivered again.
    fn give_back(self: Box<Self>, payload: T);
}

impl<T> Delivery<T> {
    pub(crate) fn new(payload: T, acknowledge: Box<dyn Acknowledge<T>>) -> Self {
        Self {
            payload: Some(payload),
            acknowledge: Some(acknowledge),
        }
    }

    /// The message is dealt with: it will not come again.
    pub fn ack(mut self) {
        if let Some(acknowledge) = self.acknowledge.take() {
            acknowledge.ack();
        }
    }
}

impl<T> std::ops::Deref for Delivery<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.payload {
            Some(payload) => payload,
            None => unreachable!("the payload leaves only in drop"),
        }
    }
}

impl<T> Drop for Delivery<T> {
    fn drop(&mut self) {
        if let (Some(acknowledge), Some(payload)) = (self.acknowledge.take(), self.payload.take()) {
            acknowledge.give_back(payload);
        }
    }
}

/// A failure of the queue.
#[derive(Debug, thiserror::Error)]
#[error("queue: {message}")]
pub struct Error {
    /// Whether the URL is wrong, so that trying again can't help.
    pub is_config: bool,
    message: String,
}

/// The queue that `url` names.
///
/// # Errors
/// For a URL that no back end answers to.
pub fn open(url: &str) -> Result<Arc<dyn Queue>, Error> {
    match url.split(':').next().unwrap_or_default() {
        "memory" => Ok(Arc::new(memory::Memory::new())),
        scheme => Err(Error {
            is_config: true,
            message: format!("transport_url: no back end for {scheme:?}; there is memory:"),
        }),
    }
}
