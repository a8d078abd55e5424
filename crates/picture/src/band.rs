//! A band of a picture by itself: its blocks as they stand in the picture's file, and its share of what is calculated
//! over the whole.
//!
//! The file is a row of PNG's chunks. First comes each block as the `IDAT` that the picture has for it, byte for byte, so
//! that a picture is made by copying the beginnings of its bands' files. Then comes one `baNd`: the Adler-32 of the band's
//! raw rows, `u32`, and the thumbnail's sums as [`Strip::write`] has them, all little-endian. How many blocks there are,
//! and how many raw bytes they stand for, follows from the picture and the band's place in it, so the file need not be
//! believed about that.

use crate::png::chunk::{self, IDAT};
use crate::png::{Checksum, Fragment, Header, ZLIB_HEADER, rows_per_block, write_block};
use crate::thumbnail::{Scale, Strip};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::sync::Arc;

/// What follows the blocks: nobody's but ours (second letter), not needed to show a picture (first one).
const REST: [u8; 4] = *b"baNd";

/// Writes a band from blocks in order, holding none of them.
pub struct BandWriter<'w> {
    out: &'w mut dyn Write,
    /// No block has come yet, and the first one will be the picture's first.
    begins: bool,
    raw: Checksum,
    strip: Strip,
}

impl<'w> BandWriter<'w> {
    /// Begins a band, whose first row is `first_row` of the picture, and whose thumbnail has this scale.
    pub fn new(out: &'w mut dyn Write, scale: &Arc<Scale>, first_row: u32) -> Self {
        Self {
            out,
            begins: first_row == 0,
            raw: Checksum::default(),
            strip: Strip::new(scale),
        }
    }

    /// Writes the next block.
    ///
    /// # Errors
    /// When `out` fails, or the block is beyond 2 GiB.
    pub fn push(&mut self, fragment: &Fragment, strip: &Strip) -> io::Result<()> {
        write_block(self.out, self.begins, fragment)?;
        self.begins = false;
        self.raw.append(fragment.checksum());
        self.strip.append(strip);
        Ok(())
    }

    /// Ends the band.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn finish(self) -> io::Result<()> {
        let mut strip = Vec::new();
        self.strip.write(&mut strip)?;
        let adler32 = self.raw.adler32.to_le_bytes();
        chunk::write(self.out, REST, &[&adler32, &strip])
    }
}

/// Reads a band, one block at a time.
pub struct BandReader<'r> {
    input: &'r mut dyn Read,
    /// Those that are still to come.
    rows: Range<u32>,
    rows_per_block: u32,
    raw_row: u64,
    raw_len: u64,
}

/// A block as it stands in the picture's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The whole chunk, from its length to its CRC, which fits.
    pub bytes: Vec<u8>,
    /// The number of rows in it.
    pub rows: u32,
}

impl<'r> BandReader<'r> {
    /// Begins to read the band of these rows of the picture that `header` describes.
    pub fn new(input: &'r mut dyn Read, header: &Header, rows: Range<u32>) -> Self {
        let raw_row = header.raw_row();
        Self {
            input,
            rows_per_block: rows_per_block(header.format(), header.width()),
            raw_row,
            raw_len: rows.len() as u64 * raw_row,
            rows,
        }
    }

    /// The next block, or none after the last one.
    ///
    /// # Errors
    /// When the input fails or is not what is left of the band's rows.
    pub fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        if self.rows.is_empty() {
            return Ok(None);
        }
        let begins = self.rows.start == 0;
        let rows = self.rows_per_block.min(self.rows.len() as u32);
        let most = most_compressed(u64::from(rows) * self.raw_row);
        let bytes = chunk::read(self.input, IDAT, most)?;
        if begins && !chunk::bytes(&bytes).starts_with(&ZLIB_HEADER) {
            return Err(invalid("a first band that begins like another"));
        }
        self.rows.start += rows;
        Ok(Some(Chunk { bytes, rows }))
    }

    /// The checksum of the band's raw rows and its share of the thumbnail, once all blocks are read.
    ///
    /// # Errors
    /// When the input fails or is not that.
    pub fn finish(self, scale: &Arc<Scale>) -> io::Result<(Checksum, Strip)> {
        if !self.rows.is_empty() {
            return Err(invalid("a band of which blocks are left"));
        }
        let mut adler32 = [0; 4];
        let most = adler32.len() as u64 + scale.most_strip_bytes();
        let rest = chunk::read(self.input, REST, most)?;
        let mut rest = chunk::bytes(&rest);
        rest.read_exact(&mut adler32)?;
        let strip = Strip::read(scale, &mut rest)?;
        if !rest.is_empty() {
            return Err(invalid("more than a thumbnail's sums"));
        }
        let checksum = Checksum {
            adler32: u32::from_le_bytes(adler32),
            len: self.raw_len,
        };
        Ok((checksum, strip))
    }
}

/// What deflate makes at most of so many bytes, generously: bytes that it can't compress get short heads.
fn most_compressed(raw_len: u64) -> u64 {
    raw_len + raw_len / 8 + 1024
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
