//! z^n + c for whole n.
//! Source: U. G. Gujar, V. C. Bhavsar, "Fractals from z ← z^α + c in the complex c-plane", Computers & Graphics 15
//! (1991).

use crate::{Complex, Constant, Kind, MOST_PARAMETERS, Map, Number, kind::power};

pub(super) static KIND: Kind = Kind {
    name: "multibrot",
    title: "Multibrot set",
    iteration: "z ← z^power + c",
    constant: Constant::Possible,
    parameters: &[power(2.0, 3.0)],
};

/// z ← z^n + c.
#[derive(Debug, Clone, Copy)]
pub struct Multibrot {
    power: u32,
}

impl Map for Multibrot {
    fn with(parameters: &[f64; MOST_PARAMETERS]) -> Self {
        Self {
            power: parameters[0] as u32,
        }
    }

    #[inline(always)]
    fn step<N: Number>(&self, z: Complex<N>, _: Complex<N>, c: Complex<N>) -> Complex<N> {
        z.power(self.power) + c
    }

    fn growth(&self) -> Option<f64> {
        Some(f64::from(self.power))
    }
}
