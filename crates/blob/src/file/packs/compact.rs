//! Removing a pack of which little is needed.

use super::own::locked;
use super::record::{HEAD, Record};
use super::scan::{self, Found};
use super::writer::Thread;
use super::{COMPLETE, Packs};
use crate::Hasher;
use bytes::Bytes;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes copied at once.
const BATCH: usize = 4 << 20;

impl Thread {
    /// Copies what is needed of a complete pack into our own one, and removes it. `false` if somebody else does, or if it
    /// must stay.
    pub fn compact(&mut self, id: u64) -> io::Result<bool> {
        let path = self.packs.path(id, COMPLETE);
        // Without locks, two could copy each other's copies for ever.
        let Some(file) = locked(&path)? else {
            return Ok(false);
        };
        self.packs.refresh()?;
        let records = scan::complete(&file, file.metadata()?.len())?;
        let (mut batch, mut size, mut offsets, mut copies) =
            (Vec::new(), 0, Vec::new(), Vec::new());
        for found in records {
            if !self.packs.needs(id, &found) {
                continue;
            }
            let Some(bytes) = content(&file, &found)? else {
                self.packs.index().pack(id).is_damaged = true;
                tracing::warn!(
                    pack = %path.display(),
                    key = %found.record.key(),
                    "a stored blob is damaged; its pack stays as it is"
                );
                return Ok(false);
            };
            size += HEAD + bytes.len();
            batch.push((found.record, bytes));
            offsets.push((found.record.key(), found.offset));
            if size >= BATCH {
                copies.extend(self.append(&std::mem::take(&mut batch))?);
                size = 0;
            }
        }
        copies.extend(self.append(&batch)?);
        // Who deleted one of them meanwhile may not have known of the copy. Whoever does so from now on does.
        self.packs.refresh()?;
        let deletions: Vec<_> = {
            let index = self.packs.index();
            let both = offsets.iter().zip(copies);
            let deleted = both.filter(|((_, offset), _)| index.is_dead(id, *offset));
            let record = |(&(key, _), (pack, offset))| Record::Deletion { key, pack, offset };
            let records = deleted.map(record);
            records.map(|record| (record, Bytes::new())).collect()
        };
        self.append(&deletions)?;
        std::fs::remove_file(&path)?;
        File::open(&self.packs.folder)?.sync_all()?;
        let mut index = self.packs.index();
        let number = index.pack(id).number;
        index.forget(number);
        Ok(true)
    }
}

impl Packs {
    /// Whether a record of a pack must not get lost.
    fn needs(&self, id: u64, found: &Found) -> bool {
        let index = self.index();
        match found.record {
            Record::Blob { .. } => !index.is_dead(id, found.offset),
            Record::Deletion { pack, .. } => index.known(pack).is_some(),
        }
    }
}

/// What follows a record's head; `None` if it is damaged.
fn content(file: &File, found: &Found) -> io::Result<Option<Bytes>> {
    let Record::Blob { key, length, .. } = found.record else {
        return Ok(Some(Bytes::new()));
    };
    let mut bytes = vec![0; length as usize];
    file.read_exact_at(&mut bytes, u64::from(found.offset) + HEAD as u64)?;
    let mut hasher = Hasher::default();
    hasher.update(&bytes);
    Ok((hasher.finish().key == key).then(|| Bytes::from(bytes)))
}
