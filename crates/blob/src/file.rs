//! Blobs as files below one folder: `ab/cdef…`, written under `tmp/` first, so that a name is either whole or absent.
//! Small ones are put together in [`packs`]; where older versions have stored them, they are files of their own.
//! Any number of processes may use a folder, also a shared one: an unfinished file is locked by its writer, so one that
//! can be locked is a leftover.

mod list;
mod packs;
mod temporary;

use crate::{BlobStore, ByteStream, Error, ErrorKind, Hasher, Listed, Upload};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use faafo_model::{BlobKey, BlobRef};
use futures_util::stream::{self, BoxStream, StreamExt};
use packs::{Packs, Writer};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;

/// Bytes handed out at a time.
const PIECE: u64 = 256 * 1024;
/// What is no longer goes into a pack, in bytes.
const SMALL: usize = 64 * 1024;
/// A pack with as many bytes is full.
const FULL_PACK: u64 = 64 << 20;

pub(crate) struct Files {
    folder: Arc<PathBuf>,
    packs: Arc<Packs>,
    writer: Arc<Writer>,
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
        Self::in_folder(PathBuf::from(path), FULL_PACK).await
    }

    async fn in_folder(folder: PathBuf, full_pack: u64) -> Result<Self, Error> {
        let packs = Arc::new(Packs::new(folder.join("packs")));
        let writer = Writer::start(Arc::clone(&packs), full_pack);
        let files = Self {
            folder: Arc::new(folder),
            packs,
            writer: Arc::new(writer.map_err(|error| Error::io("write packs", error))?),
        };
        files.ping().await?;
        files.remove_leftovers(Duration::ZERO).await?;
        Ok(files)
    }
}

/// What is there under a name.
enum Found {
    Small(Bytes),
    File(File),
}

/// Opens the file of a blob for reading from `start` on, or reads what a pack has.
fn find(packs: &Packs, path: &Path, key: &BlobKey, start: u64) -> io::Result<Found> {
    if let Some(bytes) = packs.read(key)? {
        return Ok(Found::Small(bytes));
    }
    let missing = match File::open(path) {
        Ok(mut file) => {
            file.seek(SeekFrom::Start(start))?;
            return Ok(Found::File(file));
        }
        Err(error) => error,
    };
    if missing.kind() != io::ErrorKind::NotFound {
        return Err(missing);
    }
    // Another process may have just stored it.
    packs.refresh()?;
    packs.read(key)?.map(Found::Small).ok_or(missing)
}

fn place(folder: &Path, key: &BlobKey) -> PathBuf {
    let name = key.to_string();
    folder.join(&name[..2]).join(&name[2..])
}

#[async_trait]
impl BlobStore for Files {
    async fn begin(&self) -> Result<Box<dyn Upload>, Error> {
        Ok(Box::new(Uploading {
            folder: Arc::clone(&self.folder),
            writer: Arc::clone(&self.writer),
            hasher: Hasher::default(),
            state: State::Small(BytesMut::new()),
        }))
    }

    async fn read(&self, key: &BlobKey, range: Range<u64>) -> Result<ByteStream, Error> {
        let (packs, path, key) = (Arc::clone(&self.packs), place(&self.folder, key), *key);
        let start = range.start;
        let file = match blocking("read", move || find(&packs, &path, &key, start)).await? {
            Found::Small(bytes) => {
                let part = usize::try_from(range.start)
                    .ok()
                    .zip(usize::try_from(range.end).ok())
                    .filter(|(start, end)| start <= end && *end <= bytes.len());
                let part = part.map(|(start, end)| bytes.slice(start..end));
                let part =
                    part.ok_or_else(|| Error::io("read", io::ErrorKind::UnexpectedEof.into()));
                return Ok(stream::once(async { part }).boxed());
            }
            Found::File(file) => file,
        };
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
        let (packs, path, key) = (Arc::clone(&self.packs), place(&self.folder, key), *key);
        let size = blocking("look", move || {
            // Also what is known may have been deleted by another process.
            packs.refresh()?;
            match packs.known_size(&key) {
                Some(size) => Ok(size),
                None => Ok(std::fs::metadata(path)?.len()),
            }
        });
        match size.await {
            Ok(size) => Ok(Some(size)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn delete(&self, key: &BlobKey) -> Result<(), Error> {
        let deleted = self.writer.delete(*key).await;
        deleted.map_err(|error| Error::io("delete", error))?;
        let path = place(&self.folder, key);
        match blocking("delete", move || std::fs::remove_file(path)).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    async fn ping(&self) -> Result<(), Error> {
        let folder = self.folder.join("tmp");
        blocking("write", move || {
            std::fs::create_dir_all(&folder)?;
            // A full disk still lets folders be looked at.
            let path = folder.join(uuid::Uuid::new_v4().simple().to_string());
            let written = std::fs::write(&path, [0; 4096]);
            // Where that fails, it is removed with other leftovers.
            let _ = std::fs::remove_file(path);
            written
        })
        .await
    }

    fn list(&self) -> BoxStream<'static, Result<Listed, Error>> {
        list::blobs(Arc::clone(&self.folder), Arc::clone(&self.packs))
    }

    async fn remove_leftovers(&self, older_than: Duration) -> Result<u64, Error> {
        let folder = self.folder.join("tmp");
        let removed = blocking("remove leftovers", move || {
            temporary::remove_abandoned(&folder, older_than)
        });
        // A pack that can be locked has no writer, however young it is.
        let torn = self.writer.tidy_up().await;
        Ok(removed.await? + torn.map_err(|error| Error::io("look after packs", error))?)
    }
}

/// A blob on its way in.
struct Uploading {
    folder: Arc<PathBuf>,
    writer: Arc<Writer>,
    hasher: Hasher,
    state: State,
}

enum State {
    /// In memory as yet.
    Small(BytesMut),
    Large(Temporary),
    /// A write has failed or was cut off.
    Broken,
}

/// A file below `tmp/`; removed when dropped unfinished.
struct Temporary {
    path: Option<PathBuf>,
    file: File,
}

impl Temporary {
    fn create(folder: &Path) -> io::Result<Self> {
        let (path, file) = temporary::create(&folder.join("tmp"))?;
        let path = Some(path);
        Ok(Self { path, file })
    }

    /// Gives it its name, for good.
    fn finish(mut self, target: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        if let (Some(path), Some(parent)) = (&self.path, target.parent()) {
            std::fs::create_dir_all(parent)?;
            std::fs::rename(path, target)?;
            self.path = None;
            // The name too must survive a power cut.
            File::open(parent)?.sync_all()?;
        }
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // What stays behind is a leftover as soon as the file is closed.
            let _ = std::fs::remove_file(path);
        }
    }
}

#[async_trait]
impl Upload for Uploading {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        let (mut file, before) = match std::mem::replace(&mut self.state, State::Broken) {
            State::Small(mut buffer) if buffer.len() + bytes.len() <= SMALL => {
                self.hasher.update(&bytes);
                buffer.extend_from_slice(&bytes);
                self.state = State::Small(buffer);
                return Ok(());
            }
            State::Small(buffer) => {
                let folder = Arc::clone(&self.folder);
                let create = move || Temporary::create(&folder);
                (blocking("begin a file", create).await?, buffer)
            }
            State::Large(file) => (file, BytesMut::new()),
            State::Broken => return Err(broken()),
        };
        let mut hasher = self.hasher.clone();
        let (file, hasher) = blocking("write", move || {
            file.file.write_all(&before)?;
            file.file.write_all(&bytes)?;
            hasher.update(&bytes);
            Ok((file, hasher))
        })
        .await?;
        (self.state, self.hasher) = (State::Large(file), hasher);
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<BlobRef, Error> {
        let blob = std::mem::take(&mut self.hasher).finish();
        match self.state {
            State::Small(bytes) => {
                let stored = self.writer.store(&blob, bytes.freeze()).await;
                stored.map_err(|error| Error::io("store", error))?;
            }
            State::Large(file) => {
                let target = place(&self.folder, &blob.key);
                blocking("store", move || file.finish(&target)).await?;
            }
            State::Broken => return Err(broken()),
        }
        Ok(blob)
    }
}

fn broken() -> Error {
    Error::new(ErrorKind::Unavailable, "an earlier write failed")
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
