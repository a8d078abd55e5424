//! Opening a database, alone or with others.

use crate::database::{Database, Kind, with_database};
use crate::{NOW, complete, id, request};
use faafo_store::{ErrorKind, Role, Store};
use std::time::{Duration, Instant};

async fn rows_survive_closing_and_opening_again(url: String) {
    let store = Store::open(&url).await.unwrap();
    store.accept(&request(1), NOW).await.unwrap();
    store.close().await;
    let store = Store::open(&url).await.unwrap();
    assert!(store.get(id(1)).await.unwrap().is_some());
    store.ping().await.unwrap();
    store.close().await;
}

async fn an_empty_database_may_be_opened_by_twenty_at_once(url: String) {
    let opening: Vec<_> = (0..20)
        .map(|number| {
            let url = url.clone();
            tokio::spawn(async move {
                let store = Store::open(&url).await.unwrap();
                store.accept(&request(number), NOW).await.unwrap();
                let counts = store.counts().await.unwrap();
                store.close().await;
                counts.queued
            })
        })
        .collect();
    let mut most = 0;
    for opened in opening {
        most = most.max(opened.await.unwrap());
    }
    assert_eq!(most, 20);
}

async fn a_done_fractal_deleted_here_is_gone_at_once_and_elsewhere_within_a_second(url: String) {
    let (here, elsewhere) = (Store::open(&url).await, Store::open(&url).await);
    let (here, elsewhere) = (here.unwrap(), elsewhere.unwrap());
    here.accept(&request(1), NOW).await.unwrap();
    complete(&here, 1, 1).await;
    let found = async |store: &Store| store.get_stored(id(1), Role::PICTURE).await.unwrap();
    assert!(found(&here).await.is_some() && found(&elsewhere).await.is_some());
    here.delete(id(1)).await.unwrap();
    assert_eq!(found(&here).await, None);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(found(&elsewhere).await, None);
    here.close().await;
    elsewhere.close().await;
}

macro_rules! each {
    ($($name:ident $kind:ident),*) => {$(
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn rows_survive_closing_and_opening_again() {
                let test = super::rows_survive_closing_and_opening_again;
                with_url(Kind::$kind, test).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn an_empty_database_may_be_opened_by_twenty_at_once() {
                let test = super::an_empty_database_may_be_opened_by_twenty_at_once;
                with_url(Kind::$kind, test).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_done_fractal_deleted_here_is_gone_at_once_and_elsewhere_within_a_second() {
                let test = super::a_done_fractal_deleted_here_is_gone_at_once_and_elsewhere_within_a_second;
                with_url(Kind::$kind, test).await;
            }
        }
    )*};
}
each!(sqlite Sqlite, postgres Postgres, mysql MySql);

async fn with_url<F>(kind: Kind, test: impl FnOnce(String) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    with_database(kind, async |database: &Database| {
        tokio::spawn(test(database.url.clone())).await
    })
    .await;
}

#[tokio::test]
async fn mysql_finishes_tables_that_a_crash_left_half_made() {
    with_database(Kind::MySql, async |database: &Database| {
        let store = database.open().await;
        store.close().await;
        database
            .tell("DROP TABLE blob_data; DROP INDEX fractals_by_kind ON fractals; DELETE FROM faafo_schema")
            .await;
        rows_survive_closing_and_opening_again(database.url.clone()).await;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn an_unknown_database_is_named() {
    let error = Store::open("dbase:iii").await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("dbase"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_and_a_wrong_database_a_mistake() {
    for kind in [Kind::Postgres, Kind::MySql] {
        with_database(kind, async |database: &Database| {
            let wrong = format!("{}_", database.url);
            let error = Store::open(&wrong).await.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let nobody = listener.local_addr().unwrap();
            drop(listener);
            let (_, url) = database.by_way_of(nobody);
            let begun = Instant::now();
            let error = Store::open(&url).await.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
            assert!(begun.elapsed() < Duration::from_secs(10));
            Ok(())
        })
        .await;
    }
}

/// Debian's PostgreSQL offers encryption, with a certificate that nobody has signed; its MariaDB offers none.
#[tokio::test]
async fn encryption_that_was_asked_for_is_there_or_the_connection_fails() {
    with_database(Kind::Postgres, async |database: &Database| {
        let offered = database.ask("SHOW ssl").await == "on";
        let opened = Store::open(&format!("{}?sslmode=require", database.url)).await;
        assert_eq!(opened.is_ok(), offered, "{:?}", opened.err());
        let verified = Store::open(&format!("{}?sslmode=verify-full", database.url)).await;
        assert!(verified.is_err());
        Ok(())
    })
    .await;
    with_database(Kind::MySql, async |database: &Database| {
        let offered = database.ask("SELECT @@have_ssl").await == "YES";
        let opened = Store::open(&format!("{}?ssl-mode=REQUIRED", database.url)).await;
        assert_eq!(opened.is_ok(), offered, "{:?}", opened.err());
        let verified = Store::open(&format!("{}?ssl-mode=VERIFY_IDENTITY", database.url)).await;
        assert!(verified.is_err());
        Ok(())
    })
    .await;
}
