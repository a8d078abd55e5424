//! What was accepted is never lost.

use faafo_e2e::{Home, recipe};

/// Defect 1: work that was asked for before the first worker ever started was dropped.
#[test]
fn what_is_asked_for_before_any_worker_runs_is_done_once_one_does() {
    let home = Home::new();
    let service = home.start(&["--slots", "0"]);
    let ids: Vec<String> = (0..5).map(|_| service.create(&recipe::small())).collect();
    assert_eq!(service.count("queued"), 5);
    service.terminate();

    let service = home.start(&[]);
    service.wait_until_all_done(5);
    for id in ids {
        service.picture(&id);
    }
}

/// Defect 12: the row was committed, then publishing failed, and the fractal was stuck for ever.
#[test]
fn a_crash_right_after_acceptance_loses_nothing() {
    let home = Home::new();
    let mut accepted = 0;
    for _ in 0..3 {
        let service = home.start(&[]);
        for _ in 0..10 {
            service.create(&recipe::small());
        }
        service.kill9();
        accepted += 10;
    }
    home.start(&[]).wait_until_all_done(accepted);
}
