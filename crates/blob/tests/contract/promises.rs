//! What every store promises while nothing fails.

use crate::place::Place;
use bytes::Bytes;
use faafo_blob::{BlobStore, ErrorKind, Hasher, open, put};
use faafo_model::BlobKey;
use futures_util::TryStreamExt;
use std::ops::Range;

pub fn content(length: usize, seed: u8) -> Bytes {
    (0..length).map(|i| (i * 31 % 251) as u8 ^ seed).collect()
}

pub async fn fetch(store: &dyn BlobStore, key: &BlobKey, range: Range<u64>) -> Vec<u8> {
    let pieces: Vec<Bytes> = store
        .read(key, range)
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    pieces.concat()
}

pub async fn what_is_stored_comes_back_whole(place: Place) {
    let store = place.open().await;
    for length in [0, 1, 1000, 3_000_000] {
        let bytes = content(length, 7);
        let blob = put(&*store, bytes.clone()).await.unwrap();
        let mut hasher = Hasher::default();
        hasher.update(&bytes);
        assert_eq!(blob, hasher.finish());
        assert_eq!(store.size(&blob.key).await.unwrap(), Some(length as u64));
        assert!(fetch(&*store, &blob.key, 0..blob.size).await == bytes);
    }
}

pub async fn any_range_can_be_read(place: Place) {
    let store = place.open().await;
    let bytes = content(1_000_000, 3);
    let blob = put(&*store, bytes.clone()).await.unwrap();
    for range in [0..1, 0..0, 999_999..1_000_000, 262_143..262_145, 5..900_000] {
        let part = &bytes[range.start as usize..range.end as usize];
        assert!(
            fetch(&*store, &blob.key, range.clone()).await == part,
            "{range:?}"
        );
    }
}

pub async fn storing_twice_is_harmless(place: Place) {
    let store = place.open().await;
    let first = put(&*store, content(1000, 1)).await.unwrap();
    let second = put(&*store, content(1000, 1)).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(fetch(&*store, &first.key, 0..1000).await, content(1000, 1));
}

pub async fn the_same_content_at_the_same_time_is_stored_once(place: Place) {
    let store = place.open().await;
    let puts = (0..16).map(|_| put(&*store, content(200_000, 9)));
    let blobs = futures_util::future::try_join_all(puts).await.unwrap();
    assert!(blobs.iter().all(|blob| *blob == blobs[0]));
    assert!(fetch(&*store, &blobs[0].key, 0..200_000).await == content(200_000, 9));
}

pub async fn two_stores_may_store_the_same_content_at_once(place: Place) {
    let (one, other) = (place.open().await, place.open().await);
    let bytes = content(300_000, 4);
    let (first, second) = tokio::join!(put(&*one, bytes.clone()), put(&*other, bytes.clone()));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first, second);
    assert!(fetch(&*one, &first.key, 0..300_000).await == bytes);
    // One may also leave while the other writes.
    let mut upload = one.begin().await.unwrap();
    upload.write(content(10, 8)).await.unwrap();
    drop(other);
    let third = place.open().await;
    upload.finish().await.unwrap();
    assert_eq!(third.size(&first.key).await.unwrap(), Some(300_000));
}

pub async fn an_upload_dropped_halfway_leaves_nothing(place: Place) {
    let store = place.open().await;
    for length in [500_000, 10_000_000] {
        let bytes = content(length, 5);
        let mut hasher = Hasher::default();
        hasher.update(&bytes);
        let mut upload = store.begin().await.unwrap();
        upload.write(bytes).await.unwrap();
        drop(upload);
        assert_eq!(store.size(&hasher.finish().key).await.unwrap(), None);
    }
}

pub async fn deleting_removes_and_deleting_again_is_no_error(place: Place) {
    let store = place.open().await;
    for length in [10, 10_000_000] {
        let blob = put(&*store, content(length, 2)).await.unwrap();
        store.delete(&blob.key).await.unwrap();
        store.delete(&blob.key).await.unwrap();
        assert_eq!(store.size(&blob.key).await.unwrap(), None);
        for range in [0..10, 0..0] {
            let error = store.read(&blob.key, range).await.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        }
    }
}

pub async fn a_ping_is_answered(place: Place) {
    let store = place.open().await;
    store.ping().await.unwrap();
    store.ping().await.unwrap();
}

pub async fn a_folder_in_the_bucket_keeps_to_itself(place: Place) {
    let outside = place.open().await;
    let inside = open(&place.url().replacen('?', "/a/b%20%C3%BC?", 1))
        .await
        .unwrap();
    let bytes = content(9_000_000, 6);
    let blob = put(&*inside, bytes.clone()).await.unwrap();
    assert_eq!(outside.size(&blob.key).await.unwrap(), None);
    assert!(fetch(&*inside, &blob.key, 0..blob.size).await == bytes);
    let seen: Vec<_> = outside.list().try_collect().await.unwrap();
    assert!(seen.is_empty(), "{seen:?}");
    let seen: Vec<_> = inside.list().try_collect().await.unwrap();
    assert_eq!(seen.len(), 1, "{seen:?}");
    inside.delete(&blob.key).await.unwrap();
}
