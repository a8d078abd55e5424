//! Small blobs that were lately read or stored, in memory. What lies under a name never changes, so reading them is all
//! that is answered from here: whether a blob exists, only the store knows.

use crate::{BlobStore, ByteStream, Error, Listed, Piece, Upload};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use faafo_model::{BlobKey, BlobRef};
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The longest blob that is kept, in bytes.
const LONGEST: u64 = 256 * 1024;
/// What all that are kept may take, in bytes.
const MOST: usize = 32 << 20;

/// The store, with what is hot in memory.
pub(crate) struct Cached {
    store: Arc<dyn BlobStore>,
    kept: Arc<Mutex<Kept>>,
}

/// The beginnings of blobs, nearly always all of them, and the order in which they were used.
#[derive(Default)]
struct Kept {
    blobs: HashMap<BlobKey, (Bytes, u64)>,
    uses: BTreeMap<u64, BlobKey>,
    clock: u64,
    size: usize,
    /// Grows with each deletion: what was read before it may be gone.
    deletions: u64,
}

impl Kept {
    fn get(&mut self, key: &BlobKey, range: &Range<u64>) -> Option<Bytes> {
        let (bytes, last_use) = self.blobs.get_mut(key)?;
        let (start, end) = (range.start as usize, range.end as usize);
        if range.end > bytes.len() as u64 || start > end {
            return None;
        }
        self.uses.remove(last_use);
        self.clock += 1;
        *last_use = self.clock;
        self.uses.insert(self.clock, *key);
        Some(bytes.slice(start..end))
    }

    fn keep(&mut self, key: BlobKey, bytes: Bytes) {
        self.drop_blob(&key);
        self.clock += 1;
        self.size += bytes.len();
        self.blobs.insert(key, (bytes, self.clock));
        self.uses.insert(self.clock, key);
        while self.size > MOST
            && let Some((_, oldest)) = self.uses.pop_first()
        {
            self.drop_blob(&oldest);
        }
    }

    fn drop_blob(&mut self, key: &BlobKey) {
        if let Some((bytes, last_use)) = self.blobs.remove(key) {
            self.uses.remove(&last_use);
            self.size -= bytes.len();
        }
    }
}

impl Cached {
    pub fn new(store: Arc<dyn BlobStore>) -> Self {
        let kept = Arc::default();
        Self { store, kept }
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl BlobStore for Cached {
    async fn begin(&self) -> Result<Box<dyn Upload>, Error> {
        Ok(Box::new(CachedUpload {
            upload: self.store.begin().await?,
            kept: Arc::clone(&self.kept),
            bytes: Some(BytesMut::new()),
        }))
    }

    async fn read(&self, key: &BlobKey, range: Range<u64>) -> Result<ByteStream, Error> {
        let deletions = {
            let mut kept = lock(&self.kept);
            if let Some(bytes) = kept.get(key, &range) {
                return Ok(stream::once(async { Ok(bytes) }).boxed());
            }
            kept.deletions
        };
        let is_kept = range.start == 0 && (1..=LONGEST).contains(&range.end);
        let pieces = self.store.read(key, range).await?;
        if !is_kept {
            return Ok(pieces);
        }
        let pieces: Vec<Bytes> = pieces.try_collect().await?;
        // Also where it is one piece: that may be a small part of something large.
        let bytes = Bytes::from(pieces.concat());
        let mut kept = lock(&self.kept);
        if kept.deletions == deletions {
            kept.keep(*key, bytes.clone());
        }
        Ok(stream::once(async { Ok(bytes) }).boxed())
    }

    async fn size(&self, key: &BlobKey) -> Result<Option<u64>, Error> {
        self.store.size(key).await
    }

    async fn delete(&self, key: &BlobKey) -> Result<(), Error> {
        let deleted = self.store.delete(key).await;
        let mut kept = lock(&self.kept);
        kept.deletions += 1;
        kept.drop_blob(key);
        deleted
    }

    fn composes(&self, sizes: &[u64]) -> bool {
        self.store.composes(sizes)
    }

    async fn compose(&self, blob: &BlobRef, pieces: &[Piece]) -> Result<u64, Error> {
        self.store.compose(blob, pieces).await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.store.ping().await
    }

    fn list(&self) -> BoxStream<'static, Result<Listed, Error>> {
        self.store.list()
    }

    async fn presigned_get(
        &self,
        key: &BlobKey,
        file_name: &str,
        valid_for: Duration,
    ) -> Option<String> {
        self.store.presigned_get(key, file_name, valid_for).await
    }

    async fn remove_leftovers(&self, older_than: Duration) -> Result<u64, Error> {
        self.store.remove_leftovers(older_than).await
    }
}

struct CachedUpload {
    upload: Box<dyn Upload>,
    kept: Arc<Mutex<Kept>>,
    /// What was written, as long as it is short.
    bytes: Option<BytesMut>,
}

#[async_trait]
impl Upload for CachedUpload {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        let is_short = |so_far: &BytesMut| (so_far.len() + bytes.len()) as u64 <= LONGEST;
        match self.bytes.take().filter(is_short) {
            Some(mut so_far) => {
                so_far.extend_from_slice(&bytes);
                self.bytes = Some(so_far);
            }
            None => self.bytes = None,
        }
        self.upload.write(bytes).await
    }

    async fn finish(self: Box<Self>) -> Result<BlobRef, Error> {
        let deletions = lock(&self.kept).deletions;
        let blob = self.upload.finish().await?;
        let mut kept = lock(&self.kept);
        if let Some(bytes) = self.bytes
            && kept.deletions == deletions
        {
            kept.keep(blob.key, Bytes::copy_from_slice(&bytes));
        }
        Ok(blob)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{file, put};

    fn content(length: usize, seed: u8) -> Bytes {
        (0..length).map(|i| (i % 251) as u8 ^ seed).collect()
    }

    async fn store(folder: &tempfile::TempDir) -> (Cached, Arc<file::Files>) {
        let files = file::Files::open(folder.path().to_str().unwrap()).await;
        let files = Arc::new(files.unwrap());
        (Cached::new(Arc::clone(&files) as _), files)
    }

    async fn read(store: &dyn BlobStore, blob: &BlobRef) -> Result<Vec<u8>, Error> {
        let pieces = store.read(&blob.key, 0..blob.size).await?;
        Ok(pieces.try_collect::<Vec<_>>().await?.concat())
    }

    #[tokio::test]
    async fn what_was_stored_or_read_is_in_memory_and_the_store_alone_says_whether_it_exists() {
        let folder = tempfile::tempdir().unwrap();
        let (store, files) = store(&folder).await;
        let (stored, kept) = (put(&store, content(1000, 1)).await, content(1000, 1));
        let stored = stored.unwrap();
        let found = put(&*files, content(1000, 2)).await.unwrap();
        assert_eq!(read(&store, &found).await.unwrap(), content(1000, 2));
        for blob in [&stored, &found] {
            files.delete(&blob.key).await.unwrap();
            assert_eq!(store.size(&blob.key).await.unwrap(), None);
        }
        assert_eq!(read(&store, &stored).await.unwrap(), kept);
        let part = store.read(&stored.key, 100..300).await.unwrap();
        let part: Vec<Bytes> = part.try_collect().await.unwrap();
        assert_eq!(part.concat(), kept[100..300]);
        assert_eq!(read(&store, &found).await.unwrap(), content(1000, 2));
    }

    #[tokio::test]
    async fn what_is_deleted_here_is_no_longer_read() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = store(&folder).await;
        let blob = put(&store, content(1000, 1)).await.unwrap();
        store.delete(&blob.key).await.unwrap();
        assert!(read(&store, &blob).await.is_err());
    }

    #[tokio::test]
    async fn what_is_large_stays_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (store, files) = store(&folder).await;
        let large = content(LONGEST as usize + 1, 1);
        let blob = put(&store, large.clone()).await.unwrap();
        assert!(read(&store, &blob).await.unwrap() == large);
        files.delete(&blob.key).await.unwrap();
        assert!(read(&store, &blob).await.is_err());
    }

    #[test]
    fn what_was_used_longest_ago_goes_first_and_all_stay_within_bounds() {
        let (mut kept, key) = (Kept::default(), |number: u8| BlobKey([number; 32]));
        let size = LONGEST as usize;
        for number in 0..=(MOST / size) as u8 {
            kept.get(&key(0), &(0..1));
            kept.keep(key(number), content(size, number));
            assert!(kept.size <= MOST);
        }
        assert_eq!(kept.get(&key(0), &(5..6)).unwrap(), content(size, 0)[5..6]);
        assert!(kept.get(&key(1), &(0..1)).is_none());
        assert_eq!(kept.blobs.len(), kept.uses.len());
        assert_eq!(kept.blobs.len() * size, kept.size);
    }
}
