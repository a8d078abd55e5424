//! A sheet of every formula in every colouring: `cargo run --release -p faafo-kernel --example contact-sheet FILE`.

use faafo_formula::{Constant, KINDS, Kind};
use faafo_kernel::{Renderer, Watch};
use faafo_model::{Colouring, Colours, Format, Formula, Palette, Recipe, View};
use faafo_picture::png::{Header, Level, encode};
use std::error::Error;
use std::io::Cursor;
use std::num::NonZeroUsize;

const WIDTH: u32 = 144;
const HEIGHT: u32 = 108;
const GAP: u32 = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("which file?")?;
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let renderer = Renderer::new(threads)?;
    let columns = Colouring::ALL.len() as u32;
    let (width, height) = (
        columns * (WIDTH + GAP) + GAP,
        KINDS.len() as u32 * (HEIGHT + GAP) + GAP,
    );
    let mut sheet = vec![24; 3 * (width * height) as usize];
    for (row, kind) in (0..).zip(KINDS) {
        for (column, colouring) in (0..).zip(Colouring::ALL) {
            let recipe = recipe(kind, colouring).ok_or("no recipe")?;
            let mut file = Vec::new();
            renderer.render(&recipe, &Watch::new(), &mut file)?;
            let mut decoder = png::Decoder::new(Cursor::new(file));
            decoder.set_transformations(png::Transformations::EXPAND);
            let mut reader = decoder.read_info()?;
            let mut pixels = vec![0; reader.output_buffer_size().ok_or("too large")?];
            reader.next_frame(&mut pixels)?;
            let (left, top) = (GAP + column * (WIDTH + GAP), GAP + row * (HEIGHT + GAP));
            for (y, line) in (top..).zip(pixels.chunks_exact(3 * WIDTH as usize)) {
                let at = 3 * (y * width + left) as usize;
                sheet[at..at + line.len()].copy_from_slice(line);
            }
        }
    }
    let file = encode(&Header::rgb(width, height), &sheet, Level::Small)?;
    std::fs::write(path, file)?;
    Ok(())
}

/// Where each formula is worth seeing: middle, width and constant.
fn view(kind: &Kind) -> (f64, f64, f64, Option<(f64, f64)>) {
    match kind.name {
        "julia" => (0.0, 0.0, 3.2, Some((-0.8, 0.156))),
        "mandelbrot" => (-0.7453, 0.1127, 0.0065, None),
        "multibrot" => (0.0, 0.0, 3.2, None),
        "burning-ship" => (-1.762, -0.028, 0.09, None),
        "buffalo" => (-0.6, -0.35, 3.4, None),
        "perpendicular-ship" => (-0.55, 0.0, 3.4, None),
        "celtic" => (-0.4, 0.0, 4.0, None),
        "tricorn" => (-0.2, 0.0, 4.6, None),
        "phoenix" => (0.0, 0.0, 3.0, Some((0.5667, 0.0))),
        "lambda" => (1.0, 0.0, 6.4, None),
        "newton" => (0.0, 0.0, 4.0, None),
        "nova" => (-0.35, 0.0, 1.9, None),
        "magnet1" => (1.3, 0.0, 5.2, None),
        "magnet2" => (1.1, 0.0, 4.2, None),
        _ => (-0.5, 0.0, 4.0, None),
    }
}

fn recipe(kind: &'static Kind, colouring: Colouring) -> Option<Recipe> {
    let (x, y, width, constant) = view(kind);
    let constant = match kind.constant {
        Constant::Needed => constant.or(Some((-0.8, 0.156))),
        _ => constant,
    };
    let half = (
        width / 2.0,
        width / 2.0 * f64::from(HEIGHT) / f64::from(WIDTH),
    );
    let palette = match colouring {
        Colouring::Classic => Palette::Classic,
        Colouring::Smooth | Colouring::Slope => Palette::Aurora,
        Colouring::Histogram => Palette::Viridis,
        Colouring::Distance => Palette::Magma,
        Colouring::Trap => Palette::Inferno,
        Colouring::Stripe => Palette::Plasma,
        Colouring::Angle => Palette::Aurora,
    };
    Some(Recipe {
        formula: Formula::new(kind, constant)?,
        view: View::rectangle(x - half.0, x + half.0, y - half.1, y + half.1),
        width: WIDTH,
        height: HEIGHT,
        iterations: 1000,
        palette,
        colours: Colours {
            colouring: Some(colouring),
            supersampling: 4,
            adaptive: true,
            ..Colours::default()
        },
        format: Format::Png,
    })
}
