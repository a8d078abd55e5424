//! Aurora: smooth colours from deep blue over white to amber, and back through the dark.

mod gradient;

pub(crate) use gradient::light;
use gradient::{GRADIENT, STEPS};

/// The colour of what never escapes.
pub(crate) const INTERIOR: [u8; 3] = [2, 3, 12];

/// Turns of the gradient for each unit of √(escape time): fast while counts are small, slower as they grow.
pub(crate) const TURNS: f64 = 0.118;

/// Added to the escape time, which falls below 0 far from the set.
pub(crate) const OFFSET: f64 = 0.5;

/// The colour of a continuous escape time.
#[inline]
pub(crate) fn colour(time: f64) -> [u8; 3] {
    let time = (time + OFFSET).max(0.0);
    let position = time.sqrt() * (TURNS * STEPS as f64);
    GRADIENT[position as usize % STEPS]
}
