//! Every formula at every level, against the same formula followed one step at a time.

use crate::{at_every_level, colours, png_of};
use faafo_formula::{Complex, Constant, KINDS, Kind, Map, Visitor, with_map};
use faafo_model::{Colours, Format, Formula, Palette, Recipe, View};
use proptest::prelude::*;

/// The count of each pixel, straight from the definition.
struct Oracle<'a>(&'a Recipe);

impl Visitor for Oracle<'_> {
    type Output = Vec<u32>;

    fn visit<M: Map + std::fmt::Debug>(self, map: M) -> Vec<u32> {
        let recipe = self.0;
        let [xa, xb, ya, yb] = recipe.view.edges();
        let place = |pixel: u32, pixels: u32, a: f64, b: f64| match pixels {
            1 => a,
            _ => f64::from(pixel) * (b - a) / f64::from(pixels - 1) + a,
        };
        let unused = recipe.formula.about().constant == Constant::Unused;
        let constant = unused.then_some((0.0, 0.0)).or(recipe.formula.constant());
        let pair = |(re, im)| Complex { re, im };
        let mut counts = Vec::new();
        for y in 0..recipe.height {
            for x in 0..recipe.width {
                let pixel = Complex {
                    re: place(x, recipe.width, xa, xb),
                    im: place(y, recipe.height, ya, yb),
                };
                let (mut z, c) = match constant {
                    Some(constant) => (pixel, pair(constant)),
                    None => (pair(map.critical()), pixel),
                };
                let mut before = pair(map.before());
                let mut count = 0;
                while count < recipe.iterations && !map.ended(z, before) {
                    (z, before) = (map.step(z, before, c), z);
                    count += 1;
                }
                counts.push(count);
            }
        }
        counts
    }
}

fn kind() -> impl Strategy<Value = &'static Kind> {
    (0..KINDS.len()).prop_map(|index| KINDS[index])
}

/// Recipes of every kind, most of them around where something is to be seen.
fn recipe() -> impl Strategy<Value = Recipe> {
    let formula = (kind(), -2.5..2.5, -1.5..1.5, any::<bool>(), any::<u32>());
    let formula = formula.prop_map(|(kind, cx, cy, julia, random)| {
        let constant = match kind.constant {
            Constant::Needed => Some((cx, cy)),
            Constant::Possible => julia.then_some((cx, cy)),
            Constant::Pixel | Constant::Unused => None,
        };
        let mut formula = Formula::new(kind, constant).unwrap();
        for parameter in kind.parameters {
            let part = f64::from(random) / f64::from(u32::MAX);
            let value = parameter.least + part * (parameter.most - parameter.least);
            let value = if parameter.whole {
                value.round()
            } else {
                value
            };
            assert!(formula.set(parameter.name, value));
        }
        formula
    });
    let view = (-1.5..1.5, -1.2..1.2, 0..30, any::<bool>());
    let view = view.prop_map(|(x, y, zoom, mirrored)| {
        let reach = 3.0 * 0.5f64.powi(zoom) * if mirrored { -1.0 } else { 1.0 };
        View::rectangle(x - reach, x + reach, y - reach, y + reach)
    });
    (formula, view, 1..70u32, 1..40u32, 1..12u32, 0..7u32).prop_map(
        |(formula, view, width, height, factor, doublings)| Recipe {
            formula,
            view,
            width,
            height,
            iterations: factor << doublings,
            palette: Palette::Classic,
            colours: Colours::default(),
            format: Format::Png,
        },
    )
}

fn assert_agrees(recipe: &Recipe) {
    let formula = &recipe.formula;
    let counts = with_map(formula.about(), &formula.values(), Oracle(recipe));
    let expected: Vec<[u8; 3]> = counts
        .iter()
        .map(|&count| {
            let i = count.min(recipe.iterations - 1);
            [i % 8 * 32, i % 16 * 16, i % 32 * 8].map(|value| value as u8)
        })
        .collect();
    for (level, renderer) in at_every_level(2) {
        let (.., pixels) = colours(&png_of(&renderer, recipe).0);
        assert!(pixels == expected, "{level}: {recipe:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn random_recipes_of_every_formula_agree_with_one_step_at_a_time(recipe in recipe()) {
        assert_agrees(&recipe);
    }
}

#[test]
fn every_formula_shows_something_from_afar_and_the_same_at_every_level() {
    for kind in KINDS {
        let constants: &[_] = match kind.constant {
            Constant::Needed => &[Some((-0.8, 0.156))],
            Constant::Possible => &[None, Some((0.3, 0.5))],
            Constant::Pixel | Constant::Unused => &[None],
        };
        for constant in constants {
            let recipe = Recipe {
                formula: Formula::new(kind, *constant).unwrap(),
                view: View::rectangle(-2.5, 3.5, -2.1, 2.3),
                width: 150,
                height: 110,
                iterations: 200,
                palette: Palette::Classic,
                colours: Colours::default(),
                format: Format::Png,
            };
            assert_agrees(&recipe);
            let smooth = Recipe {
                palette: Palette::Aurora,
                ..recipe.clone()
            };
            let files: Vec<_> = at_every_level(2)
                .iter()
                .map(|(_, renderer)| png_of(renderer, &smooth))
                .collect();
            assert!(
                files.windows(2).all(|pair| pair[0] == pair[1]),
                "{recipe:?}"
            );
            let (.., pixels) = colours(&files[0].0);
            let distinct: std::collections::BTreeSet<_> = pixels.iter().collect();
            assert!(distinct.len() > 8, "{recipe:?}: {} colours", distinct.len());
        }
    }
}
