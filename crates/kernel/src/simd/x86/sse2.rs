//! Two lanes, on every x86-64 processor.

use super::{arithmetic, wide_mask};
use crate::simd::Vector;
use faafo_formula::Number;
use std::arch::x86_64::*;

/// Two numbers.
#[derive(Clone, Copy)]
pub(crate) struct F64x2(__m128d);

/// Two answers: all ones or all zeros.
#[derive(Clone, Copy)]
pub(crate) struct Mask(__m128d);

arithmetic!(
    F64x2,
    Add add _mm_add_pd,
    Sub sub _mm_sub_pd,
    Mul mul _mm_mul_pd,
    Div div _mm_div_pd
);
wide_mask!(Mask, _mm_and_pd, _mm_or_pd, _mm_xor_pd, _mm_set1_pd);

impl Number for F64x2 {
    type Mask = Mask;

    #[inline(always)]
    fn splat(value: f64) -> Self {
        // SAFETY: only code that runs where the level was found uses its vectors.
        Self(unsafe { _mm_set1_pd(value) })
    }

    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: only code that runs where the level was found uses its vectors.
        Self(unsafe { _mm_andnot_pd(_mm_set1_pd(-0.0), self.0) })
    }

    #[inline(always)]
    fn less(self, other: Self) -> Mask {
        // SAFETY: only code that runs where the level was found uses its vectors.
        Mask(unsafe { _mm_cmplt_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn equal(self, other: Self) -> Mask {
        // SAFETY: only code that runs where the level was found uses its vectors.
        Mask(unsafe { _mm_cmpeq_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn select(mask: Mask, yes: Self, no: Self) -> Self {
        // SAFETY: only code that runs where the level was found uses its vectors.
        Self(unsafe { _mm_or_pd(_mm_and_pd(mask.0, yes.0), _mm_andnot_pd(mask.0, no.0)) })
    }
}

impl Vector for F64x2 {
    const LANES: usize = 2;
    const WIDE_MASKS: bool = true;
    const MANY_REGISTERS: bool = false;

    #[inline(always)]
    fn load(from: &[f64]) -> Self {
        let from = &from[..Self::LANES];
        // SAFETY: the slice has that many numbers; any alignment will do.
        Self(unsafe { _mm_loadu_pd(from.as_ptr()) })
    }

    #[inline(always)]
    fn store(self, to: &mut [f64]) {
        let to = &mut to[..Self::LANES];
        // SAFETY: the slice has that many numbers; any alignment will do.
        unsafe { _mm_storeu_pd(to.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    fn store_low(self, to: &mut [u32]) {
        let to = &mut to[..Self::LANES];
        // SAFETY: the slice has that many numbers; any alignment will do.
        unsafe {
            let low = _mm_shuffle_epi32::<0b1000>(_mm_castpd_si128(self.0));
            _mm_storel_epi64(to.as_mut_ptr().cast(), low);
        }
    }

    #[inline(always)]
    fn bits(mask: Mask) -> u32 {
        // SAFETY: only code that runs where the level was found uses its vectors.
        unsafe { _mm_movemask_pd(mask.0) as u32 }
    }

    #[inline(always)]
    fn mask(bits: u32) -> Mask {
        let lane = |bit: u32| f64::from_bits(0u64.wrapping_sub(u64::from(bits >> bit & 1)));
        // SAFETY: only code that runs where the level was found uses its vectors.
        Mask(unsafe { _mm_set_pd(lane(1), lane(0)) })
    }

    #[inline(always)]
    fn one_more(self, mask: Mask) -> Self {
        // Yes is −1 as a whole number, and the next bits are the next number.
        // SAFETY: only code that runs where the level was found uses its vectors.
        Self(unsafe {
            let (whole, yes) = (_mm_castpd_si128(self.0), _mm_castpd_si128(mask.0));
            _mm_castsi128_pd(_mm_sub_epi64(whole, yes))
        })
    }

    #[inline(always)]
    fn compress(self, bits: u32) -> Self {
        if bits == 2 {
            // SAFETY: only code that runs where the level was found uses its vectors.
            Self(unsafe { _mm_unpackhi_pd(self.0, self.0) })
        } else {
            self
        }
    }
}
