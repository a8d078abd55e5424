use crate::{colours, decoded};
use faafo_picture::png::{
    Assembler, Format, Header, Level, compress_block, encode, rows_per_block,
};

/// Pixels with some order and some noise.
fn pixels(len: usize) -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(len as u64);
    let noisy = |i: usize| (i / 700).is_multiple_of(3);
    (0..len)
        .map(|i| if noisy(i) { rng.u8(..) } else { (i / 50) as u8 })
        .collect()
}

fn assert_rgb_survives(width: u32, height: u32) {
    let rows = pixels(3 * width as usize * height as usize);
    let file = encode(&Header::rgb(width, height), &rows, Level::Fast).unwrap();
    let seen = decoded(&file, png::Transformations::IDENTITY);
    assert_eq!((seen.0, seen.1), (width, height));
    assert!(seen.2 == rows, "{width} × {height} differ");
}

#[test]
fn pictures_of_every_shape_survive() {
    for (width, height) in [
        (1, 1),
        (1, 1000),
        (1000, 1),
        (2, 3),
        (301, 299),
        (1024, 1024),
    ] {
        assert_rgb_survives(width, height);
    }
}

#[test]
fn pictures_around_a_block_boundary_survive() {
    for width in [7, 640, 1023] {
        let rows = rows_per_block(Format::Rgb8, width);
        for height in [rows - 1, rows, rows + 1, 2 * rows, 2 * rows + 1] {
            assert_rgb_survives(width, height);
        }
    }
}

#[test]
fn a_row_larger_than_a_block_survives() {
    assert_eq!(rows_per_block(Format::Rgb8, 1_000_000), 1);
    assert_rgb_survives(1_000_000, 3);
}

#[test]
fn indices_survive_with_their_palette() {
    for colours_used in [1, 2, 32, 256] {
        let palette: Vec<[u8; 3]> = (0..colours_used)
            .map(|i| [i as u8, 7, 255 - i as u8])
            .collect();
        let rows: Vec<u8> = pixels(1500 * 333)
            .into_iter()
            .map(|byte| (usize::from(byte) % colours_used) as u8)
            .collect();
        let file = encode(&Header::indexed(1500, 333, &palette), &rows, Level::Fast).unwrap();
        let seen = decoded(&file, png::Transformations::IDENTITY);
        assert!(seen.2 == rows);
        let expanded = rows.iter().map(|&index| palette[usize::from(index)]);
        assert!(colours(&file).2.into_iter().eq(expanded));
    }
}

#[test]
fn sixteen_bits_and_texts_survive() {
    let rows = pixels(6 * 301 * 211);
    let header = Header::wide_rgb(301, 211).with_text("Recipe", "{\"kind\": 1}".to_owned());
    let file = encode(&header, &rows, Level::Fast).unwrap();
    let seen = decoded(&file, png::Transformations::IDENTITY);
    assert_eq!((seen.0, seen.1), (301, 211));
    assert!(seen.2 == rows);
    let reader = png::Decoder::new(std::io::Cursor::new(&file)).read_info();
    let reader = reader.unwrap();
    assert_eq!(reader.info().bit_depth, png::BitDepth::Sixteen);
    let texts = &reader.info().uncompressed_latin1_text;
    assert_eq!(texts.len(), 1);
    assert_eq!(
        (texts[0].keyword.as_str(), texts[0].text.as_str()),
        ("Recipe", "{\"kind\": 1}")
    );
}

#[test]
fn fragments_know_nothing_of_each_other() {
    // Twice the same block: no back reference from the second into the first.
    let rows = pixels(3 * 100 * 50);
    let first = compress_block(Format::Rgb8, 100, &rows, Level::Fast);
    let second = compress_block(Format::Rgb8, 100, &rows, Level::Fast);
    assert_eq!(first, second);
    let mut file = Vec::new();
    let mut assembler = Assembler::new(&mut file, &Header::rgb(100, 100)).unwrap();
    assembler.push(&first).unwrap();
    assembler.push(&second).unwrap();
    assembler.finish().unwrap();
    let seen = decoded(&file, png::Transformations::IDENTITY);
    assert!(seen.2 == [rows.clone(), rows].concat());
}

#[test]
fn what_a_thread_compressed_before_makes_no_difference() {
    let (rows, others) = (pixels(100 * 50), pixels(3 * 100 * 40));
    let compress = |rows: &[u8]| compress_block(Format::Indexed8, 100, rows, Level::Fast);
    let first = compress(&rows);
    compress(&others);
    let second = compress(&rows);
    compress_block(Format::Rgb8, 100, &others, Level::Small);
    let third = compress(&rows);
    let elsewhere = std::thread::spawn(move || compress(&rows)).join().unwrap();
    assert!(first == second && first == third && first == elsewhere);
}

#[test]
fn missing_rows_are_an_error() {
    let mut file = Vec::new();
    let mut assembler = Assembler::new(&mut file, &Header::rgb(10, 3)).unwrap();
    let block = compress_block(Format::Rgb8, 10, &[0; 60], Level::Fast);
    assembler.push(&block).unwrap();
    assert!(assembler.finish().is_err());
}

#[test]
fn impossible_headers_are_an_error() {
    let mut file = Vec::new();
    for header in [
        Header::rgb(0, 1),
        Header::rgb(1, 1 << 31),
        Header::indexed(1, 1, &[]),
        Header::indexed(1, 1, &[[0; 3]; 257]),
        Header::rgb(1, 1).with_text("", "no keyword".into()),
        Header::rgb(1, 1).with_text("Umlaut", "ä".into()),
        Header::rgb(1, 1).with_text("Line", "a\nb".into()),
    ] {
        assert!(Assembler::new(&mut file, &header).is_err());
    }
    assert!(file.is_empty());
}

#[test]
fn blocks_fill_their_size_and_no_more() {
    for width in [1, 17, 4096, 9999, 40_000] {
        for format in [Format::Indexed8, Format::Rgb8, Format::Rgb16] {
            let row = 1 + format.row_bytes(width);
            let rows = rows_per_block(format, width) as usize;
            if row > 128 * 1024 {
                assert_eq!(rows, 1);
                continue;
            }
            assert!(rows * row <= 128 * 1024 && (rows + 1) * row > 128 * 1024);
        }
    }
}
