//! Large blobs, in pieces.

use crate::{NOW, blob, contract};
use faafo_model::BlobKey;
use faafo_store::{CHUNK, Store, UploadId};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The bytes of one chunk, different for each.
fn bytes(number: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    fastrand::Rng::with_seed(number).fill(&mut bytes);
    bytes
}

async fn upload(store: &Store, size: u64) -> UploadId {
    let upload = store.begin_chunks(NOW).await.unwrap();
    let chunk = CHUNK as u64;
    for number in 0..size.div_ceil(chunk) {
        let length = (size - number * chunk).min(chunk) as usize;
        let bytes = bytes(number, length);
        let appended = store.append_chunk(upload, number, &bytes, NOW).await;
        appended.unwrap();
    }
    upload
}

async fn put(store: &Store, key: &BlobKey, size: u64) {
    let upload = upload(store, size).await;
    store.finish_chunks(upload, key, size).await.unwrap();
}

async fn a_blob_of_200_megabytes_comes_back_whole(store: Store) {
    let key = blob(1).key;
    let chunk = CHUNK as u64;
    let size = 200_000_000;
    put(&store, &key, size).await;
    assert_eq!(store.chunks_size(&key).await.unwrap(), Some(size));
    let last = size / chunk;
    for number in 0..=last {
        let length = (size - number * chunk).min(chunk) as usize;
        let found = store.read_chunk(&key, number).await.unwrap().unwrap();
        assert!(found == bytes(number, length), "chunk {number} differs");
    }
    assert_eq!(store.read_chunk(&key, last + 1).await.unwrap(), None);
    assert!(store.delete_chunks(&key).await.unwrap());
    assert_eq!(store.read_chunk(&key, 0).await.unwrap(), None);
}

async fn an_unfinished_blob_is_not_there(store: Store) {
    let key = blob(1).key;
    let upload = upload(&store, 10).await;
    assert_eq!(store.chunks_size(&key).await.unwrap(), None);
    assert_eq!(store.read_chunk(&key, 0).await.unwrap(), None);
    assert!(!store.delete_chunks(&key).await.unwrap());
    // Not all of it has come.
    assert!(store.finish_chunks(upload, &key, 11).await.is_err());
    store.finish_chunks(upload, &key, 10).await.unwrap();
    assert_eq!(store.chunks_size(&key).await.unwrap(), Some(10));
}

async fn an_empty_blob_is_a_blob(store: Store) {
    let key = blob(1).key;
    put(&store, &key, 0).await;
    assert_eq!(store.chunks_size(&key).await.unwrap(), Some(0));
    assert_eq!(store.read_chunk(&key, 0).await.unwrap(), None);
    assert!(store.delete_chunks(&key).await.unwrap());
    assert_eq!(store.chunks_size(&key).await.unwrap(), None);
}

async fn storing_again_changes_nothing(store: Store) {
    let key = blob(1).key;
    let first = upload(&store, 10).await;
    store
        .append_chunk(first, 0, &bytes(0, 10), NOW)
        .await
        .unwrap();
    store.finish_chunks(first, &key, 10).await.unwrap();
    store.finish_chunks(first, &key, 10).await.unwrap();
    let uploads: Vec<_> = (0..4)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { put(&store, &blob(1).key, 10).await })
        })
        .collect();
    for upload in uploads {
        upload.await.unwrap();
    }
    let found = store.read_chunk(&key, 0).await.unwrap();
    assert_eq!(found, Some(bytes(0, 10)));
    assert!(store.delete_chunks(&key).await.unwrap());
    assert!(!store.delete_chunks(&key).await.unwrap());
}

async fn an_upload_that_was_given_up_stays_so(store: Store) {
    let key = blob(1).key;
    let given_up = upload(&store, 10).await;
    store.abort_chunks(given_up).await.unwrap();
    assert!(store.finish_chunks(given_up, &key, 10).await.is_err());
    let slow = upload(&store, 10).await;
    store.begin_chunks(NOW.plus(DAY)).await.unwrap();
    store.finish_chunks(slow, &key, 10).await.unwrap();
    let dead = upload(&store, 10).await;
    store.begin_chunks(NOW.plus(DAY * 2)).await.unwrap();
    assert!(store.append_chunk(dead, 1, &[1], NOW).await.is_err());
    assert!(store.finish_chunks(dead, &blob(2).key, 10).await.is_err());
}

async fn complete_blobs_are_listed_in_pages(store: Store) {
    assert_eq!(store.list_chunks(None, 10).await.unwrap(), []);
    let mut keys = Vec::new();
    for number in [3, 1, 2] {
        let upload = store.begin_chunks(NOW).await.unwrap();
        store.append_chunk(upload, 0, &[number], NOW).await.unwrap();
        let key = faafo_model::BlobKey([number; 32]);
        store.finish_chunks(upload, &key, 1).await.unwrap();
        keys.push(key);
    }
    store.begin_chunks(NOW).await.unwrap();
    keys.sort();
    let listed = store.list_chunks(None, 2).await.unwrap();
    assert_eq!((listed[0].key, listed[1].key), (keys[0], keys[1]));
    assert_eq!((listed[0].size, listed[0].touched_at), (1, NOW));
    let rest = store.list_chunks(Some(&keys[1]), 2).await.unwrap();
    assert_eq!((rest.len(), rest[0].key), (1, keys[2]));
    let later = NOW.plus(std::time::Duration::from_secs(1));
    assert_eq!(store.remove_unfinished_chunks(later).await.unwrap(), 1);
    assert_eq!(store.remove_unfinished_chunks(later).await.unwrap(), 0);
}

contract![
    complete_blobs_are_listed_in_pages,
    a_blob_of_200_megabytes_comes_back_whole,
    an_unfinished_blob_is_not_there,
    an_empty_blob_is_a_blob,
    storing_again_changes_nothing,
    an_upload_that_was_given_up_stays_so,
];
