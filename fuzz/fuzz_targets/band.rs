//! What a store may give for the bands of a poster, right but for some bytes: an error, or a picture of the right size.
#![no_main]

use faafo_kernel::{Join, Renderer, Watch};
use faafo_model::{Colours, Format, Formula, Palette, Recipe, View};
use libfuzzer_sys::fuzz_target;
use std::num::NonZeroUsize;
use std::sync::LazyLock;

const WIDTH: u32 = 2000;
const HEIGHT: u32 = 200;

/// Both palettes' recipe and its bands, of rows that are whole blocks.
static PICTURES: LazyLock<[(Recipe, u32, Vec<u8>, Vec<u8>); 2]> =
    LazyLock::new(|| [Palette::Classic, Palette::Aurora].map(rendered));

fn rendered(palette: Palette) -> (Recipe, u32, Vec<u8>, Vec<u8>) {
    let recipe = Recipe {
        formula: Formula::Mandelbrot,
        view: View { xa: -2.0, xb: 1.0, ya: -1.0, yb: 1.0 },
        width: WIDTH,
        height: HEIGHT,
        iterations: 10,
        palette,
        colours: Colours::default(),
        format: Format::Png,
    };
    let renderer = Renderer::new(NonZeroUsize::MIN).expect("a thread");
    let band = |rows| {
        let mut band = Vec::new();
        renderer.render_band(&recipe, rows, &Watch::new(), &mut band).map(|()| band)
    };
    let (cut, first) = (1..HEIGHT)
        .find_map(|cut| Some((cut, band(0..cut).ok()?)))
        .expect("there is more than one block");
    let second = band(cut..HEIGHT).expect("the rest is whole blocks too");
    (recipe, cut, first, second)
}

fuzz_target!(|bytes: &[u8]| {
    let [kind, cut_first, cut_second, edits @ ..] = bytes else {
        return;
    };
    let (recipe, cut, first, second) = &PICTURES[usize::from(kind & 1)];
    let (mut first, mut second) = (first.clone(), second.clone());
    for edit in edits.as_chunks::<4>().0 {
        let band = if edit[0] & 1 == 0 { &mut first } else { &mut second };
        // Most of what matters stands at the beginning and at the end.
        let place = usize::from(u16::from_le_bytes([edit[1], edit[2]])) % band.len();
        let place = if edit[0] & 2 == 0 { place } else { band.len() - 1 - place };
        band[place] ^= edit[3];
    }
    first.truncate(first.len() - usize::from(*cut_first).min(first.len()));
    second.truncate(second.len() - usize::from(*cut_second).min(second.len()));
    let sound = first.len() + second.len();
    let mut picture = Vec::new();
    let mut join = Join::new(recipe, &mut picture).expect("the recipe is sound");
    let watch = Watch::new();
    let joined = join
        .push(0..*cut, &mut &first[..], &watch)
        .and_then(|()| join.push(*cut..HEIGHT, &mut &second[..], &watch));
    if joined.is_ok() {
        let _ = join.finish();
    }
    assert!(picture.len() <= sound + 4096, "{}", picture.len());
});
