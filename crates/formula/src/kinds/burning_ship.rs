//! z ← (|Re z| + i|Im z|)² + c
//! Source: M. Michelitsch, O. E. Rössler, "The burning ship and its quasi-Julia sets", Computers & Graphics 16 (1992).

use crate::{Complex, Constant, Kind, Map, Number};

pub(super) static KIND: Kind = Kind {
    name: "burning-ship",
    title: "Burning Ship",
    iteration: "z ← (|Re z| + i|Im z|)² + c",
    constant: Constant::Possible,
    parameters: &[],
};

/// z ← (|Re z| + i|Im z|)² + c.
#[derive(Debug, Clone, Copy)]
pub struct BurningShip;

impl Map for BurningShip {
    // |f(z) − c| = |z|², as with z².
    const STAYS: bool = true;

    fn with(_: &[f64; crate::MOST_PARAMETERS]) -> Self {
        Self
    }

    #[inline(always)]
    fn step<N: Number>(&self, z: Complex<N>, _: Complex<N>, c: Complex<N>) -> Complex<N> {
        let (square, cross) = (z.square(), z.re * z.im);
        Complex::new(square.re + c.re, cross.abs().twice_plus(c.im))
    }

    fn growth(&self) -> Option<f64> {
        Some(2.0)
    }
}
