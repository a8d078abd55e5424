//! A task's place among those that are rendered. Whoever has rendered a small picture stores it without one, so that a
//! slow disk keeps nobody from rendering the next.

use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many tasks of a lane may be stored and reported that have left their places; each holds a megabyte and a half at
/// most, and nearly always some kilobytes.
pub(crate) const STORING: u16 = 16;

/// One of so many places, until it is left.
#[derive(Default)]
pub(crate) struct Place(Mutex<Option<OwnedSemaphorePermit>>);

impl Place {
    /// Waits until there is one. `None` if there never will be.
    pub(crate) async fn take(places: &Arc<Semaphore>) -> Option<Self> {
        let permit = Arc::clone(places).acquire_owned().await.ok()?;
        Some(Self(Mutex::new(Some(permit))))
    }

    /// Somebody else may have it.
    pub(crate) fn leave(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
