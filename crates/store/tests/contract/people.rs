//! Workers and tokens.

use crate::{NOW, contract, id};
use faafo_model::Presence;
use faafo_store::Store;
use std::time::Duration;

fn worker(name: &str) -> Presence {
    Presence {
        name: name.into(),
        version: "0.1.0".into(),
        cores: 8,
        host: "rack-7".into(),
        current: vec![id(1), id(2)],
        stopped: false,
    }
}

async fn a_worker_is_listed_with_what_it_said_last(store: Store) {
    let later = NOW.plus(Duration::from_secs(5));
    store.heartbeat(&worker("b"), NOW).await.unwrap();
    store.heartbeat(&worker("a"), NOW).await.unwrap();
    let idle = Presence {
        current: vec![],
        cores: 4,
        ..worker("b")
    };
    store.heartbeat(&idle, later).await.unwrap();
    let workers = store.workers(later).await.unwrap();
    assert_eq!(workers.len(), 2);
    assert_eq!(
        (&workers[0].info, workers[0].last_seen),
        (&worker("a"), NOW)
    );
    assert_eq!((&workers[1].info, workers[1].last_seen), (&idle, later));
    assert_eq!(workers[1].first_seen, NOW);
}

async fn a_worker_not_heard_of_for_long_is_forgotten(store: Store) {
    store.heartbeat(&worker("old"), NOW).await.unwrap();
    let later = NOW.plus(Duration::from_secs(200_000));
    assert_eq!(store.workers(later).await.unwrap(), []);
    let name = "é".repeat(1000);
    store.heartbeat(&worker(&name), later).await.unwrap();
    assert_eq!(store.workers(NOW).await.unwrap().len(), 1);
}

async fn a_worker_that_says_it_has_stopped_is_forgotten(store: Store) {
    store.heartbeat(&worker("a"), NOW).await.unwrap();
    let stopped = Presence {
        stopped: true,
        ..worker("a")
    };
    for _ in 0..2 {
        store.heartbeat(&stopped, NOW).await.unwrap();
        assert_eq!(store.workers(NOW).await.unwrap(), []);
    }
}

async fn a_worker_heard_of_by_many_at_once_is_one(store: Store) {
    let heard: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.heartbeat(&worker("a"), NOW).await })
        })
        .collect();
    for heard in heard {
        heard.await.unwrap().unwrap();
    }
    assert_eq!(store.workers(NOW).await.unwrap().len(), 1);
}

async fn a_token_is_found_by_its_hash_and_revoked_by_its_id(store: Store) {
    let first = store.add_token(&[1; 32], "write", "CI's", NOW);
    let first = first.await.unwrap();
    let later = NOW.plus(Duration::from_secs(1));
    store.add_token(&[2; 32], "admin", "", later).await.unwrap();
    assert!(store.add_token(&[2; 32], "admin", "", later).await.is_err());
    let token = store.token(&[1; 32]).await.unwrap().unwrap();
    assert_eq!((token.id, token.revoked), (first, false));
    assert_eq!((&*token.scope, &*token.label), ("write", "CI's"));
    assert_eq!(token.created_at, NOW);
    assert_eq!(store.token(&[3; 32]).await.unwrap(), None);
    assert!(store.revoke_token(first, later).await.unwrap());
    assert!(!store.revoke_token(id(1), later).await.unwrap());
    assert!(store.token(&[1; 32]).await.unwrap().unwrap().revoked);
    let revoked: Vec<_> = store.tokens().await.unwrap();
    let revoked: Vec<_> = revoked.iter().map(|token| token.revoked).collect();
    assert_eq!(revoked, [true, false]);
}

async fn the_first_token_wanted_by_many_at_once_is_made_once(store: Store) {
    let tries: Vec<_> = (1..=12)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let hash = [number; 32];
                let added = store.add_first_token(&hash, "admin", "first", NOW);
                added.await.unwrap().then_some(number)
            })
        })
        .collect();
    let mut made = Vec::new();
    for one in tries {
        made.extend(one.await.unwrap());
    }
    let tokens = store.tokens().await.unwrap();
    assert_eq!((made.len(), tokens.len()), (1, 1));
    assert_eq!(tokens[0].hash, [made[0]; 32]);
    // Nor does it come back once it is revoked.
    assert!(store.revoke_token(tokens[0].id, NOW).await.unwrap());
    assert!(store.revoke_token(tokens[0].id, NOW).await.unwrap());
    let again = store.add_first_token(&[99; 32], "admin", "first", NOW);
    assert!(!again.await.unwrap());
}

async fn a_session_ends_by_itself_by_hand_or_with_its_token(store: Store) {
    let at = |seconds| NOW.plus(Duration::from_secs(seconds));
    store
        .add_token(&[1; 32], "write", "mine", NOW)
        .await
        .unwrap();
    let parent = store.token(&[1; 32]).await.unwrap().unwrap();
    for (hash, until) in [([2; 32], 10), ([3; 32], 1000), ([4; 32], 1000)] {
        let added = store.add_session(&hash, &parent, NOW, at(until));
        added.await.unwrap();
    }
    let session = store.token(&[3; 32]).await.unwrap().unwrap();
    assert_eq!(
        (&*session.scope, session.parent, session.expires_at),
        ("write", Some(parent.id), Some(at(1000)))
    );
    let all = store.tokens().await.unwrap();
    assert_eq!(all, std::slice::from_ref(&parent));
    store.end_session(&[4; 32]).await.unwrap();
    store.end_session(&[1; 32]).await.unwrap();
    assert_eq!(store.token(&[4; 32]).await.unwrap(), None);
    let later = store.add_session(&[5; 32], &parent, at(500), at(1000));
    later.await.unwrap();
    assert_eq!(store.token(&[2; 32]).await.unwrap(), None, "it was over");
    assert!(!store.token(&[3; 32]).await.unwrap().unwrap().revoked);
    assert!(store.revoke_token(parent.id, at(501)).await.unwrap());
    for hash in [[1; 32], [3; 32], [5; 32]] {
        assert!(store.token(&hash).await.unwrap().unwrap().revoked);
    }
}

contract![
    the_first_token_wanted_by_many_at_once_is_made_once,
    a_session_ends_by_itself_by_hand_or_with_its_token,
    a_worker_is_listed_with_what_it_said_last,
    a_worker_not_heard_of_for_long_is_forgotten,
    a_worker_that_says_it_has_stopped_is_forgotten,
    a_worker_heard_of_by_many_at_once_is_one,
    a_token_is_found_by_its_hash_and_revoked_by_its_id,
];
