//! Digests that stores ask for.

use crate::Error;
use bytes::Bytes;
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
