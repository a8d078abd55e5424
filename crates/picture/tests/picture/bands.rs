use faafo_picture::band::{BandReader, BandWriter};
use faafo_picture::png::{Assembler, Fragment, Header, Level, compress_block, rows_per_block};
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
    let mut writer = BandWriter::new(&mut file, &scale()).unwrap();
    for rows in blocks(rows) {
        let (fragment, strip) = block(rows);
        writer.push(&fragment, &strip).unwrap();
    }
    writer.finish().unwrap();
    file
}

fn read(mut file: &[u8], rows: Range<u32>) -> std::io::Result<(Vec<Fragment>, Strip)> {
    let mut reader = BandReader::new(&mut file, &header(), rows)?;
    let mut fragments = Vec::new();
    while let Some(fragment) = reader.next_block()? {
        fragments.push(fragment);
    }
    Ok((fragments, reader.strip(&scale())?))
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
        let (mut joined, mut downscaler) = (Vec::new(), Downscaler::with_scale(&scale()));
        let mut assembler = Assembler::new(&mut joined, &header()).unwrap();
        for first in (0..HEIGHT).step_by((step * blocks_per_band) as usize) {
            let rows = first..HEIGHT.min(first + step * blocks_per_band);
            let (fragments, strip) = read(&band(rows.clone()), rows).unwrap();
            for fragment in &fragments {
                assembler.push(fragment).unwrap();
            }
            downscaler.add(&strip);
        }
        assembler.finish().unwrap();
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
    for end in [0, 7, 8, 11, 100, good.len() - 1] {
        assert!(read(&good[..end], rows.clone()).is_err(), "cut at {end}");
    }
    let mut huge = good.clone();
    huge[8..12].fill(0xff);
    assert!(read(&huge, rows.clone()).is_err());
    // Whatever bytes there are, reading them ends.
    let mut random = fastrand::Rng::with_seed(4);
    for _ in 0..2000 {
        let mut bad = good.clone();
        let place = match random.bool() {
            true => random.usize(..40),
            false => random.usize(good.len() - 4000..good.len()),
        };
        bad[place] = random.u8(..);
        let _ = read(&bad, rows.clone());
    }
}

#[test]
fn sums_that_would_overflow_are_refused() {
    let rows = 0..50;
    let mut bad = band(rows.clone());
    let end = bad.len();
    bad[end - 8..].fill(0xff);
    assert!(read(&bad, rows).is_err());
}
