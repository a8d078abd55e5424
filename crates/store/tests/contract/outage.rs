//! The database goes away and comes back while we run.

use crate::database::{Database, Kind, with_database};
use crate::proxy::{Mode, Proxy};
use crate::{NOW, complete, id, request};
use faafo_store::{ErrorKind, Store};
use std::time::{Duration, Instant};

/// Busy clients, each with one statement after the other; every failure must be one after which trying again is right.
async fn work(store: Store, client: u32, stop: Instant) {
    for number in 0.. {
        if Instant::now() > stop {
            return;
        }
        let number = client * 100_000 + number;
        for result in [
            store.accept(&request(number), NOW).await.map(drop),
            store.get(id(number)).await.map(drop),
        ] {
            if let Err(error) = result {
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn recovers_from(kind: Kind, mode: Mode) {
    with_database(kind, async |database: &Database| {
        let (server, _) = database.by_way_of(([127, 0, 0, 1], 1).into());
        let proxy = Proxy::start(server).await;
        let (_, url) = database.by_way_of(proxy.address);
        tokio::spawn(async move {
            let store = Store::open(&url).await.unwrap();
            let stop = Instant::now() + Duration::from_secs(3);
            // More clients than connections.
            let clients: Vec<_> = (1..=20)
                .map(|client| tokio::spawn(work(store.clone(), client, stop)))
                .collect();
            tokio::time::sleep(Duration::from_millis(500)).await;
            proxy.set(mode);
            tokio::time::sleep(Duration::from_secs(1)).await;
            let begun = Instant::now();
            let error = store.ping().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
            assert!(begun.elapsed() < Duration::from_secs(20));
            proxy.set(Mode::Pass);
            // Connections that stalled before never answer; new ones do.
            let back = Instant::now();
            while let Err(error) = store.ping().await {
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
                assert!(back.elapsed() < Duration::from_secs(30), "{error}");
            }
            for client in clients {
                client.await.unwrap();
            }
            let begun = Instant::now();
            for number in 0..100 {
                store.accept(&request(number), NOW).await.unwrap();
                complete(&store, number, 1).await;
            }
            assert!(begun.elapsed() < Duration::from_secs(10));
            assert_eq!(store.counts().await.unwrap().done, 100);
            store.close().await;
        })
        .await
    })
    .await;
}

macro_rules! each {
    ($($test:ident $kind:ident $mode:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            recovers_from(Kind::$kind, Mode::$mode).await;
        }
    )*};
}
each! {
    postgres_recovers_when_its_connections_were_cut Postgres Cut,
    postgres_recovers_when_its_connections_went_silent Postgres Stall,
    mysql_recovers_when_its_connections_were_cut MySql Cut,
    mysql_recovers_when_its_connections_went_silent MySql Stall,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_cut_short_leaves_no_lock_and_no_broken_connection() {
    for kind in [Kind::Sqlite, Kind::Postgres, Kind::MySql] {
        with_database(kind, async |database: &Database| {
            let store = database.open().await;
            tokio::spawn(async move {
                for number in 0..300 {
                    let accepting = tokio::spawn({
                        let store = store.clone();
                        async move { store.accept(&request(number), NOW).await.map(drop) }
                    });
                    let pause = fastrand::u64(0..1500);
                    tokio::time::sleep(Duration::from_micros(pause)).await;
                    accepting.abort();
                }
                let begun = Instant::now();
                for number in 300..330 {
                    store.accept(&request(number), NOW).await.unwrap();
                }
                assert!(begun.elapsed() < Duration::from_secs(5));
                store.close().await;
            })
            .await
        })
        .await;
    }
}

/// As after a failover, when old connections lead to what has become a replica.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_only_be_read_takes_writes_as_soon_as_it_can_be_written_again() {
    with_database(Kind::Postgres, async |database: &Database| {
        let store = database.open().await;
        let write = async |number| store.accept(&request(number), NOW).await;
        macro_rules! read_only {
            ($on:literal) => {
                concat!(
                    "SET TRANSACTION READ WRITE; DO $$ BEGIN EXECUTE format(\
                     'ALTER DATABASE %I SET default_transaction_read_only = ",
                    $on,
                    "', current_database()); END $$"
                )
            };
        }
        write(0).await.unwrap();
        database.tell(read_only!("on")).await;
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()";
        database.tell(end).await;
        for number in 1..20 {
            let error = write(number).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        }
        store.ping().await.unwrap();
        store.is_writable().await.unwrap_err();
        database.tell(read_only!("off")).await;
        let back = Instant::now();
        let mut number = 20;
        while let Err(error) = write(number).await {
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
            assert!(back.elapsed() < Duration::from_secs(2), "{error}");
            number += 1;
        }
        store.is_writable().await.unwrap();
        for number in 100..150 {
            write(number).await.unwrap();
        }
        store.close().await;
        Ok(())
    })
    .await;
}
