//! The process itself: the names are those that every Prometheus client uses.

use crate::Page;
use rustix::time::{ClockId, clock_gettime};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

static BEGUN: OnceLock<(f64, &'static str)> = OnceLock::new();

/// Says when the process began, now, and what it is there for.
pub(crate) fn begin(role: &'static str) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    // Whoever comes first was there first.
    let _ = BEGUN.set((now.unwrap_or_default().as_secs_f64(), role));
}

pub(crate) fn write(page: &mut Page) {
    if let Some((begun, role)) = BEGUN.get() {
        let name = "faafo_build_info";
        page.family(name, "gauge", "1; its labels say what runs.");
        let version = env!("CARGO_PKG_VERSION").to_owned();
        page.sample(
            name,
            &[("version", version), ("role", (*role).to_owned())],
            1.0,
        );
        let name = "process_start_time_seconds";
        page.family(
            name,
            "gauge",
            "When the process began, in seconds since 1970.",
        );
        page.sample(name, &[], *begun);
    }
    let used = clock_gettime(ClockId::ProcessCPUTime);
    let name = "process_cpu_seconds_total";
    page.family(
        name,
        "counter",
        "Processor time used, by user and system, in seconds.",
    );
    page.sample(name, &[], used.tv_sec as f64 + used.tv_nsec as f64 / 1e9);
    if let Some(bytes) = resident() {
        let name = "process_resident_memory_bytes";
        page.family(name, "gauge", "Memory in use, in bytes.");
        page.sample(name, &[], bytes);
    }
    if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
        let name = "process_open_fds";
        page.family(name, "gauge", "Open files and connections.");
        page.sample(name, &[], files.count() as f64);
    }
}

/// As Linux tells it; other systems don't.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024.0)
}
