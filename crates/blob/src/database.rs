//! Blobs in the database, in rows of 1 MiB: for installations without any other place, and the only back end here that
//! knows the store.

use crate::{BlobStore, ByteStream, Error, ErrorKind, Hasher, Listed, Upload};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use faafo_model::{BlobKey, BlobRef, Timestamp};
use faafo_store::{CHUNK, Store, UploadId};
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use std::ops::Range;
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;

/// Names listed by one query.
const PAGE: u32 = 1000;

pub(crate) struct Database {
    store: Store,
}

impl Database {
    /// In the database at `url`, or in `shared` where `url` is empty.
    pub(crate) async fn open(url: &str, shared: Option<&Store>) -> Result<Self, Error> {
        let store = match shared {
            Some(store) if url.is_empty() => store.clone(),
            _ if url.is_empty() => {
                return Err(Error::new(
                    ErrorKind::Config,
                    "storage_url: db: needs a process that has the database; workers do without storage_url and \
                     store through the API",
                ));
            }
            _ => Store::open(url).await.map_err(failed)?,
        };
        Ok(Self { store })
    }
}

#[async_trait]
impl BlobStore for Database {
    async fn begin(&self) -> Result<Box<dyn Upload>, Error> {
        Ok(Box::new(Writing {
            store: self.store.clone(),
            upload: None,
            stored: 0,
            buffer: BytesMut::new(),
            hasher: Hasher::default(),
            broken: false,
        }))
    }

    async fn read(&self, key: &BlobKey, range: Range<u64>) -> Result<ByteStream, Error> {
        if self.size(key).await?.is_none() {
            return Err(missing(key));
        }
        let (store, key) = (self.store.clone(), *key);
        let pieces = stream::try_unfold((store, range), move |(store, range)| async move {
            if range.is_empty() {
                return Ok(None);
            }
            let number = range.start / CHUNK as u64;
            let chunk = store.read_chunk(&key, number).await.map_err(failed)?;
            let mut piece = Bytes::from(chunk.ok_or_else(|| missing(&key))?);
            let skipped = usize::try_from(range.start % CHUNK as u64).unwrap_or(CHUNK);
            let piece = piece.split_off(skipped.min(piece.len()));
            let left = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
            let piece = piece.slice(..piece.len().min(left));
            if piece.is_empty() {
                return Err(Error::new(
                    ErrorKind::Unavailable,
                    format!("blob {key} ends too early"),
                ));
            }
            let rest = range.start + piece.len() as u64..range.end;
            Ok(Some((piece, (store, rest))))
        });
        Ok(pieces.boxed())
    }

    async fn size(&self, key: &BlobKey) -> Result<Option<u64>, Error> {
        self.store.chunks_size(key).await.map_err(failed)
    }

    async fn delete(&self, key: &BlobKey) -> Result<(), Error> {
        self.store
            .delete_chunks(key)
            .await
            .map(drop)
            .map_err(failed)
    }

    async fn ping(&self) -> Result<(), Error> {
        self.store.ping().await.map_err(failed)
    }

    fn list(&self) -> BoxStream<'static, Result<Listed, Error>> {
        let pages = stream::try_unfold((self.store.clone(), None), |(store, after)| async move {
            let page = store.list_chunks(after.as_ref(), PAGE).await;
            let page = page.map_err(failed)?;
            let Some(last) = page.last() else {
                return Ok::<_, Error>(None);
            };
            let after = Some(last.key);
            let now = now();
            let listed = page.into_iter().map(move |blob| {
                let age = now
                    .0
                    .saturating_sub(blob.touched_at.0)
                    .max(0)
                    .unsigned_abs();
                Ok(Listed {
                    key: blob.key,
                    size: blob.size,
                    age: Duration::from_micros(age),
                })
            });
            Ok(Some((stream::iter(listed), (store, after))))
        });
        pages.try_flatten().boxed()
    }

    async fn remove_leftovers(&self, older_than: Duration) -> Result<u64, Error> {
        let before = now().minus(older_than);
        self.store
            .remove_unfinished_chunks(before)
            .await
            .map_err(failed)
    }
}

/// A blob on its way into the database: one chunk of it is in memory.
struct Writing {
    store: Store,
    /// Begun with the first chunk.
    upload: Option<UploadId>,
    /// Chunks stored.
    stored: u64,
    buffer: BytesMut,
    hasher: Hasher,
    /// A write has failed or was cut off.
    broken: bool,
}

impl Writing {
    /// Stores the buffered chunk.
    async fn store_chunk(&mut self) -> Result<UploadId, Error> {
        let upload = match self.upload {
            Some(upload) => upload,
            None => {
                let begun = self.store.begin_chunks(now()).await;
                *self.upload.insert(begun.map_err(failed)?)
            }
        };
        if !self.buffer.is_empty() {
            let stored = self
                .store
                .append_chunk(upload, self.stored, &self.buffer, now());
            stored.await.map_err(failed)?;
            self.stored += 1;
            self.buffer.clear();
        }
        Ok(upload)
    }
}

#[async_trait]
impl Upload for Writing {
    async fn write(&mut self, mut bytes: Bytes) -> Result<(), Error> {
        if std::mem::replace(&mut self.broken, true) {
            return Err(Error::new(
                ErrorKind::Unavailable,
                "an earlier write failed",
            ));
        }
        self.hasher.update(&bytes);
        while !bytes.is_empty() {
            let room = CHUNK - self.buffer.len();
            self.buffer
                .extend_from_slice(&bytes.split_to(bytes.len().min(room)));
            if self.buffer.len() == CHUNK {
                self.store_chunk().await?;
            }
        }
        self.broken = false;
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<BlobRef, Error> {
        if self.broken {
            return Err(Error::new(
                ErrorKind::Unavailable,
                "an earlier write failed",
            ));
        }
        let blob = std::mem::take(&mut self.hasher).finish();
        let upload = self.store_chunk().await?;
        self.store
            .finish_chunks(upload, &blob.key, blob.size)
            .await
            .map_err(failed)?;
        self.upload = None;
        Ok(blob)
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let (Some(upload), Ok(runtime)) = (self.upload.take(), Handle::try_current()) else {
            return;
        };
        let store = self.store.clone();
        // What can't be removed now is a leftover.
        runtime.spawn(async move { store.abort_chunks(upload).await });
    }
}

/// The store's error as one of ours.
fn failed(error: faafo_store::Error) -> Error {
    let kind = match error.kind() {
        faafo_store::ErrorKind::Config => ErrorKind::Config,
        faafo_store::ErrorKind::Full => ErrorKind::Full,
        _ => ErrorKind::Unavailable,
    };
    Error::new(kind, error.to_string())
}

fn missing(key: &BlobKey) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no blob {key}"))
}

fn now() -> Timestamp {
    SystemTime::now().into()
}
