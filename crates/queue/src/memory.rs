//! The queue inside one process: bounded lists and a broadcast. It forgets everything with the process.

use crate::delivery::Acknowledge;
use crate::{Delivery, Error, Queue, QueueDepth};
use async_trait::async_trait;
use faafo_model::Lane;
use faafo_model::{Event, Report, Task};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, broadcast};

/// Tasks of a lane that wait at most; more stay in the outbox, from which many are taken at once.
const TASKS: usize = 250;
/// Reports that wait at most; then workers wait.
const REPORTS: usize = 10_000;
/// Events that a slow subscriber may lag behind.
const EVENTS: usize = 4_096;

pub(crate) struct Memory {
    interactive: Arc<Waiting<Task>>,
    batch: Arc<Waiting<Task>>,
    bands: Arc<Waiting<Task>>,
    quarantine: Arc<Waiting<Task>>,
    reports: Arc<Waiting<Report>>,
    events: broadcast::Sender<Event>,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self {
            interactive: Arc::new(Waiting::new(TASKS)),
            batch: Arc::new(Waiting::new(TASKS)),
            bands: Arc::new(Waiting::new(TASKS)),
            quarantine: Arc::new(Waiting::new(TASKS)),
            reports: Arc::new(Waiting::new(REPORTS)),
            events: broadcast::Sender::new(EVENTS),
        }
    }

    fn tasks(&self, lane: Lane) -> &Arc<Waiting<Task>> {
        match lane {
            Lane::Interactive => &self.interactive,
            Lane::Batch => &self.batch,
            Lane::Bands => &self.bands,
            // Stays empty: what kills a worker ends this queue as well.
            Lane::Quarantine => &self.quarantine,
        }
    }
}

#[async_trait]
impl Queue for Memory {
    async fn publish_task(&self, task: &Task, lane: Lane) -> Result<(), Error> {
        self.tasks(lane).push(task.clone()).await;
        Ok(())
    }

    fn has_room(&self, lane: Lane, tasks: usize) -> bool {
        self.tasks(lane).lock().len() + tasks <= TASKS
    }

    // Nothing is kept from anybody: whoever asks next gets it.
    fn consume_tasks(&self, _prefetch: u16) {}

    async fn next_task(&self, lane: Lane) -> Result<Delivery<Task>, Error> {
        let tasks = self.tasks(lane);
        loop {
            if let Some(delivery) = tasks.pop(1).pop() {
                return Ok(delivery);
            }
            tasks.filled.notified().await;
        }
    }

    async fn publish_report(&self, report: &Report) -> Result<(), Error> {
        self.reports.push(report.clone()).await;
        Ok(())
    }

    fn consume_reports(&self, _prefetch: u16) {}

    async fn next_reports(&self, limit: usize) -> Result<Vec<Delivery<Report>>, Error> {
        loop {
            let deliveries = self.reports.pop(limit);
            if !deliveries.is_empty() {
                return Ok(deliveries);
            }
            self.reports.filled.notified().await;
        }
    }

    fn publish_event(&self, event: Event) {
        // An error only says that nobody listens.
        let _ = self.events.send(event);
    }

    fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    fn forgets(&self) -> bool {
        true
    }

    async fn depth(&self) -> Option<QueueDepth> {
        Some(QueueDepth {
            tasks: Lane::ALL.map(|lane| self.tasks(lane).len()).iter().sum(),
            reports: self.reports.len(),
            dead: 0,
        })
    }

    async fn ping(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn close(&self) {}
}

/// A bounded list. `filled` holds a permit whenever a waiting receiver might find something, `emptied` likewise for
/// senders; both wake one at a time, and whoever is woken passes it on while there is more.
struct Waiting<T> {
    items: Mutex<VecDeque<T>>,
    room: usize,
    filled: Notify,
    emptied: Notify,
}

impl<T: Send + 'static> Waiting<T> {
    fn new(room: usize) -> Self {
        Self {
            items: Mutex::default(),
            room,
            filled: Notify::new(),
            emptied: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<T>> {
        // No code that holds the lock can panic halfway through a change.
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn len(&self) -> u64 {
        self.lock().len() as u64
    }

    async fn push(&self, item: T) {
        loop {
            {
                let mut items = self.lock();
                if items.len() < self.room {
                    items.push_back(item);
                    if items.len() < self.room {
                        self.emptied.notify_one();
                    }
                    break;
                }
            }
            self.emptied.notified().await;
        }
        self.filled.notify_one();
    }

    fn pop(self: &Arc<Self>, limit: usize) -> Vec<Delivery<T>> {
        let mut items = self.lock();
        let number = items.len().min(limit);
        let taken: Vec<_> = items.drain(..number).collect();
        if !items.is_empty() {
            self.filled.notify_one();
        }
        if number > 0 {
            self.emptied.notify_one();
        }
        drop(items);
        taken
            .into_iter()
            .map(|item| Delivery::new(item, Box::new(Ticket(Arc::clone(self)))))
            .collect()
    }
}

/// Knows the way back for a message that was not acknowledged.
struct Ticket<T>(Arc<Waiting<T>>);

impl<T: Send + 'static> Acknowledge<T> for Ticket<T> {
    fn ack(self: Box<Self>) {}

    fn give_back(self: Box<Self>, payload: T) {
        // To the front, where it came from, even above the bound: it was inside before.
        self.0.lock().push_front(payload);
        self.0.filled.notify_one();
    }
}
