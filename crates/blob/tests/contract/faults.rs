//! Servers that fail, vanish and fall silent.

use crate::place::Place;
use crate::promises::{content, fetch};
use crate::proxy::Proxy;
use faafo_blob::{ErrorKind, open, put};
use std::time::{Duration, Instant};

pub async fn an_upload_that_fails_twice_arrives(place: Place) {
    let proxy = Proxy::to(place.server).await;
    let store = open(&place.url_at(proxy.address, "")).await.unwrap();
    // Signed in, so that it is the upload that fails.
    put(&*store, content(10, 0)).await.unwrap();
    for seed in [1, 2] {
        proxy.fail_next(2);
        let blob = put(&*store, content(100_000, seed)).await.unwrap();
        assert_eq!(proxy.failures_left(), 0);
        assert!(fetch(&*store, &blob.key, 0..blob.size).await == content(100_000, seed));
    }
}

pub async fn a_server_that_is_gone_is_named_and_welcome_back(place: Place) {
    let proxy = Proxy::to(place.server).await;
    let store = open(&place.url_at(proxy.address, "")).await.unwrap();
    let blob = put(&*store, content(1000, 1)).await.unwrap();
    proxy.refuse();
    let begun = Instant::now();
    let error = put(&*store, content(1000, 2)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let address = proxy.address.to_string();
    assert!(error.to_string().contains(&address), "{error}");
    let error = store.size(&blob.key).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let error = store.read(&blob.key, 0..1000).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(begun.elapsed() < Duration::from_secs(20));
    proxy.pass();
    assert_eq!(put(&*store, content(1000, 1)).await.unwrap(), blob);
}

pub async fn a_silent_server_is_left_within_the_limit(place: Place) {
    let proxy = Proxy::to(place.server).await;
    let store = open(&place.url_at(proxy.address, "")).await.unwrap();
    let blob = put(&*store, content(1_000_000, 1)).await.unwrap();
    let impatient = open(&place.url_at(proxy.address, "&timeout=1"))
        .await
        .unwrap();
    proxy.stall();
    let begun = Instant::now();
    let error = impatient.size(&blob.key).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("1 s"), "{error}");
    let error = put(&*impatient, content(100_000, 1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(begun.elapsed() < Duration::from_secs(10));
    proxy.pass();
    assert!(fetch(&*store, &blob.key, 0..blob.size).await == content(1_000_000, 1));
}

pub async fn a_download_goes_on_where_it_broke(place: Place) {
    let proxy = Proxy::to(place.server).await;
    let store = open(&place.url_at(proxy.address, "")).await.unwrap();
    let bytes = content(2_000_000, 5);
    let blob = put(&*store, bytes.clone()).await.unwrap();
    proxy.cut_after(700_000, 2);
    assert!(fetch(&*store, &blob.key, 0..blob.size).await == bytes);
    proxy.cut_after(300_000, 1);
    assert!(fetch(&*store, &blob.key, 100_000..1_900_000).await == bytes[100_000..1_900_000]);
}
