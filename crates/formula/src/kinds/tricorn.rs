//! z ← conj(z)² + c
//! Source: W. D. Crowe, R. Hasson, P. J. Rippon, P. E. D. Strain-Clark, "On the structure of the Mandelbar set", Nonlinearity 2 (1989).

use crate::{Complex, Constant, Kind, Map, Number};

pub(super) static KIND: Kind = Kind {
    name: "tricorn",
    title: "Tricorn",
    iteration: "z ← conj(z)² + c",
    constant: Constant::Possible,
    parameters: &[],
};

/// z ← conj(z)² + c.
#[derive(Debug, Clone, Copy)]
pub struct Tricorn;

impl Map for Tricorn {
    // |f(z) − c| = |z|², as with z².
    const STAYS: bool = true;

    fn with(_: &[f64; crate::MOST_PARAMETERS]) -> Self {
        Self
    }

    #[inline(always)]
    fn step<N: Number>(&self, z: Complex<N>, _: Complex<N>, c: Complex<N>) -> Complex<N> {
        let square = z.square();
        Complex::new(square.re + c.re, c.im - square.im)
    }

    fn growth(&self) -> Option<f64> {
        Some(2.0)
    }
}
