//! z² + c: the Mandelbrot set and the Julia sets of Fatou and Julia (1917–1918).
//! Source: A. Douady, J. H. Hubbard, "Étude dynamique des polynômes complexes", 1984.

use crate::{Complex, Constant, Kind, MOST_PARAMETERS, Map, Number};

pub(super) static JULIA: Kind = Kind {
    name: "julia",
    title: "Julia set",
    iteration: "z ← z² + c",
    constant: Constant::Needed,
    parameters: &[],
};

pub(super) static MANDELBROT: Kind = Kind {
    name: "mandelbrot",
    title: "Mandelbrot set",
    iteration: "z ← z² + c",
    constant: Constant::Pixel,
    parameters: &[],
};

/// z ← z² + c.
#[derive(Debug, Clone, Copy)]
pub struct Quadratic;

/// How far inside the cardioid and the disc a point must be to count as inside. The orbit is then drawn to its cycle
/// by a factor of at most 1 − 10⁻⁶ per step, which rounding errors of 10⁻¹⁶ can't outweigh.
const MARGIN: f64 = 1e-6;

impl Map for Quadratic {
    // |z² + c| ≥ |z|² − |c| > |z| wherever |z| > 2 and |z| ≥ |c|.
    const STAYS: bool = true;

    fn with(_: &[f64; MOST_PARAMETERS]) -> Self {
        Self
    }

    #[inline(always)]
    fn step<N: Number>(&self, z: Complex<N>, _: Complex<N>, c: Complex<N>) -> Complex<N> {
        z.square_plus(c)
    }

    fn growth(&self) -> Option<f64> {
        Some(2.0)
    }

    #[inline(always)]
    fn inside<N: Number>(&self, c: Complex<N>) -> Option<N::Mask> {
        let im2 = c.im * c.im;
        let from_cusp = c.re - N::splat(0.25);
        let q = from_cusp * from_cusp + im2;
        let cardioid = (q * (q + from_cusp) + N::splat(MARGIN)).less(N::splat(0.25) * im2);
        let from_centre = c.re + N::splat(1.0);
        let disc = (from_centre * from_centre + im2).less(N::splat(0.0625 - MARGIN));
        Some(cardioid | disc)
    }
}
