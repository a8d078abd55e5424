//! Two lanes, on every 64-bit ARM processor.

use super::Vector;
use faafo_formula::Number;
use std::arch::aarch64::*;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Not, Sub};

/// Two numbers.
#[derive(Clone, Copy)]
pub(crate) struct F64x2(float64x2_t);

/// Two answers: all ones or all zeros.
#[derive(Clone, Copy)]
pub(crate) struct Mask(uint64x2_t);

/// An operator of a vector, from the name of its intrinsic.
macro_rules! operators {
    ($($on:ident $trait:ident $method:ident $intrinsic:ident),+) => {$(
        impl $trait for $on {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                // SAFETY: every 64-bit ARM processor that this is compiled for has NEON.
                Self(unsafe { $intrinsic(self.0, other.0) })
            }
        }
    )+};
}

operators!(
    F64x2 Add add vaddq_f64,
    F64x2 Sub sub vsubq_f64,
    F64x2 Mul mul vmulq_f64,
    F64x2 Div div vdivq_f64,
    Mask BitAnd bitand vandq_u64,
    Mask BitOr bitor vorrq_u64
);

impl Not for Mask {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        // SAFETY: every 64-bit ARM processor that this is compiled for has NEON.
        Self(unsafe { veorq_u64(self.0, vdupq_n_u64(!0)) })
    }
}

impl Number for F64x2 {
    type Mask = Mask;

    #[inline(always)]
    fn splat(value: f64) -> Self {
        // SAFETY: every 64-bit ARM processor that this is compiled for has NEON.
        Self(unsafe { vdupq_n_f64(value) })
    }

    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: every 64-bit ARM processor that this is compiled for has NEON.
        Self(unsafe { vabsq_f64(self.0) })
    }

    #[inline(always)]
    fn less(self, other: Self) -> Mask {
        // SAFETY: every 64-bit ARM processor that this is compiled for has NEON.
        Mask(unsafe { vcltq_f64(self.0, other.0) })
    }

    #[inline(always)]
    fn equal(self, other: Self) -> Mask {
        // SAFETY: every 64-bit ARM processor that this is compiled for has NEON.
        Mask(unsafe { vceqq_f64(self.0, other.0) })
    }

    #[inline(always)]
    fn select(mask: Mask, yes: Self, no: Self) -> Self {
        // SAFETY: every 64-bit ARM processor that this is compiled for has NEON.
        Self(unsafe { vbslq_f64(mask.0, yes.0, no.0) })
    }
}

impl Vector for F64x2 {
    const LANES: usize = 2;
    const WIDE_MASKS: bool = true;
    // There are 32, but whether that is faster was not measured.
    const MANY_REGISTERS: bool = false;

    #[inline(always)]
    fn load(from: &[f64]) -> Self {
        let from = &from[..Self::LANES];
        // SAFETY: the slice has that many numbers; any alignment will do.
        Self(unsafe { vld1q_f64(from.as_ptr()) })
    }

    #[inline(always)]
    fn store(self, to: &mut [f64]) {
        let to = &mut to[..Self::LANES];
        // SAFETY: the slice has that many numbers; any alignment will do.
        unsafe { vst1q_f64(to.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    fn store_low(self, to: &mut [u32]) {
        let to = &mut to[..Self::LANES];
        // SAFETY: the slice has that many numbers; any alignment will do.
        unsafe { vst1_u32(to.as_mut_ptr(), vmovn_u64(vreinterpretq_u64_f64(self.0))) }
    }

    #[inline(always)]
    fn bits(mask: Mask) -> u32 {
        // SAFETY: every 64-bit ARM processor that this is compiled for has NEON.
        unsafe { (vgetq_lane_u64::<0>(mask.0) & 1 | vgetq_lane_u64::<1>(mask.0) & 2) as u32 }
    }

    #[inline(always)]
    fn mask(bits: u32) -> Mask {
        let lane = |bit: u32| 0u64.wrapping_sub(u64::from(bits >> bit & 1));
        // SAFETY: every 64-bit ARM processor that this is compiled for has NEON.
        Mask(unsafe { vcombine_u64(vcreate_u64(lane(0)), vcreate_u64(lane(1))) })
    }

    #[inline(always)]
    fn one_more(self, mask: Mask) -> Self {
        // Yes is −1 as a whole number, and the next bits are the next number.
        // SAFETY: every 64-bit ARM processor that this is compiled for has NEON.
        Self(unsafe { vreinterpretq_f64_u64(vsubq_u64(vreinterpretq_u64_f64(self.0), mask.0)) })
    }

    #[inline(always)]
    fn fused_twice_plus(self, other: Self) -> Self {
        // SAFETY: every 64-bit ARM processor that this is compiled for has NEON.
        Self(unsafe { vfmaq_f64(other.0, self.0, vdupq_n_f64(2.0)) })
    }

    #[inline(always)]
    fn compress(self, bits: u32) -> Self {
        if bits == 2 {
            // SAFETY: every 64-bit ARM processor that this is compiled for has NEON.
            Self(unsafe { vdupq_laneq_f64::<1>(self.0) })
        } else {
            self
        }
    }
}
