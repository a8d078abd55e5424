//! Blobs as files below one folder: `ab/cdef…`, written under `tmp/` first, so that a name is either whole or absent.
//! Any number of processes may use a folder, also a shared one: an unfinished file is locked by its writer, so one that
//! can be locked is a leftover.

mod list;
mod temporary;

use crate::{BlobStore, ByteStream, Error, ErrorKind, Hasher, Listed, Upload};
use async_trait::async_trait;
use bytes::Bytes;
use faafo_model::{BlobKey, BlobRef};
use futures_util::stream::{self, BoxStream, StreamExt};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;

/// Bytes handed out at a time.
const PIECE: u64 = 256 * 1024;

pub(crate) struct Files {
    folder: Arc<PathBuf>,
}

impl Files {
    /// Prepares the folder and removes the leftovers of processes that were killed.
    pub(crate) async fn open(path: &str) -> Result<Self, Error> {
        // Both file:relative and file:///absolute are usual.
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() {
            return Err(Error::new(
                ErrorKind::Config,
                "storage_url: file: needs a path",
            ));
        }
        let files = Self {
            folder: Arc::new(PathBuf::from(path)),
        };
        files.ping().await?;
        files.remove_leftovers(Duration::ZERO).await?;
        Ok(files)
    }
}

fn place(folder: &Path, key: &BlobKey) -> PathBuf {
    let name = key.to_string();
    folder.join(&name[..2]).join(&name[2..])
}

#[async_trait]
impl BlobStore for Files {
    async fn begin(&self) -> Result<Box<dyn Upload>, Error> {
        let folder = self.folder.join("tmp");
        let (path, file) = blocking("begin a file", move || temporary::create(&folder)).await?;
        let folder = Arc::clone(&self.folder);
        Ok(Box::new(Writing {
            folder,
            path: Some(path),
            file: Some(file),
            hasher: Hasher::default(),
        }))
    }

    async fn read(&self, key: &BlobKey, range: Range<u64>) -> Result<ByteStream, Error> {
        let path = place(&self.folder, key);
        let start = range.start;
        let file = blocking("read", move || {
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start(start))?;
            Ok(file)
        })
        .await?;
        let left = range.end.saturating_sub(range.start);
        let pieces = stream::try_unfold((file, left), |(mut file, left)| async move {
            if left == 0 {
                return Ok(None);
            }
            let length = usize::try_from(left.min(PIECE)).unwrap_or(PIECE as usize);
            let (file, piece) = blocking("read", move || {
                let mut piece = vec![0; length];
                file.read_exact(&mut piece)?;
                Ok((file, piece))
            })
            .await?;
            Ok(Some((Bytes::from(piece), (file, left - length as u64))))
        });
        Ok(pieces.boxed())
    }

    async fn size(&self, key: &BlobKey) -> Result<Option<u64>, Error> {
        let path = place(&self.folder, key);
        match blocking("look", move || std::fs::metadata(path)).await {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn delete(&self, key: &BlobKey) -> Result<(), Error> {
        let path = place(&self.folder, key);
        match blocking("delete", move || std::fs::remove_file(path)).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    async fn ping(&self) -> Result<(), Error> {
        let folder = self.folder.join("tmp");
        blocking("prepare the folder", move || {
            std::fs::create_dir_all(folder)
        })
        .await
    }

    fn list(&self) -> BoxStream<'static, Result<Listed, Error>> {
        list::blobs(Arc::clone(&self.folder))
    }

    async fn remove_leftovers(&self, older_than: Duration) -> Result<u64, Error> {
        let folder = self.folder.join("tmp");
        blocking("remove leftovers", move || {
            temporary::remove_abandoned(&folder, older_than)
        })
        .await
    }
}

/// A file below `tmp/`; removed when dropped unfinished.
struct Writing {
    folder: Arc<PathBuf>,
    path: Option<PathBuf>,
    file: Option<File>,
    hasher: Hasher,
}

#[async_trait]
impl Upload for Writing {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        let Some(mut file) = self.file.take() else {
            return Err(Error::new(
                ErrorKind::Unavailable,
                "an earlier write failed",
            ));
        };
        let mut hasher = self.hasher.clone();
        let (file, hasher) = blocking("write", move || {
            file.write_all(&bytes)?;
            hasher.update(&bytes);
            Ok((file, hasher))
        })
        .await?;
        (self.file, self.hasher) = (Some(file), hasher);
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<BlobRef, Error> {
        let blob = std::mem::take(&mut self.hasher).finish();
        let (Some(file), Some(path)) = (self.file.take(), self.path.clone()) else {
            return Err(Error::new(
                ErrorKind::Unavailable,
                "an earlier write failed",
            ));
        };
        let target = place(&self.folder, &blob.key);
        blocking("store", move || {
            file.sync_all()?;
            if let Some(parent) = target.parent() {
                std::fs::create_dir_all(parent)?;
                std::fs::rename(&path, &target)?;
                // The name too must survive a power cut.
                File::open(parent)?.sync_all()?;
            }
            Ok(())
        })
        .await?;
        self.path = None;
        Ok(blob)
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // What stays behind is a leftover as soon as the file is closed.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Runs file work where it may block.
async fn blocking<T: Send + 'static>(
    what: &'static str,
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    match spawn_blocking(work).await {
        Ok(result) => result.map_err(|error| Error::io(what, error)),
        Err(_) => Err(Error::stopping()),
    }
}
