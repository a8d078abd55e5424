//! From the outbox to the queue, by one tracker or several.

use crate::{NOW, complete, contract, id, request};
use faafo_model::{Lane, State, Uuid};
use faafo_store::{Claim, Outcome, Store, Subject};
use std::collections::HashSet;
use std::time::Duration;

/// Later than any claim.
const LATER: Duration = Duration::from_secs(60);

fn ids(claims: &[Claim]) -> Vec<Uuid> {
    claims.iter().map(|claim| claim.task.id).collect()
}

async fn accept(store: &Store, number: u32) {
    for number in 0..number {
        store.accept(&request(number), NOW).await.unwrap();
    }
}

async fn an_accepted_fractal_stays_in_the_outbox_until_the_queue_confirms(store: Store) {
    accept(&store, 2).await;
    let claims = store.claim_unpublished(&Lane::ALL, 1, NOW).await.unwrap();
    assert_eq!(ids(&claims), [id(0)]);
    assert_eq!(claims[0].task.attempt, 1);
    assert_eq!(claims[0].task.recipe, request(0).recipe);
    store.published(&claims, NOW).await.unwrap();
    let now = NOW.plus(LATER);
    assert_eq!(
        ids(&store.claim_unpublished(&Lane::ALL, 10, now).await.unwrap()),
        [id(1)]
    );
}

async fn a_claim_is_one_trackers_until_it_lapses(store: Store) {
    accept(&store, 1).await;
    let first = store.claim_unpublished(&Lane::ALL, 10, NOW).await.unwrap();
    assert!(
        store
            .claim_unpublished(&Lane::ALL, 10, NOW)
            .await
            .unwrap()
            .is_empty()
    );
    let now = NOW.plus(LATER);
    let second = store.claim_unpublished(&Lane::ALL, 10, now).await.unwrap();
    assert_eq!(ids(&second), [id(0)]);
    // Too late: the second one does it.
    store.published(&first, now).await.unwrap();
    store.unclaim(&first).await.unwrap();
    assert!(
        store
            .claim_unpublished(&Lane::ALL, 10, now)
            .await
            .unwrap()
            .is_empty()
    );
    store.unclaim(&second).await.unwrap();
    let third = store.claim_unpublished(&Lane::ALL, 10, now).await.unwrap();
    store.published(&third, now).await.unwrap();
    let now = now.plus(LATER);
    assert!(
        store
            .claim_unpublished(&Lane::ALL, 10, now)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn two_trackers_claim_each_task_once(store: Store) {
    accept(&store, 60).await;
    let trackers: Vec<_> = (0..4)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut mine = Vec::new();
                // Where entries are locked by another tracker there may be none now and some later.
                for _ in 0..40 {
                    let claims = store.claim_unpublished(&Lane::ALL, 7, NOW).await.unwrap();
                    store.published(&claims, NOW).await.unwrap();
                    mine.extend(ids(&claims));
                }
                mine
            })
        })
        .collect();
    let mut all = Vec::new();
    for tracker in trackers {
        all.extend(tracker.await.unwrap());
    }
    assert_eq!(all.len(), 60);
    assert_eq!(all.into_iter().collect::<HashSet<_>>().len(), 60);
}

async fn a_confirmation_of_an_old_attempt_does_not_swallow_the_new_one(store: Store) {
    accept(&store, 1).await;
    let old = store.claim_unpublished(&Lane::ALL, 10, NOW).await.unwrap();
    assert_eq!(
        store.give_back(id(0), 1, "stopping", NOW).await.unwrap(),
        Outcome::Queued(Subject::Owner)
    );
    store.published(&old, NOW).await.unwrap();
    let claims = store.claim_unpublished(&Lane::ALL, 10, NOW).await.unwrap();
    assert_eq!(claims[0].task.attempt, 2);
}

async fn what_a_worker_has_taken_is_not_published_again(store: Store) {
    accept(&store, 2).await;
    store.claim_unpublished(&Lane::ALL, 10, NOW).await.unwrap();
    store.rendering(&[(id(0), 1, 0.1)], NOW).await.unwrap();
    let now = NOW.plus(LATER);
    assert_eq!(
        ids(&store.claim_unpublished(&Lane::ALL, 10, now).await.unwrap()),
        [id(1)]
    );
}

async fn the_most_urgent_come_first_and_then_the_oldest(store: Store) {
    for number in 0..4 {
        let later = NOW.plus(Duration::from_secs(100 - u64::from(number)));
        store.accept(&request(number), later).await.unwrap();
    }
    assert!(store.set_priority(id(1), 5).await.unwrap());
    assert!(store.set_priority(id(3), -5).await.unwrap());
    assert!(!store.set_priority(id(9), 5).await.unwrap());
    let claims = store.claim_unpublished(&Lane::ALL, 10, NOW).await.unwrap();
    assert_eq!(ids(&claims), [id(1), id(2), id(0), id(3)]);
    let priorities: Vec<_> = claims.iter().map(|claim| claim.priority).collect();
    assert_eq!(priorities, [5, 0, 0, -5]);
}

async fn a_new_priority_is_published_even_if_the_old_one_just_was(store: Store) {
    accept(&store, 1).await;
    let old = store.claim_unpublished(&Lane::ALL, 10, NOW).await.unwrap();
    store.set_priority(id(0), 3).await.unwrap();
    store.published(&old, NOW).await.unwrap();
    let new = store.claim_unpublished(&Lane::ALL, 10, NOW).await.unwrap();
    assert_eq!((new[0].task.attempt, new[0].priority), (1, 3));
    store.published(&new, NOW).await.unwrap();
    store.set_priority(id(0), 3).await.unwrap();
    assert!(
        store
            .claim_unpublished(&Lane::ALL, 10, NOW)
            .await
            .unwrap()
            .is_empty()
    );
    store.set_priority(id(0), 4).await.unwrap();
    assert_eq!(
        store
            .claim_unpublished(&Lane::ALL, 10, NOW)
            .await
            .unwrap()
            .len(),
        1
    );
}

async fn after_a_restart_every_unfinished_fractal_is_published_again(store: Store) {
    accept(&store, 5).await;
    let claims = store.claim_unpublished(&Lane::ALL, 4, NOW).await.unwrap();
    store.published(&claims, NOW).await.unwrap();
    store.claim_unpublished(&Lane::ALL, 1, NOW).await.unwrap();
    store.rendering(&[(id(1), 1, 0.5)], NOW).await.unwrap();
    complete(&store, 2, 1).await;
    assert_eq!(store.republish_all(NOW).await.unwrap(), 3);
    let claims = store.claim_unpublished(&Lane::ALL, 10, NOW).await.unwrap();
    assert_eq!(ids(&claims), [id(0), id(1), id(3), id(4)]);
    assert_eq!(
        store.get(id(1)).await.unwrap().unwrap().state,
        State::Queued
    );
}

async fn what_the_queue_lost_is_published_again_under_the_same_attempt(store: Store) {
    accept(&store, 4).await;
    let claims = store.claim_unpublished(&Lane::ALL, 3, NOW).await.unwrap();
    store.published(&claims, NOW).await.unwrap();
    store.rendering(&[(id(1), 1, 0.5)], NOW).await.unwrap();
    complete(&store, 2, 1).await;
    let age = Duration::from_secs(60);
    assert_eq!(store.republish_lost(age, NOW.plus(age)).await.unwrap(), 0);
    let now = NOW.plus(age * 2);
    let (one, two) = tokio::join!(
        store.republish_lost(age, now),
        store.republish_lost(age, now)
    );
    assert_eq!(one.unwrap() + two.unwrap(), 1);
    let claims = store.claim_unpublished(&Lane::ALL, 10, now).await.unwrap();
    assert_eq!(ids(&claims), [id(0), id(3)]);
    assert!(claims.iter().all(|claim| claim.task.attempt == 1));
    store.published(&claims, now).await.unwrap();
    assert_eq!(store.republish_lost(age, now).await.unwrap(), 0);
}

contract![
    an_accepted_fractal_stays_in_the_outbox_until_the_queue_confirms,
    a_claim_is_one_trackers_until_it_lapses,
    two_trackers_claim_each_task_once,
    a_confirmation_of_an_old_attempt_does_not_swallow_the_new_one,
    what_a_worker_has_taken_is_not_published_again,
    the_most_urgent_come_first_and_then_the_oldest,
    a_new_priority_is_published_even_if_the_old_one_just_was,
    after_a_restart_every_unfinished_fractal_is_published_again,
    what_the_queue_lost_is_published_again_under_the_same_attempt,
];
