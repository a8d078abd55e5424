//! Vectors of f64, one kind for each level of instructions.

mod fused;
mod scalar;

#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod x86;

mod level;

pub use level::Level;
pub(crate) use level::{AtLevel, at_level};

use faafo_formula::{Complex, Number};
pub(crate) use fused::Fused;

/// The most lanes of any vector.
pub(crate) const MOST_LANES: usize = 8;

/// Several f64 side by side. A bit of `bits` stands for a lane, the lowest for the first.
///
/// Only code that [`at_level`] calls may use the vectors of a level.
pub(crate) trait Vector: Number {
    /// How many.
    const LANES: usize;

    /// Whether masks are vectors themselves, so that they count and combine like these.
    const WIDE_MASKS: bool;

    /// Whether there are so many registers that numbers can be moved while vectors are under way.
    const MANY_REGISTERS: bool;

    /// The first numbers of a slice, which must have enough.
    fn load(from: &[f64]) -> Self;

    /// Writes to the beginning of a slice, which must be long enough.
    fn store(self, to: &mut [f64]);

    /// Writes the lower halves of all lanes to the beginning of a slice, which must be long enough.
    fn store_low(self, to: &mut [u32]);

    /// The mask as bits.
    fn bits(mask: Self::Mask) -> u32;

    /// Bits as a mask.
    fn mask(bits: u32) -> Self::Mask;

    /// The lanes in `bits`, moved to the front; what is behind them is unspecified.
    fn compress(self, bits: u32) -> Self;

    /// One more where the mask says yes, of whole numbers from 2⁵² up to 2⁵³.
    fn one_more(self, mask: Self::Mask) -> Self;

    /// As [`twice_plus`](Number::twice_plus), in one instruction where there is one.
    #[inline(always)]
    fn fused_twice_plus(self, other: Self) -> Self {
        self.twice_plus(other)
    }

    /// Does nothing, but makes the compiler calculate the one before it goes on with the other, and read again then what is
    /// in memory. Left to itself it begins with all vectors at once and reads all constants before, and has too few
    /// registers for either.
    #[inline(always)]
    fn in_order(_before: &mut Complex<Self>, _after: &mut Complex<Self>, _memory: &[f64]) {}

    /// All lanes.
    const ALL: u32 = (1 << Self::LANES) - 1;
}

#[cfg(test)]
mod tests;
