//! Uploads to object stores: small blobs whole, under their final name; larger ones in parts, of which at most two are
//! in memory (one fills while the other is sent).

use crate::{Error, ErrorKind, Hasher, Upload};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use faafo_model::{BlobKey, BlobRef};
use std::sync::Arc;
use tokio::task::{JoinError, JoinHandle};

/// Blobs up to this size are stored by one request; larger ones in parts, the first of this size.
pub(crate) const SMALL: usize = 8 << 20;

/// A store that takes objects whole or in parts.
#[async_trait]
pub(crate) trait Target: Send + Sync + 'static {
    /// An upload in parts: what the store needs to know it by.
    type Session: Clone + Send + Sync + 'static;

    /// The size of part `number`, counted from 1.
    fn part_size(&self, _number: usize) -> usize {
        SMALL
    }

    /// Stores a small blob.
    async fn put(&self, key: &BlobKey, bytes: Bytes) -> Result<(), Error>;

    /// Begins a large one.
    async fn begin(&self) -> Result<Self::Session, Error>;

    /// Stores one part.
    async fn part(
        &self,
        session: &Self::Session,
        number: usize,
        bytes: Bytes,
    ) -> Result<Part, Error>;

    /// Makes the parts one blob. It runs to its end even if nobody waits any more, and cleans up after itself.
    async fn complete(
        &self,
        session: &Self::Session,
        parts: Vec<Part>,
        blob: &BlobRef,
    ) -> Result<(), Error>;

    /// Removes the parts as far as that is possible.
    async fn abort(&self, session: &Self::Session);
}

/// A stored part.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) etag: String,
    pub(crate) size: usize,
}

/// An upload to a [`Target`].
pub(crate) struct PartUpload<T: Target> {
    target: Arc<T>,
    hasher: Hasher,
    buffer: BytesMut,
    large: Option<Large<T>>,
    /// A write has failed or was cut off: a part may be missing.
    broken: bool,
}

struct Large<T: Target> {
    session: T::Session,
    stored: Vec<Part>,
    sending: Option<JoinHandle<Result<Part, Error>>>,
}

impl<T: Target> PartUpload<T> {
    pub(crate) fn new(target: Arc<T>) -> Self {
        Self {
            target,
            hasher: Hasher::default(),
            buffer: BytesMut::new(),
            large: None,
            broken: false,
        }
    }

    /// How large the part being filled becomes.
    fn room(&self) -> usize {
        let before = self.large.as_ref().map_or(0, |large| {
            large.stored.len() + usize::from(large.sending.is_some())
        });
        self.target.part_size(before + 1)
    }

    fn check(&self) -> Result<(), Error> {
        if self.broken {
            return Err(Error::new(
                ErrorKind::Unavailable,
                "an earlier write failed",
            ));
        }
        Ok(())
    }

    /// Sends the buffered part, once the one before has arrived.
    async fn send_part(&mut self) -> Result<(), Error> {
        if self.large.is_none() {
            self.large = Some(Large {
                session: self.target.begin().await?,
                stored: Vec::new(),
                sending: None,
            });
        }
        if let Some(large) = &mut self.large {
            large.arrived().await?;
            let number = large.stored.len() + 1;
            let (target, session) = (Arc::clone(&self.target), large.session.clone());
            let bytes = self.buffer.split().freeze();
            large.sending = Some(tokio::spawn(async move {
                target.part(&session, number, bytes).await
            }));
        }
        Ok(())
    }
}

impl<T: Target> Large<T> {
    /// Waits for the part that is being sent.
    async fn arrived(&mut self) -> Result<(), Error> {
        if let Some(sending) = &mut self.sending {
            let part = joined(sending.await);
            self.sending = None;
            self.stored.push(part?);
        }
        Ok(())
    }
}

#[async_trait]
impl<T: Target> Upload for PartUpload<T> {
    async fn write(&mut self, mut bytes: Bytes) -> Result<(), Error> {
        self.check()?;
        self.broken = true;
        while !bytes.is_empty() {
            // A full buffer waits for one more byte: without it the blob may still be a small one.
            if self.buffer.len() >= self.room() {
                self.send_part().await?;
                self.buffer.reserve(self.room());
            }
            let room = self.room() - self.buffer.len();
            let piece = bytes.split_to(bytes.len().min(room));
            self.hasher.update(&piece);
            self.buffer.extend_from_slice(&piece);
        }
        self.broken = false;
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<BlobRef, Error> {
        self.check()?;
        let blob = std::mem::take(&mut self.hasher).finish();
        if self.large.is_none() {
            let bytes = self.buffer.split().freeze();
            self.target.put(&blob.key, bytes).await?;
            return Ok(blob);
        }
        self.send_part().await?;
        if let Some(large) = &mut self.large {
            large.arrived().await?;
        }
        if let Some(large) = self.large.take() {
            let target = Arc::clone(&self.target);
            // Cut off in the middle, nobody could tell whether the parts may be removed.
            let completing =
                tokio::spawn(
                    async move { target.complete(&large.session, large.stored, &blob).await },
                );
            joined(completing.await)?;
        }
        Ok(blob)
    }
}

impl<T: Target> Drop for PartUpload<T> {
    fn drop(&mut self) {
        let Some(large) = self.large.take() else {
            return;
        };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let target = Arc::clone(&self.target);
        runtime.spawn(async move {
            if let Some(sending) = large.sending {
                sending.abort();
                // The part must not arrive after its removal.
                let _ = sending.await;
            }
            target.abort(&large.session).await;
        });
    }
}

/// What a spawned task has come to.
pub(crate) fn joined<V>(result: Result<Result<V, Error>, JoinError>) -> Result<V, Error> {
    result.unwrap_or_else(|_| Err(Error::stopping()))
}

#[cfg(test)]
mod tests;
