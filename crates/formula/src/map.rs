//! An iterated function with its parameters.

use crate::{Complex, MOST_PARAMETERS, Number};

/// The [`Map::unrest`] below which an orbit has ended.
pub const REST: f64 = 1e-12;

/// What is iterated: z ← f(z, c).
///
/// A pixel's orbit starts at the pixel with one c for the whole picture (a Julia form), or at
/// [`critical`](Self::critical) with the pixel as c. It ends in the first iteration that finds [`ended`](Self::ended).
pub trait Map: Copy + Send + Sync + 'static {
    /// Whether [`step`](Self::step) or [`ended`](Self::ended) looks at the z before. If not, they get anything.
    const MEMORY: bool = false;

    /// With these parameters, in the order of its kind.
    fn with(parameters: &[f64; MOST_PARAMETERS]) -> Self;

    /// The next z, from z, the one before it, and c. The order of operations is part of the contract: another one
    /// rounds differently.
    fn step<N: Number>(&self, z: Complex<N>, before: Complex<N>, c: Complex<N>) -> Complex<N>;

    /// Whether the orbit has ended: has escaped, or has come to rest.
    #[inline(always)]
    fn ended<N: Number>(&self, z: Complex<N>, _before: Complex<N>) -> N::Mask {
        z.norm().greater(N::splat(4.0))
    }

    /// The power with which orbits grow that escape, if that is all they do in the end; else nothing.
    fn growth(&self) -> Option<f64> {
        None
    }

    /// The power with which orbits grow in the end that escape, also where not all do or others get there sooner.
    fn degree(&self) -> Option<f64> {
        self.growth()
    }

    /// Whether orbits may end because they come to rest, which [`unrest`](Self::unrest) tells.
    const RESTS: bool = false;

    /// How far an orbit is from rest, as a square; it has ended below [`REST`].
    #[inline(always)]
    fn unrest<N: Number>(&self, z: Complex<N>, before: Complex<N>) -> N {
        let _ = before;
        z.norm()
    }

    /// Where orbits start if the pixel is c.
    fn critical(&self) -> (f64, f64) {
        (0.0, 0.0)
    }

    /// What counts as the z before the first.
    fn before(&self) -> (f64, f64) {
        (0.0, 0.0)
    }

    /// Whether the test may be deferred: an orbit that [`ended`](Self::ended) says has ended is no more
    /// [`near`](Self::near) after each of the next 16 steps, for every c with |c| ≤ 2, and, if orbits start at the
    /// critical point, for every c at all.
    const STAYS: bool = false;

    /// Whether an orbit has certainly not ended, neither now nor some steps ago. What is not a number is not near.
    #[inline(always)]
    fn near<N: Number>(&self, z: Complex<N>) -> N::Mask {
        // A test that the first rounding errors after |z| = 2, times 4 in each of 16 steps, can't slip below.
        z.norm().less(N::splat(3.999))
    }

    /// Whether a pixel as c, with the orbit from the critical point, certainly never ends, and not by a hair's breadth
    /// that rounding could decide about.
    #[inline(always)]
    fn inside<N: Number>(&self, c: Complex<N>) -> Option<N::Mask> {
        let _ = c;
        None
    }
}
