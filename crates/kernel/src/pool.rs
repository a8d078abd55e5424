//! Threads that share the work of all running jobs.

mod queue;

use queue::{Queue, Task};
use std::any::Any;
use std::collections::VecDeque;
use std::io;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Pieces of a job that may be under way or wait to be consumed, for each thread of the pool.
const WINDOW_PER_THREAD: usize = 3;

/// How long a waiting job may take to notice that it is to stop.
const STOP_POLL: Duration = Duration::from_millis(20);

/// How willingly pool threads give way to others: they should not slow down whoever serves pages.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// A fixed number of threads; any number of jobs at once.
pub(crate) struct Pool {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

/// Why a job ended early.
#[derive(Debug)]
pub(crate) enum JobError {
    /// It was told to stop.
    Stopped,
    /// Its consumer failed.
    Consumer(io::Error),
    /// A piece panicked, with this message.
    Panicked(String),
}

/// A part of a job.
pub(crate) trait Piece: Send + 'static {
    /// What it comes to.
    type Output: Send + 'static;

    /// Works for a little while, so that other jobs get their turns, and gives the output once it is done. Not called
    /// again after that.
    fn go_on(&mut self) -> Option<Self::Output>;
}

/// A piece's number and what became of it.
type Done<T> = (usize, Result<T, Box<dyn Any + Send>>);

impl Pool {
    /// Starts the threads.
    pub fn new(threads: NonZeroUsize) -> io::Result<Self> {
        let mut pool = Self {
            queue: Arc::new(Queue::default()),
            threads: Vec::new(),
        };
        for index in 0..threads.get() {
            let queue = Arc::clone(&pool.queue);
            let thread = std::thread::Builder::new()
                .name(format!("render-{index}"))
                .spawn(move || {
                    give_way();
                    queue.serve();
                })?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// Works on `piece`s 0..count on the pool's threads, and calls `consume` with what they come to, in order, on this
    /// thread. At most a window of pieces is ahead of the consumer. `stop` is asked now and then while waiting.
    pub fn run<P: Piece>(
        &self,
        count: usize,
        stop: &dyn Fn() -> bool,
        piece: impl Fn(usize) -> P + Send + Sync + 'static,
        mut consume: impl FnMut(P::Output) -> Result<(), JobError>,
    ) -> Result<(), JobError> {
        let window = self.threads.len() * WINDOW_PER_THREAD;
        let (sender, receiver) = mpsc::channel();
        let piece = Arc::new(piece);
        let start = move |index| {
            let (piece, sender) = (Arc::clone(&piece), sender.clone());
            let mut begun = None;
            let go_on = move || {
                let part = || begun.get_or_insert_with(|| piece(index)).go_on();
                let result = catch_unwind(AssertUnwindSafe(part)).transpose();
                let done = result.is_some();
                if let Some(result) = result {
                    // A job that ended early no longer listens.
                    let _ = sender.send((index, result));
                }
                done
            };
            Box::new(go_on) as Task
        };
        let ticket = self.queue.enter(Box::new(start), count, window);
        let mut in_order = InOrder::new(receiver);
        for index in 0..count {
            consume(in_order.next(stop)?)?;
            ticket.open(index + 1 + window);
        }
        Ok(())
    }
}

/// Works on pieces as [`Pool::run`] does, one after the other on this thread.
pub(crate) fn run_here<P: Piece>(
    count: usize,
    piece: impl Fn(usize) -> P,
    mut consume: impl FnMut(P::Output) -> Result<(), JobError>,
) -> Result<(), JobError> {
    for index in 0..count {
        let output = catch_unwind(AssertUnwindSafe(|| {
            let mut piece = piece(index);
            loop {
                if let Some(output) = piece.go_on() {
                    return output;
                }
            }
        }));
        consume(output.map_err(|panic| JobError::Panicked(message_of(&*panic)))?)?;
    }
    Ok(())
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.queue.close();
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing left to say.
            let _ = thread.join();
        }
    }
}

/// Puts results that come in any order back into theirs.
struct InOrder<T> {
    receiver: Receiver<Done<T>>,
    next: usize,
    waiting: VecDeque<Option<T>>,
}

impl<T> InOrder<T> {
    fn new(receiver: Receiver<Done<T>>) -> Self {
        Self {
            receiver,
            next: 0,
            waiting: VecDeque::new(),
        }
    }

    fn next(&mut self, stop: &dyn Fn() -> bool) -> Result<T, JobError> {
        loop {
            if stop() {
                return Err(JobError::Stopped);
            }
            let ready = self.waiting.pop_front_if(|slot| slot.is_some());
            if let Some(result) = ready.flatten() {
                self.next += 1;
                return Ok(result);
            }
            match self.receiver.recv_timeout(STOP_POLL) {
                Ok((index, Ok(result))) => {
                    let place = index - self.next;
                    if self.waiting.len() <= place {
                        self.waiting.resize_with(place + 1, || None);
                    }
                    self.waiting[place] = Some(result);
                }
                Ok((_, Err(panic))) => return Err(JobError::Panicked(message_of(&*panic))),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(JobError::Panicked("the pool has gone".into()));
                }
            }
        }
    }
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".into())
}

/// Lowers this thread's priority; if that is not possible, it keeps its own.
fn give_way() {
    #[cfg(target_os = "linux")]
    {
        // On Linux the priority of "this process" is that of the calling thread.
        let _ = rustix::process::setpriority_process(None, NICENESS);
    }
}

#[cfg(test)]
mod tests;
