//! Where in which pack each blob lies, in memory: about 80 bytes for each.

use super::record::{HEAD, Record};
use super::scan::Found;
use faafo_model::BlobKey;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::sync::Arc;

/// Packs whose files may be kept open, beside those being read at the moment.
pub(super) const OPEN_FILES: usize = 64;

/// The bytes of a blob: in the pack of this number, behind the head at this offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub pack: u32,
    pub offset: u32,
    pub length: u32,
    /// In seconds since 1970.
    pub stored: u32,
}

/// What is known of a pack. Its id is in its name; its number is this process's own and short.
pub(super) struct Pack {
    pub id: u64,
    pub number: u32,
    /// Nobody appends to it any more.
    pub is_complete: bool,
    /// This process appends to it, and tells what it has appended.
    pub is_own: bool,
    /// Where the records end that are known.
    pub end: u64,
    /// Bytes of the records of blobs that exist.
    live: u64,
    /// It must not be removed.
    pub is_damaged: bool,
    /// How many deletions it holds of records of which packs, by id. They are needed for as long as those exist.
    deletions: HashMap<u64, u64>,
    file: Option<Arc<File>>,
    last_used: u64,
}

pub(super) struct Index {
    /// By the first byte of their names, so that no map is so large that its growing is felt.
    blobs: Vec<HashMap<BlobKey, Place>>,
    /// Further places of blobs that several processes have stored.
    more: HashMap<BlobKey, Vec<Place>>,
    /// Deleted records, as packs and offsets. They stay known: their packs may be read later than the deletion.
    dead: HashSet<(u64, u32)>,
    pub packs: HashMap<u32, Pack>,
    numbers: HashMap<u64, u32>,
    last_number: u32,
    clock: u64,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            blobs: vec![HashMap::new(); 256],
            more: HashMap::new(),
            dead: HashSet::new(),
            packs: HashMap::new(),
            numbers: HashMap::new(),
            last_number: 0,
            clock: 0,
        }
    }
}

impl Index {
    pub fn find(&self, key: &BlobKey) -> Option<Place> {
        self.blobs[usize::from(key.0[0])].get(key).copied()
    }

    /// Whether a blob is on disk for good, and not only in a pack that another process may not have synced yet.
    pub fn is_durable(&self, key: &BlobKey) -> bool {
        let pack = |place: &Place| self.packs.get(&place.pack);
        let is_durable = |pack: &Pack| pack.is_own || pack.is_complete;
        self.places(key).filter_map(pack).any(is_durable)
    }

    /// The records that delete a blob wherever it is.
    pub fn deletions(&self, key: &BlobKey) -> impl Iterator<Item = Record> {
        let key = *key;
        self.places(&key).filter_map(move |place| {
            Some(Record::Deletion {
                key,
                pack: self.packs.get(&place.pack)?.id,
                offset: place.offset,
            })
        })
    }

    fn places<'a>(&'a self, key: &BlobKey) -> impl Iterator<Item = &'a Place> + use<'a> {
        let first = self.blobs[usize::from(key.0[0])].get(key);
        first
            .into_iter()
            .chain(self.more.get(key).into_iter().flatten())
    }

    /// All blobs whose names begin with this byte.
    pub fn beginning_with(&self, first: u8) -> impl Iterator<Item = (&BlobKey, &Place)> {
        self.blobs[usize::from(first)].iter()
    }

    /// The pack of that id, which is told apart from now on.
    pub fn pack(&mut self, id: u64) -> &mut Pack {
        let number = *self.numbers.entry(id).or_insert_with(|| {
            self.last_number += 1;
            self.last_number
        });
        self.packs.entry(number).or_insert_with(|| Pack {
            id,
            number,
            is_complete: false,
            is_own: false,
            end: 0,
            live: 0,
            is_damaged: false,
            deletions: HashMap::new(),
            file: None,
            last_used: 0,
        })
    }

    pub fn known(&self, id: u64) -> Option<&Pack> {
        self.packs.get(self.numbers.get(&id)?)
    }

    /// Takes a record of a pack into account.
    pub fn add(&mut self, id: u64, found: &Found) {
        match found.record {
            Record::Blob {
                key,
                length,
                stored,
            } => {
                let place = Place {
                    pack: self.pack(id).number,
                    offset: found.offset,
                    length,
                    stored: u32::try_from(stored).unwrap_or(u32::MAX),
                };
                if !self.dead.contains(&(id, found.offset)) && self.insert(key, place) {
                    self.pack(id).live += found.record.length();
                }
            }
            Record::Deletion { key, pack, offset } => {
                *self.pack(id).deletions.entry(pack).or_default() += 1;
                if self.dead.insert((pack, offset))
                    && let Some(number) = self.numbers.get(&pack).copied()
                {
                    self.remove(&key, number, offset);
                }
            }
        }
    }

    pub fn is_dead(&self, pack: u64, offset: u32) -> bool {
        self.dead.contains(&(pack, offset))
    }

    /// Forgets a pack that is no longer there.
    pub fn forget(&mut self, number: u32) {
        let Some(pack) = self.packs.get(&number) else {
            return;
        };
        let id = pack.id;
        self.cut(id, 0);
        self.packs.remove(&number);
        self.numbers.remove(&id);
        self.dead.retain(|(pack, _)| *pack != id);
    }

    /// Forgets the blobs of a pack from this offset on.
    pub fn cut(&mut self, id: u64, from: u64) {
        let number = self.pack(id).number;
        let is_cut = |place: &Place| place.pack == number && u64::from(place.offset) >= from;
        let blobs = self.blobs.iter().flatten();
        let there: Vec<(BlobKey, u32)> = blobs
            .chain(
                self.more
                    .iter()
                    .flat_map(|(key, places)| places.iter().map(move |place| (key, place))),
            )
            .filter(|(_, place)| is_cut(place))
            .map(|(key, place)| (*key, place.offset))
            .collect();
        for (key, offset) in there {
            self.remove(&key, number, offset);
        }
    }

    /// A complete pack of which less than half is needed, or that has less than `small` bytes.
    pub fn wasteful(&self, small: u64) -> Option<u64> {
        let needed = |pack: &Pack| {
            let existing = |(id, count): (&u64, &u64)| {
                let exists = self.numbers.contains_key(id);
                if exists { *count * HEAD as u64 } else { 0 }
            };
            pack.live + pack.deletions.iter().map(existing).sum::<u64>()
        };
        let removable = |pack: &&Pack| pack.is_complete && !pack.is_damaged;
        let mut complete = self.packs.values().filter(removable);
        let found = complete.find(|pack| pack.end < small || needed(pack) * 2 < pack.end);
        found.map(|pack| pack.id)
    }

    /// The pack's file, if it is open.
    pub fn file(&mut self, number: u32) -> Option<Arc<File>> {
        self.clock += 1;
        let pack = self.packs.get_mut(&number)?;
        pack.last_used = self.clock;
        pack.file.clone()
    }

    /// Keeps a pack's file open, and closes one that has not been used for long.
    pub fn keep_open(&mut self, number: u32, file: Arc<File>) {
        let open = self.packs.values().filter(|pack| pack.file.is_some());
        if open.clone().count() >= OPEN_FILES
            && let Some(oldest) = open.min_by_key(|pack| pack.last_used)
            && let number = oldest.number
            && let Some(oldest) = self.packs.get_mut(&number)
        {
            oldest.file = None;
        }
        if let Some(pack) = self.packs.get_mut(&number) {
            pack.file = Some(file);
        }
    }

    #[cfg(test)]
    pub fn open_files(&self) -> usize {
        let packs = self.packs.values();
        packs.filter(|pack| pack.file.is_some()).count()
    }

    /// Whether the place is new.
    fn insert(&mut self, key: BlobKey, place: Place) -> bool {
        let Some(first) = self.find(&key) else {
            self.blobs[usize::from(key.0[0])].insert(key, place);
            return true;
        };
        let more = self.more.entry(key).or_default();
        let is_new = first != place && !more.contains(&place);
        if is_new {
            more.push(place);
        } else if more.is_empty() {
            self.more.remove(&key);
        }
        is_new
    }

    fn remove(&mut self, key: &BlobKey, number: u32, offset: u32) {
        let blobs = &mut self.blobs[usize::from(key.0[0])];
        let is_it = |place: &Place| (place.pack, place.offset) == (number, offset);
        let mut places: Vec<Place> = self.more.remove(key).unwrap_or_default();
        places.extend(blobs.remove(key));
        if let Some(gone) = places.iter().position(is_it) {
            let length = places.swap_remove(gone).length;
            if let Some(pack) = self.packs.get_mut(&number) {
                pack.live = pack.live.saturating_sub(HEAD as u64 + u64::from(length));
            }
        }
        if let Some(place) = places.pop() {
            blobs.insert(*key, place);
        }
        if !places.is_empty() {
            self.more.insert(*key, places);
        }
    }
}
