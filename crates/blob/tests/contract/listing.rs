//! What lies in a store.

use crate::place::Place;
use crate::promises::content;
use faafo_blob::put;
use faafo_model::BlobRef;
use futures_util::TryStreamExt;
use std::collections::BTreeMap;
use std::time::Duration;

pub async fn the_list_has_everything(place: Place) {
    let store = place.open().await;
    let mut expected = BTreeMap::new();
    for (length, seed) in (0..20).map(|i| (1000 + i, 1)).chain([(9_000_000, 2)]) {
        let BlobRef { key, size } = put(&*store, content(length, seed)).await.unwrap();
        expected.insert(key, size);
    }
    // What is being written is not there yet.
    let mut unfinished = store.begin().await.unwrap();
    unfinished.write(content(9_500_000, 3)).await.unwrap();
    let listed: Vec<_> = store.list().try_collect().await.unwrap();
    let ages = listed.iter().map(|blob| blob.age);
    assert!(ages.max().unwrap() < Duration::from_secs(600));
    let listed: BTreeMap<_, _> = listed.iter().map(|blob| (blob.key, blob.size)).collect();
    assert_eq!(listed, expected);
}

pub async fn a_list_of_nothing_is_empty(place: Place) {
    let store = place.open().await;
    // Before the bucket exists, and after.
    for _ in 0..2 {
        let listed: Vec<_> = store.list().try_collect().await.unwrap();
        assert!(listed.is_empty());
        store.ping().await.unwrap();
    }
}

pub async fn the_leftovers_of_a_killed_upload_can_be_removed(place: Place) {
    let store = place.open().await;
    let kept = put(&*store, content(9_000_000, 1)).await.unwrap();
    let mut upload = store.begin().await.unwrap();
    // Two parts: the second begins when the first has arrived.
    upload.write(content(20_000_000, 3)).await.unwrap();
    // As a killed process does it; for a file, its lock goes with the process.
    if place.url().starts_with("file:") {
        let folder = place.url().trim_start_matches("file:").to_owned();
        std::fs::write(folder + "/tmp/stray", "half a picture").unwrap();
    } else {
        std::mem::forget(upload);
    }
    let hour = Duration::from_secs(3600);
    assert_eq!(store.remove_leftovers(hour).await.unwrap(), 0);
    assert_eq!(store.remove_leftovers(Duration::ZERO).await.unwrap(), 1);
    assert_eq!(store.size(&kept.key).await.unwrap(), Some(kept.size));
    let blob = crate::promises::fetch(&*store, &kept.key, 0..kept.size).await;
    assert!(blob == content(9_000_000, 1));
}
