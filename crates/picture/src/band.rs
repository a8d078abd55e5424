//! A band of a picture by itself: whole compressed blocks with their checksums, and its share of the thumbnail.
//!
//! The file: `FAAFOBND`, then for each block its length and Adler-32, both `u32`, and its bytes; a length of 0 ends the
//! blocks. Then the thumbnail's sums as [`Strip::write`] has them. Numbers are little-endian. How many raw bytes a block
//! stands for follows from the picture and the band's place in it, so the file need not be believed about that.

use crate::png::{Fragment, Header, rows_per_block};
use crate::thumbnail::{Scale, Strip};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::sync::Arc;

const SIGNATURE: [u8; 8] = *b"FAAFOBND";

/// Writes a band from blocks in order, holding none of them.
pub struct BandWriter<'w> {
    out: &'w mut dyn Write,
    strip: Strip,
}

impl<'w> BandWriter<'w> {
    /// Begins a band of the picture whose thumbnail has this scale.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn new(out: &'w mut dyn Write, scale: &Arc<Scale>) -> io::Result<Self> {
        out.write_all(&SIGNATURE)?;
        Ok(Self {
            out,
            strip: Strip::new(scale),
        })
    }

    /// Writes the next block.
    ///
    /// # Errors
    /// When `out` fails, or the block is empty or beyond 4 GiB.
    pub fn push(&mut self, fragment: &Fragment, strip: &Strip) -> io::Result<()> {
        let length = u32::try_from(fragment.bytes.len()).unwrap_or(0);
        if length == 0 {
            return Err(invalid("a block without a length"));
        }
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(&fragment.adler32.to_le_bytes())?;
        self.out.write_all(&fragment.bytes)?;
        self.strip.append(strip);
        Ok(())
    }

    /// Ends the band.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn finish(self) -> io::Result<()> {
        self.out.write_all(&0u32.to_le_bytes())?;
        self.strip.write(self.out)
    }
}

/// Reads a band, one block at a time.
pub struct BandReader<'r> {
    input: &'r mut dyn Read,
    rows: Range<u32>,
    rows_per_block: u32,
    raw_row: u64,
}

impl<'r> BandReader<'r> {
    /// Begins to read the band of these rows of the picture that `header` describes.
    ///
    /// # Errors
    /// When `input` fails or is no band.
    pub fn new(input: &'r mut dyn Read, header: &Header, rows: Range<u32>) -> io::Result<Self> {
        let mut signature = [0; SIGNATURE.len()];
        input.read_exact(&mut signature)?;
        if signature != SIGNATURE {
            return Err(invalid("not a band of a picture"));
        }
        Ok(Self {
            input,
            rows,
            rows_per_block: rows_per_block(header.format(), header.width()),
            raw_row: 1 + header.format().row_bytes(header.width()) as u64,
        })
    }

    /// The next block, or none after the last one.
    ///
    /// # Errors
    /// When the input fails or is not what is left of the band's rows.
    pub fn next_block(&mut self) -> io::Result<Option<Fragment>> {
        let length = self.number()?;
        if length == 0 {
            return match self.rows.is_empty() {
                true => Ok(None),
                false => Err(invalid("a band that lacks rows")),
            };
        }
        let rows = self.rows_per_block.min(self.rows.len() as u32);
        let raw_len = u64::from(rows) * self.raw_row;
        if rows == 0 || u64::from(length) > most_compressed(raw_len) {
            return Err(invalid("a band of more than its rows"));
        }
        self.rows.start += rows;
        let adler32 = self.number()?;
        let mut bytes = vec![0; length as usize];
        self.input.read_exact(&mut bytes)?;
        Ok(Some(Fragment {
            bytes,
            adler32,
            raw_len,
        }))
    }

    /// The band's share of the thumbnail, once all blocks are read.
    ///
    /// # Errors
    /// When the input fails or is not such a share.
    pub fn strip(self, scale: &Arc<Scale>) -> io::Result<Strip> {
        Strip::read(scale, self.input)
    }

    fn number(&mut self) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.input.read_exact(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }
}

/// What deflate makes at most of so many bytes, generously: bytes that it can't compress get short heads.
fn most_compressed(raw_len: u64) -> u64 {
    raw_len + raw_len / 8 + 1024
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
