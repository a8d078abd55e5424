//! Workers and tokens.

use crate::{NOW, contract, id};
use faafo_store::{Store, WorkerInfo};
use std::time::Duration;

fn worker(name: &str) -> WorkerInfo {
    WorkerInfo {
        name: name.into(),
        version: "0.1.0".into(),
        cores: 8,
        host: "rack-7".into(),
        current: vec![id(1), id(2)],
    }
}

async fn a_worker_is_listed_with_what_it_said_last(store: Store) {
    let later = NOW.plus(Duration::from_secs(5));
    store.heartbeat(&worker("b"), NOW).await.unwrap();
    store.heartbeat(&worker("a"), NOW).await.unwrap();
    let idle = WorkerInfo {
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

contract![
    a_worker_is_listed_with_what_it_said_last,
    a_worker_not_heard_of_for_long_is_forgotten,
    a_worker_heard_of_by_many_at_once_is_one,
    a_token_is_found_by_its_hash_and_revoked_by_its_id,
];
