//! A joined file that the store itself copies from the bands: here the bands are only read, checked and summed up.

use crate::Worker;
use crate::parts::{Failure, lost, panicked};
use bytes::Bytes;
use faafo_blob::{Hasher, Piece};
use faafo_kernel::{Frame, RenderError, Watch};
use faafo_model::BlobRef;
use faafo_model::poster::Fragment;
use std::io::{self, Write};
use std::time::Duration;
use tokio::task::spawn_blocking;

/// How often it is looked whether anybody still wants the file.
const LOOK: Duration = Duration::from_millis(100);

impl Worker {
    /// Whether the store had better copy these bands than have a file of them sent.
    pub(crate) fn composes(&self, fragments: &[Fragment]) -> bool {
        let sizes: Vec<_> = fragments.iter().map(|fragment| fragment.size).collect();
        self.blobs.composes(&sizes)
    }

    /// Makes the file of the stored bands that it was joined from.
    pub(crate) async fn compose(
        &self,
        file: &BlobRef,
        frame: &Frame,
        fragments: &[Fragment],
        watch: &Watch,
    ) -> Result<(), Failure> {
        let literal = |bytes: &[u8]| Piece::Bytes(Bytes::copy_from_slice(bytes));
        let mut pieces = vec![literal(&frame.head)];
        let copies = fragments.iter().zip(&frame.copied);
        pieces.extend(copies.map(|(fragment, copied)| Piece::Copy {
            key: fragment.key,
            range: 0..*copied,
        }));
        pieces.push(literal(&frame.tail));
        tokio::select! {
            composed = self.blobs.compose(file, &pieces) => composed.map(drop).map_err(lost),
            () = unwanted(watch) => Err(RenderError::Cancelled.into()),
        }
    }
}

/// The name and size of what `write` writes; it may block.
pub(crate) async fn summed_up<T: Send + 'static>(
    write: impl FnOnce(&mut dyn Write) -> Result<T, RenderError> + Send + 'static,
) -> Result<(BlobRef, T), Failure> {
    let summing = spawn_blocking(move || {
        let mut sum = Sum::default();
        let written = write(&mut sum)?;
        Ok::<_, RenderError>((sum.0.finish(), written))
    });
    Ok(summing.await.map_err(panicked)??)
}

/// Where bytes are only summed up.
#[derive(Default)]
struct Sum(Hasher);

impl Write for Sum {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn unwanted(watch: &Watch) {
    while !watch.is_cancelled() {
        tokio::time::sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests;
