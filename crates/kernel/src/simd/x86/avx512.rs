//! Eight lanes.

use super::{arithmetic, in_order};
use crate::simd::Vector;
use faafo_formula::{Complex, Number};
use std::arch::x86_64::*;
use std::ops::{BitAnd, BitOr, Not};

/// Eight numbers.
#[derive(Clone, Copy)]
pub(crate) struct F64x8(__m512d);

/// Eight answers, a bit each.
#[derive(Clone, Copy)]
pub(crate) struct Mask(__mmask8);

arithmetic!(
    F64x8,
    Add add _mm512_add_pd,
    Sub sub _mm512_sub_pd,
    Mul mul _mm512_mul_pd,
    Div div _mm512_div_pd
);

impl BitAnd for Mask {
    type Output = Self;

    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for Mask {
    type Output = Self;

    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Not for Mask {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        Self(!self.0)
    }
}

impl Number for F64x8 {
    type Mask = Mask;

    #[inline(always)]
    fn splat(value: f64) -> Self {
        // SAFETY: only code that runs where the level was found uses its vectors.
        Self(unsafe { _mm512_set1_pd(value) })
    }

    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: only code that runs where the level was found uses its vectors.
        Self(unsafe { _mm512_abs_pd(self.0) })
    }

    #[inline(always)]
    fn less(self, other: Self) -> Mask {
        // SAFETY: only code that runs where the level was found uses its vectors.
        Mask(unsafe { _mm512_cmp_pd_mask::<_CMP_LT_OQ>(self.0, other.0) })
    }

    #[inline(always)]
    fn equal(self, other: Self) -> Mask {
        // SAFETY: only code that runs where the level was found uses its vectors.
        Mask(unsafe { _mm512_cmp_pd_mask::<_CMP_EQ_OQ>(self.0, other.0) })
    }

    #[inline(always)]
    fn select(mask: Mask, yes: Self, no: Self) -> Self {
        // SAFETY: only code that runs where the level was found uses its vectors.
        Self(unsafe { _mm512_mask_blend_pd(mask.0, no.0, yes.0) })
    }
}

impl Vector for F64x8 {
    const LANES: usize = 8;
    const WIDE_MASKS: bool = false;
    const MANY_REGISTERS: bool = true;

    #[inline(always)]
    fn load(from: &[f64]) -> Self {
        let from = &from[..Self::LANES];
        // SAFETY: the slice has that many numbers; any alignment will do.
        Self(unsafe { _mm512_loadu_pd(from.as_ptr()) })
    }

    #[inline(always)]
    fn store(self, to: &mut [f64]) {
        let to = &mut to[..Self::LANES];
        // SAFETY: the slice has that many numbers; any alignment will do.
        unsafe { _mm512_storeu_pd(to.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    fn store_low(self, to: &mut [u32]) {
        let to = &mut to[..Self::LANES];
        // SAFETY: the slice has that many numbers; any alignment will do.
        unsafe {
            let low = _mm512_cvtepi64_epi32(_mm512_castpd_si512(self.0));
            _mm256_storeu_si256(to.as_mut_ptr().cast(), low);
        }
    }

    #[inline(always)]
    fn bits(mask: Mask) -> u32 {
        u32::from(mask.0)
    }

    #[inline(always)]
    fn mask(bits: u32) -> Mask {
        Mask(bits as __mmask8)
    }

    #[inline(always)]
    fn in_order(before: &mut Complex<Self>, after: &mut Complex<Self>, memory: &[f64]) {
        // SAFETY: only code that runs where the level was found uses its vectors.
        unsafe { in_order(before, after, memory) }
    }

    #[inline(always)]
    fn fused_twice_plus(self, other: Self) -> Self {
        // SAFETY: only code that runs where the level was found uses its vectors.
        Self(unsafe { _mm512_fmadd_pd(self.0, _mm512_set1_pd(2.0), other.0) })
    }

    #[inline(always)]
    fn one_more(self, mask: Mask) -> Self {
        // SAFETY: only code that runs where the level was found uses its vectors.
        Self(unsafe {
            let whole = _mm512_castpd_si512(self.0);
            let more = _mm512_mask_sub_epi64(whole, mask.0, whole, _mm512_set1_epi64(-1));
            _mm512_castsi512_pd(more)
        })
    }

    #[inline(always)]
    fn compress(self, bits: u32) -> Self {
        // SAFETY: only code that runs where the level was found uses its vectors.
        Self(unsafe { _mm512_maskz_compress_pd(bits as __mmask8, self.0) })
    }
}

in_order!(F64x8, zmm_reg, "avx512f");
