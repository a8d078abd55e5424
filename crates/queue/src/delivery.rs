//! A message in somebody's hands.

/// A message that goes back to its queue when it is dropped without having been acknowledged.
///
/// A broker counts how often a task comes back: at first it goes to [`Lane::Quarantine`](faafo_model::Lane::Quarantine), and
/// after five workers it becomes a dead letter. To hand back a task that is not to blame, publish it again and
/// acknowledge this one. A broker also takes a
/// message that is held for too long for lost (RabbitMQ: 30 minutes). Before that, after 15 minutes, a broker's queue
/// acknowledges a task on its own while it is still being worked on. From then on only the row's lease, which the
/// worker's reports keep, stands for the task: dropping the delivery no longer brings it back at once, but the tracker
/// does when the worker falls silent.
pub struct Delivery<T> {
    payload: Option<T>,
    acknowledge: Option<Box<dyn Acknowledge<T>>>,
}

/// What a back end does with a message once its fate is known.
pub(crate) trait Acknowledge<T>: Send + Sync {
    /// It is dealt with for good.
    fn ack(self: Box<Self>);
    /// Whether the queue still takes it for ours.
    fn is_ours(&self) -> bool {
        true
    }
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

    /// Whether the queue still waits to hear what becomes of the message. When its connection has broken, it is or will
    /// be delivered to somebody else.
    pub fn is_ours(&self) -> bool {
        let acknowledge = self.acknowledge.as_ref();
        acknowledge.is_some_and(|acknowledge| acknowledge.is_ours())
    }

    /// The message is dealt with: it will not come again, unless its connection has broken in the meantime.
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
