//! What every blob store promises, run over each back end.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use faafo_blob::{BlobStore, ErrorKind, Hasher, open, put};
use futures_util::TryStreamExt;

fn content(length: usize, seed: u8) -> Bytes {
    (0..length).map(|i| (i * 31 % 251) as u8 ^ seed).collect()
}

async fn fetch(
    store: &dyn BlobStore,
    key: &faafo_model::BlobKey,
    range: std::ops::Range<u64>,
) -> Vec<u8> {
    let pieces: Vec<Bytes> = store
        .read(key, range)
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    pieces.concat()
}

async fn what_is_stored_comes_back_whole(store: &dyn BlobStore) {
    for length in [0, 1, 1000, 3_000_000] {
        let bytes = content(length, 7);
        let blob = put(store, bytes.clone()).await.unwrap();
        let mut hasher = Hasher::default();
        hasher.update(&bytes);
        assert_eq!(blob, hasher.finish());
        assert_eq!(store.size(&blob.key).await.unwrap(), Some(length as u64));
        assert_eq!(fetch(store, &blob.key, 0..blob.size).await, bytes);
    }
}

async fn any_range_can_be_read(store: &dyn BlobStore) {
    let bytes = content(1_000_000, 3);
    let blob = put(store, bytes.clone()).await.unwrap();
    for range in [0..1, 0..0, 999_999..1_000_000, 262_143..262_145, 5..900_000] {
        let part = &bytes[range.start as usize..range.end as usize];
        assert_eq!(fetch(store, &blob.key, range).await, part);
    }
}

async fn storing_twice_is_harmless(store: &dyn BlobStore) {
    let first = put(store, content(1000, 1)).await.unwrap();
    let second = put(store, content(1000, 1)).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(fetch(store, &first.key, 0..1000).await, content(1000, 1));
}

async fn the_same_content_at_the_same_time_is_stored_once(store: &dyn BlobStore) {
    let puts = (0..16).map(|_| put(store, content(200_000, 9)));
    let blobs = futures_util::future::try_join_all(puts).await.unwrap();
    assert!(blobs.iter().all(|blob| *blob == blobs[0]));
    assert_eq!(
        fetch(store, &blobs[0].key, 0..200_000).await,
        content(200_000, 9)
    );
}

async fn an_upload_dropped_halfway_leaves_nothing(store: &dyn BlobStore) {
    let bytes = content(500_000, 5);
    let mut hasher = Hasher::default();
    hasher.update(&bytes);
    let mut upload = store.begin().await.unwrap();
    upload.write(bytes).await.unwrap();
    drop(upload);
    assert_eq!(store.size(&hasher.finish().key).await.unwrap(), None);
}

async fn deleting_removes_and_deleting_again_is_no_error(store: &dyn BlobStore) {
    let blob = put(store, content(10, 2)).await.unwrap();
    store.delete(&blob.key).await.unwrap();
    store.delete(&blob.key).await.unwrap();
    assert_eq!(store.size(&blob.key).await.unwrap(), None);
    let error = store.read(&blob.key, 0..10).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

macro_rules! contract {
    ($name:ident, $open:expr, [$($test:ident),* $(,)?]) => {
        mod $name {
            $(#[tokio::test]
            async fn $test() {
                let (_keep, url) = $open;
                super::$test(&*super::open(&url).await.unwrap()).await;
            })*
        }
    };
}

fn folder() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file:{}/blobs", folder.path().display());
    (folder, url)
}

contract!(
    file,
    super::folder(),
    [
        what_is_stored_comes_back_whole,
        any_range_can_be_read,
        storing_twice_is_harmless,
        the_same_content_at_the_same_time_is_stored_once,
        an_upload_dropped_halfway_leaves_nothing,
        deleting_removes_and_deleting_again_is_no_error,
    ]
);

#[tokio::test]
async fn what_a_killed_process_left_unfinished_is_gone_after_the_next_start() {
    let (keep, url) = folder();
    open(&url).await.unwrap();
    let stray = keep.path().join("blobs/tmp/stray");
    std::fs::write(&stray, "half a picture").unwrap();
    open(&url).await.unwrap();
    assert!(!stray.exists());
}

#[tokio::test]
async fn an_unknown_storage_is_named() {
    let error = open("tape://attic").await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("tape"), "{error}");
}
