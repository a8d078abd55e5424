//! Which tasks nobody wants any more. Events say so; they are hints, and a picture that is rendered in vain is only
//! refused later.

use faafo_kernel::Watch;
use faafo_model::message::Change;
use faafo_model::{State, Uuid};
use faafo_queue::Queue;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast::error::RecvError;

/// Cancelled fractals whose tasks may still come; older ones are forgotten.
const REMEMBERED: usize = 100_000;

#[derive(Default)]
pub(crate) struct Cancellations(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    running: HashMap<Uuid, Watch>,
    unwanted: HashSet<Uuid>,
    order: VecDeque<Uuid>,
}

impl Cancellations {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens for ever.
    pub(crate) async fn listen(&self, queue: &dyn Queue) {
        let mut events = queue.subscribe();
        loop {
            match events.recv().await {
                Ok(event) => match event.change {
                    Change::Deleted(_) | Change::State(State::Cancelled) => {
                        self.lock().cancel(event.id)
                    }
                    // Retried, or created again under the same name.
                    Change::State(State::Queued) => self.lock().want(event.id),
                    Change::State(_) => {}
                },
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Whether to begin; if so, `watch` will be cancelled when nobody wants the picture any more.
    pub(crate) fn begin(&self, id: Uuid, watch: &Watch) -> bool {
        let mut inner = self.lock();
        if inner.unwanted.contains(&id) {
            return false;
        }
        inner.running.insert(id, watch.clone());
        true
    }

    pub(crate) fn end(&self, id: Uuid) {
        self.lock().running.remove(&id);
    }

    /// The tasks under way, in the order of their names.
    pub(crate) fn running(&self) -> Vec<Uuid> {
        let mut running: Vec<_> = self.lock().running.keys().copied().collect();
        running.sort_unstable();
        running
    }
}

impl Inner {
    fn cancel(&mut self, id: Uuid) {
        if let Some(watch) = self.running.get(&id) {
            watch.cancel();
        }
        if self.unwanted.insert(id) {
            self.order.push_back(id);
            if self.order.len() > REMEMBERED
                && let Some(oldest) = self.order.pop_front()
            {
                self.unwanted.remove(&oldest);
            }
        }
    }

    fn want(&mut self, id: Uuid) {
        if self.unwanted.remove(&id) {
            self.order.retain(|unwanted| *unwanted != id);
        }
    }
}
