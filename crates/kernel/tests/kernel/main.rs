//! The kernel from outside: recipes in, PNG out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bands;
mod colours;
mod formulas;
mod golden;
mod numbers;
#[path = "../../src/promised.rs"]
mod promised;
mod rotation;
mod running;
mod same_bytes;

use faafo_kernel::{Level, Renderer, Watch};
use faafo_model::{Colours, Format, Formula, Palette, View, recipe::Recipe};
use std::num::NonZeroUsize;

/// A renderer with that many threads.
pub fn renderer(threads: usize) -> Renderer {
    Renderer::new(NonZeroUsize::new(threads).unwrap()).unwrap()
}

/// A renderer with that many threads for each level of this machine.
pub fn at_every_level(threads: usize) -> Vec<(Level, Renderer)> {
    let threads = NonZeroUsize::new(threads).unwrap();
    let renderer = |level| (level, Renderer::at_level(threads, level).unwrap());
    promised::levels().into_iter().map(renderer).collect()
}

/// The PNG of a recipe, and its thumbnail.
pub fn png_of(renderer: &Renderer, recipe: &Recipe) -> (Vec<u8>, Vec<u8>) {
    let mut file = Vec::new();
    let rendered = renderer.render(recipe, &Watch::new(), &mut file).unwrap();
    (file, rendered.thumbnail().unwrap())
}

/// Width, height and colours of a PNG.
pub fn colours(file: &[u8]) -> (u32, u32, Vec<[u8; 3]>) {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
    decoder.ignore_checksums(false);
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    reader.finish().unwrap();
    assert_eq!(info.color_type, png::ColorType::Rgb);
    (info.width, info.height, pixels.as_chunks::<3>().0.to_vec())
}

/// A Julia set of many colours.
pub fn dragon(width: u32, height: u32, iterations: u32, palette: Palette) -> Recipe {
    Recipe {
        formula: Formula::Julia {
            cx: -0.8,
            cy: 0.156,
        },
        view: View::rectangle(-2.0, 2.0, -1.5, 1.5),
        width,
        height,
        iterations,
        palette,
        colours: Colours::default(),
        format: Format::Png,
    }
}

/// Ten million iterations for each pixel, none of which escapes or comes back to where it was: a disc on which
/// z² + c turns by the golden angle.
pub fn endless(width: u32, height: u32) -> Recipe {
    Recipe {
        formula: Formula::Julia {
            cx: -0.390_540_870_218_4,
            cy: -0.586_787_907_346_97,
        },
        view: View::rectangle(-0.38, -0.36, -0.35, -0.33),
        width,
        height,
        iterations: 10_000_000,
        palette: Palette::Classic,
        colours: Colours::default(),
        format: Format::Png,
    }
}
