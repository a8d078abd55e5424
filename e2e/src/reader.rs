//! Reads a PNG of any size as a stream, without the project's own code: every chunk's CRC, the deflate stream with its
//! Adler-32, and each row of pixels. Written after the PNG specification (third edition, 5 and 9).

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush, MZStatus};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::io::Read;

/// What a picture says of itself, and what was found.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bytes of the file.
    pub size: u64,
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: String,
}

/// Reads a picture to its end and hands over its rows with their numbers, each pixel as red, green and blue. Fails for
/// whatever is not as it must be.
#[track_caller]
pub fn read(input: &mut impl Read, mut row: impl FnMut(u32, &dyn Fn(usize) -> [u8; 3])) -> Seen {
    let mut input = Hashed {
        input,
        hasher: Sha256::new(),
        size: 0,
    };
    let mut signature = [0; 8];
    input.read_exact(&mut signature).unwrap();
    assert_eq!(&signature, b"\x89PNG\r\n\x1a\n");
    let (kind, header) = chunk(&mut input);
    assert_eq!((&kind, header.len()), (b"IHDR", 13));
    let number = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap());
    let (width, height) = (number(&header[..4]), number(&header[4..8]));
    assert_eq!((header[8], &header[10..]), (8, &[0, 0, 0][..]));
    let bytes_per_pixel = match header[9] {
        2 => 3,
        3 => 1,
        other => panic!("colour type {other}"),
    };
    let mut palette: Vec<[u8; 3]> = Vec::new();
    let mut rows = Rows {
        buffer: Vec::new(),
        row_bytes: 1 + width as usize * bytes_per_pixel,
        number: 0,
    };
    let mut state = InflateState::new_boxed(DataFormat::Zlib);
    let mut ended = false;
    let mut inflated = vec![0; 1 << 18];
    loop {
        let (kind, bytes) = chunk(&mut input);
        match &kind {
            b"PLTE" => palette = bytes.as_chunks::<3>().0.to_vec(),
            b"IDAT" => {
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    assert!(!ended, "data behind its end");
                    let step = inflate(&mut state, rest, &mut inflated, MZFlush::None);
                    rest = &rest[step.bytes_consumed..];
                    ended = step.status.unwrap() == MZStatus::StreamEnd;
                    let found = &inflated[..step.bytes_written];
                    rows.add(found, |number, pixels| {
                        assert_eq!(pixels[0], 0, "row {number} is filtered");
                        let pixel = |x: usize| match bytes_per_pixel {
                            1 => palette[usize::from(pixels[1 + x])],
                            _ => [pixels[1 + 3 * x], pixels[2 + 3 * x], pixels[3 + 3 * x]],
                        };
                        row(number, &pixel);
                    });
                }
            }
            b"IEND" => break,
            // Text and the like.
            other => assert!(other[0].is_ascii_lowercase(), "{other:?}"),
        }
    }
    assert!(ended, "the data do not end");
    assert_eq!((rows.number, rows.buffer.len()), (height, 0));
    assert_eq!(input.read(&mut [0]).unwrap(), 0, "bytes behind the end");
    let mut sha256 = String::new();
    for byte in input.hasher.finalize() {
        write!(sha256, "{byte:02x}").unwrap();
    }
    Seen {
        width,
        height,
        size: input.size,
        sha256,
    }
}

/// The next chunk, whose CRC is right.
fn chunk(input: &mut impl Read) -> ([u8; 4], Vec<u8>) {
    let (mut length, mut kind, mut crc) = ([0; 4], [0; 4], [0; 4]);
    input.read_exact(&mut length).unwrap();
    input.read_exact(&mut kind).unwrap();
    let mut bytes = vec![0; u32::from_be_bytes(length) as usize];
    input.read_exact(&mut bytes).unwrap();
    input.read_exact(&mut crc).unwrap();
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&kind);
    hasher.update(&bytes);
    assert_eq!(hasher.finalize().to_be_bytes(), crc, "{kind:?}");
    (kind, bytes)
}

/// Gathers bytes to rows.
struct Rows {
    buffer: Vec<u8>,
    row_bytes: usize,
    number: u32,
}

impl Rows {
    fn add(&mut self, bytes: &[u8], mut row: impl FnMut(u32, &[u8])) {
        self.buffer.extend_from_slice(bytes);
        let whole = self.buffer.len() / self.row_bytes * self.row_bytes;
        for pixels in self.buffer[..whole].chunks_exact(self.row_bytes) {
            row(self.number, pixels);
            self.number += 1;
        }
        self.buffer.drain(..whole);
    }
}

struct Hashed<'r, R> {
    input: &'r mut R,
    hasher: Sha256,
    size: u64,
}

impl<R: Read> Read for Hashed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.input.read(buffer)?;
        self.hasher.update(&buffer[..length]);
        self.size += length as u64;
        Ok(length)
    }
}
