//! Where a download goes: a file that appears only once it is whole and checked, or standard output.

use crate::output::Output;
use anyhow::{Context, bail};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Takes a download and computes its checksum on the way.
pub struct Sink {
    target: Target,
    written: u64,
    hasher: Sha256,
}

enum Target {
    Stdout(Output),
    File {
        file: File,
        part: PathBuf,
        path: PathBuf,
    },
}

impl Sink {
    /// Standard output.
    pub fn stdout() -> Self {
        Self {
            target: Target::Stdout(Output::new()),
            written: 0,
            hasher: Sha256::new(),
        }
    }

    /// A file. What an earlier try left in `<path>.part` is taken as the download's beginning.
    pub fn file(path: &Path) -> anyhow::Result<Self> {
        if path.is_dir() {
            bail!("{} is a folder", path.display());
        }
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&part)
            .with_context(|| format!("can't write {}", part.display()))?;
        // A file system without locks is no reason not to download.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            bail!("another download is writing {}", part.display());
        }
        let mut hasher = Sha256::new();
        let written = read_all(&mut file, &mut hasher)
            .with_context(|| format!("can't read {}", part.display()))?;
        Ok(Self {
            target: Target::File {
                file,
                part,
                path: path.to_owned(),
            },
            written,
            hasher,
        })
    }

    /// How much of the download is here, in bytes.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Takes the next piece.
    pub fn write(&mut self, piece: &[u8]) -> anyhow::Result<()> {
        match &mut self.target {
            Target::Stdout(out) => {
                out.bytes(piece)?;
                out.flush()?;
            }
            Target::File { file, part, .. } => file
                .write_all(piece)
                .with_context(|| format!("can't write {}", part.display()))?,
        }
        self.hasher.update(piece);
        self.written += piece.len() as u64;
        Ok(())
    }

    /// Prepares for a download that starts from its first byte again. Returns how many bytes of it to leave out,
    /// because they are out on standard output already.
    pub fn restart(&mut self) -> anyhow::Result<u64> {
        let Target::File { file, part, .. } = &mut self.target else {
            return Ok(self.written);
        };
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .with_context(|| format!("can't write {}", part.display()))?;
        self.hasher = Sha256::new();
        self.written = 0;
        Ok(0)
    }

    /// Checks the whole against the SHA-256 that the service keeps, and puts the file in its place.
    ///
    /// # Errors
    /// It is another one; what was downloaded is removed.
    pub fn finish(self, expected: Option<&str>) -> anyhow::Result<()> {
        let checksum: String = self
            .hasher
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        match expected {
            Some(expected) if !expected.eq_ignore_ascii_case(&checksum) => {
                if let Target::File { part, .. } = &self.target {
                    // Where it can't be removed, the next download meets the same mismatch, and says so again.
                    let _ = std::fs::remove_file(part);
                }
                bail!("the picture arrived damaged: its SHA-256 is {checksum}, not {expected}");
            }
            Some(_) => {}
            None => tracing::warn!("the service has no checksum to compare the picture with"),
        }
        if let Target::File { part, path, .. } = &self.target {
            std::fs::rename(part, path)
                .with_context(|| format!("can't put the picture at {}", path.display()))?;
        }
        Ok(())
    }
}

fn read_all(file: &mut File, hasher: &mut Sha256) -> std::io::Result<u64> {
    let mut buffer = vec![0; 64 * 1024];
    let mut total = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(total);
        }
        hasher.update(&buffer[..read]);
        total += read as u64;
    }
}
