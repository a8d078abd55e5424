//! Queues that the broker knows and that never answer.
//!
//! RabbitMQ 3.10 that is killed right after it made a quorum queue may come back with the queue's name and without the
//! process that serves it: declaring succeeds, nothing that is published is confirmed, and consuming costs the whole
//! connection, at once or after some seconds, or is never answered, for as long as the queue exists. So who consumes
//! counts these failures, and in the end has the queue deleted and declared anew (`topology.rs`). What was in it is
//! published again, because the rows of the database are the truth.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many failures one after the other, each on a connection of its own, are no accident.
const FAILURES: u32 = 3;

/// What is held against which queue.
pub(crate) struct Suspects {
    /// A queue that fails for no longer may just be coming into being: the broker names it before it serves it.
    patience: Duration,
    /// Who asks. One at a time, so that it is known which queue cost a connection.
    turn: tokio::sync::Mutex<()>,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    /// Had not answered when its request was given up.
    silent: Option<String>,
    failures: BTreeMap<String, Failures>,
}

struct Failures {
    number: u32,
    since: Instant,
}

impl Suspects {
    /// Nothing is held against any queue.
    pub(crate) fn new(patience: Duration) -> Self {
        Self {
            patience,
            turn: tokio::sync::Mutex::default(),
            book: Mutex::default(),
        }
    }

    /// Something is about to be asked of a queue, and nothing of any other until the [`Asked`] is gone.
    pub(crate) async fn ask<'a>(&'a self, queue: &'a str) -> Asked<'a> {
        Asked {
            turn: Some(self.turn.lock().await),
            suspects: self,
            queue,
        }
    }

    /// A connection has ended; whether it was a queue's fault, or the broker or the network was to blame.
    pub(crate) fn connection_ended(&self, for_a_queue: bool) {
        let mut book = self.lock();
        if let Some(queue) = book.silent.take()
            && for_a_queue
        {
            let failures = book.failures.entry(queue).or_insert_with(|| Failures {
                number: 0,
                since: Instant::now(),
            });
            failures.number += 1;
        }
    }

    /// The queues that must be made anew; from now on nothing is held against them.
    pub(crate) fn take_convicted(&self) -> Vec<String> {
        let mut book = self.lock();
        let convicted = book.failures.iter();
        let convicted: Vec<String> = convicted
            .filter(|(_, failures)| {
                failures.number >= FAILURES && failures.since.elapsed() >= self.patience
            })
            .map(|(queue, _)| queue.clone())
            .collect();
        for queue in &convicted {
            book.failures.remove(queue);
        }
        convicted
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        // No code that holds the lock can panic halfway through a change.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request to a queue; one that is dropped without [`answered`](Self::answered) was in vain.
pub(crate) struct Asked<'a> {
    /// None once it is answered.
    turn: Option<tokio::sync::MutexGuard<'a, ()>>,
    suspects: &'a Suspects,
    queue: &'a str,
}

impl Asked<'_> {
    /// The queue is well.
    pub(crate) fn answered(mut self) {
        self.suspects.lock().failures.remove(self.queue);
        self.turn = None;
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if self.turn.is_some() {
            self.suspects.lock().silent = Some(self.queue.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn fail(suspects: &Suspects, queue: &str, for_a_queue: bool) {
        drop(suspects.ask(queue).await);
        suspects.connection_ended(for_a_queue);
    }

    #[tokio::test]
    async fn a_queue_that_does_not_answer_again_and_again_is_made_anew_once() {
        let suspects = Suspects::new(Duration::ZERO);
        for _ in 0..FAILURES {
            assert!(suspects.take_convicted().is_empty());
            suspects.ask("another").await.answered();
            fail(&suspects, "silent", true).await;
        }
        assert_eq!(suspects.take_convicted(), ["silent"]);
        assert!(suspects.take_convicted().is_empty());
    }

    #[tokio::test]
    async fn an_answer_between_two_failures_clears_a_queue() {
        let suspects = Suspects::new(Duration::ZERO);
        for _ in 0..2 * FAILURES {
            fail(&suspects, "slow", true).await;
            suspects.ask("slow").await.answered();
        }
        assert!(suspects.take_convicted().is_empty());
    }

    #[tokio::test]
    async fn a_lost_connection_is_no_queues_fault() {
        let suspects = Suspects::new(Duration::ZERO);
        for _ in 0..2 * FAILURES {
            fail(&suspects, "queue", false).await;
        }
        assert!(suspects.take_convicted().is_empty());
    }
    #[tokio::test]
    async fn a_queue_that_is_coming_into_being_has_its_time() {
        let suspects = Suspects::new(Duration::from_secs(60));
        for _ in 0..2 * FAILURES {
            fail(&suspects, "young", true).await;
        }
        assert!(suspects.take_convicted().is_empty());
    }
}
