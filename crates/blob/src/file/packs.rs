//! Small blobs, many to a file. A process appends only to a pack of its own, which it has locked; everybody reads all.
//!
//! `packs/<id>.open` is being appended to, or was when its process ended; whoever can lock it may go on. With its name
//! `packs/<id>.pack` it does not change any more. A deletion is a record in any pack, [`record`] tells of what. A pack of
//! which little is needed is removed after that has been copied into another one.

mod compact;
mod index;
mod own;
mod record;
mod scan;
#[cfg(test)]
mod tests;
mod writer;

use crate::Listed;
use bytes::Bytes;
use faafo_model::BlobKey;
use index::{Index, Place};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
pub(super) use writer::Writer;

/// Names of packs that are appended to, and of those that are not.
const OPEN: &str = "open";
const COMPLETE: &str = "pack";
/// Times of change are no finer than this.
const GRAIN: Duration = Duration::from_secs(2);

/// All packs of a folder, as far as they have been looked at.
pub(super) struct Packs {
    folder: PathBuf,
    index: Mutex<Index>,
    /// Held while looking for what is new.
    listing: Mutex<Listing>,
}

/// What is known of the folder's list of files, so that it need not be read each time.
struct Listing {
    /// When the folder changed last, and since when we know this.
    changed: Option<(SystemTime, Instant)>,
    read: Instant,
}

impl Packs {
    /// The packs in `folder`, which need not exist. None is read yet.
    pub fn new(folder: PathBuf) -> Self {
        let (changed, read) = (None, Instant::now());
        Self {
            folder,
            index: Mutex::default(),
            listing: Mutex::new(Listing { changed, read }),
        }
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, id: u64, extension: &str) -> PathBuf {
        self.folder.join(format!("{id:016x}.{extension}"))
    }

    /// The size of a blob, as far as is known without looking for news.
    pub fn known_size(&self, key: &BlobKey) -> Option<u64> {
        let place = self.index().find(key)?;
        Some(u64::from(place.length))
    }

    /// The bytes of a blob, if there is one as far as is known without looking for news.
    pub fn read(&self, key: &BlobKey) -> io::Result<Option<Bytes>> {
        let Some(place) = self.index().find(key) else {
            return Ok(None);
        };
        match self.read_at(&place) {
            // Copied into another pack meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.refresh()?;
                let place = self.index().find(key);
                place.map(|place| self.read_at(&place)).transpose()
            }
            read => read.map(Some),
        }
    }

    fn read_at(&self, place: &Place) -> io::Result<Bytes> {
        let mut bytes = vec![0; place.length as usize];
        let begin = u64::from(place.offset) + record::HEAD as u64;
        let file = self.file(place.pack)?;
        file.read_exact_at(&mut bytes, begin)?;
        Ok(Bytes::from(bytes))
    }

    fn file(&self, number: u32) -> io::Result<Arc<File>> {
        let id = {
            let mut index = self.index();
            if let Some(file) = index.file(number) {
                return Ok(file);
            }
            index.packs.get(&number).map(|pack| pack.id)
        };
        let id = id.ok_or(io::ErrorKind::NotFound)?;
        let file = Arc::new(self.open(id)?);
        self.index().keep_open(number, Arc::clone(&file));
        Ok(file)
    }

    /// Whichever name the pack has by now.
    fn open(&self, id: u64) -> io::Result<File> {
        match File::open(self.path(id, OPEN)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                File::open(self.path(id, COMPLETE))
            }
            other => other,
        }
    }

    /// All blobs whose names begin with this byte.
    pub fn page(&self, first: u8) -> Vec<Listed> {
        let now = seconds_now();
        let index = self.index();
        let blobs = index.beginning_with(first).map(|(key, place)| {
            let age = now.saturating_sub(u64::from(place.stored));
            Listed {
                key: *key,
                size: u64::from(place.length),
                age: Duration::from_secs(age),
            }
        });
        blobs.collect()
    }

    /// Looks for what other processes have stored and deleted. All that they had done before is known afterwards, also
    /// on a shared file system: a file that is opened anew is looked up anew.
    pub fn refresh(&self) -> io::Result<()> {
        let mut listing = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = match File::open(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            folder => folder?.metadata()?.modified()?,
        };
        if listing.is_current(changed) {
            let growing: Vec<u64> = {
                let index = self.index();
                let packs = index.packs.values();
                packs
                    .filter(|pack| !pack.is_own && !pack.is_complete)
                    .map(|pack| pack.id)
                    .collect()
            };
            for id in growing {
                self.read_news(id, false)?;
            }
            return Ok(());
        }
        let (is_first, begun) = (listing.changed.is_none(), Instant::now());
        let mut there = list(&self.folder)?;
        let mut gone = self.gone(&there);
        // What is gone was copied before. A list that was begun later has the copies.
        while !gone.is_empty() {
            there = list(&self.folder)?;
            let still_more = self.gone(&there);
            if still_more == gone {
                break;
            }
            gone = still_more;
        }
        for (id, is_complete) in there {
            let known = self
                .index()
                .known(id)
                .map(|pack| (pack.is_own, pack.is_complete));
            if known.is_some_and(|(is_own, is_complete)| is_own || is_complete) {
                continue;
            }
            if is_first && !is_complete {
                // What a process that was killed had only just written is believed from now on.
                sync_if_there(&self.path(id, OPEN))?;
            }
            self.read_news(id, is_first)?;
        }
        let mut index = self.index();
        for number in gone {
            index.forget(number);
        }
        listing.was_read(begun, changed);
        Ok(())
    }

    /// Reads what a pack has more than is known; in one that is seen for the `first` time, also behind damage.
    fn read_news(&self, id: u64, is_first: bool) -> io::Result<()> {
        let (file, is_complete) = match File::open(self.path(id, OPEN)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match File::open(self.path(id, COMPLETE)) {
                    // Removed since the list was read; the next one will do without it.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                    file => (file?, true),
                }
            }
            file => (file?, false),
        };
        let length = file.metadata()?.len();
        let from = self.index().pack(id).end;
        let (found, records_end, end) = if is_complete {
            let found = scan::complete(&file, length)?;
            let last = found.last();
            let end = last.map_or(0, |last| u64::from(last.offset) + last.record.length());
            (found, end, length)
        } else if is_first {
            let mut found = Vec::new();
            let (end, _) = scan::everything(&file, length, &mut found)?;
            (found, end, end)
        } else {
            let (found, end) = scan::growth(&file, from.min(length), length)?;
            (found, end, end)
        };
        let mut index = self.index();
        if records_end < from {
            // Its writer could not store for good what was read then, and has taken it back.
            index.cut(id, records_end);
        }
        for found in found.iter().filter(|found| u64::from(found.offset) >= from) {
            index.add(id, found);
        }
        let pack = index.pack(id);
        (pack.end, pack.is_complete) = (end, is_complete);
        Ok(())
    }

    /// The numbers of known packs that are not among these.
    fn gone(&self, there: &BTreeMap<u64, bool>) -> Vec<u32> {
        let index = self.index();
        let packs = index.packs.values();
        let gone = packs.filter(|pack| !pack.is_own && !there.contains_key(&pack.id));
        let mut numbers: Vec<u32> = gone.map(|pack| pack.number).collect();
        numbers.sort_unstable();
        numbers
    }
}

impl Listing {
    /// Whether nothing can have come or gone since the list was read.
    fn is_current(&self, changed: SystemTime) -> bool {
        self.changed
            .is_some_and(|(known, since)| known == changed && self.read >= since + GRAIN)
    }

    /// Reading began then, after the folder was seen to have `changed`.
    fn was_read(&mut self, begun: Instant, changed: SystemTime) {
        self.read = begun;
        if self.changed.is_none_or(|(known, _)| known != changed) {
            self.changed = Some((changed, begun));
        }
    }
}

/// The packs that are there, and whether they are complete.
fn list(folder: &Path) -> io::Result<BTreeMap<u64, bool>> {
    let mut there = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let Some((id, extension)) = name.to_str().and_then(|name| name.split_once('.')) else {
            continue;
        };
        let is_complete = extension == COMPLETE;
        if let Ok(id) = u64::from_str_radix(id, 16)
            && (is_complete || extension == OPEN)
        {
            // While it gets its new name, both may be seen.
            *there.entry(id).or_default() |= is_complete;
        }
    }
    Ok(there)
}

fn sync_if_there(path: &Path) -> io::Result<()> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        file => file?.sync_data(),
    }
}

fn seconds_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}
