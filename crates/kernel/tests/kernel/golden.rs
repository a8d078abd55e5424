//! Pictures against others that did not come from this code: those of `golden/make.py`, and a naive loop.

use crate::{at_every_level, colours, png_of, renderer};
use faafo_model::{Colours, Format, Formula, Palette, View, recipe::Recipe};
use std::collections::BTreeMap;
use std::path::Path;

#[test]
fn no_pixel_differs_from_the_golden_pictures() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let recipes = std::fs::read(folder.join("recipes.json")).unwrap();
    let recipes: BTreeMap<String, Recipe> = serde_json::from_slice(&recipes).unwrap();
    assert!(recipes.len() >= 24);
    let renderers = at_every_level(2);
    for (name, recipe) in recipes {
        let golden = std::fs::read(folder.join(format!("{name}.png"))).unwrap();
        let (golden_width, golden_height, golden) = colours(&golden);
        for (level, renderer) in &renderers {
            let (width, height, pixels) = colours(&png_of(renderer, &recipe).0);
            assert_eq!((width, height), (golden_width, golden_height), "{name}");
            let differing = pixels.iter().zip(&golden).filter(|(a, b)| a != b).count();
            assert_eq!(differing, 0, "{name}, {level}");
        }
    }
}

/// The first iteration that finds |z| > 2, straight from the definition.
fn escape(recipe: &Recipe, x: u32, y: u32) -> Option<u32> {
    let place = |pixel: u32, pixels: u32, a: f64, b: f64| match pixels {
        1 => a,
        _ => f64::from(pixel) * (b - a) / f64::from(pixels - 1) + a,
    };
    let [xa, xb, ya, yb] = recipe.view.edges();
    let px = place(x, recipe.width, xa, xb);
    let py = place(y, recipe.height, ya, yb);
    let (mut zr, mut zi, cr, ci) = match recipe.formula {
        Formula::Julia { cx, cy } => (px, py, cx, cy),
        Formula::Mandelbrot => (0.0, 0.0, px, py),
        Formula::Other(_) => panic!("not z² + c"),
    };
    for i in 0..recipe.iterations {
        if zr * zr + zi * zi > 4.0 {
            return Some(i);
        }
        (zr, zi) = ((zr * zr - zi * zi) + cr, (zr * zi + zi * zr) + ci);
    }
    None
}

fn random_recipe(rng: &mut fastrand::Rng, palette: Palette) -> Recipe {
    let between = |rng: &mut fastrand::Rng, a: f64, b: f64| a + (b - a) * rng.f64();
    let formula = match rng.bool() {
        true => Formula::Mandelbrot,
        false => Formula::Julia {
            cx: between(rng, -1.2, 0.6),
            cy: between(rng, -0.8, 0.8),
        },
    };
    let (x, y) = (between(rng, -1.5, 0.5), between(rng, -1.0, 1.0));
    let reach = 4.0 * 0.5f64.powi(rng.i32(0..30));
    let reach = if rng.bool() { reach } else { -reach };
    Recipe {
        formula,
        view: View::rectangle(x - reach, x + reach, y - reach, y + reach),
        width: rng.u32(1..90),
        height: rng.u32(1..60),
        iterations: 1 << rng.u32(0..14),
        palette,
        colours: Colours::default(),
        format: Format::Png,
    }
}

#[test]
fn classic_agrees_with_a_naive_loop_on_random_recipes() {
    let mut rng = fastrand::Rng::with_seed(7);
    let renderer = renderer(2);
    for _ in 0..150 {
        let recipe = random_recipe(&mut rng, Palette::Classic);
        let (width, height, pixels) = colours(&png_of(&renderer, &recipe).0);
        let expected = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .map(|(x, y)| {
                let i = escape(&recipe, x, y).unwrap_or(recipe.iterations - 1);
                [i % 8 * 32, i % 16 * 16, i % 32 * 8].map(|value| value as u8)
            });
        assert!(pixels.into_iter().eq(expected), "{recipe:?}");
    }
}

#[test]
fn aurora_is_dark_exactly_where_a_naive_loop_never_escapes() {
    const INTERIOR: [u8; 3] = [2, 3, 12];
    let mut rng = fastrand::Rng::with_seed(8);
    let renderer = renderer(2);
    for _ in 0..100 {
        let recipe = random_recipe(&mut rng, Palette::Aurora);
        let (width, height, pixels) = colours(&png_of(&renderer, &recipe).0);
        let inside = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let inside = inside.map(|(x, y)| escape(&recipe, x, y).is_none());
        let dark = pixels.into_iter().map(|pixel| pixel == INTERIOR);
        assert!(dark.eq(inside), "{recipe:?}");
    }
}
