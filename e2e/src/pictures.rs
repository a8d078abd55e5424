//! Pictures: making, measuring and naming them.

use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::io::Cursor;

/// The SHA-256 in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// Decodes a PNG to its end; returns width and height.
#[track_caller]
pub fn decoded_size(png: &[u8]) -> (u32, u32) {
    let mut reader = png::Decoder::new(Cursor::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    reader.finish().unwrap();
    (reader.info().width, reader.info().height)
}

/// Some picture of this size. It can't be compressed: three bytes for each pixel.
pub fn some_png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::Fast);
    let mut random = fastrand::Rng::with_seed(u64::from(width) << 32 | u64::from(height));
    let mut pixels = vec![0; width as usize * height as usize * 3];
    random.fill(&mut pixels);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&pixels).unwrap();
    writer.finish().unwrap();
    bytes
}
