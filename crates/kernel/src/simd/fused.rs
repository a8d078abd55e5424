//! Vectors that double and add in one instruction.

use super::Vector;
use faafo_formula::{Complex, Map, Number};
use std::ops::{Add, Div, Mul, Sub};

/// A vector whose [`twice_plus`](Number::twice_plus) is a fused multiply-add, which rounds to the same bits: one
/// instruction where the units multiply instead of two where they add.
#[derive(Clone, Copy)]
pub(crate) struct Fused<V>(pub V);

impl<V: Vector> Fused<V> {
    /// A step of such vectors.
    #[inline(always)]
    pub fn step<M: Map>(map: &M, z: Complex<V>, before: Complex<V>, c: Complex<V>) -> Complex<V> {
        let fused = |z: Complex<V>| Complex::new(Self(z.re), Self(z.im));
        let next = map.step(fused(z), fused(before), fused(c));
        Complex::new(next.re.0, next.im.0)
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident),+) => {$(
        impl<V: Vector> $trait for Fused<V> {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(self.0.$method(other.0))
            }
        }
    )+};
}

operators!(Add add, Sub sub, Mul mul, Div div);

impl<V: Vector> Number for Fused<V> {
    type Mask = V::Mask;

    #[inline(always)]
    fn splat(value: f64) -> Self {
        Self(V::splat(value))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        Self(self.0.abs())
    }

    #[inline(always)]
    fn less(self, other: Self) -> V::Mask {
        self.0.less(other.0)
    }

    #[inline(always)]
    fn equal(self, other: Self) -> V::Mask {
        self.0.equal(other.0)
    }

    #[inline(always)]
    fn twice_plus(self, other: Self) -> Self {
        Self(self.0.fused_twice_plus(other.0))
    }

    #[inline(always)]
    fn select(mask: V::Mask, yes: Self, no: Self) -> Self {
        Self(V::select(mask, yes.0, no.0))
    }
}
