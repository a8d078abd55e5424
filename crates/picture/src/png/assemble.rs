//! Fragments in order, checksums and chunk headers around them: a PNG file as a stream.

use super::chunk::{self, IDAT};
use super::{Checksum, Format, Fragment, Header};
use std::io::{self, Write};

const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
const COLOUR_RGB: u8 = 2;
const COLOUR_INDEXED: u8 = 3;
/// Deflate with a window of 32 KiB, fastest compression, no dictionary.
pub(crate) const ZLIB_HEADER: [u8; 2] = [0x78, 0x01];
/// A final deflate block with nothing in it.
const EMPTY_FINAL_BLOCK: [u8; 2] = [0x03, 0x00];

/// Writes a PNG from fragments, holding none of them.
pub struct Assembler<'w> {
    out: &'w mut dyn Write,
    header: Header,
    raw: Checksum,
}

impl<'w> Assembler<'w> {
    /// Starts the file: signature, header and palette.
    pub fn new(out: &'w mut dyn Write, header: &Header) -> io::Result<Self> {
        out.write_all(&head(header)?)?;
        Ok(Self {
            out,
            header: header.clone(),
            raw: Checksum::default(),
        })
    }

    /// Writes the next fragment, in the order of the picture's rows.
    pub fn push(&mut self, fragment: &Fragment) -> io::Result<()> {
        write_block(self.out, self.raw.len == 0, fragment)?;
        self.raw.append(fragment.checksum());
        Ok(())
    }

    /// Ends the file; an error if rows are missing or too many.
    pub fn finish(self) -> io::Result<()> {
        self.out.write_all(&tail(&self.header, self.raw)?)
    }
}

/// A file's beginning, before its pixels: signature, header, palette and texts.
///
/// # Errors
/// When it is not a PNG's size, palette or text.
pub fn head(header: &Header) -> io::Result<Vec<u8>> {
    header.check()?;
    let mut head = SIGNATURE.to_vec();
    let (depth, colour) = match header.format {
        Format::Indexed8 => (8, COLOUR_INDEXED),
        Format::Rgb8 => (8, COLOUR_RGB),
        Format::Rgb16 => (16, COLOUR_RGB),
    };
    let [w0, w1, w2, w3] = header.width.to_be_bytes();
    let [h0, h1, h2, h3] = header.height.to_be_bytes();
    let ihdr = [w0, w1, w2, w3, h0, h1, h2, h3, depth, colour, 0, 0, 0];
    chunk::write(&mut head, *b"IHDR", &[&ihdr])?;
    if header.format == Format::Indexed8 {
        chunk::write(&mut head, *b"PLTE", &[header.palette.as_flattened()])?;
    }
    for (keyword, text) in &header.texts {
        let parts = [keyword.as_bytes(), b"\0", text.as_bytes()];
        chunk::write(&mut head, *b"tEXt", &parts)?;
    }
    Ok(head)
}

/// Writes a block as the chunk that it is in the file; the one that `begins` the picture has zlib's header before it.
pub(crate) fn write_block(
    out: &mut dyn Write,
    begins: bool,
    fragment: &Fragment,
) -> io::Result<()> {
    let head: &[u8] = if begins { &ZLIB_HEADER } else { &[] };
    chunk::write(out, IDAT, &[head, &fragment.bytes])
}

/// A file's end, behind its pixels, whose raw bytes have this checksum.
///
/// # Errors
/// When those are more or fewer bytes than the picture has.
pub fn tail(header: &Header, raw: Checksum) -> io::Result<Vec<u8>> {
    if raw.len != header.raw_len() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the fragments do not make up the picture",
        ));
    }
    let mut tail = Vec::new();
    let adler32 = raw.adler32.to_be_bytes();
    chunk::write(&mut tail, IDAT, &[&EMPTY_FINAL_BLOCK, &adler32])?;
    chunk::write(&mut tail, *b"IEND", &[])?;
    Ok(tail)
}
