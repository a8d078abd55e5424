//! z ← (Re z − i|Im z|)² + c
//! Source: the Burning Ship family of fractalforums.com, as in Kalles Fraktaler 2, by K. Runge and C. Heiland-Allen (mathr.co.uk/kf).

use crate::{Complex, Constant, Kind, Map, Number};

pub(super) static KIND: Kind = Kind {
    name: "perpendicular-ship",
    title: "Perpendicular Burning Ship",
    iteration: "z ← (Re z − i|Im z|)² + c",
    constant: Constant::Possible,
    parameters: &[],
};

/// z ← (Re z − i|Im z|)² + c.
#[derive(Debug, Clone, Copy)]
pub struct PerpendicularShip;

impl Map for PerpendicularShip {
    // |f(z) − c| = |z|², as with z².
    const STAYS: bool = true;

    fn with(_: &[f64; crate::MOST_PARAMETERS]) -> Self {
        Self
    }

    #[inline(always)]
    fn step<N: Number>(&self, z: Complex<N>, _: Complex<N>, c: Complex<N>) -> Complex<N> {
        let cross = z.re * z.im.abs();
        let square = z.square();
        Complex::new(square.re + c.re, c.im - (cross + cross))
    }

    fn growth(&self) -> Option<f64> {
        Some(2.0)
    }
}
