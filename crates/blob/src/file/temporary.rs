//! Unfinished files: each is locked by whoever writes it, for as long as that process lives.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Creates a file of a new name in `folder` and locks it.
pub(super) fn create(folder: &Path) -> io::Result<(PathBuf, File)> {
    loop {
        let path = folder.join(uuid::Uuid::new_v4().simple().to_string());
        if let Some(file) = claim(&path)? {
            return Ok((path, file));
        }
    }
}

/// Creates a file and locks it; `None` if somebody was quicker to take it for abandoned.
pub(super) fn claim(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        // Somebody looks whether it is a leftover, and will remove it.
        Err(TryLockError::WouldBlock) => return Ok(None),
        // No locks on this file system: then nobody can lock it for a leftover either.
        Err(TryLockError::Error(_)) => {}
    }
    // Between its creation and our lock it may have been taken for a leftover.
    let is_there = file.metadata()?.nlink() > 0;
    Ok(is_there.then_some(file))
}

/// Removes files that nobody holds, if they are older.
pub(super) fn remove_abandoned(folder: &Path, older_than: Duration) -> io::Result<u64> {
    let mut removed = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        match remove_if_abandoned(&path, older_than) {
            Ok(true) => removed += 1,
            Ok(false) => {}
            // Just finished, or removed by somebody else.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(removed)
}

fn remove_if_abandoned(path: &Path, older_than: Duration) -> io::Result<bool> {
    let file = File::open(path)?;
    let age = file.metadata()?.modified()?.elapsed().unwrap_or_default();
    if age < older_than || file.try_lock().is_err() {
        return Ok(false);
    }
    std::fs::remove_file(path)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_abandoned_only_once_its_writer_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let (path, file) = create(folder.path()).unwrap();
        assert_eq!(remove_abandoned(folder.path(), Duration::ZERO).unwrap(), 0);
        assert!(path.exists());
        drop(file);
        let hour = Duration::from_secs(3600);
        assert_eq!(remove_abandoned(folder.path(), hour).unwrap(), 0);
        assert_eq!(remove_abandoned(folder.path(), Duration::ZERO).unwrap(), 1);
        assert!(!path.exists());
    }
}
