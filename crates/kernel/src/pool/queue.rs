//! Who works on what next: the jobs that are running, and how far each may go.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// A piece that has begun: does a little more of it, and tells whether it is done. Must not panic.
pub(super) type Task = Box<dyn FnMut() -> bool + Send>;

/// Begins a piece, by its number.
type Start = dyn Fn(usize) -> Task + Send + Sync;

/// The running jobs. Threads take pieces from the job that has the fewest on threads, in turn where that is equal, and
/// put back those that take long, so that no job has to wait for another.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: Vec<Job>,
    /// Where to look first, so that equal jobs take turns.
    turn: usize,
    last_id: u64,
    closed: bool,
}

struct Job {
    id: u64,
    start: Arc<Start>,
    /// Pieces that have begun and wait to go on.
    waiting: VecDeque<Task>,
    /// The first piece that nobody has taken.
    next: usize,
    /// The first piece that must not be taken yet.
    open: usize,
    count: usize,
    /// Pieces on threads right now.
    running: usize,
}

/// What a thread does next.
enum Next {
    GoOn(Task),
    Start(Arc<Start>, usize),
}

/// A job's place in the queue, which it leaves when this is dropped.
pub(super) struct Ticket {
    queue: Arc<Queue>,
    id: u64,
}

impl Queue {
    /// Adds a job of `count` pieces, of which the first `open` may be taken at once.
    pub fn enter(self: &Arc<Self>, start: Box<Start>, count: usize, open: usize) -> Ticket {
        let mut state = self.lock();
        state.last_id += 1;
        let id = state.last_id;
        state.jobs.push(Job {
            id,
            start: start.into(),
            waiting: VecDeque::new(),
            next: 0,
            open: open.min(count),
            count,
            running: 0,
        });
        self.changed.notify_all();
        Ticket {
            queue: Arc::clone(self),
            id,
        }
    }

    /// Works until the queue is closed.
    pub fn serve(&self) {
        while let Some((id, next)) = self.take() {
            let mut task = match next {
                Next::GoOn(task) => task,
                Next::Start(start, piece) => start(piece),
            };
            let done = task();
            let mut state = self.lock();
            if let Some(job) = state.job(id) {
                job.running -= 1;
                if !done {
                    job.waiting.push_back(task);
                    self.changed.notify_one();
                }
            }
        }
    }

    /// Ends every [`serve`](Self::serve) after what it is doing.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn take(&self) -> Option<(u64, Next)> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(job) = state.choose() {
                job.running += 1;
                return Some((job.id, job.take()));
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn job(&mut self, id: u64) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|job| job.id == id)
    }

    fn choose(&mut self) -> Option<&mut Job> {
        let jobs = self.jobs.len();
        let in_turn = (0..jobs).map(|offset| (self.turn + offset) % jobs);
        let chosen = in_turn
            .filter(|&index| self.jobs[index].has_work())
            .min_by_key(|&index| self.jobs[index].running)?;
        self.turn = chosen + 1;
        self.jobs.get_mut(chosen)
    }
}

impl Job {
    fn has_work(&self) -> bool {
        !self.waiting.is_empty() || self.next < self.open
    }

    /// Of a job that has work.
    fn take(&mut self) -> Next {
        if let Some(task) = self.waiting.pop_front() {
            return Next::GoOn(task);
        }
        self.next += 1;
        Next::Start(Arc::clone(&self.start), self.next - 1)
    }
}

impl Ticket {
    /// Lets pieces before `open` be taken.
    pub fn open(&self, open: usize) {
        if let Some(job) = self.queue.lock().job(self.id) {
            job.open = open.min(job.count);
        }
        self.queue.changed.notify_one();
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.queue.lock().jobs.retain(|job| job.id != self.id);
    }
}
