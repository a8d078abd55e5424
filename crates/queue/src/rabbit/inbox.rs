//! Messages that have come and that nobody has taken yet. An inbox outlives connections, its messages don't.

use crate::Delivery;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};

/// Where messages of one queue wait for whoever asks.
pub(crate) struct Inbox<T> {
    waiting: Mutex<VecDeque<(Arc<Claim>, Delivery<T>)>>,
    /// Holds a permit whenever somebody might find something; wakes one, who passes it on while there is more.
    filled: Notify,
    /// How many messages the process wants to have in its hands.
    wanted: watch::Sender<u16>,
}

impl<T> Inbox<T> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            waiting: Mutex::default(),
            filled: Notify::new(),
            wanted: watch::Sender::new(0),
        })
    }

    pub(crate) fn ask(&self, prefetch: u16) {
        self.wanted.send_if_modified(|wanted| {
            let changed = *wanted != prefetch;
            *wanted = prefetch;
            changed
        });
    }

    pub(crate) fn wanted(&self) -> watch::Receiver<u16> {
        self.wanted.subscribe()
    }

    /// Up to `limit` messages, at least one, once there is one.
    pub(crate) async fn next(&self, limit: usize) -> Vec<Delivery<T>> {
        loop {
            let taken = self.take(limit);
            if !taken.is_empty() {
                return taken;
            }
            self.filled.notified().await;
        }
    }

    fn take(&self, limit: usize) -> Vec<Delivery<T>> {
        let mut waiting = self.lock();
        let mut taken = Vec::new();
        while taken.len() < limit {
            match waiting.pop_front() {
                Some((claim, delivery)) if claim.take() => taken.push(delivery),
                // Already back at the broker.
                Some(_) => {}
                None => break,
            }
        }
        if !waiting.is_empty() {
            self.filled.notify_one();
        }
        taken
    }

    pub(crate) fn put(&self, claim: Arc<Claim>, delivery: Delivery<T>) {
        self.lock().push_back((claim, delivery));
        self.filled.notify_one();
    }

    /// Forgets the messages that are back at the broker.
    pub(crate) fn purge(&self) {
        self.lock().retain(|(claim, _)| !claim.is_gone());
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Arc<Claim>, Delivery<T>)>> {
        // No code that holds the lock can panic halfway through a change.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose a message is: whoever asks first, a worker or the broker, gets it.
#[derive(Default)]
pub(crate) struct Claim(AtomicU8);

const WAITING: u8 = 0;
const TAKEN: u8 = 1;
const GONE: u8 = 2;

impl Claim {
    /// It is being worked on; false when it went back before.
    fn take(&self) -> bool {
        self.change(TAKEN)
    }

    /// It goes back; false when it is being worked on.
    pub(crate) fn withdraw(&self) -> bool {
        self.change(GONE)
    }

    fn is_gone(&self) -> bool {
        self.0.load(Ordering::Acquire) == GONE
    }

    fn change(&self, to: u8) -> bool {
        self.0
            .compare_exchange(WAITING, to, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }
}
