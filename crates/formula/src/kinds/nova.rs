//! Newton's method for the roots of 1, with c added in every step.
//! Source: P. Derbyshire's Nova of the 1990s, as Ultra Fractal's standard formulas give it (ultrafractal.com).

use crate::{Complex, Constant, Kind, MOST_PARAMETERS, Map, Number, Parameter, kind::power, REST};

pub(super) static KIND: Kind = Kind {
    name: "nova",
    title: "Nova",
    iteration: "z ← z − relaxation · (z^power − 1) ÷ (power · z^(power − 1)) + c",
    constant: Constant::Possible,
    parameters: &[
        power(2.0, 3.0),
        Parameter {
            name: "relaxation",
            meaning: "part of Newton's step that is taken",
            least: 0.01,
            most: 4.0,
            default: 1.0,
            whole: false,
        },
    ],
};

/// z ← z − r (z^n − 1) ÷ (n z^(n − 1)) + c.
#[derive(Debug, Clone, Copy)]
pub struct Nova {
    power: u32,
    relaxation: f64,
}

impl Map for Nova {
    const MEMORY: bool = true;

    fn with(parameters: &[f64; MOST_PARAMETERS]) -> Self {
        Self {
            power: parameters[0] as u32,
            relaxation: parameters[1],
        }
    }

    #[inline(always)]
    fn step<N: Number>(&self, z: Complex<N>, _: Complex<N>, c: Complex<N>) -> Complex<N> {
        let lower = z.power(self.power - 1);
        let newton = (z * lower)
            .plus(-1.0)
            .over(lower.scale(f64::from(self.power)));
        z - newton.scale(self.relaxation) + c
    }

    /// Once it has come to rest.
    #[inline(always)]
    fn ended<N: Number>(&self, z: Complex<N>, before: Complex<N>) -> N::Mask {
        self.unrest(z, before).less(N::splat(REST))
    }

    const RESTS: bool = true;

    #[inline(always)]
    fn unrest<N: Number>(&self, z: Complex<N>, before: Complex<N>) -> N {
        (z - before).norm()
    }

    fn critical(&self) -> (f64, f64) {
        (1.0, 0.0)
    }

    fn before(&self) -> (f64, f64) {
        // Far from where any orbit starts.
        (1e300, 1e300)
    }
}
