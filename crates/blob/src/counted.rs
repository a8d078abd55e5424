//! Counts what is asked of a store, and the bytes that go in and out.

use crate::{BlobStore, ByteStream, Error, Listed, Piece, Upload};
use async_trait::async_trait;
use bytes::Bytes;
use faafo_model::{BlobKey, BlobRef};
use faafo_telemetry::metrics;
use futures_util::stream::{BoxStream, StreamExt};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// The store, with what passes through it counted.
pub(crate) struct Counted(pub(crate) Arc<dyn BlobStore>);

#[async_trait]
impl BlobStore for Counted {
    async fn begin(&self) -> Result<Box<dyn Upload>, Error> {
        match self.0.begin().await {
            Ok(upload) => Ok(Box::new(CountedUpload(upload))),
            Err(error) => count("write", Err(error)),
        }
    }

    async fn read(&self, key: &BlobKey, range: Range<u64>) -> Result<ByteStream, Error> {
        let bytes = count("read", self.0.read(key, range).await)?;
        let counted = bytes.inspect(|piece| match piece {
            Ok(piece) => metrics::BLOB_READ.add([], piece.len() as u64),
            Err(_) => metrics::BLOB_OPERATIONS.add(["read", "failed"], 1),
        });
        Ok(counted.boxed())
    }

    async fn size(&self, key: &BlobKey) -> Result<Option<u64>, Error> {
        count("size", self.0.size(key).await)
    }

    async fn delete(&self, key: &BlobKey) -> Result<(), Error> {
        count("delete", self.0.delete(key).await)
    }

    fn composes(&self, sizes: &[u64]) -> bool {
        self.0.composes(sizes)
    }

    async fn compose(&self, blob: &BlobRef, pieces: &[Piece]) -> Result<u64, Error> {
        let copied = count("compose", self.0.compose(blob, pieces).await)?;
        let is_at_hand = |piece: &&Piece| matches!(piece, Piece::Bytes(_));
        let at_hand: u64 = pieces.iter().filter(is_at_hand).map(Piece::size).sum();
        let sent = blob.size.saturating_sub(copied);
        metrics::BLOB_COPIED.add([], copied);
        metrics::BLOB_WRITTEN.add([], sent);
        // What was sent and not at hand had to be read.
        metrics::BLOB_READ.add([], sent.saturating_sub(at_hand));
        Ok(copied)
    }

    async fn ping(&self) -> Result<(), Error> {
        self.0.ping().await
    }

    fn list(&self) -> BoxStream<'static, Result<Listed, Error>> {
        self.0.list()
    }

    async fn presigned_get(
        &self,
        key: &BlobKey,
        file_name: &str,
        valid_for: Duration,
    ) -> Option<String> {
        self.0.presigned_get(key, file_name, valid_for).await
    }

    async fn remove_leftovers(&self, older_than: Duration) -> Result<u64, Error> {
        self.0.remove_leftovers(older_than).await
    }
}

struct CountedUpload(Box<dyn Upload>);

#[async_trait]
impl Upload for CountedUpload {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.0
            .write(bytes)
            .await
            .inspect_err(|_| metrics::BLOB_OPERATIONS.add(["write", "failed"], 1))
    }

    async fn finish(self: Box<Self>) -> Result<BlobRef, Error> {
        let blob = count("write", self.0.finish().await)?;
        metrics::BLOB_WRITTEN.add([], blob.size);
        Ok(blob)
    }
}

fn count<T>(operation: &str, result: Result<T, Error>) -> Result<T, Error> {
    let how = if result.is_ok() { "ok" } else { "failed" };
    metrics::BLOB_OPERATIONS.add([operation, how], 1);
    result
}
