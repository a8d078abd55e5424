//! Numbers that carry their derivatives.
//! Source: R. E. Wengert, "A simple automatic derivative evaluation program", Communications of the ACM 7 (1964).

use crate::Number;
use std::ops::{Add, Div, Mul, Sub};

/// A number that depends on two others, with its derivatives by these. Its value is calculated as that of a plain
/// number would be, to the last bit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dual<N> {
    /// The number.
    pub value: N,
    /// Its derivatives by the first and by the second.
    pub by: [N; 2],
}

impl<N: Number> Dual<N> {
    #[inline(always)]
    fn new(value: N, by: impl Fn(usize) -> N) -> Self {
        Self {
            value,
            by: [by(0), by(1)],
        }
    }
}

impl<N: Number> Add for Dual<N> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self::new(self.value + other.value, |i| self.by[i] + other.by[i])
    }
}

impl<N: Number> Sub for Dual<N> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self::new(self.value - other.value, |i| self.by[i] - other.by[i])
    }
}

impl<N: Number> Mul for Dual<N> {
    type Output = Self;

    #[inline(always)]
    #[expect(
        clippy::suspicious_arithmetic_impl,
        reason = "the derivative of a product has all of these"
    )]
    fn mul(self, other: Self) -> Self {
        Self::new(self.value * other.value, |i| {
            self.by[i] * other.value + self.value * other.by[i]
        })
    }
}

impl<N: Number> Div for Dual<N> {
    type Output = Self;

    #[inline(always)]
    #[expect(
        clippy::suspicious_arithmetic_impl,
        reason = "the derivative of a quotient has all of these"
    )]
    fn div(self, other: Self) -> Self {
        let quotient = self.value / other.value;
        Self::new(quotient, |i| {
            (self.by[i] - quotient * other.by[i]) / other.value
        })
    }
}

impl<N: Number> Number for Dual<N> {
    type Mask = N::Mask;

    #[inline(always)]
    fn splat(value: f64) -> Self {
        Self::new(N::splat(value), |_| N::splat(0.0))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        let negative = self.value.less(N::splat(0.0));
        Self::new(self.value.abs(), |i| {
            N::select(negative, N::splat(0.0) - self.by[i], self.by[i])
        })
    }

    #[inline(always)]
    fn less(self, other: Self) -> N::Mask {
        self.value.less(other.value)
    }

    #[inline(always)]
    fn equal(self, other: Self) -> N::Mask {
        self.value.equal(other.value)
    }

    #[inline(always)]
    fn select(mask: N::Mask, yes: Self, no: Self) -> Self {
        Self::new(N::select(mask, yes.value, no.value), |i| {
            N::select(mask, yes.by[i], no.by[i])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Complex, Constant, KINDS, Map, Visitor, with_map};

    /// A few steps of an orbit from `place` with c = `place` or a constant one.
    fn orbit<M: Map, N: Number>(map: &M, re: N, im: N, julia: bool) -> Complex<N> {
        let place = Complex::new(re, im);
        let c = match julia {
            true => Complex::splat(0.31, -0.52),
            false => place,
        };
        let (mut z, mut before) = (place, Complex::splat(0.1, 0.2));
        for _ in 0..4 {
            (z, before) = (map.step(z, before, c), z);
        }
        z
    }

    struct Compare(bool);

    impl Visitor for Compare {
        type Output = f64;

        fn visit<M: Map + std::fmt::Debug>(self, map: M) -> f64 {
            let (re, im) = (0.437, 0.291);
            let dual = |value, by| Dual { value, by };
            let found = orbit(&map, dual(re, [1.0, 0.0]), dual(im, [0.0, 1.0]), self.0);
            let plain = orbit(&map, re, im, self.0);
            assert_eq!(
                (found.re.value, found.im.value),
                (plain.re, plain.im),
                "{map:?}"
            );
            let step = 1e-6;
            let shifted = |x, y| orbit(&map, re + x, im + y, self.0);
            let mut worst = 0.0f64;
            for (i, (x, y)) in [(step, 0.0), (0.0, step)].into_iter().enumerate() {
                let (ahead, behind) = (shifted(x, y), shifted(-x, -y));
                for (exact, ahead, behind) in [
                    (found.re.by[i], ahead.re, behind.re),
                    (found.im.by[i], ahead.im, behind.im),
                ] {
                    let secant = (ahead - behind) / (2.0 * step);
                    worst = worst.max((exact - secant).abs() / (1.0 + secant.abs()));
                }
            }
            worst
        }
    }

    #[test]
    fn derivatives_of_every_formula_agree_with_small_steps() {
        for kind in KINDS {
            for julia in [false, true] {
                if julia && kind.constant == Constant::Unused {
                    continue;
                }
                let error = with_map(kind, &kind.defaults(), Compare(julia));
                assert!(error < 1e-5, "{}: {error}", kind.name);
            }
        }
    }
}
