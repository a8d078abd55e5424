//! The time that work takes, whoever else uses the machine.

/// Seconds that this thread was on a core.
#[cfg(target_os = "linux")]
pub(crate) fn worked() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Seconds that have passed.
#[cfg(not(target_os = "linux"))]
pub(crate) fn worked() -> f64 {
    use std::sync::LazyLock;
    use std::time::Instant;
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_secs_f64()
}
