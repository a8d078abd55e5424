//! A render seen from outside: how far it is, and how to stop it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Stops a render and tells how far it is. Clones are handles on the same render.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    cancelled: Arc<AtomicBool>,
    count: Arc<Count>,
}

#[derive(Debug, Default)]
struct Count {
    pixels_done: AtomicU64,
    pixels: AtomicU64,
}

impl Watch {
    /// For a render that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// For another render on the way of this one: stops with it, and is not counted in it.
    pub fn aside(&self) -> Self {
        Self {
            cancelled: Arc::clone(&self.cancelled),
            count: Arc::default(),
        }
    }

    /// Stops the render, or the one that begins next; there is no way back.
    pub fn cancel(&self) {
        self.cancelled.store(true, Relaxed);
    }

    /// Whether [`cancel`](Self::cancel) was called.
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Relaxed)
    }

    /// The part of the pixels that is finished, from 0 to 1.
    pub fn progress(&self) -> f64 {
        let pixels = self.count.pixels.load(Relaxed).max(1);
        (self.count.pixels_done.load(Relaxed) as f64 / pixels as f64).min(1.0)
    }

    /// A render of that many pixels begins.
    pub(crate) fn begin(&self, pixels: u64) {
        self.count.pixels_done.store(0, Relaxed);
        self.count.pixels.store(pixels, Relaxed);
    }

    /// So many more pixels are finished.
    pub(crate) fn advance(&self, pixels: u64) {
        self.count.pixels_done.fetch_add(pixels, Relaxed);
    }
}
