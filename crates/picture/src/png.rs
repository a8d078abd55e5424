//! A PNG writer whose image data is made in independent pieces.
//!
//! [`compress_block`] turns a block of whole rows into a [`Fragment`], on any thread or machine; an [`Assembler`]
//! strings the fragments together, one IDAT chunk each, without looking into them. How a picture is cut into blocks
//! ([`rows_per_block`]) follows from its width and format alone, so a file's bytes depend on nothing but its pixels.

mod assemble;
mod block;
mod checksum;
pub(crate) mod chunk;

pub use assemble::{Assembler, head, tail};
pub(crate) use assemble::{ZLIB_HEADER, write_block};
pub use block::{Fragment, Level, compress_block, rows_per_block};
pub use checksum::Checksum;

use std::io;

/// How a pixel is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One byte, an index into the header's palette.
    Indexed8,
    /// Three bytes: red, green, blue.
    Rgb8,
    /// Six bytes: red, green, blue, the more significant byte of each first.
    Rgb16,
}

impl Format {
    /// Bytes of one pixel.
    pub const fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Indexed8 => 1,
            Self::Rgb8 => 3,
            Self::Rgb16 => 6,
        }
    }

    /// Bytes of one row of pixels, without PNG's filter byte.
    pub const fn row_bytes(self, width: u32) -> usize {
        width as usize * self.bytes_per_pixel()
    }
}

/// What precedes the pixels: size, format and palette.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    width: u32,
    height: u32,
    format: Format,
    palette: Vec<[u8; 3]>,
    texts: Vec<(&'static str, String)>,
}

impl Header {
    /// A picture of red, green, blue bytes.
    pub fn rgb(width: u32, height: u32) -> Self {
        Self::new(width, height, Format::Rgb8, &[])
    }

    /// A picture of red, green and blue with 16 bits each.
    pub fn wide_rgb(width: u32, height: u32) -> Self {
        Self::new(width, height, Format::Rgb16, &[])
    }

    /// A picture of indices into `palette`, which holds 1 to 256 colours.
    pub fn indexed(width: u32, height: u32, palette: &[[u8; 3]]) -> Self {
        Self::new(width, height, Format::Indexed8, palette)
    }

    fn new(width: u32, height: u32, format: Format, palette: &[[u8; 3]]) -> Self {
        Self {
            width,
            height,
            format,
            palette: palette.to_vec(),
            texts: Vec::new(),
        }
    }

    /// Columns, in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows, in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// With a text for whoever reads the file. The keyword has at most 79 characters; neither may have others than
    /// printable ASCII.
    #[must_use]
    pub fn with_text(mut self, keyword: &'static str, text: String) -> Self {
        self.texts.push((keyword, text));
        self
    }

    /// How a pixel is stored.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Bytes of the whole image data before compression, filter bytes included.
    fn raw_len(&self) -> u64 {
        u64::from(self.height) * self.raw_row()
    }

    /// Bytes of one row before compression, its filter byte included.
    pub(crate) fn raw_row(&self) -> u64 {
        1 + self.format.row_bytes(self.width) as u64
    }

    fn check(&self) -> io::Result<()> {
        let side = 1..=i32::MAX as u32;
        let colours_fit = match self.format {
            Format::Indexed8 => (1..=256).contains(&self.palette.len()),
            Format::Rgb8 | Format::Rgb16 => true,
        };
        let printable = |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let texts_fit = self.texts.iter().all(|(keyword, text)| {
            (1..=79).contains(&keyword.len()) && printable(keyword) && printable(text)
        });
        if side.contains(&self.width) && side.contains(&self.height) && colours_fit && texts_fit {
            Ok(())
        } else {
            Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "not a PNG's size, palette or text",
            ))
        }
    }
}

/// A whole small picture in one go: `rows` without gaps, top row first.
///
/// # Panics
/// If `rows` is not exactly the header's number of whole rows.
pub fn encode(header: &Header, rows: &[u8], level: Level) -> io::Result<Vec<u8>> {
    let row_bytes = header.format.row_bytes(header.width);
    assert_eq!(rows.len(), row_bytes * header.height as usize);
    let block_bytes = row_bytes * rows_per_block(header.format, header.width) as usize;
    let mut file = Vec::new();
    let mut assembler = Assembler::new(&mut file, header)?;
    for block in rows.chunks(block_bytes.max(1)) {
        assembler.push(&compress_block(header.format, header.width, block, level))?;
    }
    assembler.finish()?;
    Ok(file)
}
