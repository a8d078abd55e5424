//! Results on stdout, failures on stderr, and the exit code.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::process::ExitCode;

/// Whoever read stdout has gone, as `head` does once it has enough. Not a failure.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads the output any more")]
pub struct Closed;

/// Buffered stdout that tells [`Closed`] from real failures.
pub struct Output {
    out: BufWriter<Stdout>,
    closed: bool,
}

impl Output {
    /// Stdout.
    pub fn new() -> Self {
        Self {
            out: BufWriter::with_capacity(64 * 1024, io::stdout()),
            closed: false,
        }
    }

    /// Whether a person looks at it.
    pub fn is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Writes one line; it may stay in the buffer until [`Self::flush`].
    pub fn line(&mut self, line: &str) -> anyhow::Result<()> {
        self.bytes(line.as_bytes())?;
        self.bytes(b"\n")
    }

    /// Writes bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let written = self.out.write_all(bytes);
        written.map_err(write_error)
    }

    /// Hands everything written so far to the reader.
    pub fn flush(&mut self) -> anyhow::Result<()> {
        self.out.flush().map_err(write_error)
    }

    /// Shows a line at once, or drops it where nobody reads any more: for commands that have more to do than to print.
    pub fn line_if_read(&mut self, line: &str) -> anyhow::Result<()> {
        if self.closed {
            return Ok(());
        }
        match self.line(line).and_then(|()| self.flush()) {
            Err(error) if error.is::<Closed>() => {
                self.closed = true;
                Ok(())
            }
            result => result,
        }
    }
}

fn write_error(error: io::Error) -> anyhow::Error {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Closed.into();
    }
    anyhow::Error::new(error).context("can't write to standard output")
}

/// Writes a document to stdout at once.
pub fn document(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = Output::new();
    out.bytes(bytes)?;
    out.flush()
}

/// Writes a note for people to stderr.
pub fn note(text: &str) {
    // Where stderr is closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "{}", crate::table::one_line(text));
}

/// Tells of a failure in exactly one line, and chooses the exit code.
pub fn exit_code(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Closed>() => ExitCode::SUCCESS,
        Err(error) => {
            note(&format!("faafo: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
