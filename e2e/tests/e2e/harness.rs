//! The harness itself: it must not overlook what it is there to see.

use faafo_e2e::Service;
use std::fs::OpenOptions;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

#[test]
fn an_error_in_the_log_fails_the_test() {
    for line in [
        "2026-01-01T00:00:00Z ERROR faafo: x",
        "{\"timestamp\":\"2026-01-01T00:00:00Z\",\"level\":\"ERROR\"}",
        "thread 'main' panicked at x.rs:1:1",
    ] {
        let service = Service::start(&["--slots", "0"]);
        let mut log = OpenOptions::new()
            .append(true)
            .open(service.home().log())
            .unwrap();
        writeln!(log, "{line}").unwrap();
        assert!(
            catch_unwind(AssertUnwindSafe(|| drop(service))).is_err(),
            "{line}"
        );
    }
}
