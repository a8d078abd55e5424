//! Which records a pack holds.

use super::record::{BARE, HEAD, Record};
use crate::Hasher;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes read at once.
const WINDOW: usize = 256 * 1024;
/// An entry of the table at the end of a complete pack: an offset and a head without its checksum.
const ENTRY: usize = 4 + BARE;
/// The end of that table: its mark, the number of entries and their CRC-32.
const END: usize = 12;
const END_MARK: [u8; 4] = *b"fE1\n";

/// A record and where it begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub offset: u32,
    pub record: Record,
}

/// The table at the end of a complete pack, so that a start need not read the heads, which lie far apart.
#[derive(Default)]
pub(super) struct Table {
    entries: Vec<u8>,
}

impl Table {
    pub fn push(&mut self, found: &Found) {
        self.entries.extend_from_slice(&found.offset.to_le_bytes());
        self.entries.extend_from_slice(&found.record.head()[..BARE]);
    }

    /// How many records it has.
    pub fn records(&self) -> usize {
        self.entries.len() / ENTRY
    }

    pub fn bytes(mut self) -> Vec<u8> {
        let (count, crc) = (self.records() as u32, crc32fast::hash(&self.entries));
        self.entries.extend_from_slice(&END_MARK);
        self.entries.extend_from_slice(&count.to_le_bytes());
        self.entries.extend_from_slice(&crc.to_le_bytes());
        self.entries
    }
}

/// What the table of a complete pack says, if it has one that is whole.
fn table(file: &File, length: u64) -> io::Result<Option<Vec<Found>>> {
    let mut end = [0; END];
    let Some(end_at) = length.checked_sub(END as u64) else {
        return Ok(None);
    };
    file.read_exact_at(&mut end, end_at)?;
    let (numbers, _) = end.as_chunks::<4>();
    let [mark, count, crc] = [numbers[0], numbers[1], numbers[2]];
    let size = u64::from(u32::from_le_bytes(count)) * ENTRY as u64;
    let Some(begin) = end_at.checked_sub(size).filter(|_| mark == END_MARK) else {
        return Ok(None);
    };
    let mut entries = vec![0; size as usize];
    file.read_exact_at(&mut entries, begin)?;
    if crc32fast::hash(&entries).to_le_bytes() != crc {
        return Ok(None);
    }
    let (entries, _) = entries.as_chunks::<ENTRY>();
    let found = entries.iter().map(|entry| {
        let (offset, bare) = entry.split_first_chunk::<4>()?;
        Some(Found {
            offset: u32::from_le_bytes(*offset),
            record: Record::of_bare(bare)?,
        })
    });
    Ok(found.collect())
}

/// All records of a complete pack. Where its table is damaged, its heads are read.
pub(super) fn complete(file: &File, length: u64) -> io::Result<Vec<Found>> {
    if let Some(found) = table(file, length)? {
        return Ok(found);
    }
    let mut found = Vec::new();
    everything(file, length, &mut found)?;
    Ok(found)
}

/// The records from `from` on, up to the first that is torn, and where that is.
pub(super) fn growth(file: &File, from: u64, length: u64) -> io::Result<(Vec<Found>, u64)> {
    let (mut window, mut found) = (Window::new(file, length), Vec::new());
    let at = sequence(&mut window, from, &mut found)?;
    Ok((found, at))
}

/// All records, also behind damaged heads, and where the last one ends. Says whether there are such places.
pub(super) fn everything(
    file: &File,
    length: u64,
    found: &mut Vec<Found>,
) -> io::Result<(u64, bool)> {
    let mut window = Window::new(file, length);
    let (mut end, mut has_gaps) = (sequence(&mut window, 0, found)?, false);
    let mut at = end + 1;
    while at < length {
        let next = sequence(&mut window, at, found)?;
        if next > at {
            (end, has_gaps) = (next, true);
        }
        at = next + 1;
    }
    Ok((end, has_gaps))
}

/// Records that lie one behind the other. The last one must be whole: after a power cut a head may have arrived without
/// the bytes. One that is damaged is still there, for whoever checks what is stored.
fn sequence(window: &mut Window, from: u64, found: &mut Vec<Found>) -> io::Result<u64> {
    let mut at = from;
    while let Some(record) = window.get(at, HEAD)?.and_then(Record::of_head) {
        let end = at + record.length();
        if let Record::Blob { key, length, .. } = record {
            let Some(bytes) = window.get(at + HEAD as u64, length as usize)? else {
                break;
            };
            let mut hasher = Hasher::default();
            hasher.update(bytes);
            let is_whole = hasher.finish().key == key;
            if !is_whole && window.get(end, HEAD)?.and_then(Record::of_head).is_none() {
                break;
            }
        }
        let Ok(offset) = u32::try_from(at) else {
            break;
        };
        found.push(Found { offset, record });
        at = end;
    }
    Ok(at)
}

/// A part of a file in memory.
struct Window<'a> {
    file: &'a File,
    length: u64,
    begin: u64,
    bytes: Vec<u8>,
}

impl<'a> Window<'a> {
    fn new(file: &'a File, length: u64) -> Self {
        Self {
            file,
            length,
            begin: 0,
            bytes: Vec::new(),
        }
    }

    /// `None` where the file ends earlier.
    fn get(&mut self, at: u64, length: usize) -> io::Result<Option<&[u8]>> {
        let left = self.length.saturating_sub(at);
        if left < length as u64 {
            return Ok(None);
        }
        let is_inside =
            at >= self.begin && at + length as u64 <= self.begin + self.bytes.len() as u64;
        if !is_inside {
            let size = left.min(WINDOW.max(length) as u64) as usize;
            self.bytes.resize(size, 0);
            self.begin = at;
            if let Err(error) = self.file.read_exact_at(&mut self.bytes, at) {
                self.bytes.clear();
                // Its writer has cut it meanwhile.
                let is_shorter = error.kind() == io::ErrorKind::UnexpectedEof;
                return if is_shorter { Ok(None) } else { Err(error) };
            }
        }
        let start = (at - self.begin) as usize;
        Ok(self.bytes.get(start..start + length))
    }
}
