//! What packs consist of: records one behind the other, each with a head that says what it is.
//!
//! A head is a mark (4 bytes), a number (4), a word (8), a key (32) and the CRC-32 of these (4), little-endian. The bytes
//! of a blob follow its head. Its key is their SHA-256, so they need no other checksum.

use faafo_model::BlobKey;

/// Bytes of a head.
pub(super) const HEAD: usize = 52;
/// Bytes of a head without its checksum.
pub(super) const BARE: usize = HEAD - 4;

/// Marks of records. Another format gets other ones.
const BLOB: [u8; 4] = *b"fB1\n";
const DELETION: [u8; 4] = *b"fD1\n";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Record {
    /// `length` bytes follow; `stored` is in seconds since 1970.
    Blob {
        key: BlobKey,
        length: u32,
        stored: u64,
    },
    /// The record at that offset of that pack, a blob of this name, is deleted. Naming the record and not only the blob
    /// makes the order in which packs are read meaningless, and lets the same content be stored again.
    Deletion {
        key: BlobKey,
        pack: u64,
        offset: u32,
    },
}

impl Record {
    pub fn key(&self) -> BlobKey {
        match *self {
            Self::Blob { key, .. } | Self::Deletion { key, .. } => key,
        }
    }

    /// Bytes of the head and what follows it.
    pub fn length(&self) -> u64 {
        match *self {
            Self::Blob { length, .. } => HEAD as u64 + u64::from(length),
            Self::Deletion { .. } => HEAD as u64,
        }
    }

    pub fn head(&self) -> [u8; HEAD] {
        let (mark, number, word) = match *self {
            Self::Blob { length, stored, .. } => (BLOB, length, stored),
            Self::Deletion { pack, offset, .. } => (DELETION, offset, pack),
        };
        let mut head = [0; HEAD];
        head[..4].copy_from_slice(&mark);
        head[4..8].copy_from_slice(&number.to_le_bytes());
        head[8..16].copy_from_slice(&word.to_le_bytes());
        head[16..BARE].copy_from_slice(&self.key().0);
        let crc = crc32fast::hash(&head[..BARE]);
        head[BARE..].copy_from_slice(&crc.to_le_bytes());
        head
    }

    /// `None` for what is no head or a damaged one.
    pub fn of_head(head: &[u8]) -> Option<Self> {
        let (bare, crc) = head.split_at_checked(BARE)?;
        let is_record = bare.starts_with(&BLOB) || bare.starts_with(&DELETION);
        // Most of what is tried while looking for a record is none.
        (is_record && crc32fast::hash(bare).to_le_bytes() == crc)
            .then(|| Self::of_bare(bare))
            .flatten()
    }

    /// Of a head without its checksum.
    pub fn of_bare(bare: &[u8]) -> Option<Self> {
        let mark: [u8; 4] = bare.get(..4)?.try_into().ok()?;
        let number = u32::from_le_bytes(bare.get(4..8)?.try_into().ok()?);
        let word = u64::from_le_bytes(bare.get(8..16)?.try_into().ok()?);
        let key = BlobKey(bare.get(16..BARE)?.try_into().ok()?);
        match mark {
            BLOB => Some(Self::Blob {
                key,
                length: number,
                stored: word,
            }),
            DELETION => Some(Self::Deletion {
                key,
                pack: word,
                offset: number,
            }),
            _ => None,
        }
    }
}
