//! Blobs that don't fit into one request.

use crate::place::Place;
use crate::promises::{content, fetch};
use crate::proxy::Proxy;
use bytes::Bytes;
use faafo_blob::{Hasher, open, put};
use futures_util::TryStreamExt;
use std::process::Stdio;

/// Set in a process that has only one test to run.
const ALONE: &str = "FAAFO_TEST_ALONE";
const LARGE: usize = 70_000_000;
const PIECE: usize = 100_000;
/// What storing and reading a large blob may add to a process.
const MEMORY: usize = 32_000_000;

pub async fn a_large_blob_passes_in_bounded_memory(place: Place) {
    let store = place.open().await;
    if std::env::var_os(ALONE).is_none() {
        // Memory is a process's, so this test needs one of its own.
        return run_alone().await;
    }
    put(&*store, content(1000, 0)).await.unwrap();
    let before = peak();
    let mut hasher = Hasher::default();
    let mut upload = store.begin().await.unwrap();
    for number in 0..LARGE / PIECE {
        let piece = content(PIECE, number as u8);
        hasher.update(&piece);
        upload.write(piece).await.unwrap();
    }
    let blob = upload.finish().await.unwrap();
    assert_eq!(blob, hasher.finish());
    assert_eq!(store.size(&blob.key).await.unwrap(), Some(blob.size));

    let mut hasher = Hasher::default();
    let mut pieces = store.read(&blob.key, 0..blob.size).await.unwrap();
    while let Some(piece) = pieces.try_next().await.unwrap() {
        hasher.update(&piece);
    }
    assert_eq!(hasher.finish(), blob);
    let middle = 8_388_600..8_388_616;
    assert_eq!(
        fetch(&*store, &blob.key, middle.clone()).await,
        bytes_of(middle.start, 16)
    );
    let added = peak() - before;
    println!("{added} bytes more at the peak");
    assert!(added < MEMORY, "{added} bytes more at the peak");
    store.delete(&blob.key).await.unwrap();
    assert_eq!(store.size(&blob.key).await.unwrap(), None);
}

/// Defect 13.
pub async fn a_picture_of_200_mb_comes_back_whole(place: Place) {
    let store = place.open().await;
    let mut upload = store.begin().await.unwrap();
    let mut hasher = Hasher::default();
    for number in 0..200 {
        let piece = content(1_000_003, number);
        hasher.update(&piece);
        upload.write(piece).await.unwrap();
    }
    let blob = upload.finish().await.unwrap();
    assert_eq!((blob, blob.size), (hasher.finish(), 200_000_600));
    let mut hasher = Hasher::default();
    let mut pieces = store.read(&blob.key, 0..blob.size).await.unwrap();
    while let Some(piece) = pieces.try_next().await.unwrap() {
        hasher.update(&piece);
    }
    assert_eq!(hasher.finish(), blob);
    store.delete(&blob.key).await.unwrap();
}

pub async fn a_large_blob_stored_twice_at_once_stays_whole(place: Place) {
    let (one, other) = (place.open().await, place.open().await);
    let bytes = content(18_000_000, 8);
    let (first, second) = tokio::join!(put(&*one, bytes.clone()), put(&*other, bytes.clone()));
    assert_eq!(first.unwrap(), second.unwrap());
    let blob = put(&*one, bytes.clone()).await.unwrap();
    assert!(fetch(&*other, &blob.key, 0..blob.size).await == bytes);
    let listed: Vec<_> = one.list().try_collect().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].key, listed[0].size), (blob.key, blob.size));
    one.delete(&blob.key).await.unwrap();
    assert_eq!(other.size(&blob.key).await.unwrap(), None);
}

pub async fn a_server_that_fails_twice_gets_a_large_upload_all_the_same(place: Place) {
    let proxy = Proxy::to(place.server).await;
    let store = open(&place.url_at(proxy.address, "")).await.unwrap();
    let mut upload = store.begin().await.unwrap();
    let bytes = content(20_000_000, 9);
    upload.write(bytes.slice(..10_000_000)).await.unwrap();
    proxy.fail_next(2);
    upload.write(bytes.slice(10_000_000..)).await.unwrap();
    proxy.fail_next(2);
    let blob = upload.finish().await.unwrap();
    assert_eq!(proxy.failures_left(), 0);
    assert!(fetch(&*store, &blob.key, 0..blob.size).await == bytes);
}

async fn run_alone() {
    let thread = std::thread::current();
    let name = thread.name().unwrap();
    let mut command = tokio::process::Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", name, "--nocapture"])
        .env(ALONE, "1");
    // The servers that this process has started.
    if name.starts_with("s3_on_s3s") {
        command.env("FAAFO_TEST_S3", crate::server::s3s());
    } else if name.contains("swift") {
        command.env("FAAFO_TEST_SWIFT", crate::server::swift());
    }
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    assert!(text.contains("1 passed"), "{text}");
    println!("{text}");
}

/// The most memory that this process has had, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let kilobytes: usize = line.trim().trim_end_matches(" kB").parse().unwrap();
    kilobytes * 1024
}

/// What lies at a place in the large blob.
fn bytes_of(start: u64, length: usize) -> Bytes {
    let (number, offset) = (start as usize / PIECE, start as usize % PIECE);
    content(PIECE, number as u8).slice(offset..offset + length)
}
