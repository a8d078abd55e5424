//! The data folder: one process at a time, everything below it.

use anyhow::{Context, bail};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// An opened data folder; it is ours as long as this lives.
pub struct Folder {
    path: PathBuf,
    /// It held no database.
    pub is_new: bool,
    _lock: File,
}

impl Folder {
    /// Creates the folder if need be and takes it.
    ///
    /// # Errors
    /// When it can't be created, or another process has it.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let what = || format!("data folder {}", path.display());
        // Nobody else's business. A folder that is there already keeps the access that its owner gave it.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(what)?;
        let path = path.canonicalize().with_context(what)?;
        let mut lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path.join("lock"))
            .with_context(what)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Only to be helpful.
                let _ = lock.read_to_string(&mut holder);
                bail!(
                    "{} is in use by another faafo (process {})",
                    what(),
                    holder.trim()
                );
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(what),
        }
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .with_context(what)?;
        writeln!(lock, "{}", std::process::id()).with_context(what)?;
        let is_new = !path.join("faafo.db").exists();
        Ok(Self {
            path,
            is_new,
            _lock: lock,
        })
    }

    /// Where the database lies unless the settings say otherwise.
    pub fn database_url(&self) -> String {
        database_url(&self.path)
    }

    /// Where the pictures lie unless the settings say otherwise.
    pub fn storage_url(&self) -> String {
        storage_url(&self.path)
    }
}

/// The database in this data folder, whoever has the folder.
///
/// # Errors
/// When there is no such folder.
pub fn database_in(folder: &Path) -> anyhow::Result<String> {
    existing(folder).map(|folder| database_url(&folder))
}

/// The pictures in this data folder, whoever has the folder.
///
/// # Errors
/// When there is no such folder.
pub fn storage_in(folder: &Path) -> anyhow::Result<String> {
    existing(folder).map(|folder| storage_url(&folder))
}

fn existing(folder: &Path) -> anyhow::Result<PathBuf> {
    let found = folder.canonicalize();
    found.with_context(|| format!("data folder {}", folder.display()))
}

fn database_url(folder: &Path) -> String {
    // A URL: what means something there is escaped.
    let mut url = "sqlite://".to_owned();
    for character in folder.join("faafo.db").to_string_lossy().chars() {
        match character {
            '%' | '?' | '#' => url += &format!("%{:02X}", u32::from(character)),
            _ => url.push(character),
        }
    }
    url
}

fn storage_url(folder: &Path) -> String {
    format!("file:{}", folder.join("blobs").display())
}

/// The machine's name, by which the originals' workers called themselves.
pub fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_taken_by_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("odd name?#%");
        let first = Folder::open(&path).unwrap();
        assert!(
            first
                .database_url()
                .ends_with("/odd name%3F%23%25/faafo.db"),
            "{}",
            first.database_url()
        );
        let error = Folder::open(&path).err().unwrap().to_string();
        assert!(error.contains(&std::process::id().to_string()), "{error}");
        drop(first);
        Folder::open(&path).unwrap();
    }
}
