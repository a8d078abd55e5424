//! Fragments in order, checksums and chunk headers around them: a PNG file as a stream.

use super::{Format, Fragment, Header};
use std::io::{self, Write};

const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
const COLOUR_RGB: u8 = 2;
const COLOUR_INDEXED: u8 = 3;
/// Deflate with a window of 32 KiB, fastest compression, no dictionary.
const ZLIB_HEADER: [u8; 2] = [0x78, 0x01];
/// A final deflate block with nothing in it.
const EMPTY_FINAL_BLOCK: [u8; 2] = [0x03, 0x00];
/// The largest prime below 2^16, Adler-32's modulus.
const ADLER_MODULUS: u64 = 65_521;
/// Adler-32 of no bytes.
const ADLER_EMPTY: u32 = 1;

/// Writes a PNG from fragments, holding none of them.
pub struct Assembler<'w> {
    out: &'w mut dyn Write,
    adler32: u32,
    raw_len: u64,
    raw_len_expected: u64,
}

impl<'w> Assembler<'w> {
    /// Starts the file: signature, header and palette.
    pub fn new(out: &'w mut dyn Write, header: &Header) -> io::Result<Self> {
        header.check()?;
        out.write_all(&SIGNATURE)?;
        let (depth, colour) = match header.format {
            Format::Indexed8 => (8, COLOUR_INDEXED),
            Format::Rgb8 => (8, COLOUR_RGB),
            Format::Rgb16 => (16, COLOUR_RGB),
        };
        let [w0, w1, w2, w3] = header.width.to_be_bytes();
        let [h0, h1, h2, h3] = header.height.to_be_bytes();
        let ihdr = [w0, w1, w2, w3, h0, h1, h2, h3, depth, colour, 0, 0, 0];
        write_chunk(out, *b"IHDR", &[&ihdr])?;
        if header.format == Format::Indexed8 {
            write_chunk(out, *b"PLTE", &[header.palette.as_flattened()])?;
        }
        for (keyword, text) in &header.texts {
            write_chunk(out, *b"tEXt", &[keyword.as_bytes(), b"\0", text.as_bytes()])?;
        }
        Ok(Self {
            out,
            adler32: ADLER_EMPTY,
            raw_len: 0,
            raw_len_expected: header.raw_len(),
        })
    }

    /// Writes the next fragment, in the order of the picture's rows.
    pub fn push(&mut self, fragment: &Fragment) -> io::Result<()> {
        let head: &[u8] = if self.raw_len == 0 { &ZLIB_HEADER } else { &[] };
        write_chunk(self.out, *b"IDAT", &[head, &fragment.bytes])?;
        self.adler32 = adler32_combine(self.adler32, fragment.adler32, fragment.raw_len);
        self.raw_len += fragment.raw_len;
        Ok(())
    }

    /// Ends the file; an error if rows are missing or too many.
    pub fn finish(self) -> io::Result<()> {
        if self.raw_len != self.raw_len_expected {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the fragments do not make up the picture",
            ));
        }
        let adler32 = self.adler32.to_be_bytes();
        write_chunk(self.out, *b"IDAT", &[&EMPTY_FINAL_BLOCK, &adler32])?;
        write_chunk(self.out, *b"IEND", &[])
    }
}

fn write_chunk(out: &mut dyn Write, kind: [u8; 4], parts: &[&[u8]]) -> io::Result<()> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let len = i32::try_from(len)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a PNG chunk beyond 2 GiB"))?;
    out.write_all(&len.to_be_bytes())?;
    out.write_all(&kind)?;
    let mut crc = crc32fast::Hasher::new();
    crc.update(&kind);
    for part in parts {
        out.write_all(part)?;
        crc.update(part);
    }
    out.write_all(&crc.finalize().to_be_bytes())
}

/// Adler-32 of two byte strings in a row, from the Adler-32 of each and the length of the second.
///
/// The low half is 1 + the sum of all bytes, the high half the sum of all the low halves on the way. Behind the first
/// string, every one of the second's `len` low halves is larger by the first's low half less the 1 it starts from.
fn adler32_combine(first: u32, second: u32, len: u64) -> u32 {
    let halves = |adler: u32| (u64::from(adler & 0xffff), u64::from(adler >> 16));
    let ((low1, high1), (low2, high2)) = (halves(first), halves(second));
    let carried = low1 + ADLER_MODULUS - 1;
    let low = (carried + low2) % ADLER_MODULUS;
    let high = (high1 + high2 + (len % ADLER_MODULUS) * (carried % ADLER_MODULUS)) % ADLER_MODULUS;
    (high as u32) << 16 | low as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combined_adler32_is_that_of_the_whole() {
        let bytes: Vec<u8> = (0..200_000u32)
            .map(|i| (i ^ (i >> 5)) as u8 | 0xc0)
            .collect();
        let adler = |bytes: &[u8]| simd_adler32::adler32(&bytes);
        for cut in [0, 1, 2, 65_520, 65_521, 65_522, 150_000, bytes.len()] {
            let (head, tail) = bytes.split_at(cut);
            assert_eq!(
                adler32_combine(adler(head), adler(tail), tail.len() as u64),
                adler(&bytes),
                "cut at {cut}"
            );
        }
    }
}
