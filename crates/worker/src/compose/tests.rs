//! Posters joined in stores that compose, and in one that doesn't.

use super::*;
use crate::place::Place;
use async_trait::async_trait;
use faafo_blob::{BlobStore, ByteStream, Error, Upload, open, put};
use faafo_kernel::Renderer;
use faafo_model::{BlobKey, Colours, Format, Formula, Manifest, Palette, Recipe, View};
use futures_util::TryStreamExt;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Files, which can be composed too.
struct Composing {
    files: Arc<dyn BlobStore>,
    /// One permit for each composition that has begun.
    begun: Semaphore,
    /// None of them ends.
    hangs: bool,
}

#[async_trait]
impl BlobStore for Composing {
    async fn begin(&self) -> Result<Box<dyn Upload>, Error> {
        self.files.begin().await
    }

    async fn read(&self, key: &BlobKey, range: Range<u64>) -> Result<ByteStream, Error> {
        self.files.read(key, range).await
    }

    async fn size(&self, key: &BlobKey) -> Result<Option<u64>, Error> {
        self.files.size(key).await
    }

    async fn delete(&self, key: &BlobKey) -> Result<(), Error> {
        self.files.delete(key).await
    }

    fn composes(&self, _sizes: &[u64]) -> bool {
        true
    }

    async fn compose(&self, blob: &BlobRef, pieces: &[Piece]) -> Result<u64, Error> {
        self.begun.add_permits(1);
        if self.hangs {
            return std::future::pending().await;
        }
        let mut bytes = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Bytes(literal) => bytes.extend_from_slice(literal),
                Piece::Copy { key, range } => bytes.extend(fetch(self, key, range.clone()).await),
            }
        }
        assert_eq!(put(self, Bytes::from(bytes)).await?, *blob);
        Ok(blob.size)
    }
}

async fn fetch(store: &dyn BlobStore, key: &BlobKey, range: Range<u64>) -> Vec<u8> {
    let pieces = store.read(key, range).await.unwrap();
    let pieces: Vec<Bytes> = pieces.try_collect().await.unwrap();
    pieces.concat()
}

fn recipe() -> Recipe {
    Recipe {
        formula: Formula::Mandelbrot,
        view: View::rectangle(-2.0, 1.0, -1.0, 1.0),
        width: 2000,
        height: 300,
        iterations: 50,
        palette: Palette::Aurora,
        colours: Colours::default(),
        format: Format::Png,
    }
}

/// Rows of a block of that recipe, and what its bands are.
const BLOCK: u32 = 21;
const BANDS: [Range<u32>; 3] = [0..5 * BLOCK, 5 * BLOCK..6 * BLOCK, 6 * BLOCK..300];

fn worker(blobs: Arc<dyn BlobStore>) -> Worker {
    Worker {
        name: "worker".to_owned(),
        host: "here".to_owned(),
        cores: 1,
        slots: NonZeroUsize::MIN,
        queue: faafo_queue::open("memory:").unwrap(),
        blobs,
        renderer: Arc::new(Renderer::new(NonZeroUsize::MIN).unwrap()),
    }
}

async fn files(folder: &tempfile::TempDir) -> Arc<dyn BlobStore> {
    let url = format!("file:{}", folder.path().display());
    open(&url).await.unwrap()
}

async fn composing(folder: &tempfile::TempDir, hangs: bool) -> Arc<Composing> {
    Arc::new(Composing {
        files: files(folder).await,
        begun: Semaphore::new(0),
        hangs,
    })
}

/// The manifest of the recipe's bands, which are stored.
async fn manifest(worker: &Worker) -> Manifest {
    let mut bands = Vec::new();
    for rows in BANDS {
        let (recipe, watch) = (recipe(), Watch::new());
        let stored = worker
            .band(&recipe, rows.clone(), &watch, &Place::default())
            .await;
        let BlobRef { key, size } = stored.unwrap();
        bands.push(Fragment {
            rows: rows.end - rows.start,
            key,
            size,
        });
    }
    Manifest {
        duration: 1.5,
        bands,
    }
}

async fn joined(
    worker: &Worker,
    manifest: &Manifest,
    watch: &Watch,
) -> Result<(BlobRef, BlobRef, f64), Failure> {
    let json = Bytes::from(serde_json::to_vec(manifest).unwrap());
    let stored = put(&*worker.blobs, json).await.unwrap();
    worker.join(&recipe(), &stored.key, watch).await
}

#[tokio::test]
async fn a_poster_is_the_same_whether_its_bytes_are_sent_or_copied() {
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let copying = composing(&folders[1], false).await;
    let workers = [
        worker(files(&folders[0]).await),
        worker(Arc::clone(&copying) as _),
    ];
    let whole = workers[0]
        .whole(&recipe(), &Watch::new(), &Place::default())
        .await
        .unwrap();
    for worker in workers {
        let (manifest, watch) = (manifest(&worker).await, Watch::new());
        let (picture, thumbnail, seconds) = joined(&worker, &manifest, &watch).await.unwrap();
        assert_eq!((picture, thumbnail), whole);
        assert_eq!((seconds, watch.progress()), (1.5, 1.0));
        let size = worker.blobs.size(&picture.key).await.unwrap();
        assert_eq!(size, Some(picture.size));
    }
    assert_eq!(copying.begun.available_permits(), 1);
}

#[tokio::test]
async fn a_composition_that_nobody_wants_any_more_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = composing(&folder, true).await;
    let worker = worker(Arc::clone(&store) as _);
    let (manifest, watch) = (manifest(&worker).await, Watch::new());
    let cancelling = async {
        store.begun.acquire().await.unwrap().forget();
        watch.cancel();
    };
    let (joined, ()) = tokio::join!(joined(&worker, &manifest, &watch), cancelling);
    assert!(
        matches!(joined, Err(Failure::Render(RenderError::Cancelled))),
        "{joined:?}"
    );
}

#[tokio::test]
async fn bands_that_are_damaged_or_longer_than_they_say_are_not_copied() {
    let folder = tempfile::tempdir().unwrap();
    let store = composing(&folder, false).await;
    let worker = worker(Arc::clone(&store) as _);
    let good = manifest(&worker).await;
    for band in 0..BANDS.len() {
        let Fragment { key, size, .. } = good.bands[band];
        let bytes = fetch(&*worker.blobs, &key, 0..size).await;
        let mut flipped = bytes.clone();
        flipped[1000] ^= 1;
        let longer = [&bytes[..], b"x"].concat();
        let shorter = bytes[..bytes.len() - 1].to_vec();
        for bad in [flipped, longer, shorter] {
            let stored = put(&*worker.blobs, Bytes::from(bad)).await.unwrap();
            let mut manifest = good.clone();
            (manifest.bands[band].key, manifest.bands[band].size) = (stored.key, stored.size);
            let joined = joined(&worker, &manifest, &Watch::new()).await;
            assert!(matches!(joined, Err(Failure::Lost(_))), "{joined:?}");
        }
    }
    assert_eq!(store.begun.available_permits(), 0);
}
