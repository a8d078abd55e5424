//! From the blocking renderer to the asynchronous store, a few pieces at a time.

use bytes::Bytes;
use std::io::{self, Read, Write};
use tokio::sync::mpsc;

/// Pieces under way; with [`PIECE`] this bounds what a picture holds in memory beside the renderer's own blocks.
const PIECES: usize = 4;
/// Bytes gathered before they travel.
const PIECE: usize = 256 * 1024;

/// Both ends of a new pipe.
pub(crate) fn pipe() -> (PipeWriter, mpsc::Receiver<Bytes>) {
    let (sender, receiver) = mpsc::channel(PIECES);
    (
        PipeWriter {
            sender,
            piece: Vec::new(),
        },
        receiver,
    )
}

/// The end for the renderer, to be used outside the async runtime. Writing fails once the other end is dropped.
pub(crate) struct PipeWriter {
    sender: mpsc::Sender<Bytes>,
    piece: Vec<u8>,
}

impl Write for PipeWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::take(&mut self.piece));
        self.sender
            .blocking_send(piece)
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

/// Both ends of a new pipe the other way.
pub(crate) fn pipe_back() -> (mpsc::Sender<Bytes>, PipeReader) {
    let (sender, receiver) = mpsc::channel(PIECES);
    let piece = Bytes::new();
    (sender, PipeReader { receiver, piece })
}

/// The end for whoever reads outside the async runtime. It is at its end once the other one is dropped.
pub(crate) struct PipeReader {
    receiver: mpsc::Receiver<Bytes>,
    piece: Bytes,
}

impl Read for PipeReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.piece.len());
        buffer[..length].copy_from_slice(&self.piece.split_to(length));
        Ok(length)
    }
}
