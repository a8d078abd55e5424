//! Blobs that are made of others.

use bytes::Bytes;
use faafo_model::BlobKey;
use std::ops::Range;

/// A piece of a blob that is made of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// These bytes.
    Bytes(Bytes),
    /// Bytes of a stored blob.
    Copy {
        /// The blob.
        key: BlobKey,
        /// From `start` up to but excluding `end`, which must lie within the blob's size.
        range: Range<u64>,
    },
}

impl Piece {
    /// Its length in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Copy { range, .. } => range.end.saturating_sub(range.start),
        }
    }
}
