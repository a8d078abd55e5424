//! Complex numbers over any kind of number.

use crate::Number;
use std::ops::{Add, Mul, Sub};

/// A complex number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Complex<N> {
    /// Real part.
    pub re: N,
    /// Imaginary part.
    pub im: N,
}

impl<N: Number> Complex<N> {
    /// From its parts.
    #[inline(always)]
    pub fn new(re: N, im: N) -> Self {
        Self { re, im }
    }

    /// The same complex number everywhere.
    #[inline(always)]
    pub fn splat(re: f64, im: f64) -> Self {
        Self::new(N::splat(re), N::splat(im))
    }

    /// z².
    #[inline(always)]
    pub fn square(self) -> Self {
        let cross = self.re * self.im;
        Self::new(self.re * self.re - self.im * self.im, cross + cross)
    }

    /// z² + w, rounded as the two would be one after the other.
    #[inline(always)]
    pub fn square_plus(self, w: Self) -> Self {
        let re = self.re * self.re - self.im * self.im;
        Self::new(re + w.re, (self.re * self.im).twice_plus(w.im))
    }

    /// |z|².
    #[inline(always)]
    pub fn norm(self) -> N {
        self.re * self.re + self.im * self.im
    }

    /// z times a real number.
    #[inline(always)]
    pub fn scale(self, factor: f64) -> Self {
        let factor = N::splat(factor);
        Self::new(self.re * factor, self.im * factor)
    }

    /// z plus a real number.
    #[inline(always)]
    pub fn plus(self, real: f64) -> Self {
        Self::new(self.re + N::splat(real), self.im)
    }

    /// z ÷ w, by w's conjugate; not a number where w is 0.
    #[inline(always)]
    pub fn over(self, w: Self) -> Self {
        let norm = w.norm();
        Self::new(
            (self.re * w.re + self.im * w.im) / norm,
            (self.im * w.re - self.re * w.im) / norm,
        )
    }

    /// z to the power of a whole number ≥ 1, by multiplying z to it again and again.
    #[inline(always)]
    pub fn power(self, exponent: u32) -> Self {
        if exponent == 1 {
            return self;
        }
        let mut power = self.square();
        for _ in 2..exponent {
            power = power * self;
        }
        power
    }
}

impl<N: Number> Add for Complex<N> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self::new(self.re + other.re, self.im + other.im)
    }
}

impl<N: Number> Sub for Complex<N> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self::new(self.re - other.re, self.im - other.im)
    }
}

impl<N: Number> Mul for Complex<N> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self::new(
            self.re * other.re - self.im * other.im,
            self.re * other.im + self.im * other.re,
        )
    }
}
