//! The pack that this process appends to.

use super::record::Record;
use super::scan::{self, Found, Table};
use super::{COMPLETE, OPEN, Packs};
use crate::file::temporary;
use bytes::Bytes;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

/// Records in a pack at most, which bounds its table.
const MOST_RECORDS: usize = 100_000;

/// A pack that this process has locked.
pub(super) struct Own {
    pub id: u64,
    file: File,
    /// Where the records end that are stored for good.
    end: u64,
    table: Table,
}

/// What became of a pack that somebody has left.
pub(super) enum Left {
    /// Its process is there, or somebody else takes care of it.
    Taken,
    /// Whole and not full.
    Usable(Own),
    /// It is complete now.
    Completed {
        /// Whether something torn was cut off.
        was_torn: bool,
    },
}

impl Own {
    /// A new pack.
    pub fn create(packs: &Packs) -> io::Result<Self> {
        std::fs::create_dir_all(&packs.folder)?;
        loop {
            let (id, _) = uuid::Uuid::new_v4().as_u64_pair();
            let Some(file) = temporary::claim(&packs.path(id, OPEN))? else {
                continue;
            };
            // The name too must survive a power cut.
            File::open(&packs.folder)?.sync_all()?;
            packs.index().pack(id).is_own = true;
            return Ok(Self {
                id,
                file,
                end: 0,
                table: Table::default(),
            });
        }
    }

    /// Takes over a pack whose process has ended.
    pub fn adopt(packs: &Packs, id: u64, full: u64) -> io::Result<Left> {
        let Some(file) = locked(&packs.path(id, OPEN))? else {
            return Ok(Left::Taken);
        };
        file.sync_data()?;
        let (length, mut found) = (file.metadata()?.len(), Vec::new());
        let (end, has_gaps) = scan::everything(&file, length, &mut found)?;
        let was_torn = end < length;
        if was_torn {
            file.set_len(end)?;
            file.sync_data()?;
        }
        let mut table = Table::default();
        found.iter().for_each(|found| table.push(found));
        let mut own = Self {
            id,
            file,
            end,
            table,
        };
        {
            let mut index = packs.index();
            let known = index.pack(id).end;
            let news = found
                .iter()
                .filter(|found| u64::from(found.offset) >= known);
            news.for_each(|found| index.add(id, found));
            let pack = index.pack(id);
            (pack.is_own, pack.end) = (true, end);
        }
        // What was cut off may have been seen by others: something else must not come into its place.
        if was_torn || has_gaps || own.is_full(full) {
            own.complete(packs)?;
            return Ok(Left::Completed { was_torn });
        }
        Ok(Left::Usable(own))
    }

    /// Whether nothing more should be appended, if packs are to be `full` bytes long.
    pub fn is_full(&self, full: u64) -> bool {
        self.end >= full || self.table.records() >= MOST_RECORDS
    }

    /// Appends records, and returns once they are on disk where they are: the pack and their offsets.
    ///
    /// # Errors
    /// When the disk is full or fails. Then none of them is stored, and the pack must not be appended to any more.
    pub fn append(
        &mut self,
        packs: &Packs,
        records: &[(Record, Bytes)],
    ) -> io::Result<Vec<(u64, u32)>> {
        let (mut bytes, mut found) = (Vec::new(), Vec::new());
        for (record, content) in records {
            let at = self.end + bytes.len() as u64;
            let offset = u32::try_from(at).map_err(|_| io::ErrorKind::FileTooLarge)?;
            let record = *record;
            found.push(Found { offset, record });
            bytes.extend_from_slice(&record.head());
            bytes.extend_from_slice(content);
        }
        self.file.write_all_at(&bytes, self.end)?;
        self.file.sync_data()?;
        self.end += bytes.len() as u64;
        let mut index = packs.index();
        for found in &found {
            self.table.push(found);
            index.add(self.id, found);
        }
        index.pack(self.id).end = self.end;
        Ok(found.iter().map(|found| (self.id, found.offset)).collect())
    }

    /// Lets the next append go elsewhere.
    #[cfg(test)]
    pub fn write_to(&mut self, path: &str) {
        self.file = OpenOptions::new().write(true).open(path).unwrap();
    }

    /// Gives the pack its table and final name.
    pub fn complete(&mut self, packs: &Packs) -> io::Result<()> {
        let table = std::mem::take(&mut self.table).bytes();
        let written = self.file.write_all_at(&table, self.end);
        if written.and_then(|()| self.file.sync_data()).is_err() {
            // On a full disk: it will be read by its heads.
            self.file.set_len(self.end)?;
        }
        std::fs::rename(packs.path(self.id, OPEN), packs.path(self.id, COMPLETE))?;
        let mut index = packs.index();
        let pack = index.pack(self.id);
        (pack.is_own, pack.is_complete) = (false, true);
        Ok(())
    }

    /// Takes back what an append that failed may have left, and leaves the pack.
    pub fn give_up(mut self, packs: &Packs) {
        let given_up = self.file.set_len(self.end).and_then(|()| match self.end {
            0 => std::fs::remove_file(packs.path(self.id, OPEN)),
            _ => self.complete(packs),
        });
        if let Err(error) = given_up {
            // The next to look for packs that were left will find it.
            tracing::warn!(%error, "can't leave a pack as it should be");
        }
        packs.index().pack(self.id).is_own = false;
    }
}

/// The file of that name, locked; `None` if it is not there, somebody else has it, or we must not write there.
pub(super) fn locked(path: &Path) -> io::Result<Option<File>> {
    // Locks on NFS are for those who may write.
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if is_not_ours(error.kind()) => return Ok(None),
        file => file?,
    };
    if file.try_lock().is_err() {
        return Ok(None);
    }
    // It may have been renamed or removed before it was locked.
    let (ours, named) = (file.metadata()?, std::fs::metadata(path));
    let is_it = named.is_ok_and(|named| (ours.dev(), ours.ino()) == (named.dev(), named.ino()));
    Ok(is_it.then_some(file))
}

fn is_not_ours(error: io::ErrorKind) -> bool {
    use io::ErrorKind::{NotFound, PermissionDenied, ReadOnlyFilesystem};
    matches!(error, NotFound | PermissionDenied | ReadOnlyFilesystem)
}
