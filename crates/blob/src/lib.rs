//! Stored bytes under the SHA-256 of their content: storing the same content twice is harmless, and what is read is
//! what was stored.

mod file;
mod hash;

use async_trait::async_trait;
use bytes::Bytes;
use faafo_model::{BlobKey, BlobRef};
use futures_util::stream::BoxStream;
pub use hash::Hasher;
use std::ops::Range;
use std::sync::Arc;

/// The bytes of a blob, piece by piece.
pub type ByteStream = BoxStream<'static, Result<Bytes, Error>>;

/// Where blobs lie.
#[async_trait]
pub trait BlobStore: Send + Sync {
    /// Begins a new blob.
    ///
    /// # Errors
    /// When the store is away or full.
    async fn begin(&self) -> Result<Box<dyn Upload>, Error>;

    /// The bytes of a blob from `range.start` up to but excluding `range.end`, which must lie within its size.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], or when the store is away.
    async fn read(&self, key: &BlobKey, range: Range<u64>) -> Result<ByteStream, Error>;

    /// The size of a blob in bytes, or `None` if there is none of that name.
    ///
    /// # Errors
    /// When the store is away.
    async fn size(&self, key: &BlobKey) -> Result<Option<u64>, Error>;

    /// Removes a blob; one that is not there is removed already.
    ///
    /// # Errors
    /// When the store is away.
    async fn delete(&self, key: &BlobKey) -> Result<(), Error>;
}

/// A blob on its way in. Dropped before [`Upload::finish`], it leaves nothing behind.
#[async_trait]
pub trait Upload: Send {
    /// Appends bytes.
    ///
    /// # Errors
    /// When the store is away or full.
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error>;

    /// Ends the blob: once this has returned it is stored for good, under the SHA-256 of all bytes written.
    ///
    /// # Errors
    /// When the store is away or full; then nothing is stored.
    async fn finish(self: Box<Self>) -> Result<BlobRef, Error>;
}

/// Stores bytes that are in memory already.
///
/// # Errors
/// When the store is away or full.
pub async fn put(store: &dyn BlobStore, bytes: Bytes) -> Result<BlobRef, Error> {
    let mut upload = store.begin().await?;
    upload.write(bytes).await?;
    upload.finish().await
}

/// What the caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The URL is wrong: tell the operator.
    Config,
    /// There is no such blob.
    NotFound,
    /// The store is full: trying again helps only once there is room.
    Full,
    /// The store is away or failed: try again later.
    Unavailable,
}

/// A failure of the blob store: a kind and its source.
#[derive(Debug, thiserror::Error)]
#[error("storage: {message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    #[source]
    source: Option<std::io::Error>,
}

impl Error {
    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    fn io(what: &str, source: std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        let kind = match source.kind() {
            Io::NotFound => ErrorKind::NotFound,
            Io::StorageFull | Io::QuotaExceeded | Io::FileTooLarge => ErrorKind::Full,
            _ => ErrorKind::Unavailable,
        };
        Self {
            kind,
            message: format!("{what}: {source}"),
            source: Some(source),
        }
    }
}

/// The store that `url` names.
///
/// # Errors
/// [`ErrorKind::Config`] for a URL that no back end answers to; else when the store can't be prepared.
pub async fn open(url: &str) -> Result<Arc<dyn BlobStore>, Error> {
    match url.split_once(':') {
        Some(("file", path)) => Ok(Arc::new(file::Files::open(path).await?)),
        _ => {
            let scheme = url.split(':').next().unwrap_or_default();
            Err(Error::new(
                ErrorKind::Config,
                format!("storage_url: no back end for {scheme:?}; there is file:"),
            ))
        }
    }
}
