//! Four lanes.

use super::{arithmetic, in_order, wide_mask};
use crate::simd::Vector;
use faafo_formula::{Complex, Number};
use std::arch::x86_64::*;

/// Four numbers.
#[derive(Clone, Copy)]
pub(crate) struct F64x4(__m256d);

/// Four answers: all ones or all zeros.
#[derive(Clone, Copy)]
pub(crate) struct Mask(__m256d);

arithmetic!(
    F64x4,
    Add add _mm256_add_pd,
    Sub sub _mm256_sub_pd,
    Mul mul _mm256_mul_pd,
    Div div _mm256_div_pd
);
wide_mask!(
    Mask,
    _mm256_and_pd,
    _mm256_or_pd,
    _mm256_xor_pd,
    _mm256_set1_pd
);

/// For each set of lanes: where each of the first lanes comes from, in halves of a lane.
static COMPRESS: [[u32; 8]; 16] = {
    let mut table = [[0; 8]; 16];
    let mut bits = 0;
    while bits < 16 {
        let (mut lane, mut rank) = (0, 0);
        while lane < 4 {
            if bits >> lane & 1 == 1 {
                table[bits][2 * rank] = 2 * lane;
                table[bits][2 * rank + 1] = 2 * lane + 1;
                rank += 1;
            }
            lane += 1;
        }
        bits += 1;
    }
    table
};

/// All ones for each lane in a set.
static MASKS: [[u64; 4]; 16] = {
    let mut table = [[0; 4]; 16];
    let mut bits = 0;
    while bits < 16 {
        let mut lane = 0;
        while lane < 4 {
            if bits >> lane & 1 == 1 {
                table[bits][lane] = !0;
            }
            lane += 1;
        }
        bits += 1;
    }
    table
};

impl Number for F64x4 {
    type Mask = Mask;

    #[inline(always)]
    fn splat(value: f64) -> Self {
        // SAFETY: only code that runs where the level was found uses its vectors.
        Self(unsafe { _mm256_set1_pd(value) })
    }

    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: only code that runs where the level was found uses its vectors.
        Self(unsafe { _mm256_andnot_pd(_mm256_set1_pd(-0.0), self.0) })
    }

    #[inline(always)]
    fn less(self, other: Self) -> Mask {
        // SAFETY: only code that runs where the level was found uses its vectors.
        Mask(unsafe { _mm256_cmp_pd::<_CMP_LT_OQ>(self.0, other.0) })
    }

    #[inline(always)]
    fn equal(self, other: Self) -> Mask {
        // SAFETY: only code that runs where the level was found uses its vectors.
        Mask(unsafe { _mm256_cmp_pd::<_CMP_EQ_OQ>(self.0, other.0) })
    }

    #[inline(always)]
    fn select(mask: Mask, yes: Self, no: Self) -> Self {
        // SAFETY: only code that runs where the level was found uses its vectors.
        Self(unsafe { _mm256_blendv_pd(no.0, yes.0, mask.0) })
    }
}

impl Vector for F64x4 {
    const LANES: usize = 4;
    const WIDE_MASKS: bool = true;
    const MANY_REGISTERS: bool = false;

    #[inline(always)]
    fn load(from: &[f64]) -> Self {
        let from = &from[..Self::LANES];
        // SAFETY: the slice has that many numbers; any alignment will do.
        Self(unsafe { _mm256_loadu_pd(from.as_ptr()) })
    }

    #[inline(always)]
    fn store(self, to: &mut [f64]) {
        let to = &mut to[..Self::LANES];
        // SAFETY: the slice has that many numbers; any alignment will do.
        unsafe { _mm256_storeu_pd(to.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    fn store_low(self, to: &mut [u32]) {
        let to = &mut to[..Self::LANES];
        // SAFETY: the slice has that many numbers; any alignment will do.
        unsafe {
            let even = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
            let low = _mm256_permutevar8x32_epi32(_mm256_castpd_si256(self.0), even);
            _mm_storeu_si128(to.as_mut_ptr().cast(), _mm256_castsi256_si128(low));
        }
    }

    #[inline(always)]
    fn bits(mask: Mask) -> u32 {
        // SAFETY: only code that runs where the level was found uses its vectors.
        unsafe { _mm256_movemask_pd(mask.0) as u32 }
    }

    #[inline(always)]
    fn mask(bits: u32) -> Mask {
        let entry = &MASKS[bits as usize & 15];
        // SAFETY: the table's entry has 32 bytes.
        Mask(unsafe { _mm256_loadu_pd(entry.as_ptr().cast()) })
    }

    #[inline(always)]
    fn in_order(before: &mut Complex<Self>, after: &mut Complex<Self>, memory: &[f64]) {
        // SAFETY: only code that runs where the level was found uses its vectors.
        unsafe { in_order(before, after, memory) }
    }

    #[inline(always)]
    fn fused_twice_plus(self, other: Self) -> Self {
        // SAFETY: only code that runs where the level was found uses its vectors.
        Self(unsafe { _mm256_fmadd_pd(self.0, _mm256_set1_pd(2.0), other.0) })
    }

    #[inline(always)]
    fn one_more(self, mask: Mask) -> Self {
        // Yes is −1 as a whole number, and the next bits are the next number.
        // SAFETY: only code that runs where the level was found uses its vectors.
        Self(unsafe {
            let (whole, yes) = (_mm256_castpd_si256(self.0), _mm256_castpd_si256(mask.0));
            _mm256_castsi256_pd(_mm256_sub_epi64(whole, yes))
        })
    }

    #[inline(always)]
    fn compress(self, bits: u32) -> Self {
        let by = &COMPRESS[bits as usize & 15];
        // SAFETY: only code that runs where the level was found uses its vectors; the table's entry has 32 bytes.
        Self(unsafe {
            let by = _mm256_loadu_si256(by.as_ptr().cast());
            _mm256_castps_pd(_mm256_permutevar8x32_ps(_mm256_castpd_ps(self.0), by))
        })
    }
}

in_order!(F64x4, ymm_reg, "avx2");
