use faafo_picture::band::{BandReader, BandWriter};
use faafo_picture::png::{
    self, Assembler, Checksum, Fragment, Header, Level, compress_block, rows_per_block,
};
use faafo_picture::thumbnail::{Downscaler, Scale, Strip};
use std::ops::Range;
use std::sync::Arc;

const WIDTH: u32 = 4000;
const HEIGHT: u32 = 300;

fn header() -> Header {
    Header::rgb(WIDTH, HEIGHT)
}

fn scale() -> Arc<Scale> {
    Arc::new(Scale::new(WIDTH, HEIGHT, 300))
}

fn pixel(x: usize, y: u32) -> [u8; 3] {
    [(x / 5) as u8, y as u8, (x as u32 * y) as u8]
}

/// The block of these rows and its share of the thumbnail.
fn block(rows: Range<u32>) -> (Fragment, Strip) {
    let mut strip = Strip::new(&scale());
    let mut pixels = Vec::new();
    for y in rows {
        pixels.extend((0..WIDTH as usize).flat_map(|x| pixel(x, y)));
        strip.add_row(y, |x| pixel(x, y));
    }
    let fragment = compress_block(header().format(), WIDTH, &pixels, Level::Fast);
    (fragment, strip)
}

fn blocks(rows: Range<u32>) -> impl Iterator<Item = Range<u32>> {
    let step = rows_per_block(header().format(), WIDTH);
    let firsts = rows.clone().step_by(step as usize);
    firsts.map(move |first| first..rows.end.min(first + step))
}

fn band(rows: Range<u32>) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = BandWriter::new(&mut file, &scale(), rows.start);
    for rows in blocks(rows) {
        let (fragment, strip) = block(rows);
        writer.push(&fragment, &strip).unwrap();
    }
    writer.finish().unwrap();
    file
}

/// What a band has of the picture's file, the checksum of its raw rows and its share of the thumbnail.
fn read(mut file: &[u8], rows: Range<u32>) -> std::io::Result<(Vec<u8>, Checksum, Strip)> {
    let height = rows.len();
    let mut reader = BandReader::new(&mut file, &header(), rows);
    let (mut chunks, mut read) = (Vec::new(), 0);
    while let Some(chunk) = reader.next_chunk()? {
        chunks.extend(chunk.bytes);
        read += chunk.rows as usize;
    }
    assert_eq!(read, height);
    let (checksum, strip) = reader.finish(&scale())?;
    Ok((chunks, checksum, strip))
}

#[test]
fn a_picture_joined_from_bands_is_the_picture_and_so_is_its_thumbnail() {
    let (mut whole, mut small) = (Vec::new(), Downscaler::with_scale(&scale()));
    let mut assembler = Assembler::new(&mut whole, &header()).unwrap();
    for rows in blocks(0..HEIGHT) {
        let (fragment, strip) = block(rows);
        assembler.push(&fragment).unwrap();
        small.add(&strip);
    }
    assembler.finish().unwrap();
    let small = small.finish().unwrap();
    let step = rows_per_block(header().format(), WIDTH);
    for blocks_per_band in [1, 3, 1000] {
        let mut joined = png::head(&header()).unwrap();
        let mut downscaler = Downscaler::with_scale(&scale());
        let mut checksum = Checksum::default();
        for first in (0..HEIGHT).step_by((step * blocks_per_band) as usize) {
            let rows = first..HEIGHT.min(first + step * blocks_per_band);
            let band = band(rows.clone());
            let (chunks, raw, strip) = read(&band, rows).unwrap();
            assert!(band.starts_with(&chunks), "the picture's bytes come first");
            joined.extend(chunks);
            checksum.append(raw);
            downscaler.add(&strip);
        }
        joined.extend(png::tail(&header(), checksum).unwrap());
        assert!(joined == whole, "{blocks_per_band} blocks a band");
        assert!(downscaler.finish().unwrap() == small);
    }
}

#[test]
fn what_is_no_band_of_these_rows_is_an_error_and_takes_no_memory() {
    let rows = 0..50;
    let good = band(rows.clone());
    assert!(read(&good, rows.clone()).is_ok());
    assert!(read(&good, 0..60).is_err(), "rows are missing");
    assert!(read(&good, 0..20).is_err(), "too many rows");
    assert!(read(&band(50..100), rows.clone()).is_err(), "no beginning");
    for end in [0, 7, 8, 11, 100, good.len() - 1] {
        assert!(read(&good[..end], rows.clone()).is_err(), "cut at {end}");
    }
    let mut huge = good.clone();
    huge[..4].fill(0xff);
    assert!(read(&huge, rows.clone()).is_err());
    // No byte goes unseen, wherever it stands.
    let mut random = fastrand::Rng::with_seed(4);
    for _ in 0..2000 {
        let mut bad = good.clone();
        let place = random.usize(..good.len());
        bad[place] ^= random.u8(1..);
        assert!(read(&bad, rows.clone()).is_err(), "byte {place}");
    }
}

/// A band whose last chunk holds these bytes more or less, with a CRC that fits.
fn with_rest(rows: Range<u32>, edit: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let good = band(rows.clone());
    let (chunks, ..) = read(&good, rows).unwrap();
    let mut rest = good[chunks.len() + 4..good.len() - 4].to_vec();
    edit(&mut rest);
    let length = (rest.len() as u32 - 4).to_be_bytes();
    let crc = crc32fast::hash(&rest).to_be_bytes();
    [&chunks, &length[..], &rest, &crc].concat()
}

#[test]
fn sums_that_would_overflow_or_go_on_or_end_early_are_refused() {
    let rows = 0..50;
    let read = |band: Vec<u8>| read(&band, 0..50);
    assert!(read(with_rest(rows.clone(), |_| ())).is_ok());
    let bright = |rest: &mut Vec<u8>| {
        let end = rest.len();
        rest[end - 8..].fill(0xff);
    };
    assert!(read(with_rest(rows.clone(), bright)).is_err());
    assert!(read(with_rest(rows.clone(), |rest| rest.push(0))).is_err());
    assert!(read(with_rest(rows.clone(), |rest| rest.truncate(100))).is_err());
    assert!(read(with_rest(rows, |rest| rest.truncate(6))).is_err());
}
