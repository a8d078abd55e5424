//! One number as a vector: the level that every machine has.

use super::Vector;

impl Vector for f64 {
    const LANES: usize = 1;
    const WIDE_MASKS: bool = false;
    const MANY_REGISTERS: bool = false;

    #[inline(always)]
    fn load(from: &[f64]) -> Self {
        from[0]
    }

    #[inline(always)]
    fn store(self, to: &mut [f64]) {
        to[0] = self;
    }

    #[inline(always)]
    fn store_low(self, to: &mut [u32]) {
        to[0] = self.to_bits() as u32;
    }

    #[inline(always)]
    fn bits(mask: bool) -> u32 {
        u32::from(mask)
    }

    #[inline(always)]
    fn mask(bits: u32) -> bool {
        bits != 0
    }

    #[inline(always)]
    fn one_more(self, mask: bool) -> Self {
        self + f64::from(u8::from(mask))
    }

    #[inline(always)]
    fn compress(self, _: u32) -> Self {
        self
    }
}
