//! Rows move from each kind of database to each other.

use crate::database::{Database, Kind, with_database};
use crate::{NOW, blob, complete, id, request};
use faafo_model::{CreateRequest, Lane, PlannedBand};
use faafo_store::{Planning, Query, Store};

/// Some of everything that rows say.
async fn fill(store: &Store) {
    for number in 0..300 {
        store.accept(&request(number), NOW).await.unwrap();
    }
    complete(store, 1, 1).await;
    complete(store, 2, 1).await;
    store.fail(id(3), 1, "no \u{1f300}", NOW).await.unwrap();
    store.cancel(id(4), NOW).await.unwrap();
    store.rendering(&[(id(5), 1, 0.5)], NOW).await.unwrap();
    store.set_priority(id(6), -7).await.unwrap();
    let poster = CreateRequest {
        band_area: Some(7),
        ..request(1000)
    };
    store.accept(&poster, NOW).await.unwrap();
    let bands = [(10, 1.0), (20, 2.0)].map(PlannedBand::from);
    let planned = store.plan(id(1000), blob(9), &bands, NOW).await;
    assert_eq!(planned.unwrap(), Planning::Planned);
    store
        .add_token(&[7; 32], "admin", "first", NOW)
        .await
        .unwrap();
}

async fn same(one: &Store, other: &Store) {
    let all = Query::default();
    let (these, those) = (
        one.list(&all, 0, 1000).await,
        other.list(&all, 0, 1000).await,
    );
    assert_eq!(these.unwrap(), those.unwrap());
    let (kept, found) = other.recount().await.unwrap();
    assert_eq!((kept, one.counts().await.unwrap()), (found, found));
    let references = one.references(None, 1000).await.unwrap();
    assert_eq!(other.references(None, 1000).await.unwrap(), references);
    assert_eq!(
        other.bands(id(1000)).await.unwrap(),
        one.bands(id(1000)).await.unwrap()
    );
    assert_eq!(other.tokens().await.unwrap(), one.tokens().await.unwrap());
    let later = NOW.plus(std::time::Duration::from_secs(60));
    let claimed = async |store: &Store| -> Vec<_> {
        let claims = store.claim_unpublished(&Lane::ALL, 1000, later).await;
        claims
            .unwrap()
            .into_iter()
            .map(|claim| claim.task)
            .collect()
    };
    assert_eq!(claimed(other).await, claimed(one).await);
}

async fn moves(from: Kind, to: Kind) {
    with_database(from, async |from: &Database| {
        let from = from.open().await;
        with_database(to, async move |to: &Database| {
            let to = to.open().await;
            tokio::spawn(async move {
                fill(&from).await;
                let first = from.copy_rows(&to, |_| {}).await.unwrap();
                let again = from.copy_rows(&to, |_| {}).await.unwrap();
                assert_eq!((again.copied, again.kept), (0, first.copied));
                same(&from, &to).await;
                from.close().await;
                to.close().await;
            })
            .await
        })
        .await;
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_move_from_sqlite_to_a_server_and_lose_nothing() {
    moves(Kind::Sqlite, Kind::Postgres).await;
    moves(Kind::Sqlite, Kind::MySql).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_move_back_to_sqlite_and_lose_nothing() {
    moves(Kind::Postgres, Kind::Sqlite).await;
    moves(Kind::MySql, Kind::Sqlite).await;
}
