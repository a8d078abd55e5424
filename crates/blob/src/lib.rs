//! Stored bytes under the SHA-256 of their content: storing the same content twice is harmless, and what is read is
//! what was stored.

mod api;
mod compose;
mod counted;
mod database;
mod digest;
mod error;
mod file;
mod hash;
mod location;
mod parts;
mod read;
mod s3;
mod swift;

use async_trait::async_trait;
use bytes::Bytes;
pub use compose::Piece;
pub use error::{Error, ErrorKind};
use faafo_model::{BlobKey, BlobRef};
use faafo_store::Store;
use futures_util::stream::{self, BoxStream, StreamExt};
pub use hash::Hasher;
use location::Location;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

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

    /// Whether a blob that consists of ranges this long of other blobs, in bytes, and of little else, had better be
    /// [composed](Self::compose) than read and written.
    fn composes(&self, _sizes: &[u64]) -> bool {
        false
    }

    /// Makes the blob of these pieces, one behind the other, without much of it passing through here. The caller vouches
    /// for `blob` being their name and size: nobody looks at the bytes. Yields the number of bytes that the store has
    /// copied by itself; all others were sent. Dropped before the end, it leaves nothing behind.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when a blob that a piece is copied from is not there; [`ErrorKind::Config`] for a store
    /// that can't do this, or for pieces that are not as long as the blob; or when the store is away or full. Then
    /// nothing is stored.
    async fn compose(&self, _blob: &BlobRef, _pieces: &[Piece]) -> Result<u64, Error> {
        let message = "storage_url: this storage can't compose";
        Err(Error::new(ErrorKind::Config, message))
    }

    /// Sees whether the store answers and lets us in, and makes it ready (its bucket, container or folder).
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when it refuses our credentials, or when it is away.
    async fn ping(&self) -> Result<(), Error> {
        self.size(&BlobKey([0; 32])).await.map(drop)
    }

    /// All blobs, in no particular order. Those stored or deleted meanwhile may be among them or not.
    fn list(&self) -> BoxStream<'static, Result<Listed, Error>> {
        let error = Error::new(ErrorKind::Config, "storage_url: this storage has no list");
        stream::once(async { Err(error) }).boxed()
    }

    /// A URL from which anybody can fetch the blob for as long as `valid_for`, to be saved as `file_name`; `None` where
    /// the store has no such thing. Whether the blob exists is not looked at.
    async fn presigned_get(
        &self,
        _key: &BlobKey,
        _file_name: &str,
        _valid_for: Duration,
    ) -> Option<String> {
        None
    }

    /// Removes what uploads that were cut off have left behind, if it has not been touched for `older_than`, which must
    /// be longer than any upload takes. Says how many uploads' leftovers it removed.
    ///
    /// # Errors
    /// When the store is away.
    async fn remove_leftovers(&self, _older_than: Duration) -> Result<u64, Error> {
        Ok(0)
    }
}

/// A blob as [`BlobStore::list`] shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub key: BlobKey,
    /// Its length in bytes.
    pub size: u64,
    /// How long ago it was stored, by the clocks of the store and of this machine.
    pub age: Duration,
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

/// The store that `url` names: `file:`, [`s3:`](s3), [`swift:`](swift), `db:` followed by a database's URL or, through
/// the API, [`http:`](api). Stores on the network, other than databases, need not be there yet.
///
/// # Errors
/// [`ErrorKind::Config`] for a URL that no back end answers to; else when the store can't be prepared.
pub async fn open(url: &str) -> Result<Arc<dyn BlobStore>, Error> {
    open_with(url, None, &|name| std::env::var(name).ok()).await
}

/// As [`open`]; `db:` alone is the database that `store` has.
///
/// # Errors
/// As [`open`].
pub async fn open_beside(url: &str, store: Option<&Store>) -> Result<Arc<dyn BlobStore>, Error> {
    open_with(url, store, &|name| std::env::var(name).ok()).await
}

/// As [`open_beside`], with the environment that credentials are looked up in.
///
/// # Errors
/// As [`open`].
pub async fn open_with(
    url: &str,
    store: Option<&Store>,
    environment: &(dyn Fn(&str) -> Option<String> + Sync),
) -> Result<Arc<dyn BlobStore>, Error> {
    let blobs: Arc<dyn BlobStore> = match url.split_once(':') {
        Some(("file", path)) => Arc::new(file::Files::open(path).await?),
        Some(("db", url)) => Arc::new(database::Database::open(url, store).await?),
        Some(("s3", _)) => Arc::new(s3::S3::open(Location::parse(url, environment)?)?),
        Some(("swift", _)) => Arc::new(swift::Swift::open(Location::parse(url, environment)?)?),
        Some(("http" | "https", _)) => Arc::new(api::Api::open(url, environment)?),
        _ => {
            let scheme = url.split(':').next().unwrap_or_default();
            return Err(Error::new(
                ErrorKind::Config,
                format!(
                    "storage_url: no back end for {scheme:?}; there are file:, db:, s3:, swift:, http: and https:"
                ),
            ));
        }
    };
    Ok(Arc::new(counted::Counted(blobs)))
}
