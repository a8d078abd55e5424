//! z ← |Re z²| + i|Im z²| + c
//! Source: the Burning Ship family of fractalforums.com, as in Kalles Fraktaler 2, by K. Runge and C. Heiland-Allen (mathr.co.uk/kf).

use crate::{Complex, Constant, Kind, Map, Number};

pub(super) static KIND: Kind = Kind {
    name: "buffalo",
    title: "Buffalo",
    iteration: "z ← |Re z²| + i|Im z²| + c",
    constant: Constant::Possible,
    parameters: &[],
};

/// z ← |Re z²| + i|Im z²| + c.
#[derive(Debug, Clone, Copy)]
pub struct Buffalo;

impl Map for Buffalo {
    // |f(z) − c| = |z|², as with z².
    const STAYS: bool = true;

    fn with(_: &[f64; crate::MOST_PARAMETERS]) -> Self {
        Self
    }

    #[inline(always)]
    fn step<N: Number>(&self, z: Complex<N>, _: Complex<N>, c: Complex<N>) -> Complex<N> {
        let (square, cross) = (z.square(), z.re * z.im);
        Complex::new(square.re.abs() + c.re, cross.abs().twice_plus(c.im))
    }

    fn growth(&self) -> Option<f64> {
        Some(2.0)
    }
}
