//! What every database promises, run over each back end.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use faafo_model::{
    BlobKey, BlobRef, CreateRequest, Formula, Palette, Recipe, State, Timestamp, Uuid, View,
};
use faafo_store::query::{Compare, Field, Filter, Order, Value};
use faafo_store::{Finish, LegacyResult, MAX_ATTEMPTS, Outcome, Query, Reservation, Store};
use std::time::Duration;

const NOW: Timestamp = Timestamp(1_790_000_000_000_000);

fn request(number: u32) -> CreateRequest {
    let recipe = Recipe {
        formula: Formula::Julia {
            cx: -2.123456789012345,
            cy: 5e-324,
        },
        view: View {
            xa: 0.1 + 0.2,
            xb: -1e100,
            ya: -1.0,
            yb: 1.0,
        },
        width: number + 1,
        height: 30,
        iterations: 20,
        palette: Palette::Aurora,
    };
    CreateRequest {
        id: Some(Uuid::from_u128(number.into())),
        recipe,
    }
}

fn id(number: u32) -> Uuid {
    Uuid::from_u128(number.into())
}

fn blob(byte: u8) -> BlobRef {
    BlobRef {
        key: BlobKey([byte; 32]),
        size: 1000 + u64::from(byte),
    }
}

fn finish(number: u32, picture: u8) -> Finish {
    Finish {
        id: id(number),
        picture: blob(picture),
        thumbnail: blob(picture + 100),
        duration: Some(0.1),
        worker: Some("worker".into()),
    }
}

async fn complete(store: &Store, number: u32, picture: u8) {
    let finishes = [finish(number, picture)];
    assert_eq!(
        store.reserve(&finishes).await.unwrap(),
        [Reservation::Reserved]
    );
    assert_eq!(store.finish(&finishes, NOW).await.unwrap(), [true]);
}

async fn a_row_comes_back_bit_for_bit(store: Store) {
    let accepted = store.accept(&request(1), NOW).await.unwrap().unwrap();
    let found = store.get(id(1)).await.unwrap().unwrap();
    assert_eq!(found, accepted);
    let bits = |fractal: &faafo_model::Fractal| {
        let (cx, cy) = fractal.recipe.formula.constant().unwrap();
        [cx, cy, fractal.recipe.view.xa, fractal.recipe.view.xb].map(f64::to_bits)
    };
    assert_eq!(bits(&found), bits(&accepted));
    assert_eq!(store.get(id(2)).await.unwrap(), None);
}

async fn an_id_is_accepted_once(store: Store) {
    assert!(store.accept(&request(1), NOW).await.unwrap().is_some());
    assert!(store.accept(&request(1), NOW).await.unwrap().is_none());
    assert_eq!(store.counts().await.unwrap().accepted(), 1);
}

async fn an_accepted_fractal_stays_in_the_outbox_until_the_queue_confirms(store: Store) {
    store.accept(&request(1), NOW).await.unwrap();
    let tasks = store.unpublished(10).await.unwrap();
    assert_eq!((tasks.len(), tasks[0].id, tasks[0].attempt), (1, id(1), 1));
    assert_eq!(store.unpublished(10).await.unwrap(), tasks);
    store.published(&tasks, NOW).await.unwrap();
    assert!(store.unpublished(10).await.unwrap().is_empty());
}

async fn a_confirmation_of_an_old_attempt_does_not_swallow_the_new_one(store: Store) {
    store.accept(&request(1), NOW).await.unwrap();
    let old = store.unpublished(10).await.unwrap();
    assert_eq!(
        store.give_back(id(1), 1, "stopping", NOW).await.unwrap(),
        Outcome::Queued
    );
    store.published(&old, NOW).await.unwrap();
    assert_eq!(store.unpublished(10).await.unwrap()[0].attempt, 2);
}

async fn after_a_restart_every_unfinished_fractal_is_published_again(store: Store) {
    for number in 0..4 {
        store.accept(&request(number), NOW).await.unwrap();
    }
    store
        .published(&store.unpublished(10).await.unwrap(), NOW)
        .await
        .unwrap();
    store.rendering(&[(id(1), 1, 0.5)], NOW).await.unwrap();
    complete(&store, 2, 1).await;
    assert_eq!(store.republish_all(NOW).await.unwrap(), 3);
    let tasks: Vec<_> = store
        .unpublished(10)
        .await
        .unwrap()
        .iter()
        .map(|task| task.id)
        .collect();
    assert_eq!(tasks, [id(0), id(1), id(3)]);
    assert_eq!(
        store.get(id(1)).await.unwrap().unwrap().state,
        State::Queued
    );
}

async fn a_finished_picture_is_done_with_its_checksum(store: Store) {
    store.accept(&request(1), NOW).await.unwrap();
    assert_eq!(
        store
            .rendering(&[(id(1), 1, 0.5), (id(9), 1, 0.5)], NOW)
            .await
            .unwrap(),
        [true, false]
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
    assert!(store.unpublished(10).await.unwrap().is_empty());
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
    assert!(!store.fail(id(1), 1, "late", NOW).await.unwrap());
    assert_eq!(
        store.give_back(id(1), 1, "late", NOW).await.unwrap(),
        Outcome::Stale
    );
    assert_eq!(
        store.rendering(&[(id(1), 1, 0.1)], NOW).await.unwrap(),
        [false]
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
    assert!(!store.fail(id(1), 1, "late", NOW).await.unwrap());
    assert_eq!(
        store.rendering(&[(id(1), 1, 0.9)], NOW).await.unwrap(),
        [false]
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
            Outcome::Queued
        );
        assert_eq!(store.unpublished(10).await.unwrap()[0].attempt, attempt + 1);
    }
    assert_eq!(
        store
            .give_back(id(1), MAX_ATTEMPTS, "no luck", NOW)
            .await
            .unwrap(),
        Outcome::Failed
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

async fn a_blob_goes_with_its_last_row(store: Store) {
    for number in 1..=2 {
        store.accept(&request(number), NOW).await.unwrap();
        complete(&store, number, 1).await;
    }
    store.delete(id(1)).await.unwrap().unwrap();
    assert!(store.doom_unused(10).await.unwrap().is_empty());
    store.delete(id(2)).await.unwrap().unwrap();
    let doomed = store.doom_unused(10).await.unwrap();
    assert_eq!(doomed, [blob(1).key, blob(101).key]);
    // Until they are forgotten they come again, so that a crash leaves nothing behind.
    assert_eq!(store.doom_unused(10).await.unwrap(), doomed);
    for key in &doomed {
        store.forget_blob(key).await.unwrap();
    }
    assert!(store.doom_unused(10).await.unwrap().is_empty());
}

async fn no_row_comes_to_refer_to_a_blob_that_is_being_deleted(store: Store) {
    for number in 1..=2 {
        store.accept(&request(number), NOW).await.unwrap();
    }
    complete(&store, 1, 1).await;
    store.delete(id(1)).await.unwrap();
    assert_eq!(store.doom_unused(10).await.unwrap().len(), 2);
    assert_eq!(
        store.reserve(&[finish(2, 1)]).await.unwrap(),
        [Reservation::BlobGoing]
    );
    for byte in [1, 101] {
        store.forget_blob(&blob(byte).key).await.unwrap();
    }
    complete(&store, 2, 1).await;
}

async fn a_reserved_blob_is_not_doomed(store: Store) {
    for number in 1..=2 {
        store.accept(&request(number), NOW).await.unwrap();
    }
    complete(&store, 1, 1).await;
    assert_eq!(
        store.reserve(&[finish(2, 1)]).await.unwrap(),
        [Reservation::Reserved]
    );
    store.delete(id(1)).await.unwrap();
    assert!(store.doom_unused(10).await.unwrap().is_empty());
}

async fn a_blob_that_nobody_came_to_want_is_found(store: Store) {
    store.accept(&request(1), NOW).await.unwrap();
    store.delete(id(1)).await.unwrap();
    assert_eq!(
        store.reserve(&[finish(1, 1)]).await.unwrap(),
        [Reservation::NotWanted]
    );
    store
        .suspect(&[blob(1).key, blob(101).key, blob(7).key])
        .await
        .unwrap();
    assert_eq!(store.doom_unused(10).await.unwrap().len(), 3);
}

async fn deleting_removes_the_row_and_its_outbox_entry(store: Store) {
    store.accept(&request(1), NOW).await.unwrap();
    assert_eq!(store.delete(id(1)).await.unwrap().unwrap().id, id(1));
    assert!(store.delete(id(1)).await.unwrap().is_none());
    assert!(store.unpublished(10).await.unwrap().is_empty());
    assert_eq!(store.counts().await.unwrap().accepted(), 0);
}

async fn lists_filter_sort_and_page(store: Store) {
    for number in 0..10 {
        store.accept(&request(number), NOW).await.unwrap();
    }
    let widths = |fractals: Vec<faafo_model::Fractal>| -> Vec<_> {
        fractals
            .iter()
            .map(|fractal| fractal.recipe.width)
            .collect()
    };
    let value = |compare, number| Filter::Value(Field::Width, compare, Value::Whole(number));
    let query = |filter| Query {
        filter: Some(filter),
        ..Query::default()
    };
    let all = Query::default();
    assert_eq!(store.count(&all).await.unwrap(), 10);
    assert_eq!(widths(store.list(&all, 8, 5).await.unwrap()), [9, 10]);
    let some = query(Filter::Or(vec![
        value(Compare::Less, 3),
        Filter::Not(Box::new(value(Compare::Less, 9))),
    ]));
    assert_eq!(
        widths(store.list(&some, 0, 10).await.unwrap()),
        [1, 2, 9, 10]
    );
    let among = query(Filter::Among(
        Field::Width,
        true,
        vec![Value::Whole(4), Value::Whole(5)],
    ));
    assert_eq!(store.count(&among).await.unwrap(), 2);
    for (holds, number) in [(true, 0), (false, 10)] {
        let none = query(Filter::Among(Field::Width, holds, vec![]));
        assert_eq!(store.count(&none).await.unwrap(), number);
    }
    let like = |compare, text: &str| {
        query(Filter::Value(
            Field::Kind,
            compare,
            Value::Text(text.into()),
        ))
    };
    assert_eq!(store.count(&like(Compare::Like, "ju%a")).await.unwrap(), 10);
    assert_eq!(store.count(&like(Compare::ILike, "JU%")).await.unwrap(), 10);
    assert_eq!(
        store
            .count(&query(Filter::Null(Field::Url, true)))
            .await
            .unwrap(),
        10
    );
    let taller = query(Filter::Fields(
        Field::Height,
        Compare::Greater,
        Field::Width,
    ));
    assert_eq!(store.count(&taller).await.unwrap(), 10);
    let real = query(Filter::Value(
        Field::Xa,
        Compare::Equal,
        Value::Real(0.1 + 0.2),
    ));
    assert_eq!(store.count(&real).await.unwrap(), 10);
    let last = Query {
        order: vec![(Field::Width, Order::Descending)],
        limit: Some(3),
        offset: 1,
        ..Query::default()
    };
    assert_eq!(store.count(&last).await.unwrap(), 3);
    assert_eq!(widths(store.list(&last, 0, 10).await.unwrap()), [9, 8, 7]);
    assert_eq!(widths(store.list(&last, 2, 10).await.unwrap()), [7]);
    let grouped = Query {
        group: vec![Field::Height],
        ..Query::default()
    };
    assert_eq!(widths(store.list(&grouped, 0, 10).await.unwrap()), [1]);
    let ids = store.ids(&last).await.unwrap();
    assert_eq!(ids, [id(8), id(7), id(6)]);
    store.delete(id(7)).await.unwrap();
    assert_eq!(widths(store.get_many(&ids).await.unwrap()), [9, 7]);
}

async fn views_show_the_newest_and_the_active(store: Store) {
    for number in 0..5 {
        store.accept(&request(number), NOW).await.unwrap();
    }
    for (number, second) in [(0, 1), (1, 2), (2, 3)] {
        let finishes = [finish(number, 1)];
        store.reserve(&finishes).await.unwrap();
        store
            .finish(&finishes, NOW.plus(Duration::from_secs(second)))
            .await
            .unwrap();
    }
    store.rendering(&[(id(4), 1, 0.5)], NOW).await.unwrap();
    let ids =
        |fractals: Vec<faafo_model::Fractal>| -> Vec<_> { fractals.iter().map(|f| f.id).collect() };
    assert_eq!(ids(store.newest(2, 0).await.unwrap()), [id(2), id(1)]);
    assert_eq!(ids(store.newest(2, 2).await.unwrap()), [id(0)]);
    assert_eq!(ids(store.active(8).await.unwrap()), [id(4), id(3)]);
    assert_eq!(ids(store.active(1).await.unwrap()), [id(4)]);
    let counts = store.counts().await.unwrap();
    assert_eq!(
        (
            counts.done,
            counts.rendering,
            counts.queued,
            counts.accepted()
        ),
        (3, 1, 1, 5)
    );
}

async fn old_workers_may_send_their_result_in_pieces(store: Store) {
    store.accept(&request(1), NOW).await.unwrap();
    let first = LegacyResult {
        checksum: Some("abc".into()),
        duration: Some(10.12),
        ..LegacyResult::default()
    };
    assert!(store.legacy_result(id(1), &first).await.unwrap());
    let second = LegacyResult {
        size: Some(3),
        ..LegacyResult::default()
    };
    assert!(store.legacy_result(id(1), &second).await.unwrap());
    let row = store.get(id(1)).await.unwrap().unwrap();
    assert_eq!(
        (row.checksum.as_deref(), row.duration, row.size),
        (Some("abc"), Some(10.12), Some(3))
    );
    assert_eq!(row.state, State::Queued);
}

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

macro_rules! contract {
    ($name:ident, $open:expr, [$($test:ident),* $(,)?]) => {
        mod $name {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let (_keep, url) = $open;
                super::$test(super::Store::open(&url).await.unwrap()).await;
            })*
        }
    };
}

fn sqlite_file() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/faafo.db", folder.path().display());
    (folder, url)
}

contract!(
    sqlite,
    super::sqlite_file(),
    [
        a_row_comes_back_bit_for_bit,
        an_id_is_accepted_once,
        an_accepted_fractal_stays_in_the_outbox_until_the_queue_confirms,
        a_confirmation_of_an_old_attempt_does_not_swallow_the_new_one,
        after_a_restart_every_unfinished_fractal_is_published_again,
        a_finished_picture_is_done_with_its_checksum,
        the_same_picture_may_be_stored_by_many,
        nothing_changes_a_final_fractal,
        a_late_failure_of_an_earlier_attempt_is_ignored_and_its_picture_is_welcome,
        a_task_given_back_too_often_fails_with_the_reason,
        silence_beyond_the_lease_is_found,
        a_blob_goes_with_its_last_row,
        no_row_comes_to_refer_to_a_blob_that_is_being_deleted,
        a_reserved_blob_is_not_doomed,
        a_blob_that_nobody_came_to_want_is_found,
        deleting_removes_the_row_and_its_outbox_entry,
        lists_filter_sort_and_page,
        views_show_the_newest_and_the_active,
        old_workers_may_send_their_result_in_pieces,
        many_writers_at_once_all_succeed,
    ]
);

#[tokio::test]
async fn rows_survive_closing_and_opening_again() {
    let (_keep, url) = sqlite_file();
    let store = Store::open(&url).await.unwrap();
    store.accept(&request(1), NOW).await.unwrap();
    store.close().await;
    let store = Store::open(&url).await.unwrap();
    assert!(store.get(id(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn an_unknown_database_is_named() {
    let error = Store::open("dbase:iii").await.err().unwrap();
    assert_eq!(error.kind(), faafo_store::ErrorKind::Config);
    assert!(error.to_string().contains("dbase"), "{error}");
}
