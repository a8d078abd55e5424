//! Bands of a picture, rendered apart and joined.

use crate::{dragon, endless, png_of, renderer};
use faafo_kernel::measure::Blocks;
use faafo_kernel::{Frame, Join, Level, RenderError, Renderer, Watch, probe};
use faafo_model::{Colouring, Colours, Palette, recipe::Recipe};
use faafo_picture::png::{Format, rows_per_block};
use rustix::time::{ClockId, clock_gettime};
use std::cell::Cell;
use std::ops::Range;

/// The rows of each band when so many share the picture.
fn cut(height: u32, rows_per_block: u32, bands: u32) -> Vec<Range<u32>> {
    let blocks = height.div_ceil(rows_per_block);
    let border = |band: u32| height.min(blocks * band / bands * rows_per_block);
    (0..bands)
        .map(|band| border(band)..border(band + 1))
        .collect()
}

fn joined(renderer: &Renderer, recipe: &Recipe, bands: &[Range<u32>]) -> (Vec<u8>, Vec<u8>) {
    let (mut file, mut files) = (Vec::new(), Vec::new());
    let mut join = Join::new(recipe, &mut file).unwrap();
    for rows in bands {
        let mut band = Vec::new();
        renderer
            .render_band(recipe, rows.clone(), &Watch::new(), &mut band)
            .unwrap();
        join.push(rows.clone(), &mut band.as_slice(), &Watch::new())
            .unwrap();
        files.push(band);
    }
    let (frame, rendered) = join.finish().unwrap();
    assert!(composed(&frame, &files) == file, "{} bands", bands.len());
    (file, rendered.thumbnail().unwrap())
}

/// The file as a store makes it that only copies.
pub(super) fn composed(frame: &Frame, bands: &[Vec<u8>]) -> Vec<u8> {
    let copied = frame.copied.iter().map(|len| *len as usize);
    let copies = bands.iter().zip(copied).map(|(band, len)| &band[..len]);
    let copies: Vec<_> = copies.collect();
    [&frame.head, &copies.concat(), &frame.tail]
        .map(|part| part.as_slice())
        .concat()
}

#[test]
fn one_three_and_fifty_bands_give_the_bytes_of_the_whole() {
    let renderer = renderer(2);
    for (palette, format) in [
        (Palette::Aurora, Format::Rgb8),
        (Palette::Classic, Format::Indexed8),
    ] {
        let recipe = dragon(9000, 801, 60, palette);
        let whole = png_of(&renderer, &recipe);
        for bands in [1, 3, 50] {
            let bands = cut(recipe.height, rows_per_block(format, recipe.width), bands);
            assert!(
                joined(&renderer, &recipe, &bands) == whole,
                "{palette:?}, {} bands",
                bands.len()
            );
        }
    }
}

#[test]
fn bands_do_not_show_in_any_colouring() {
    let renderer = renderer(2);
    for (number, colouring) in Colouring::ALL.into_iter().enumerate() {
        let (depth, format) = [(8, Format::Rgb8), (16, Format::Rgb16)][number % 2];
        let mut recipe = dragon(1200, 300, 60, Palette::Magma);
        recipe.colours = Colours {
            colouring: Some(colouring),
            supersampling: 3,
            adaptive: true,
            depth,
            ..Colours::default()
        };
        let whole = png_of(&renderer, &recipe);
        let bands = cut(recipe.height, rows_per_block(format, recipe.width), 3);
        assert!(joined(&renderer, &recipe, &bands) == whole, "{colouring:?}");
    }
}

#[test]
fn rows_that_are_no_whole_blocks_make_no_band() {
    let (renderer, recipe) = (renderer(1), dragon(9000, 101, 20, Palette::Classic));
    let block = rows_per_block(Format::Indexed8, 9000);
    let (middle, high) = (block / 2, block * 100);
    for (start, end) in [
        (1, block),
        (0, middle),
        (block, block),
        (0, 102),
        (high, high + block),
        (block, 0),
    ] {
        let result = renderer.render_band(&recipe, start..end, &Watch::new(), &mut Vec::new());
        assert!(
            matches!(result, Err(RenderError::Recipe(_))),
            "{start}..{end}"
        );
    }
    assert!(
        renderer
            .render_band(&recipe, 0..block, &Watch::new(), &mut Vec::new())
            .is_ok()
    );
}

#[test]
fn bands_that_are_missing_or_out_of_order_make_no_picture() {
    let (renderer, recipe) = (renderer(1), dragon(9000, 101, 20, Palette::Classic));
    let block = rows_per_block(Format::Indexed8, 9000);
    let mut band = Vec::new();
    renderer
        .render_band(&recipe, 0..block, &Watch::new(), &mut band)
        .unwrap();
    let mut file = Vec::new();
    let mut join = Join::new(&recipe, &mut file).unwrap();
    assert!(
        join.push(block..2 * block, &mut band.as_slice(), &Watch::new())
            .is_err()
    );
    join.push(0..block, &mut band.as_slice(), &Watch::new())
        .unwrap();
    assert!(join.finish().is_err());
}

#[test]
fn a_band_tells_how_far_it_is_and_stops_when_told() {
    let (renderer, watch) = (renderer(1), Watch::new());
    let recipe = dragon(9000, 101, 20, Palette::Classic);
    renderer
        .render_band(&recipe, 0..101, &watch, &mut Vec::new())
        .unwrap();
    assert_eq!(watch.progress(), 1.0);
    watch.cancel();
    let result = renderer.render_band(&endless(9000, 101), 0..101, &watch, &mut Vec::new());
    assert!(matches!(result, Err(RenderError::Cancelled)));
}

/// Seconds that this thread has worked, whoever else uses the machine.
fn worked() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

#[test]
fn a_probe_guesses_seconds_and_bytes_within_reason() {
    for palette in Palette::FIRST.into_iter().chain([Palette::Viridis]) {
        let recipe = dragon(3000, 2000, 500, palette);
        let guess = probe(Level::best(), &recipe, 0.5, &worked, &Watch::new()).unwrap();
        let begun = worked();
        let compressed = Blocks::new(Level::best(), &recipe, &Watch::new())
            .unwrap()
            .compress();
        let (seconds, bytes) = (
            guess.seconds() / (worked() - begun),
            guess.bytes() as f64 / compressed as f64,
        );
        eprintln!("{palette:?}: {seconds:.2} of the time, {bytes:.2} of the bytes");
        assert!((0.1..10.0).contains(&seconds), "{seconds}");
        assert!((0.5..2.0).contains(&bytes), "{bytes}");
    }
}

#[test]
fn a_probe_keeps_to_its_budget_however_deep_the_picture() {
    let ticks = Cell::new(0.0);
    // A clock that finds everything slow.
    let clock = || {
        ticks.set(ticks.get() + 1.0);
        ticks.get()
    };
    let recipe = dragon(20_000, 20_000, 100, Palette::Aurora);
    let guess = probe(Level::best(), &recipe, 1.0, &clock, &Watch::new()).unwrap();
    assert!(ticks.get() < 100.0);
    assert!(guess.seconds() > 1e6);
    let watch = Watch::new();
    watch.cancel();
    let result = probe(Level::best(), &recipe, 1.0, &clock, &watch);
    assert!(matches!(result, Err(RenderError::Cancelled)));
}
