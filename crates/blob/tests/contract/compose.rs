//! Blobs that the store puts together from others.

use crate::place::Place;
use crate::promises::{content, fetch};
use crate::proxy::Proxy;
use bytes::Bytes;
use faafo_blob::{BlobStore, ErrorKind, Hasher, Piece, open, put};
use faafo_model::{BlobKey, BlobRef};
use futures_util::TryStreamExt;
use std::time::Duration;

/// What a part needs, in bytes, unless it is the last one.
const PART: u64 = 5 << 20;

/// Pieces, and what they come to.
struct Pieces {
    pieces: Vec<Piece>,
    bytes: Vec<u8>,
}

impl Pieces {
    fn new() -> Self {
        Self {
            pieces: Vec::new(),
            bytes: Vec::new(),
        }
    }

    fn literal(mut self, text: &'static str) -> Self {
        self.bytes.extend_from_slice(text.as_bytes());
        self.pieces
            .push(Piece::Bytes(Bytes::from_static(text.as_bytes())));
        self
    }

    /// All but the first ten and the last thousand bytes of a blob of so many, which is stored now.
    async fn copy(mut self, store: &dyn BlobStore, length: usize) -> Self {
        let bytes = content(length, self.pieces.len() as u8);
        let blob = put(store, bytes.clone()).await.unwrap();
        self.bytes.extend_from_slice(&bytes[10..length - 1000]);
        self.pieces.push(Piece::Copy {
            key: blob.key,
            range: 10..length as u64 - 1000,
        });
        self
    }

    /// The same of a blob that is not there.
    fn missing(mut self, length: usize) -> Self {
        self.bytes.extend(vec![1; length]);
        self.pieces.push(Piece::Copy {
            key: BlobKey([length as u8; 32]),
            range: 0..length as u64,
        });
        self
    }

    fn blob(&self) -> BlobRef {
        let mut hasher = Hasher::default();
        hasher.update(&self.bytes);
        hasher.finish()
    }
}

/// Two large blobs and something to glue.
async fn large(store: &dyn BlobStore) -> Pieces {
    let pieces = Pieces::new().literal("a head");
    let pieces = pieces.copy(store, 16_000_000).await;
    pieces.copy(store, 7_000_000).await.literal("a tail")
}

pub async fn small_pieces_become_a_blob(place: Place) {
    let store = place.open().await;
    let small = Pieces::new().literal("a head").copy(&*store, 100_000).await;
    let small = small.copy(&*store, 2_000_000).await.literal("a tail");
    for pieces in [small, Pieces::new(), Pieces::new().literal("a word")] {
        let blob = pieces.blob();
        let copied = store.compose(&blob, &pieces.pieces).await.unwrap();
        assert_eq!(copied, 0);
        assert_eq!(store.size(&blob.key).await.unwrap(), Some(blob.size));
        assert!(fetch(&*store, &blob.key, 0..blob.size).await == pieces.bytes);
    }
}

pub async fn large_pieces_are_copied_and_hardly_sent(place: Place) {
    let proxy = Proxy::to(place.server).await;
    let store = open(&place.url_at(proxy.address, "")).await.unwrap();
    let mut pieces = Pieces::new().literal("a head");
    // Each kind beside each other: enough for parts, too short for one, more than is copied in one go.
    for length in [
        11_000_000, 6_000_000, 100_000, 300_000, 12_000_000, 70_000_000,
    ] {
        pieces = pieces.copy(&*store, length).await;
    }
    pieces = pieces.literal("a tail");
    let blob = pieces.blob();
    assert!(store.composes(&[11_000_000, 6_000_000, 100_000]));
    assert!(!store.composes(&[4_000_000; 10]));
    let copies = || proxy.asked("x-amz-copy-source-range");
    let (sent_before, copies_before) = (proxy.sent(), copies());
    let copied = store.compose(&blob, &pieces.pieces).await.unwrap();
    let sent = blob.size - copied;
    assert!(sent < 2 * PART + 1_000_000, "{sent} of {} bytes", blob.size);
    // Heads of requests come on top.
    let range = sent..sent + 50_000;
    let really_sent = proxy.sent() - sent_before;
    assert!(
        range.contains(&really_sent),
        "{really_sent} is not in {range:?}"
    );
    // The largest was copied in two.
    assert_eq!(copies() - copies_before, 5);
    assert_eq!(store.size(&blob.key).await.unwrap(), Some(blob.size));
    assert!(fetch(&*store, &blob.key, 0..blob.size).await == pieces.bytes);
    let listed: Vec<_> = store.list().try_collect().await.unwrap();
    assert_eq!(listed.len(), 7);
}

pub async fn composing_what_is_there_or_twice_at_once_is_harmless(place: Place) {
    let (one, other) = (place.open().await, place.open().await);
    let pieces = large(&*one).await;
    let blob = pieces.blob();
    let (first, second) = tokio::join!(
        one.compose(&blob, &pieces.pieces),
        other.compose(&blob, &pieces.pieces)
    );
    assert_eq!(first.unwrap(), second.unwrap());
    one.compose(&blob, &pieces.pieces).await.unwrap();
    let written = put(&*one, Bytes::from(pieces.bytes.clone())).await.unwrap();
    assert_eq!(written, blob);
    assert!(fetch(&*other, &blob.key, 0..blob.size).await == pieces.bytes);
    // What it was made of may go.
    for piece in &pieces.pieces {
        if let Piece::Copy { key, .. } = piece {
            one.delete(key).await.unwrap();
        }
    }
    assert!(fetch(&*other, &blob.key, 0..blob.size).await == pieces.bytes);
}

pub async fn a_piece_that_is_missing_is_not_found_and_leaves_nothing(place: Place) {
    let store = place.open().await;
    // One that would be copied, one that would be sent with others, one that would be sent alone.
    let copied = large(&*store).await.missing(8_000_000);
    let sent = large(&*store).await.missing(1_000_000);
    let alone = Pieces::new().missing(1000);
    for pieces in [copied, sent, alone] {
        let blob = pieces.blob();
        let error = store.compose(&blob, &pieces.pieces).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert_eq!(store.size(&blob.key).await.unwrap(), None);
        let left = store.remove_leftovers(Duration::ZERO).await.unwrap();
        assert_eq!(left, 0);
    }
}

pub async fn pieces_that_are_not_as_long_as_the_blob_are_refused(place: Place) {
    let store = place.open().await;
    let pieces = large(&*store).await;
    let mut blob = pieces.blob();
    blob.size += 1;
    let error = store.compose(&blob, &pieces.pieces).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    assert_eq!(store.size(&blob.key).await.unwrap(), None);
}

pub async fn a_composition_dropped_halfway_leaves_nothing(place: Place) {
    let proxy = Proxy::to(place.server).await;
    let store = open(&place.url_at(proxy.address, "")).await.unwrap();
    let mut pieces = Pieces::new();
    for _ in 0..12 {
        pieces = pieces.copy(&*store, 6_000_000).await;
    }
    let blob = pieces.blob();
    let begun = async {
        while proxy.asked("x-amz-copy-source-range") == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        _ = store.compose(&blob, &pieces.pieces) => panic!("it ended before the first copy"),
        () = begun => {}
    }
    while proxy.asked("DELETE /") == 0 || !proxy.is_idle() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(proxy.asked("x-amz-copy-source-range") < 12, "it went on");
    assert_eq!(store.remove_leftovers(Duration::ZERO).await.unwrap(), 0);
    assert_eq!(store.size(&blob.key).await.unwrap(), None);
}

pub async fn a_server_that_fails_twice_composes_all_the_same(place: Place) {
    let proxy = Proxy::to(place.server).await;
    let store = open(&place.url_at(proxy.address, "")).await.unwrap();
    let pieces = large(&*store).await;
    let blob = pieces.blob();
    proxy.fail_next(2);
    store.compose(&blob, &pieces.pieces).await.unwrap();
    assert_eq!(proxy.failures_left(), 0);
    assert!(fetch(&*store, &blob.key, 0..blob.size).await == pieces.bytes);
}

pub async fn the_leftovers_of_a_composition_that_broke_off_can_be_removed(place: Place) {
    let proxy = Proxy::to(place.server).await;
    let (store, there) = (
        open(&place.url_at(proxy.address, "")).await.unwrap(),
        place.open().await,
    );
    let pieces = large(&*there).await;
    let blob = pieces.blob();
    // In the middle of the part that is sent: the upload has begun.
    proxy.refuse_after(1_000_000);
    let error = store.compose(&blob, &pieces.pieces).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    let hour = Duration::from_secs(3600);
    assert_eq!(there.remove_leftovers(hour).await.unwrap(), 0);
    assert_eq!(there.remove_leftovers(Duration::ZERO).await.unwrap(), 1);
    assert_eq!(there.size(&blob.key).await.unwrap(), None);
}

pub async fn a_store_that_can_not_compose_says_so(place: Place) {
    let store = place.open().await;
    assert!(!store.composes(&[1 << 30, 1 << 30]));
    let pieces = Pieces::new().literal("a word");
    let error = store.compose(&pieces.blob(), &pieces.pieces).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(store.size(&pieces.blob().key).await.unwrap(), None);
}
