//! Cancelling and trying again.

use crate::{NOW, complete, contract, field, finish, id, request};
use faafo_model::{Lane, State};
use faafo_store::query::{Compare, Filter, Value};
use faafo_store::{MAX_ATTEMPTS, Outcome, Query, Reservation, Store, Subject};

async fn state(store: &Store, number: u32) -> State {
    store.get(id(number)).await.unwrap().unwrap().state
}

fn wider_than(width: i64) -> Query {
    Query {
        filter: Some(Filter::Value(
            field("width"),
            Compare::Greater,
            Value::Whole(width),
        )),
        ..Query::default()
    }
}

async fn a_cancelled_fractal_is_final_and_not_published(store: Store) {
    store.accept(&request(1), NOW).await.unwrap();
    assert!(store.cancel(id(1), NOW).await.unwrap());
    assert!(!store.cancel(id(1), NOW).await.unwrap());
    assert!(!store.cancel(id(9), NOW).await.unwrap());
    let row = store.get(id(1)).await.unwrap().unwrap();
    assert_eq!((row.state, row.finished_at), (State::Cancelled, Some(NOW)));
    assert!(
        store
            .claim_unpublished(&Lane::ALL, 10, NOW)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        store.rendering(&[(id(1), 1, 0.5)], NOW).await.unwrap(),
        [None]
    );
    assert_eq!(
        store.reserve(&[finish(1, 1)]).await.unwrap(),
        [Reservation::NotWanted]
    );
    assert_eq!(
        store.give_back(id(1), 1, "late", NOW).await.unwrap(),
        Outcome::Stale
    );
}

async fn what_is_done_can_be_neither_cancelled_nor_retried(store: Store) {
    store.accept(&request(1), NOW).await.unwrap();
    complete(&store, 1, 1).await;
    assert!(!store.cancel(id(1), NOW).await.unwrap());
    assert!(!store.retry(id(1), NOW).await.unwrap());
    assert_eq!(state(&store, 1).await, State::Done);
}

async fn many_are_cancelled_and_retried_by_a_query(store: Store) {
    for number in 0..6 {
        store.accept(&request(number), NOW).await.unwrap();
    }
    store.rendering(&[(id(3), 1, 0.5)], NOW).await.unwrap();
    complete(&store, 4, 1).await;
    let query = wider_than(3);
    assert_eq!(
        store.cancel_many(&query, NOW).await.unwrap(),
        [id(3), id(5)]
    );
    assert!(store.cancel_many(&query, NOW).await.unwrap().is_empty());
    let first = Query {
        limit: Some(1),
        ..query
    };
    assert_eq!(store.retry_many(&first, NOW).await.unwrap(), [id(3)]);
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.queued, counts.cancelled, counts.done), (4, 1, 1));
}

async fn more_than_fit_in_one_transaction_are_cancelled(store: Store) {
    let accepting = (0..1100).map(|number| {
        let store = store.clone();
        tokio::spawn(async move { store.accept(&request(number), NOW).await })
    });
    for accepted in accepting.collect::<Vec<_>>() {
        accepted.await.unwrap().unwrap();
    }
    let cancelled = store.cancel_many(&Query::default(), NOW).await.unwrap();
    assert_eq!(cancelled.len(), 1100);
    let retried = store.retry_many(&Query::default(), NOW).await.unwrap();
    assert_eq!(retried.len(), 1100);
}

async fn a_retried_fractal_has_all_its_attempts_again(store: Store) {
    store.accept(&request(1), NOW).await.unwrap();
    let mut attempt = 1;
    for _ in 0..2 {
        for _ in 1..MAX_ATTEMPTS {
            let outcome = store.give_back(id(1), attempt, "no luck", NOW).await;
            assert_eq!(outcome.unwrap(), Outcome::Queued(Subject::Owner));
            attempt += 1;
        }
        let outcome = store.give_back(id(1), attempt, "no luck", NOW).await;
        assert_eq!(outcome.unwrap(), Outcome::Failed(Subject::Owner));
        assert!(store.retry(id(1), NOW).await.unwrap());
        attempt += 1;
        let row = store.get(id(1)).await.unwrap().unwrap();
        assert_eq!((row.state, row.attempt), (State::Queued, attempt));
        assert_eq!((row.error, row.finished_at), (None, None));
        let claims = store.claim_unpublished(&Lane::ALL, 1, NOW).await.unwrap();
        assert_eq!(claims[0].task.attempt, attempt);
        store.published(&claims, NOW).await.unwrap();
    }
    complete(&store, 1, 1).await;
}

contract![
    a_cancelled_fractal_is_final_and_not_published,
    what_is_done_can_be_neither_cancelled_nor_retried,
    many_are_cancelled_and_retried_by_a_query,
    more_than_fit_in_one_transaction_are_cancelled,
    a_retried_fractal_has_all_its_attempts_again,
];
