//! Written by us, read by another: PNGs, thumbnails, and pictures of doubtful origin.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bands;
mod decode;
mod png_writer;
mod thumbnails;

use png::{BitDepth, ColorType};

/// A PNG's size and its pixels, as the `png` crate decodes it.
pub fn decoded(file: &[u8], transformations: png::Transformations) -> (u32, u32, Vec<u8>) {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
    decoder.ignore_checksums(false);
    decoder.set_transformations(transformations);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    reader.finish().unwrap();
    (info.width, info.height, pixels)
}

/// Colours of a PNG.
pub fn colours(file: &[u8]) -> (u32, u32, Vec<[u8; 3]>) {
    let (width, height, pixels) = decoded(file, png::Transformations::EXPAND);
    (width, height, pixels.as_chunks::<3>().0.to_vec())
}

/// A PNG as the `png` crate writes it.
pub fn encoded(
    width: u32,
    height: u32,
    colour: ColorType,
    depth: BitDepth,
    data: &[u8],
) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    if colour == ColorType::Indexed {
        encoder.set_palette(
            (0..=255u8)
                .flat_map(|i| [i, 255 - i, i / 2])
                .collect::<Vec<_>>(),
        );
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(data).unwrap();
    writer.finish().unwrap();
    file
}
