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
        view: View::rectangle(-2.0, 1.0, -1.0, 1.0),
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

/// Gives every chunk the CRC that its bytes have now, so that what they say is looked at and not only that it changed.
fn mend(mut band: &mut [u8]) {
    while let Some((length, rest)) = band.split_first_chunk_mut() {
        let length = u32::from_be_bytes(*length) as usize;
        if rest.len() < length.saturating_add(8) {
            return;
        }
        let (checked, rest) = rest.split_at_mut(4 + length);
        let (crc, rest) = rest.split_at_mut(4);
        crc.copy_from_slice(&crc32fast::hash(checked).to_be_bytes());
        band = rest;
    }
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
    if kind & 2 == 0 {
        mend(&mut first);
        mend(&mut second);
    }
    first.truncate(first.len() - usize::from(*cut_first).min(first.len()));
    second.truncate(second.len() - usize::from(*cut_second).min(second.len()));
    let sound = first.len() + second.len();
    let mut picture = Vec::new();
    let mut join = Join::new(recipe, &mut picture).expect("the recipe is sound");
    let watch = Watch::new();
    let pushed = join
        .push(0..*cut, &mut &first[..], &watch)
        .and_then(|()| join.push(*cut..HEIGHT, &mut &second[..], &watch));
    let joined = pushed.and_then(|()| join.finish());
    if let Ok((frame, _)) = joined {
        // A store that only copies makes the same of them.
        let copies = [&first, &second].into_iter().zip(&frame.copied);
        let copies: Vec<_> = copies.map(|(band, len)| &band[..*len as usize]).collect();
        let composed = [&frame.head[..], &copies.concat(), &frame.tail].concat();
        assert!(composed == picture);
    }
    assert!(picture.len() <= sound + 4096, "{}", picture.len());
});
