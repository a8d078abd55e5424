//! What is measured.

use faafo_formula::{Constant, KINDS};
use faafo_model::{Colours, Format, Formula, Palette, Recipe, View};

/// Sides of the pictures of formulas, in pixels.
pub const FORMULAS_SIDE: u32 = 512;

/// A picture with a name.
pub struct Picture {
    pub name: &'static str,
    pub recipe: Recipe,
}

/// Pictures that measurements of other programs are known of; with `large` also one of 9999 × 9999 pixels.
pub fn known(large: bool) -> Vec<Picture> {
    let side = |recipe: Recipe, side| Recipe {
        width: side,
        height: side,
        ..recipe
    };
    let mut pictures = vec![
        Picture {
            name: "Mandelbrot, whole",
            recipe: side(mandelbrot((-0.75, 0.0), 3.5, 1000), 1024),
        },
        Picture {
            name: "Mandelbrot, deep",
            recipe: side(
                mandelbrot((-0.743_643_887_037_151, 0.131_825_904_205_33), 5e-5, 5000),
                1024,
            ),
        },
        Picture {
            name: "Julia",
            recipe: dragon(1024),
        },
    ];
    if large {
        pictures.push(Picture {
            name: "Julia, 9999²",
            recipe: dragon(9999),
        });
    }
    pictures
}

/// A square picture of a Julia set.
pub fn dragon(side: u32) -> Recipe {
    Recipe {
        formula: Formula::Julia {
            cx: -0.8,
            cy: 0.156,
        },
        view: View::rectangle(-2.0, 2.0, -1.5, 1.5),
        width: side,
        height: side,
        iterations: 512,
        palette: Palette::Classic,
        colours: Colours::default(),
        format: Format::Png,
    }
}

/// Every formula, from afar.
pub fn formulas() -> impl Iterator<Item = Recipe> {
    KINDS.iter().filter_map(|kind| {
        let constant = (kind.constant == Constant::Needed).then_some((-0.8, 0.156));
        Some(Recipe {
            formula: Formula::new(kind, constant)?,
            ..dragon(FORMULAS_SIDE)
        })
    })
}

fn mandelbrot((x, y): (f64, f64), width: f64, iterations: u32) -> Recipe {
    let reach = width / 2.0;
    Recipe {
        formula: Formula::Mandelbrot,
        view: View::rectangle(x - reach, x + reach, y - reach, y + reach),
        iterations,
        ..dragon(1)
    }
}
