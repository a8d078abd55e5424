use crate::{colours, encoded};
use faafo_picture::{DecodeError, Decoded, Limits, thumbnail_of};
use png::{BitDepth, ColorType};
use std::io::Cursor;

fn read(file: &[u8]) -> Result<Decoded, DecodeError> {
    thumbnail_of(Cursor::new(file), Limits::default())
}

/// The colours of a valid picture's thumbnail.
fn seen(file: &[u8]) -> Vec<[u8; 3]> {
    colours(&read(file).unwrap().thumbnail).2
}

/// 16 × 16 pixels, interlaced, red growing with x and green with y: made bit by bit, since the `png` crate cannot.
fn interlaced() -> Vec<u8> {
    const PASSES: [(usize, usize, usize, usize); 7] = [
        (0, 8, 0, 8),
        (4, 8, 0, 8),
        (0, 4, 4, 8),
        (2, 4, 0, 4),
        (0, 2, 2, 4),
        (1, 2, 0, 2),
        (0, 1, 1, 2),
    ];
    let mut raw = Vec::new();
    for (x0, dx, y0, dy) in PASSES {
        for y in (y0..16).step_by(dy) {
            raw.push(0);
            for x in (x0..16).step_by(dx) {
                raw.extend([16 * x as u8, 16 * y as u8, 99]);
            }
        }
    }
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(
        &mut file,
        b"IHDR",
        &[0, 0, 0, 16, 0, 0, 0, 16, 8, 2, 0, 0, 1],
    );
    let data = miniz_oxide::deflate::compress_to_vec_zlib(&raw, 6);
    chunk(&mut file, b"IDAT", &data);
    chunk(&mut file, b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    file.extend((data.len() as u32).to_be_bytes());
    file.extend(kind);
    file.extend(data);
    file.extend(crc32fast::hash(&[kind, data].concat()).to_be_bytes());
}

#[test]
fn every_colour_type_and_depth_is_read() {
    use BitDepth::{Eight, Four, One, Sixteen, Two};
    use ColorType::{Grayscale, GrayscaleAlpha, Indexed, Rgb, Rgba};
    let kinds: [(ColorType, &[BitDepth]); 5] = [
        (Grayscale, &[One, Two, Four, Eight, Sixteen]),
        (Indexed, &[Eight]),
        (GrayscaleAlpha, &[Eight, Sixteen]),
        (Rgb, &[Eight, Sixteen]),
        (Rgba, &[Eight, Sixteen]),
    ];
    for (colour, depths) in kinds {
        for &depth in depths {
            let row = (64 * colour.samples() * depth as usize).div_ceil(8);
            let zeros = encoded(64, 5, colour, depth, &vec![0; row * 5]);
            let expected = match colour {
                Indexed => [0, 255, 0],
                GrayscaleAlpha | Rgba => [255; 3],
                Grayscale | Rgb => [0; 3],
            };
            assert_eq!(seen(&zeros), vec![expected; 64 * 5], "{colour:?} {depth:?}");
            let ones = encoded(64, 5, colour, depth, &vec![255; row * 5]);
            let expected = if colour == Indexed {
                [255, 0, 127]
            } else {
                [255; 3]
            };
            assert_eq!(seen(&ones), vec![expected; 64 * 5], "{colour:?} {depth:?}");
        }
    }
}

#[test]
fn transparent_parts_are_shown_on_white() {
    let pixels = [0, 0, 0, 255, 200, 100, 0, 128, 9, 9, 9, 0];
    let file = encoded(3, 1, ColorType::Rgba, BitDepth::Eight, &pixels);
    assert_eq!(seen(&file), [[0, 0, 0], [227, 177, 127], [255, 255, 255]]);
}

#[test]
fn interlaced_pictures_are_read() {
    let expected: Vec<[u8; 3]> = (0..256)
        .map(|i| [i as u8 % 16 * 16, (i / 16) as u8 * 16, 99])
        .collect();
    assert_eq!(seen(&interlaced()), expected);
}

#[test]
fn size_is_the_pictures_and_not_the_thumbnails() {
    let file = encoded(
        1000,
        10,
        ColorType::Grayscale,
        BitDepth::Eight,
        &[7; 10_000],
    );
    let read = read(&file).unwrap();
    assert_eq!((read.width, read.height), (1000, 10));
    let (width, height, pixels) = colours(&read.thumbnail);
    assert_eq!((width, height), (300, 3));
    assert!(pixels.iter().all(|pixel| *pixel == [7; 3]));
}

#[test]
fn a_picture_beyond_the_limits_is_refused() {
    let file = encoded(
        100,
        100,
        ColorType::Grayscale,
        BitDepth::Eight,
        &[0; 10_000],
    );
    let limits = Limits {
        pixels: 9_999,
        ..Limits::default()
    };
    let outcome = thumbnail_of(Cursor::new(&file), limits);
    assert!(matches!(
        outcome,
        Err(DecodeError::TooLarge {
            width: 100,
            height: 100
        })
    ));
    let limits = Limits {
        memory: 100,
        ..Limits::default()
    };
    assert!(thumbnail_of(Cursor::new(&interlaced()), limits).is_err());
}

#[test]
fn a_huge_size_alone_takes_no_memory() {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = [0x7f, 255, 255, 255, 0x7f, 255, 255, 255, 16, 6, 0, 0, 1];
    chunk(&mut file, b"IHDR", &header);
    chunk(&mut file, b"IDAT", &[0x78, 1, 3, 0, 0, 0, 0, 1]);
    chunk(&mut file, b"IEND", &[]);
    let limits = Limits {
        pixels: u64::MAX,
        memory: 1 << 20,
    };
    assert!(thumbnail_of(Cursor::new(&file), limits).is_err());
    header[12] = 0;
    file.splice(16..29, header);
    assert!(thumbnail_of(Cursor::new(&file), limits).is_err());
}

#[test]
fn no_truncation_passes() {
    let mut rng = fastrand::Rng::with_seed(1);
    let pixels: Vec<u8> = (0..3 * 40 * 40).map(|_| rng.u8(..)).collect();
    for file in [
        encoded(40, 40, ColorType::Rgb, BitDepth::Eight, &pixels),
        interlaced(),
    ] {
        assert!(read(&file).is_ok());
        for len in 0..file.len() {
            assert!(read(&file[..len]).is_err(), "{len} of {} bytes", file.len());
        }
    }
}

#[test]
fn no_flipped_bit_passes() {
    let mut rng = fastrand::Rng::with_seed(2);
    let pixels: Vec<u8> = (0..20 * 20).map(|_| rng.u8(..)).collect();
    for file in [
        encoded(20, 20, ColorType::Indexed, BitDepth::Eight, &pixels),
        interlaced(),
    ] {
        for bit in 0..8 * file.len() {
            let mut damaged = file.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&damaged).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn too_little_image_data_is_an_error_even_with_right_checksums() {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut file, b"IHDR", &[0, 0, 0, 9, 0, 0, 0, 9, 8, 0, 0, 0, 0]);
    let data = miniz_oxide::deflate::compress_to_vec_zlib(&[0; 89], 6);
    chunk(&mut file, b"IDAT", &data);
    chunk(&mut file, b"IEND", &[]);
    assert!(read(&file).is_err());
}

#[test]
fn garbage_is_an_error_and_never_a_panic() {
    let mut rng = fastrand::Rng::with_seed(3);
    assert!(read(b"").is_err());
    assert!(read(b"GIF89a and so on").is_err());
    let good = interlaced();
    let limits = Limits {
        pixels: 1 << 20,
        memory: 1 << 24,
    };
    for _ in 0..20_000 {
        let mut file = good.clone();
        for _ in 0..rng.usize(1..12) {
            let place = rng.usize(8..file.len());
            file[place] = rng.u8(..);
        }
        fix_checksums(&mut file);
        // Some of these are valid.
        let _ = thumbnail_of(Cursor::new(&file), limits);
    }
}

/// Makes the CRC of every chunk right again, so that damage gets past it.
fn fix_checksums(file: &mut [u8]) {
    let mut at = 8;
    while let Some(head) = file.get(at..at + 4) {
        let len = head
            .iter()
            .fold(0usize, |len, byte| len << 8 | usize::from(*byte));
        let Some(body) = file.get(at + 4..at + 8 + len) else {
            return;
        };
        let crc = crc32fast::hash(body).to_be_bytes();
        if let Some(place) = file.get_mut(at + 8 + len..at + 12 + len) {
            place.copy_from_slice(&crc);
        }
        at += 12 + len;
    }
}
