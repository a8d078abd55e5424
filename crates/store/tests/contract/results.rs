//! What workers report.

use crate::{NOW, blob, complete, contract, finish, id, request};
use faafo_model::{Lane, State};
use faafo_store::{Finish, LegacyResult, MAX_ATTEMPTS, Made, Outcome, Reservation, Store, Subject};
use std::time::Duration;

async fn a_finished_picture_is_done_with_its_checksum(store: Store) {
    store.accept(&request(1), NOW).await.unwrap();
    assert_eq!(
        store
            .rendering(&[(id(1), 1, 0.5), (id(9), 1, 0.5)], NOW)
            .await
            .unwrap(),
        [Some(Subject::Owner), None]
    );
    assert_eq!(store.get(id(1)).await.unwrap().unwrap().progress, 0.5);
    complete(&store, 1, 1).await;
    let done = store.get(id(1)).await.unwrap().unwrap();
    assert_eq!(done.state, State::Done);
    assert_eq!(done.checksum.unwrap(), "01".repeat(32));
    assert_eq!(
        (done.size, done.duration, done.progress),
        (Some(1001), Some(0.1), 1.0)
    );
    assert_eq!(done.generated_by.unwrap(), "worker");
    assert!(
        store
            .claim_unpublished(&Lane::ALL, 10, NOW)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn a_result_is_not_taken_for_another_one_with_more_beside_the_same_picture(store: Store) {
    let made = |number, thumbnail| Finish {
        made: Made::Picture {
            picture: blob(1),
            thumbnail,
        },
        ..finish(number, 1)
    };
    for (number, [first, last]) in [(1, [blob(1), blob(2)]), (2, [blob(2), blob(1)])] {
        store.accept(&request(number), NOW).await.unwrap();
        let [first, last] = [first, last].map(|thumbnail| [made(number, thumbnail)]);
        for result in [&first, &last] {
            let reserved = store.reserve(result).await.unwrap();
            assert_eq!(reserved, [Reservation::Reserved]);
        }
        assert_eq!(store.finish(&first, NOW).await.unwrap(), [false]);
        assert_eq!(store.finish(&last, NOW).await.unwrap(), [true]);
    }
}

async fn the_same_picture_may_be_stored_by_many(store: Store) {
    for number in 1..=2 {
        store.accept(&request(number), NOW).await.unwrap();
        complete(&store, number, 1).await;
    }
    assert_eq!(store.counts().await.unwrap().done, 2);
}

async fn nothing_changes_a_final_fractal(store: Store) {
    store.accept(&request(1), NOW).await.unwrap();
    complete(&store, 1, 1).await;
    assert_eq!(
        store.reserve(&[finish(1, 2)]).await.unwrap(),
        [Reservation::NotWanted]
    );
    assert_eq!(store.finish(&[finish(1, 1)], NOW).await.unwrap(), [false]);
    assert!(store.fail(id(1), 1, "late", NOW).await.unwrap().is_none());
    assert_eq!(
        store.give_back(id(1), 1, "late", NOW).await.unwrap(),
        Outcome::Stale
    );
    assert_eq!(
        store.rendering(&[(id(1), 1, 0.1)], NOW).await.unwrap(),
        [None]
    );
    let legacy = LegacyResult {
        checksum: Some("lie".into()),
        ..LegacyResult::default()
    };
    assert!(!store.legacy_result(id(1), &legacy).await.unwrap());
    assert_eq!(
        store.get(id(1)).await.unwrap().unwrap().checksum.unwrap(),
        "01".repeat(32)
    );
}

async fn a_late_failure_of_an_earlier_attempt_is_ignored_and_its_picture_is_welcome(store: Store) {
    store.accept(&request(1), NOW).await.unwrap();
    store.give_back(id(1), 1, "stopping", NOW).await.unwrap();
    assert!(store.fail(id(1), 1, "late", NOW).await.unwrap().is_none());
    assert_eq!(
        store.rendering(&[(id(1), 1, 0.9)], NOW).await.unwrap(),
        [None]
    );
    complete(&store, 1, 1).await;
}

async fn a_task_given_back_too_often_fails_with_the_reason(store: Store) {
    store.accept(&request(1), NOW).await.unwrap();
    for attempt in 1..MAX_ATTEMPTS {
        assert_eq!(
            store
                .give_back(id(1), attempt, "no luck", NOW)
                .await
                .unwrap(),
            Outcome::Queued(Subject::Owner)
        );
        let claims = store.claim_unpublished(&Lane::ALL, 10, NOW).await.unwrap();
        assert_eq!(claims[0].task.attempt, attempt + 1);
    }
    assert_eq!(
        store
            .give_back(id(1), MAX_ATTEMPTS, "no luck", NOW)
            .await
            .unwrap(),
        Outcome::Failed(Subject::Owner)
    );
    let failed = store.get(id(1)).await.unwrap().unwrap();
    assert_eq!(failed.state, State::Failed);
    assert!(failed.error.unwrap().contains("no luck"));
}

async fn silence_beyond_the_lease_is_found(store: Store) {
    for number in 0..3 {
        store.accept(&request(number), NOW).await.unwrap();
    }
    store
        .rendering(&[(id(0), 1, 0.0)], NOW.minus(Duration::from_secs(60)))
        .await
        .unwrap();
    store.rendering(&[(id(1), 1, 0.0)], NOW).await.unwrap();
    assert_eq!(
        store
            .silent(Duration::from_secs(30), 10, NOW)
            .await
            .unwrap(),
        [(id(0), 1)]
    );
}

async fn what_failed_is_not_published_any_more(store: Store) {
    store.accept(&request(1), NOW).await.unwrap();
    assert!(
        store
            .fail(id(1), 1, "no such formula", NOW)
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        store
            .claim_unpublished(&Lane::ALL, 10, NOW)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(store.republish_all(NOW).await.unwrap(), 0);
}

async fn a_text_that_no_database_likes_is_recorded(store: Store) {
    store.accept(&request(1), NOW).await.unwrap();
    let reason = format!("\0 \\ ' \" ? 🌀 {}", "x".repeat(100_000));
    assert!(store.fail(id(1), 1, &reason, NOW).await.unwrap().is_some());
    let found = store.get(id(1)).await.unwrap().unwrap().error.unwrap();
    assert_eq!(found, reason.replace('\0', "\u{fffd}"));
}

async fn a_postponed_task_waits_and_no_attempt_is_counted(store: Store) {
    store.accept(&request(1), NOW).await.unwrap();
    store.rendering(&[(id(1), 1, 0.5)], NOW).await.unwrap();
    let delay = Duration::from_secs(5);
    assert!(
        store
            .postpone(id(1), 1, delay, None, NOW)
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        store
            .postpone(id(1), 2, delay, None, NOW)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        store
            .claim_unpublished(&Lane::ALL, 10, NOW)
            .await
            .unwrap()
            .is_empty()
    );
    let claims = store
        .claim_unpublished(&Lane::ALL, 10, NOW.plus(delay))
        .await
        .unwrap();
    assert_eq!(claims[0].task.attempt, 1);
}

contract![
    a_finished_picture_is_done_with_its_checksum,
    a_result_is_not_taken_for_another_one_with_more_beside_the_same_picture,
    the_same_picture_may_be_stored_by_many,
    nothing_changes_a_final_fractal,
    a_late_failure_of_an_earlier_attempt_is_ignored_and_its_picture_is_welcome,
    a_task_given_back_too_often_fails_with_the_reason,
    silence_beyond_the_lease_is_found,
    what_failed_is_not_published_any_more,
    a_text_that_no_database_likes_is_recorded,
    a_postponed_task_waits_and_no_attempt_is_counted,
];
