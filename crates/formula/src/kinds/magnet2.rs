//! Magnet 2: the renormalised model of a magnet, of the third degree.
//! Source: H.-O. Peitgen, P. H. Richter, "The Beauty of Fractals" (1986), chapter "Magnetism and complex boundaries".

use crate::{Complex, Constant, Kind, MOST_PARAMETERS, Map, Number, REST};

pub(super) static KIND: Kind = Kind {
    name: "magnet2",
    title: "Magnet 2",
    iteration: "z ← ((z³ + 3(c − 1)z + (c − 1)(c − 2)) ÷ (3z² + 3(c − 2)z + (c − 1)(c − 2) + 1))²",
    constant: Constant::Possible,
    parameters: &[],
};

/// z ← ((z³ + 3(c − 1)z + (c − 1)(c − 2)) ÷ (3z² + 3(c − 2)z + (c − 1)(c − 2) + 1))².
#[derive(Debug, Clone, Copy)]
pub struct Magnet2;

impl Map for Magnet2 {
    fn with(_: &[f64; MOST_PARAMETERS]) -> Self {
        Self
    }

    #[inline(always)]
    fn step<N: Number>(&self, z: Complex<N>, _: Complex<N>, c: Complex<N>) -> Complex<N> {
        let (less_one, less_two) = (c.plus(-1.0), c.plus(-2.0));
        let product = less_one * less_two;
        let square = z.square();
        let above = z * square + (less_one * z).scale(3.0) + product;
        let below = (square + less_two * z).scale(3.0) + product.plus(1.0);
        above.over(below).square()
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
        // Far away this is z² ÷ 9.
        Some(2.0)
    }
}
