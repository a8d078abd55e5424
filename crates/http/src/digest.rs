//! Digests that signatures are made of.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The keyed SHA-256 of `text`.
pub fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    // A key of any length will do, so there is no error to handle.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

/// Bytes as lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
