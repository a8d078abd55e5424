//! Waiting by condition.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longer than anything takes that works, also in a debug build on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until there is something, and fails after [`PATIENCE`], saying what was waited for.
#[track_caller]
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        sleep(Duration::from_millis(10));
    }
}

/// Waits until the condition holds.
#[track_caller]
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    wait_for(what, || condition().then_some(()));
}
