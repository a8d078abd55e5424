use super::own::Own;
use super::*;
use crate::file::{Files, place};
use crate::{BlobStore, Hasher, put};
use faafo_model::BlobRef;
use futures_util::TryStreamExt;
use futures_util::future::try_join_all;
use std::collections::BTreeSet;
use std::fs;
use tempfile::TempDir;

const LARGE: u64 = 1 << 20;

async fn store_in(folder: &TempDir, full: u64) -> Files {
    Files::in_folder(folder.path().to_owned(), full)
        .await
        .unwrap()
}

fn content(number: u64) -> Bytes {
    let length = 100 + number as usize % 7;
    (number..).flat_map(u64::to_le_bytes).take(length).collect()
}

async fn put_number(store: &Files, number: u64) -> BlobRef {
    put(store, content(number)).await.unwrap()
}

async fn fetch(store: &Files, blob: &BlobRef) -> Vec<u8> {
    let pieces = store.read(&blob.key, 0..blob.size).await.unwrap();
    pieces.try_collect::<Vec<_>>().await.unwrap().concat()
}

async fn listed(store: &Files) -> BTreeSet<BlobKey> {
    let blobs: Vec<Listed> = store.list().try_collect().await.unwrap();
    let keys: BTreeSet<_> = blobs.iter().map(|blob| blob.key).collect();
    assert_eq!(keys.len(), blobs.len(), "one is listed twice");
    keys
}

fn packs_in(folder: &TempDir) -> Vec<PathBuf> {
    let files = fs::read_dir(folder.path().join("packs")).unwrap();
    files.map(|file| file.unwrap().path()).collect()
}

/// Two blobs and the pack that has them.
async fn two_blobs() -> (BlobRef, BlobRef, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let store = store_in(&folder, LARGE).await;
    let (one, two) = (put_number(&store, 1).await, put_number(&store, 2).await);
    let packs = packs_in(&folder);
    assert_eq!(packs.len(), 1);
    (one, two, fs::read(&packs[0]).unwrap())
}

async fn with_pack(bytes: &[u8], extension: &str) -> (TempDir, Files) {
    let folder = tempfile::tempdir().unwrap();
    let packs = folder.path().join("packs");
    fs::create_dir(&packs).unwrap();
    fs::write(packs.join(format!("00000000000000ab.{extension}")), bytes).unwrap();
    let store = store_in(&folder, LARGE).await;
    (folder, store)
}

async fn size(store: &Files, blob: &BlobRef) -> Option<u64> {
    store.size(&blob.key).await.unwrap()
}

#[tokio::test]
async fn a_last_record_torn_at_any_byte_is_cut_off_and_the_one_before_stays() {
    let (one, two, bytes) = two_blobs().await;
    let first = record::HEAD + one.size as usize;
    for length in first..bytes.len() {
        let (folder, store) = with_pack(&bytes[..length], OPEN).await;
        assert_eq!(size(&store, &one).await, Some(one.size), "{length}");
        assert_eq!(size(&store, &two).await, None, "{length}");
        assert_eq!(put_number(&store, 2).await, two);
        drop(store);
        let store = store_in(&folder, LARGE).await;
        assert_eq!(fetch(&store, &one).await, content(1), "{length}");
        assert_eq!(fetch(&store, &two).await, content(2), "{length}");
        assert_eq!(listed(&store).await.len(), 2);
    }
}

#[tokio::test]
async fn a_last_record_with_a_flipped_bit_is_cut_off() {
    let (one, two, bytes) = two_blobs().await;
    let first = record::HEAD + one.size as usize;
    for place in first..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[place] ^= 1 << (place % 8);
        let (_folder, store) = with_pack(&bytes, OPEN).await;
        assert_eq!(fetch(&store, &one).await, content(1), "{place}");
        assert_eq!(size(&store, &two).await, None, "{place}");
    }
}

#[tokio::test]
async fn a_damaged_record_does_not_take_those_behind_it_along() {
    let (one, two, bytes) = two_blobs().await;
    for place in 0..record::HEAD + one.size as usize {
        let mut bytes = bytes.clone();
        bytes[place] ^= 1 << (place % 8);
        let (_folder, store) = with_pack(&bytes, OPEN).await;
        assert_eq!(fetch(&store, &two).await, content(2), "{place}");
        // A damaged head names nothing; damaged bytes have a name, under which they can be stored anew.
        let named = (place >= record::HEAD).then_some(one.size);
        assert_eq!(size(&store, &one).await, named, "{place}");
        assert_eq!(put_number(&store, 1).await, one);
        assert_eq!(fetch(&store, &one).await, content(1), "{place}");
    }
}

#[tokio::test]
async fn a_pack_of_nothing_but_a_torn_record_is_no_obstacle() {
    let (one, _, bytes) = two_blobs().await;
    for length in [0, 1, record::HEAD - 1, record::HEAD, record::HEAD + 5] {
        let (_folder, store) = with_pack(&bytes[..length], OPEN).await;
        assert!(listed(&store).await.is_empty());
        assert_eq!(put_number(&store, 1).await, one);
        assert_eq!(fetch(&store, &one).await, content(1));
    }
}

#[tokio::test]
async fn a_complete_pack_without_its_table_is_read_by_its_heads() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_in(&folder, 500).await;
    for number in 0..20 {
        put_number(&store, number).await;
    }
    let before = listed(&store).await;
    drop(store);
    for pack in packs_in(&folder) {
        let mut bytes = fs::read(&pack).unwrap();
        if pack.extension().unwrap() == COMPLETE {
            *bytes.last_mut().unwrap() ^= 1;
            fs::write(&pack, bytes).unwrap();
        }
    }
    let store = store_in(&folder, 500).await;
    assert_eq!(before.len(), 20);
    assert_eq!(listed(&store).await, before);
}

#[tokio::test]
async fn what_another_process_stored_or_deleted_is_known_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (store_in(&folder, 2000).await, store_in(&folder, 2000).await);
    for number in 0..100 {
        let blob = put_number(&one, number).await;
        assert_eq!(fetch(&other, &blob).await, content(number));
        other.delete(&blob.key).await.unwrap();
        assert_eq!(size(&one, &blob).await, None);
        assert_eq!(put_number(&other, number).await, blob);
        assert_eq!(size(&one, &blob).await, Some(blob.size));
    }
    assert_eq!(listed(&one).await.len(), 100);
}

#[tokio::test]
async fn what_was_deleted_stays_so_and_what_was_stored_again_exists_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (store_in(&folder, 600).await, store_in(&folder, 600).await);
    let mut expected = BTreeSet::new();
    for number in 0..60 {
        let blob = put_number(&one, number).await;
        put_number(&other, number).await;
        expected.insert(blob.key);
        if number % 3 > 0 {
            let deleter = if number % 2 == 0 { &one } else { &other };
            deleter.delete(&blob.key).await.unwrap();
            expected.remove(&blob.key);
        }
        if number % 3 > 1 {
            put_number(&other, number).await;
            expected.insert(blob.key);
        }
    }
    assert_eq!(listed(&one).await, expected);
    drop((one, other));
    let store = store_in(&folder, 600).await;
    assert_eq!(listed(&store).await, expected);
}

#[tokio::test]
async fn many_stored_at_once_are_all_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_in(&folder, 10_000).await;
    let puts = (0..500).map(|number| put(&store, content(number)));
    let blobs = try_join_all(puts).await.unwrap();
    drop(store);
    let store = store_in(&folder, 10_000).await;
    for (number, blob) in (0..).zip(&blobs) {
        assert_eq!(fetch(&store, blob).await, content(number));
    }
}

#[tokio::test]
async fn packs_of_which_little_is_needed_go_and_readers_of_other_processes_follow() {
    let folder = tempfile::tempdir().unwrap();
    let (store, reader) = (store_in(&folder, 4000).await, store_in(&folder, 4000).await);
    let mut blobs = Vec::new();
    for number in 0..200 {
        blobs.push(put_number(&store, number).await);
    }
    let bytes = || -> u64 {
        let sizes = packs_in(&folder)
            .into_iter()
            .map(|pack| fs::metadata(pack).unwrap().len());
        sizes.sum()
    };
    assert_eq!(listed(&reader).await.len(), 200);
    let before = bytes();
    for (number, blob) in (0..).zip(&blobs) {
        if number % 10 != 0 {
            store.delete(&blob.key).await.unwrap();
        }
    }
    assert!(bytes() * 2 < before, "{} of {before} bytes", bytes());
    for (number, blob) in (0..).zip(&blobs) {
        let expected = (number % 10 == 0).then_some(blob.size);
        if expected.is_some() {
            assert_eq!(fetch(&reader, blob).await, content(number));
        }
        assert_eq!(size(&reader, blob).await, expected);
    }
    let left = listed(&store).await;
    drop((store, reader));
    let store = store_in(&folder, 4000).await;
    assert_eq!(listed(&store).await, left);
    assert_eq!(left.len(), 20);
}

#[tokio::test]
async fn a_damaged_blob_is_not_copied_and_not_thrown_away() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_in(&folder, 1000).await;
    let mut blobs = Vec::new();
    for number in 0..9 {
        blobs.push(put_number(&store, number).await);
    }
    let complete = |pack: &PathBuf| pack.extension().unwrap() == COMPLETE;
    let pack = packs_in(&folder).into_iter().find(complete).unwrap();
    let mut bytes = fs::read(&pack).unwrap();
    bytes[record::HEAD + 10] ^= 1;
    fs::write(&pack, bytes).unwrap();
    for blob in &blobs[1..] {
        store.delete(&blob.key).await.unwrap();
    }
    assert!(pack.exists());
    assert_eq!(size(&store, &blobs[0]).await, Some(blobs[0].size));
}

#[tokio::test]
async fn on_a_full_disk_nothing_is_half_stored_and_later_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let packs = Packs::new(folder.path().join("packs"));
    let (mut own, bytes) = (Own::create(&packs).unwrap(), content(1));
    let mut hasher = Hasher::default();
    hasher.update(&bytes);
    let blob = hasher.finish();
    let record = record::Record::Blob {
        key: blob.key,
        length: blob.size as u32,
        stored: 0,
    };
    own.write_to("/dev/full");
    let error = own.append(&packs, &[(record, bytes)]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    own.give_up(&packs);
    packs.refresh().unwrap();
    assert_eq!(packs.known_size(&blob.key), None);
    let store = store_in(&folder, LARGE).await;
    assert_eq!(put_number(&store, 1).await, blob);
    packs.refresh().unwrap();
    assert_eq!(packs.known_size(&blob.key), Some(blob.size));
}

#[tokio::test]
async fn small_blobs_that_are_files_are_still_there_and_listed_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_in(&folder, LARGE).await;
    let (both, alone) = (put_number(&store, 1).await, put_number(&store, 2).await);
    store.delete(&alone.key).await.unwrap();
    for (blob, number) in [(&both, 1), (&alone, 2)] {
        let file = place(folder.path(), &blob.key);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content(number)).unwrap();
    }
    assert_eq!(fetch(&store, &alone).await, content(2));
    assert_eq!(listed(&store).await.len(), 2);
    for blob in [both, alone] {
        store.delete(&blob.key).await.unwrap();
        assert_eq!(size(&store, &blob).await, None);
    }
}

#[tokio::test]
async fn few_packs_are_open_however_many_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_in(&folder, 1).await;
    for number in 0..150 {
        let blob = put_number(&store, number).await;
        assert_eq!(fetch(&store, &blob).await, content(number));
    }
    assert!(packs_in(&folder).len() >= 150);
    let index = store.packs.index();
    assert!(index.open_files() <= index::OPEN_FILES);
}

#[tokio::test]
async fn processes_that_come_and_go_use_the_same_pack() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..10 {
        let store = store_in(&folder, LARGE).await;
        put_number(&store, number).await;
    }
    assert_eq!(packs_in(&folder).len(), 1);
}
