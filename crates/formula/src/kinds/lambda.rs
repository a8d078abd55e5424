//! The logistic map of the complex plane.
//! Source: B. B. Mandelbrot, "Fractal aspects of the iteration of z → λz(1−z) for complex λ and z", Annals of the New
//! York Academy of Sciences 357 (1980).

use crate::{Complex, Constant, Kind, MOST_PARAMETERS, Map, Number};

pub(super) static KIND: Kind = Kind {
    name: "lambda",
    title: "Lambda",
    iteration: "z ← c·z·(1 − z)",
    constant: Constant::Possible,
    parameters: &[],
};

/// z ← c·z·(1 − z).
#[derive(Debug, Clone, Copy)]
pub struct Lambda;

impl Map for Lambda {
    fn with(_: &[f64; MOST_PARAMETERS]) -> Self {
        Self
    }

    #[inline(always)]
    fn step<N: Number>(&self, z: Complex<N>, _: Complex<N>, c: Complex<N>) -> Complex<N> {
        c * (z - z.square())
    }

    #[inline(always)]
    fn ended<N: Number>(&self, z: Complex<N>, _: Complex<N>) -> N::Mask {
        z.norm().greater(N::splat(10_000.0))
    }

    fn critical(&self) -> (f64, f64) {
        (0.5, 0.0)
    }

    fn degree(&self) -> Option<f64> {
        Some(2.0)
    }
}
