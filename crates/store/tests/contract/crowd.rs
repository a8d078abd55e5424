//! Many at once: everything that several processes may do at the same time, at the same time.

use crate::database::{Database, Kind, with_database};
use crate::{NOW, contract, field, id, request};
use faafo_model::{BlobKey, BlobRef, Lane, State, Timestamp};
use faafo_store::query::{Compare, Filter, Value};
use faafo_store::{Finish, Made, Owner, Query, Reservation, Role, Store};
use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

async fn many_writers_at_once_all_succeed(store: Store) {
    let tasks: Vec<_> = (0..40)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.accept(&request(number), NOW).await })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap().unwrap().is_some());
    }
    assert_eq!(store.counts().await.unwrap().queued, 40);
}

async fn an_id_wanted_by_many_at_once_is_accepted_once(store: Store) {
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.accept(&request(1), NOW).await })
        })
        .collect();
    let mut accepted = 0;
    for task in tasks {
        accepted += u32::from(task.await.unwrap().unwrap().is_some());
    }
    assert_eq!(accepted, 1);
}

async fn a_task_given_back_by_two_counts_one_attempt(store: Store) {
    for number in 0..10 {
        store.accept(&request(number), NOW).await.unwrap();
        let given_back = || store.give_back(id(number), 1, "silent", NOW);
        let (one, two, three) = tokio::join!(given_back(), given_back(), given_back());
        assert!(one.is_ok() && two.is_ok() && three.is_ok());
        let row = store.get(id(number)).await.unwrap().unwrap();
        assert_eq!(row.attempt, 2);
    }
}

contract![
    many_writers_at_once_all_succeed,
    an_id_wanted_by_many_at_once_is_accepted_once,
    a_task_given_back_by_two_counts_one_attempt,
];

/// Fractals, few contents, and what the blob store holds.
#[derive(Clone)]
struct World {
    store: Store,
    stored: Arc<Mutex<HashSet<BlobKey>>>,
    clock: Arc<AtomicI64>,
}

const FRACTALS: u32 = 4;
const CONTENTS: u8 = 3;

fn content(number: u8) -> BlobRef {
    BlobRef {
        key: BlobKey([number; 32]),
        size: 1,
    }
}

impl World {
    /// Different each time, and never so late that claims lapse.
    fn now(&self) -> Timestamp {
        Timestamp(NOW.0 + self.clock.fetch_add(1, Ordering::Relaxed))
    }

    fn holds(&self, keys: [BlobKey; 2]) -> bool {
        let stored = self.stored.lock().unwrap();
        keys.iter().all(|key| stored.contains(key))
    }

    async fn users(&self, key: BlobKey) -> u64 {
        let key = Value::Text(key.to_string());
        let query = Query {
            filter: Some(Filter::Value(field("image"), Compare::Equal, key)),
            ..Query::default()
        };
        self.store.count(&query).await.unwrap()
    }

    /// A worker and the tracker that hears from it: stores, reserves, looks, finishes.
    async fn render(self) {
        let number = fastrand::u32(0..FRACTALS);
        let [picture, thumbnail] = [0; 2].map(|_| content(fastrand::u8(0..CONTENTS)));
        let keys = [picture.key, thumbnail.key];
        self.stored.lock().unwrap().extend(keys);
        let finishes = [Finish {
            id: id(number),
            made: Made::Picture { picture, thumbnail },
            duration: None,
            worker: None,
        }];
        let reserved = self.store.reserve(&finishes).await.unwrap();
        tokio::task::yield_now().await;
        match reserved[0] {
            Reservation::Reserved if self.holds(keys) => {
                self.store.finish(&finishes, NOW).await.unwrap();
            }
            Reservation::NotWanted => self.store.suspect(&keys).await.unwrap(),
            _ => {}
        }
    }

    /// Somebody who deletes, cancels, retries and asks anew.
    async fn meddle(self) {
        let number = fastrand::u32(0..FRACTALS);
        match fastrand::u8(0..6) {
            0..=2 => drop(self.store.delete(id(number)).await.unwrap()),
            3 => drop(self.store.cancel(id(number), NOW).await.unwrap()),
            4 => drop(self.store.retry_many(&Query::default(), NOW).await.unwrap()),
            _ => drop(self.store.give_back(id(number), 1, "", NOW).await.unwrap()),
        }
        self.store.accept(&request(number), NOW).await.unwrap();
    }

    /// A tracker that removes what nobody uses.
    async fn sweep(self) {
        for doomed in self.store.doom_unused(10, self.now()).await.unwrap() {
            assert_eq!(self.users(doomed.key).await, 0, "{:?}", doomed.key);
            self.stored.lock().unwrap().remove(&doomed.key);
            self.store.forget_blob(&doomed).await.unwrap();
        }
    }

    /// A tracker that publishes.
    async fn publish(self) {
        let now = self.now();
        let claims = self
            .store
            .claim_unpublished(&Lane::ALL, 5, now)
            .await
            .unwrap();
        self.store.published(&claims, now).await.unwrap();
        self.store
            .republish_lost(Duration::from_micros(50), now)
            .await
            .unwrap();
    }
}

/// Whatever happens at once: no row is done without its blobs, and no blob stays without a row.
async fn hammer(kind: Kind) {
    with_database(kind, async |database: &Database| {
        let store = database.open().await;
        tokio::spawn(async move {
            let world = World {
                store: store.clone(),
                stored: Arc::default(),
                clock: Arc::default(),
            };
            for number in 0..FRACTALS {
                store.accept(&request(number), NOW).await.unwrap();
            }
            let begun = Instant::now();
            let clients: Vec<_> = (0..10)
                .map(|client| {
                    let world = world.clone();
                    tokio::spawn(async move {
                        while begun.elapsed() < Duration::from_secs(3) {
                            let world = world.clone();
                            match client {
                                0 | 1 => world.meddle().await,
                                2 => world.publish().await,
                                3 | 4 => world.sweep().await,
                                _ => world.render().await,
                            }
                        }
                    })
                })
                .collect();
            for client in clients {
                client.await.unwrap();
            }
            let mut used = HashSet::new();
            for row in store.list(&Query::default(), 0, 1000).await.unwrap() {
                let mut keys = Vec::new();
                for role in [Role::PICTURE, Role::THUMBNAIL] {
                    let blob = store.blob_of(Owner::fractal(row.id), role).await.unwrap();
                    keys.extend(blob.map(|blob| blob.key));
                }
                if row.state == State::Done {
                    let stored = world.stored.lock().unwrap();
                    assert!(!keys.is_empty() && keys.iter().all(|key| stored.contains(key)));
                }
                used.extend(keys);
            }
            world.clock.fetch_add(3_600_000_000, Ordering::Relaxed);
            world.clone().sweep().await;
            let left = world.stored.lock().unwrap().clone();
            assert!(left.is_subset(&used), "{left:?} stay, {used:?} are used");
            let (kept, found) = store.recount().await.unwrap();
            assert_eq!(kept, found);
            store.close().await;
        })
        .await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_never_loses_a_blob_in_use_and_never_keeps_another() {
    hammer(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_never_loses_a_blob_in_use_and_never_keeps_another() {
    hammer(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql_never_loses_a_blob_in_use_and_never_keeps_another() {
    hammer(Kind::MySql).await;
}
