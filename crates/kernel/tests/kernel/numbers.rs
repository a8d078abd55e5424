//! The numbers behind a picture: NumPy's file, whole and of bands.

use crate::bands::composed;
use crate::same_bytes::sha256;
use crate::{at_every_level, dragon, endless, renderer};
use faafo_kernel::{JoinNpy, Level, RenderError, Renderer, Watch, npy_len, probe};
use faafo_model::{Colouring, Colours, Format, Formula, Palette, View, recipe::Recipe};
use std::io::{self, Write};
use std::ops::Range;

fn numbers(width: u32, height: u32, iterations: u32) -> Recipe {
    Recipe {
        format: Format::Npy,
        ..dragon(width, height, iterations, Palette::Aurora)
    }
}

fn npy_of(renderer: &Renderer, recipe: &Recipe) -> Vec<u8> {
    let mut file = Vec::new();
    renderer
        .write_npy(recipe, &Watch::new(), &mut file)
        .unwrap();
    file
}

/// Iterations and time of each pixel, row by row, of a file whose header says what it should.
fn read(file: &[u8], recipe: &Recipe) -> Vec<(u32, f32)> {
    assert_eq!(file[..8], *b"\x93NUMPY\x01\x00");
    let header = 10 + usize::from(u16::from_le_bytes([file[8], file[9]]));
    let text = std::str::from_utf8(&file[10..header]).unwrap();
    let shape = format!("'shape': ({}, {})}}", recipe.height, recipe.width);
    assert!(
        text.contains(&shape) && text.ends_with('\n') && header % 64 == 0,
        "{text:?}"
    );
    let (words, rest) = file[header..].as_chunks::<4>();
    assert!(rest.is_empty());
    let (pixels, rest) = words.as_chunks::<2>();
    assert!(rest.is_empty());
    let pixel =
        |[count, time]: &[[u8; 4]; 2]| (u32::from_le_bytes(*count), f32::from_le_bytes(*time));
    pixels.iter().map(pixel).collect()
}

/// The rows of each band when so many share the recipe as evenly as they can.
fn cut(height: u32, bands: u32) -> impl Iterator<Item = Range<u32>> {
    let border = move |band| height * band / bands;
    (0..bands).map(move |band| border(band)..border(band + 1))
}

fn band(renderer: &Renderer, recipe: &Recipe, rows: Range<u32>) -> Vec<u8> {
    let mut band = Vec::new();
    renderer
        .write_npy_band(recipe, rows, &Watch::new(), &mut band)
        .unwrap();
    band
}

#[test]
fn one_three_and_fifty_bands_give_the_numbers_of_the_whole() {
    let renderer = renderer(2);
    let recipe = numbers(2000, 401, 60);
    let whole = npy_of(&renderer, &recipe);
    assert_eq!(whole.len() as u64, npy_len(&recipe));
    for bands in [1, 3, 50] {
        let (mut file, watch) = (Vec::new(), Watch::new());
        let mut join = JoinNpy::new(&recipe, &mut file).unwrap();
        join.begin(&watch);
        let mut files = Vec::new();
        for rows in cut(recipe.height, bands) {
            let band = band(&renderer, &recipe, rows.clone());
            join.push(rows, &mut band.as_slice(), &watch).unwrap();
            files.push(band);
        }
        let frame = join.finish().unwrap();
        assert!(composed(&frame, &files) == file, "{bands} bands");
        assert_eq!(sha256(&file), sha256(&whole), "{bands} bands");
        assert_eq!(watch.progress(), 1.0);
    }
}

/// All machines must agree on it.
#[test]
fn numbers_are_those_of_every_other_machine() {
    let newton = Formula::from_parts("newton", None, []).unwrap();
    let recipes = [
        (
            numbers(160, 120, 512),
            "b39cbaa7f3c1988ddfc9f4547a32766eb6687e6eac91d4ed98d310fb4701fcb9",
        ),
        (
            Recipe {
                formula: newton,
                ..numbers(160, 120, 100)
            },
            "43db5a0f7f25f0b1198c7da330bdaf9667bcf8734a242bb363491e68c6c4fe47",
        ),
    ];
    for threads in [1, 7] {
        for (level, renderer) in at_every_level(threads) {
            for (recipe, expected) in &recipes {
                let seen = sha256(&npy_of(&renderer, recipe));
                assert_eq!(seen, *expected, "{level}, {threads} threads, {recipe:?}");
            }
        }
    }
}

#[test]
fn every_number_is_what_one_orbit_after_the_other_comes_to() {
    let recipe = Recipe {
        formula: Formula::Mandelbrot,
        view: View::rectangle(-2.5, 1.1, -1.35, 1.35),
        ..numbers(173, 129, 300)
    };
    let along = |pixel: usize, pixels: u32, a: f64, b: f64| {
        pixel as f64 * (b - a) / f64::from(pixels - 1) + a
    };
    let file = npy_of(&renderer(2), &recipe);
    let [xa, xb, ya, yb] = recipe.view.edges();
    for (index, (count, time)) in read(&file, &recipe).into_iter().enumerate() {
        let (x, y) = (index % 173, index / 173);
        let c = (along(x, 173, xa, xb), along(y, 129, ya, yb));
        let (mut z, mut expected) = ((0.0, 0.0), 0);
        let step = |z: (f64, f64)| {
            let cross = z.0 * z.1;
            (z.0 * z.0 - z.1 * z.1 + c.0, cross + cross + c.1)
        };
        while expected < 300 && z.0 * z.0 + z.1 * z.1 <= 4.0 {
            z = step(z);
            expected += 1;
        }
        assert_eq!(count, expected, "{x}, {y}");
        // The continuous time of an orbit that is followed until it is far out.
        let far = (0..4).fold((z, f64::from(count)), |(z, time), _| {
            let is_near = z.0 * z.0 + z.1 * z.1 < 1e8;
            if is_near {
                (step(z), time + 1.0)
            } else {
                (z, time)
            }
        });
        let (z, steps) = far;
        let known = steps - (0.5 * (z.0 * z.0 + z.1 * z.1).log2()).log2();
        match count {
            300 => assert!(time.is_nan(), "{x}, {y}: {time}"),
            _ => assert!(
                (f64::from(time) - known).abs() < 0.05,
                "{x}, {y}: {time}, {known}"
            ),
        }
    }
}

#[test]
fn what_is_said_about_colours_makes_no_difference() {
    let renderer = renderer(2);
    let plain = numbers(300, 200, 100);
    let coloured = Recipe {
        palette: Palette::Magma,
        colours: Colours {
            colouring: Some(Colouring::Histogram),
            supersampling: 4,
            adaptive: true,
            depth: 16,
            ..Colours::default()
        },
        ..plain.clone()
    };
    assert!(npy_of(&renderer, &plain) == npy_of(&renderer, &coloured));
}

#[test]
fn bands_that_are_missing_or_of_other_rows_make_no_file() {
    let (renderer, recipe) = (renderer(1), numbers(100, 30, 20));
    let first = band(&renderer, &recipe, 0..10);
    let watch = Watch::new();
    let push = |rows, bytes: &[u8]| {
        let mut out = io::sink();
        let mut join = JoinNpy::new(&recipe, &mut out).unwrap();
        join.push(rows, &mut &bytes[..], &watch)?;
        join.finish()
    };
    let longer = [first.as_slice(), &[0]].concat();
    for (rows, bytes) in [
        (0..10, &first[..]),
        (0..10, &first[1..]),
        (0..10, &longer),
        (0..10, &[]),
        (0..9, &first),
        (0..30, &first),
    ] {
        let result = push(rows.clone(), bytes);
        let kind = match result {
            Err(RenderError::Io(error)) => error.kind(),
            other => panic!("{rows:?}, {} bytes: {other:?}", bytes.len()),
        };
        assert!(
            [io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof].contains(&kind),
            "{kind:?}"
        );
    }
    for rows in [10..20, 0..31] {
        let result = push(rows, &first);
        assert!(matches!(result, Err(RenderError::Recipe(_))));
    }
    for rows in [0..31, 5..5, 30..40] {
        let result = renderer.write_npy_band(&recipe, rows, &Watch::new(), &mut io::sink());
        assert!(matches!(result, Err(RenderError::Recipe(_))));
    }
}

#[test]
fn numbers_tell_how_far_they_are_and_stop_when_told() {
    let (renderer, watch) = (renderer(1), Watch::new());
    let aside = watch.aside();
    renderer
        .write_npy(&numbers(300, 200, 50), &watch, &mut io::sink())
        .unwrap();
    assert_eq!((watch.progress(), aside.progress()), (1.0, 0.0));
    watch.cancel();
    assert!(aside.is_cancelled());
    let result = renderer.write_npy(&endless(900, 900), &aside, &mut io::sink());
    assert!(matches!(result, Err(RenderError::Cancelled)));
}

/// Takes nothing.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_fails_ends_them() {
    let renderer = renderer(2);
    let result = renderer.write_npy_band(&numbers(300, 200, 50), 0..200, &Watch::new(), &mut Full);
    assert!(matches!(result, Err(RenderError::Io(_))));
}

#[test]
fn a_probe_knows_how_many_bytes_they_are() {
    let recipe = numbers(3000, 2000, 100);
    let clock = || 0.0;
    let found = probe(Level::best(), &recipe, 0.1, &clock, &Watch::new()).unwrap();
    assert_eq!(found.bytes(), npy_len(&recipe));
    let rows: u32 = found.cuts(1_000_000).iter().map(|cut| cut.rows).sum();
    assert_eq!(rows, 2000);
}
