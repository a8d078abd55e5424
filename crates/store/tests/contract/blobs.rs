//! Blobs go with their last row, never earlier.

use crate::{NOW, blob, complete, contract, finish, id, request};
use faafo_model::BlobKey;
use faafo_store::{Finish, Made, Owner, OwnerKind, Reservation, Role, Store};
use std::time::Duration;

/// Later than any tracker's claim.
const LATER: Duration = Duration::from_secs(3600);

async fn doomed(store: &Store) -> Vec<BlobKey> {
    let doomed = store.doom_unused(10, NOW).await.unwrap();
    doomed.iter().map(|doomed| doomed.key).collect()
}

async fn a_blob_goes_with_its_last_row(store: Store) {
    for number in 1..=2 {
        store.accept(&request(number), NOW).await.unwrap();
        complete(&store, number, 1).await;
    }
    store.delete(id(1)).await.unwrap().unwrap();
    assert!(doomed(&store).await.is_empty());
    store.delete(id(2)).await.unwrap().unwrap();
    assert_eq!(doomed(&store).await, [blob(1).key, blob(101).key]);
}

async fn a_doomed_blob_is_one_trackers_until_its_claim_lapses(store: Store) {
    store.suspect(&[blob(1).key]).await.unwrap();
    let first = store.doom_unused(10, NOW).await.unwrap();
    assert!(doomed(&store).await.is_empty());
    let now = NOW.plus(LATER);
    let second = store.doom_unused(10, now).await.unwrap();
    assert_eq!((first.len(), second.len()), (1, 1));
    // The first one comes too late to say that it is done: the second may be just deleting.
    store.forget_blob(&first[0]).await.unwrap();
    let third = store.doom_unused(10, now.plus(LATER)).await.unwrap();
    assert_eq!(third.len(), 1);
    store.forget_blob(&third[0]).await.unwrap();
    let now = now.plus(LATER).plus(LATER);
    assert!(store.doom_unused(10, now).await.unwrap().is_empty());
}

async fn no_row_comes_to_refer_to_a_blob_that_is_being_deleted(store: Store) {
    for number in 1..=2 {
        store.accept(&request(number), NOW).await.unwrap();
    }
    complete(&store, 1, 1).await;
    store.delete(id(1)).await.unwrap();
    let doomed = store.doom_unused(10, NOW).await.unwrap();
    assert_eq!(doomed.len(), 2);
    assert_eq!(
        store.reserve(&[finish(2, 1)]).await.unwrap(),
        [Reservation::BlobGoing]
    );
    for blob in &doomed {
        store.forget_blob(blob).await.unwrap();
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
    assert!(doomed(&store).await.is_empty());
}

async fn a_blob_that_nobody_came_to_want_is_found(store: Store) {
    store.accept(&request(1), NOW).await.unwrap();
    store.delete(id(1)).await.unwrap();
    assert_eq!(
        store.reserve(&[finish(1, 1)]).await.unwrap(),
        [Reservation::NotWanted]
    );
    // Also if the one who asked dies before saying that he does not need them.
    assert_eq!(doomed(&store).await.len(), 2);
    store.suspect(&[blob(7).key]).await.unwrap();
    assert_eq!(doomed(&store).await, [blob(7).key]);
}

async fn a_picture_that_takes_anothers_place_leaves_it_unused(store: Store) {
    store.accept(&request(1), NOW).await.unwrap();
    store.reserve(&[finish(1, 1)]).await.unwrap();
    complete(&store, 1, 2).await;
    assert_eq!(doomed(&store).await, [blob(1).key, blob(101).key]);
    let first = store.finish(&[finish(1, 1)], NOW).await.unwrap();
    assert_eq!(first, [false]);
}

async fn a_fractal_that_will_not_be_done_lets_go_of_what_was_reserved_for_it(store: Store) {
    for (number, picture) in [(1, 1), (2, 2)] {
        store.accept(&request(number), NOW).await.unwrap();
        let reserved = store.reserve(&[finish(number, picture)]).await.unwrap();
        assert_eq!(reserved, [Reservation::Reserved]);
    }
    assert!(store.cancel(id(1), NOW).await.unwrap());
    assert_eq!(doomed(&store).await, [blob(1).key, blob(101).key]);
    assert!(
        store
            .fail(id(2), 1, "no reason", NOW)
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(doomed(&store).await, [blob(2).key, blob(102).key]);
    let late = store.finish(&[finish(1, 1), finish(2, 2)], NOW).await;
    assert_eq!(late.unwrap(), [false, false]);
    let referenced = store.referenced(&[blob(1).key, blob(2).key]).await;
    assert!(referenced.unwrap().is_empty());
}

async fn one_going_blob_of_two_leaves_the_other_unused(store: Store) {
    store.accept(&request(1), NOW).await.unwrap();
    store.suspect(&[blob(101).key]).await.unwrap();
    assert_eq!(doomed(&store).await, [blob(101).key]);
    assert_eq!(
        store.reserve(&[finish(1, 1)]).await.unwrap(),
        [Reservation::BlobGoing]
    );
    assert_eq!(doomed(&store).await, [blob(1).key]);
}

async fn a_picture_may_be_its_own_thumbnail(store: Store) {
    store.accept(&request(1), NOW).await.unwrap();
    let (picture, thumbnail) = (blob(1), blob(1));
    let finishes = [Finish {
        made: Made::Picture { picture, thumbnail },
        ..finish(1, 1)
    }];
    assert_eq!(
        store.reserve(&finishes).await.unwrap(),
        [Reservation::Reserved]
    );
    assert_eq!(store.finish(&finishes, NOW).await.unwrap(), [true]);
    store.delete(id(1)).await.unwrap();
    assert_eq!(doomed(&store).await, [blob(1).key]);
}

async fn a_blob_whose_last_row_goes_while_the_sweeper_looks_is_found(store: Store) {
    for round in 1..=100u8 {
        for number in 1..=2 {
            store.accept(&request(number), NOW).await.unwrap();
            complete(&store, number, round).await;
        }
        store.delete(id(1)).await.unwrap();
        let deleting = tokio::spawn({
            let store = store.clone();
            async move { store.delete(id(2)).await }
        });
        let mut found = doomed(&store).await;
        deleting.await.unwrap().unwrap();
        found.extend(doomed(&store).await);
        assert!(found.contains(&blob(round).key), "round {round}");
        assert!(found.contains(&blob(round + 100).key), "round {round}");
    }
}

async fn what_rows_refer_to_is_listed_page_by_page(store: Store) {
    for number in 1..=3 {
        store.accept(&request(number), NOW).await.unwrap();
    }
    complete(&store, 1, 1).await;
    complete(&store, 3, 1).await;
    let first = store.references(None, 1).await.unwrap();
    assert_eq!((first.len(), first[0].owner), (1, id(1)));
    assert_eq!(first[0].owner_kind, "fractal");
    assert_eq!(first[0].role, "picture");
    assert_eq!(
        (first[0].key, first[0].size),
        (blob(1).key, Some(blob(1).size))
    );
    assert!(store.is_referred_to(&first[0]).await.unwrap());
    let second = store.references(first.last(), 10).await.unwrap();
    let owners: Vec<_> = second.iter().map(|reference| reference.owner).collect();
    assert_eq!(owners, [id(1), id(3), id(3)]);
    assert_eq!(store.references(second.last(), 10).await.unwrap(), []);
    let keys = [blob(1).key, blob(101).key, blob(2).key];
    let referenced = store.referenced(&keys).await.unwrap();
    assert_eq!(referenced.into_iter().collect::<Vec<_>>().len(), 2);
    assert!(store.referenced(&[]).await.unwrap().is_empty());
}

/// Nothing but these constants knows of them.
const ALBUM: OwnerKind = OwnerKind::new("album");
const COVER: Role = Role::new("cover");

async fn an_owner_of_a_new_kind_keeps_its_blobs_until_it_lets_go(store: Store) {
    let (one, other) = (
        Owner {
            kind: ALBUM,
            id: id(7),
        },
        Owner {
            kind: ALBUM,
            id: id(8),
        },
    );
    for owner in [one, other] {
        assert!(store.refer(owner, COVER, &blob(1)).await.unwrap());
    }
    assert!(store.refer(one, Role::PICTURE, &blob(2)).await.unwrap());
    let listed = store.references(None, 10).await.unwrap();
    assert!(listed.len() == 3 && listed.iter().all(|kept| kept.owner_kind == "album"));
    let stored = store.blob_of(one, COVER).await.unwrap().unwrap();
    assert_eq!((stored.key, stored.size), (blob(1).key, Some(1001)));
    store.suspect(&[blob(1).key, blob(2).key]).await.unwrap();
    assert!(doomed(&store).await.is_empty());
    // Another one takes its place.
    assert!(store.refer(one, Role::PICTURE, &blob(3)).await.unwrap());
    assert_eq!(doomed(&store).await, [blob(2).key]);
    assert!(!store.refer(other, Role::PICTURE, &blob(2)).await.unwrap());
    store.release(one).await.unwrap();
    assert_eq!(doomed(&store).await, [blob(3).key]);
    store.release(other).await.unwrap();
    assert_eq!(doomed(&store).await, [blob(1).key]);
    assert!(store.references(None, 1).await.unwrap().is_empty());
}

contract![
    an_owner_of_a_new_kind_keeps_its_blobs_until_it_lets_go,
    what_rows_refer_to_is_listed_page_by_page,
    a_blob_whose_last_row_goes_while_the_sweeper_looks_is_found,
    a_blob_goes_with_its_last_row,
    a_doomed_blob_is_one_trackers_until_its_claim_lapses,
    no_row_comes_to_refer_to_a_blob_that_is_being_deleted,
    a_reserved_blob_is_not_doomed,
    a_blob_that_nobody_came_to_want_is_found,
    a_picture_that_takes_anothers_place_leaves_it_unused,
    a_fractal_that_will_not_be_done_lets_go_of_what_was_reserved_for_it,
    one_going_blob_of_two_leaves_the_other_unused,
    a_picture_may_be_its_own_thumbnail,
];
