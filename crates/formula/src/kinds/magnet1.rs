//! Magnet 1: the renormalised model of a magnet in two dimensions.
//! Source: H.-O. Peitgen, P. H. Richter, "The Beauty of Fractals" (1986), chapter "Magnetism and complex boundaries".

use crate::{Complex, Constant, Kind, MOST_PARAMETERS, Map, Number, REST};

pub(super) static KIND: Kind = Kind {
    name: "magnet1",
    title: "Magnet 1",
    iteration: "z ← ((z² + c − 1) ÷ (2z + c − 2))²",
    constant: Constant::Possible,
    parameters: &[],
};

/// z ← ((z² + c − 1) ÷ (2z + c − 2))².
#[derive(Debug, Clone, Copy)]
pub struct Magnet1;

impl Map for Magnet1 {
    fn with(_: &[f64; MOST_PARAMETERS]) -> Self {
        Self
    }

    #[inline(always)]
    fn step<N: Number>(&self, z: Complex<N>, _: Complex<N>, c: Complex<N>) -> Complex<N> {
        let above = z.square_plus(c.plus(-1.0));
        above.over(z + z + c.plus(-2.0)).square()
    }

    /// Once it is far away, or at 1, which attracts.
    #[inline(always)]
    fn ended<N: Number>(&self, z: Complex<N>, _: Complex<N>) -> N::Mask {
        z.norm().greater(N::splat(10_000.0)) | self.unrest(z, z).less(N::splat(REST))
    }

    const RESTS: bool = true;

    #[inline(always)]
    fn unrest<N: Number>(&self, z: Complex<N>, _: Complex<N>) -> N {
        z.plus(-1.0).norm()
    }

    fn degree(&self) -> Option<f64> {
        // Far away this is z² ÷ 4.
        Some(2.0)
    }
}
