//! Newton's method for the roots of 1.
//! Source: A. Cayley, "The Newton–Fourier imaginary problem", American Journal of Mathematics 2 (1879).

use crate::{Complex, Constant, Kind, MOST_PARAMETERS, Map, Number, kind::power, REST};

pub(super) static KIND: Kind = Kind {
    name: "newton",
    title: "Newton's method",
    iteration: "z ← z − (z^power − 1) ÷ (power · z^(power − 1))",
    constant: Constant::Unused,
    parameters: &[power(2.0, 3.0)],
};

/// z ← z − (z^n − 1) ÷ (n z^(n − 1)).
#[derive(Debug, Clone, Copy)]
pub struct Newton {
    power: u32,
}

impl Map for Newton {
    fn with(parameters: &[f64; MOST_PARAMETERS]) -> Self {
        Self {
            power: parameters[0] as u32,
        }
    }

    #[inline(always)]
    fn step<N: Number>(&self, z: Complex<N>, _: Complex<N>, _: Complex<N>) -> Complex<N> {
        let lower = z.power(self.power - 1);
        let degree = f64::from(self.power);
        z - (z * lower).plus(-1.0).over(lower.scale(degree))
    }

    /// Once it is at a root.
    #[inline(always)]
    fn ended<N: Number>(&self, z: Complex<N>, _: Complex<N>) -> N::Mask {
        self.unrest(z, z).less(N::splat(REST))
    }

    const RESTS: bool = true;

    #[inline(always)]
    fn unrest<N: Number>(&self, z: Complex<N>, _: Complex<N>) -> N {
        z.power(self.power).plus(-1.0).norm()
    }
}
