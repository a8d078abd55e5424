//! What formulas calculate with: one f64, or a vector of them.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Not, Sub};

/// A number of 64 bits, or several side by side. Every operation rounds as IEEE 754 says, so that all kinds of numbers
/// agree on every bit; multiplications are not fused with additions, except where that rounds alike.
pub trait Number:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// Yes or no for each number.
    type Mask: Copy
        + BitAnd<Output = Self::Mask>
        + BitOr<Output = Self::Mask>
        + Not<Output = Self::Mask>;

    /// The same number everywhere.
    fn splat(value: f64) -> Self;

    /// Without its sign.
    fn abs(self) -> Self;

    /// Whether it is smaller; never so if either is not a number.
    fn less(self, other: Self) -> Self::Mask;

    /// Whether it is greater; never so if either is not a number.
    #[inline(always)]
    fn greater(self, other: Self) -> Self::Mask {
        other.less(self)
    }

    /// Whether both are the same number.
    fn equal(self, other: Self) -> Self::Mask;

    /// Twice itself, and another number to that: rounded once, because doubling is exact as long as it does not overflow.
    #[inline(always)]
    fn twice_plus(self, other: Self) -> Self {
        (self + self) + other
    }

    /// `self` where the mask says yes, `other` elsewhere.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;
}

impl Number for f64 {
    type Mask = bool;

    #[inline(always)]
    fn splat(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn abs(self) -> Self {
        f64::abs(self)
    }

    #[inline(always)]
    fn less(self, other: Self) -> bool {
        self < other
    }

    #[inline(always)]
    fn equal(self, other: Self) -> bool {
        self == other
    }

    #[inline(always)]
    fn select(mask: bool, yes: Self, no: Self) -> Self {
        if mask { yes } else { no }
    }
}
