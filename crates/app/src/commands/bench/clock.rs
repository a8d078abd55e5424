//! Measuring, while others use the machine too: the fastest of several runs counts.

use std::time::Instant;

/// Measures for about so many seconds each time.
pub struct Clock {
    pub seconds: f64,
}

impl Clock {
    /// Does something again and again, at least three times.
    pub fn repeat(&self, mut work: impl FnMut()) {
        let start = Instant::now();
        let mut runs = 0;
        while runs < 3 || start.elapsed().as_secs_f64() < self.seconds {
            work();
            runs += 1;
        }
    }

    /// The seconds of this core that one run takes, and what it came to.
    pub fn fastest<T>(&self, mut work: impl FnMut() -> T) -> (f64, T) {
        let mut best = timed(&mut work);
        self.repeat(|| {
            let run = timed(&mut work);
            if run.0 < best.0 {
                best = run;
            }
        });
        best
    }

    /// What one run comes to in a second of this core.
    pub fn rate(&self, mut work: impl FnMut() -> u64) -> f64 {
        let (seconds, done) = timed(&mut work);
        done as f64 / seconds
    }

    /// How much `amount` says that the fastest run did in a second of this core.
    pub fn rate_of<T>(&self, work: impl FnMut() -> T, amount: impl Fn(&T) -> u64) -> f64 {
        let (seconds, done) = self.fastest(work);
        amount(&done) as f64 / seconds
    }

    /// Runs in a second by the clock on the wall.
    pub fn wall_rate(&self, mut work: impl FnMut()) -> f64 {
        let mut best = f64::MAX;
        self.repeat(|| {
            let start = Instant::now();
            work();
            best = best.min(start.elapsed().as_secs_f64());
        });
        1.0 / best
    }
}

fn timed<T>(work: &mut impl FnMut() -> T) -> (f64, T) {
    let start = now();
    let outcome = work();
    ((now() - start).max(1e-9), outcome)
}

/// Seconds that this thread was on a core.
#[cfg(target_os = "linux")]
pub fn now() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Seconds that have passed.
#[cfg(not(target_os = "linux"))]
pub fn now() -> f64 {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    START.elapsed().as_secs_f64()
}
