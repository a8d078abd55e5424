//! Which tasks nobody wants any more. Events say so; they are hints, and a picture that is rendered in vain is only
//! refused later.

use faafo_kernel::Watch;
use faafo_model::message::Change;
use faafo_model::{State, Task, Uuid};
use faafo_queue::Queue;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// Cancelled fractals whose tasks may still come; older ones are forgotten.
const REMEMBERED: usize = 100_000;

/// How a task hears that nobody wants it any more. Clones are about the same task.
#[derive(Clone, Default)]
pub(crate) struct Wanted {
    /// For whoever renders, who looks now and then.
    pub(crate) watch: Watch,
    /// For whoever waits, for storage perhaps.
    gone: CancellationToken,
}

impl Wanted {
    /// Nobody wants it any more.
    fn cancel(&self) {
        self.watch.cancel();
        self.gone.cancel();
    }

    /// Waits until nobody wants it any more.
    pub(crate) async fn is_gone(&self) {
        self.gone.cancelled().await;
    }

    /// Waits until nobody has wanted it for so long.
    pub(crate) async fn is_long_gone(&self, time: Duration) {
        self.is_gone().await;
        tokio::time::sleep(time).await;
    }
}

#[derive(Default)]
pub(crate) struct Cancellations(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// By their tasks' ids, with the fractals that they are parts of.
    running: HashMap<Uuid, (Uuid, Wanted)>,
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
                    // Of a fractal that failed, bands may still be under way.
                    Change::Deleted(_) | Change::State(State::Cancelled | State::Failed) => {
                        self.lock().cancel(event.id)
                    }
                    // Retried, or created again under the same name.
                    Change::State(State::Queued) => self.lock().want(event.id),
                    Change::State(_) => {}
                    Change::Stop(_) => self.lock().stop(event.id),
                },
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Whether to begin; if so, `wanted` will hear when nobody wants the picture any more.
    pub(crate) fn begin(&self, task: &Task, wanted: &Wanted) -> bool {
        let mut inner = self.lock();
        let fractal = task.fractal();
        if inner.unwanted.contains(&fractal) {
            return false;
        }
        inner.running.insert(task.id, (fractal, wanted.clone()));
        true
    }

    pub(crate) fn end(&self, id: Uuid) {
        self.lock().running.remove(&id);
    }

    /// The fractals of the tasks under way, in the order of their names.
    pub(crate) fn running(&self) -> Vec<Uuid> {
        let inner = self.lock();
        let mut running: Vec<_> = inner.running.values().map(|(id, _)| *id).collect();
        running.sort_unstable();
        running.dedup();
        running
    }
}

impl Inner {
    fn cancel(&mut self, id: Uuid) {
        for (fractal, wanted) in self.running.values() {
            if *fractal == id {
                wanted.cancel();
            }
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

    /// Only this task: of its fractal others may be wanted.
    fn stop(&self, task: Uuid) {
        if let Some((_, wanted)) = self.running.get(&task) {
            wanted.cancel();
        }
    }

    fn want(&mut self, id: Uuid) {
        if self.unwanted.remove(&id) {
            self.order.retain(|unwanted| *unwanted != id);
        }
    }
}
