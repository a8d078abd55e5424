//! Content to name.

use faafo_model::{BlobKey, BlobRef};
use sha2::{Digest, Sha256};

/// Computes a blob's name and size as its bytes pass.
#[derive(Clone, Default)]
pub struct Hasher {
    digest: Sha256,
    size: u64,
}

impl Hasher {
    /// The next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.size += bytes.len() as u64;
    }

    /// The name and size of all bytes so far.
    pub fn finish(self) -> BlobRef {
        BlobRef {
            key: BlobKey(self.digest.finalize().into()),
            size: self.size,
        }
    }
}
