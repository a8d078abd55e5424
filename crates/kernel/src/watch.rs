//! A render seen from outside: how far it is, and how to stop it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Stops a render and tells how far it is. Clones are handles on the same render.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    cancelled: AtomicBool,
    pixels_done: AtomicU64,
    pixels: AtomicU64,
}

impl Watch {
    /// For a render that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the render, or the one that begins next; there is no way back.
    pub fn cancel(&self) {
        self.shared.cancelled.store(true, Relaxed);
    }

    /// Whether [`cancel`](Self::cancel) was called.
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.shared.cancelled.load(Relaxed)
    }

    /// The part of the pixels that is finished, from 0 to 1.
    pub fn progress(&self) -> f64 {
        let pixels = self.shared.pixels.load(Relaxed).max(1);
        (self.shared.pixels_done.load(Relaxed) as f64 / pixels as f64).min(1.0)
    }

    /// A render of that many pixels begins.
    pub(crate) fn begin(&self, pixels: u64) {
        self.shared.pixels_done.store(0, Relaxed);
        self.shared.pixels.store(pixels, Relaxed);
    }

    /// So many more pixels are finished.
    pub(crate) fn advance(&self, pixels: u64) {
        self.shared.pixels_done.fetch_add(pixels, Relaxed);
    }
}
