//! Digests that stores ask for.

use crate::Error;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::task::spawn_blocking;

/// Less is digested where it is.
const WORTH_A_THREAD: usize = 256 * 1024;

/// A digest of `bytes`, in a thread of its own if it takes long.
pub(crate) async fn digest(
    bytes: &Bytes,
    work: impl FnOnce(&[u8]) -> String + Send + 'static,
) -> Result<String, Error> {
    if bytes.len() < WORTH_A_THREAD {
        return Ok(work(bytes));
    }
    let bytes = bytes.clone();
    let working = spawn_blocking(move || work(&bytes)).await;
    working.map_err(|_| Error::stopping())
}

/// The keyed digest that signatures are made of.
pub(crate) fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    // A key of any length will do, so there is no error to handle.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

/// Bytes as lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
