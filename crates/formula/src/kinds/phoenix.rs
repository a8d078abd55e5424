//! z² + c + p·(the z before).
//! Source: S. Ushiki, "Phoenix", IEEE Transactions on Circuits and Systems 35 (1988).

use crate::{Complex, Constant, Kind, MOST_PARAMETERS, Map, Number, Parameter};

pub(super) static KIND: Kind = Kind {
    name: "phoenix",
    title: "Phoenix",
    iteration: "z ← z² + c + memory · (the z before)",
    constant: Constant::Possible,
    parameters: &[Parameter {
        name: "memory",
        meaning: "weight of the z before",
        least: -4.0,
        most: 4.0,
        default: -0.5,
        whole: false,
    }],
};

/// z ← z² + c + p·(the z before).
#[derive(Debug, Clone, Copy)]
pub struct Phoenix {
    memory: f64,
}

impl Map for Phoenix {
    const MEMORY: bool = true;

    fn with(parameters: &[f64; MOST_PARAMETERS]) -> Self {
        Self {
            memory: parameters[0],
        }
    }

    #[inline(always)]
    fn step<N: Number>(&self, z: Complex<N>, before: Complex<N>, c: Complex<N>) -> Complex<N> {
        z.square_plus(c) + before.scale(self.memory)
    }

    #[inline(always)]
    fn ended<N: Number>(&self, z: Complex<N>, _: Complex<N>) -> N::Mask {
        z.norm().greater(N::splat(64.0))
    }

    fn degree(&self) -> Option<f64> {
        Some(2.0)
    }
}
