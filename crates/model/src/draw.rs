//! Drawing a Julia constant by the original worker's rule, when the request is accepted.

use crate::View;
use fastrand::Rng;

/// How many candidates are tried before [`FALLBACKS`]; the common view needs about ten.
const TRIES: usize = 10_000;

/// Well-known constants whose Julia sets fill the middle of the plane, for views in which no constant qualifies.
const FALLBACKS: [(f64, f64); 6] = [
    (-0.8, 0.156),
    (0.285, 0.01),
    (-0.70176, -0.3842),
    (-0.4, 0.6),
    (-0.835, -0.2321),
    (-0.7269, 0.1889),
];

/// A constant c inside the view rectangle whose own orbit under z ← z² + c, starting from z = c, escapes after more
/// than 10 and fewer than 100 iterations: close to the Mandelbrot set's edge, so that the Julia set is worth seeing.
/// Views that hold no such constant get a well-known one. The original searched for ever there.
pub fn julia_constant(view: &View, rng: &mut Rng) -> (f64, f64) {
    for _ in 0..TRIES {
        let (cx, cy) = view.point(rng.f64(), rng.f64());
        if (11..100).contains(&escape_time(cx, cy)) {
            return (cx, cy);
        }
    }
    FALLBACKS[rng.usize(..FALLBACKS.len())]
}

/// The index of the first of 100 iterations that finds |z| > 2, or 100.
fn escape_time(cx: f64, cy: f64) -> u32 {
    let (mut x, mut y) = (cx, cy);
    for i in 0..100 {
        if x * x + y * y > 4.0 {
            return i;
        }
        (x, y) = (x * x - y * y + cx, 2.0 * x * y + cy);
    }
    100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_the_usual_views_the_constant_lies_in_the_view_and_obeys_the_rule() {
        let view = View::rectangle(-2.0, 2.0, -1.5, 1.5);
        for seed in 0..200 {
            let (cx, cy) = julia_constant(&view, &mut Rng::with_seed(seed));
            assert!((-2.0..=2.0).contains(&cx) && (-1.5..=1.5).contains(&cy));
            assert!((11..100).contains(&escape_time(cx, cy)));
        }
    }

    #[test]
    fn views_without_any_such_constant_get_a_known_one() {
        for view in [
            View::rectangle(1e6, 1e6 + 1.0, 0.0, 1.0),
            View::rectangle(-1e-9, 1e-9, -1e-9, 1e-9),
            View::rectangle(-1e100, 1e100, 1e100, -1e100),
        ] {
            assert!(FALLBACKS.contains(&julia_constant(&view, &mut Rng::with_seed(1))));
        }
    }

    #[test]
    fn the_same_seed_draws_the_same_constant() {
        let view = View::rectangle(1.0, -2.0, 1.0, -1.0);
        let draw = || julia_constant(&view, &mut Rng::with_seed(7));
        assert_eq!(draw(), draw());
    }
}
