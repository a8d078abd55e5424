//! The kernel's parts by themselves: `cargo bench -p faafo-kernel`, with a name to run only those that contain it.
//! `faafo bench` holds the same against what the processor could do at most.

use faafo_formula::{Constant, KINDS};
use faafo_kernel::{Level, Renderer, Watch, measure};
use faafo_model::{Colouring, Colours, Format, Formula, Palette, Recipe, View};
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

/// How long each part is measured.
const PATIENCE: Duration = Duration::from_millis(300);

fn main() {
    let wanted = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let wanted = wanted.unwrap_or_default();
    let part = |name: String, work: &mut dyn FnMut() -> u64| {
        if name.contains(&wanted) {
            let rate = fastest(work) / 1e6;
            println!("{name:<40} {rate:>12.1} million a second");
        }
    };
    for level in Level::available() {
        part(format!("{level}: port limit, iterations"), &mut || {
            measure::port_limit(level, 100_000)
        });
        part(format!("{level}: inner loop, iterations"), &mut || {
            measure::raw_loop(level, 2000)
        });
        for recipe in formulas() {
            let name = format!("{level}: {}, iterations", recipe.formula.kind());
            let iterations = measure::orbits(level, &recipe).iterations;
            part(name, &mut || {
                measure::follow(level, &recipe);
                iterations
            });
        }
    }
    for palette in Palette::FIRST {
        let recipe = julia(palette);
        let blocks = measure::Blocks::new(Level::best(), &recipe, &Watch::new());
        if let Ok(blocks) = blocks {
            part(format!("png {}, bytes", palette.name()), &mut || {
                black_box(blocks.compress());
                blocks.raw_len()
            });
        }
        let renderer = Renderer::new(NonZeroUsize::MIN);
        if let Ok(renderer) = renderer {
            part(format!("whole {}, pixels", palette.name()), &mut || {
                let mut file = Vec::new();
                let rendered = renderer.render(&recipe, &Watch::new(), &mut file);
                black_box(rendered.is_ok() && !file.is_empty());
                u64::from(recipe.width) * u64::from(recipe.height)
            });
        }
    }
    for colouring in Colouring::ALL {
        let mut recipe = julia(Palette::Viridis);
        recipe.colours.colouring = Some(colouring);
        if let Ok(renderer) = Renderer::new(NonZeroUsize::MIN) {
            part(format!("whole {}, pixels", colouring.name()), &mut || {
                let rendered = renderer.render(&recipe, &Watch::new(), &mut std::io::sink());
                black_box(rendered.is_ok());
                u64::from(recipe.width) * u64::from(recipe.height)
            });
        }
    }
}

/// How much is done in a second, in the fastest run.
fn fastest(work: &mut dyn FnMut() -> u64) -> f64 {
    let begin = Instant::now();
    let mut best = 0.0f64;
    while best == 0.0 || begin.elapsed() < PATIENCE {
        let start = Instant::now();
        let done = work();
        best = best.max(done as f64 / start.elapsed().as_secs_f64());
    }
    best
}

fn julia(palette: Palette) -> Recipe {
    Recipe {
        formula: Formula::Julia {
            cx: -0.8,
            cy: 0.156,
        },
        view: View::rectangle(-2.0, 2.0, -1.5, 1.5),
        width: 512,
        height: 512,
        iterations: 512,
        palette,
        colours: Colours::default(),
        format: Format::Png,
    }
}

fn formulas() -> impl Iterator<Item = Recipe> {
    KINDS.iter().filter_map(|kind| {
        let constant = (kind.constant == Constant::Needed).then_some((-0.8, 0.156));
        Some(Recipe {
            formula: Formula::new(kind, constant)?,
            ..julia(Palette::Classic)
        })
    })
}
