//! Vectors of x86-64: SSE2, AVX2 and AVX-512.

mod avx2;
mod avx512;
mod sse2;

pub(crate) use avx2::F64x4;
pub(crate) use avx512::F64x8;
pub(crate) use sse2::F64x2;

/// The arithmetic of a vector, from the names of its intrinsics.
macro_rules! arithmetic {
    ($vector:ident, $($trait:ident $method:ident $intrinsic:ident),+) => {$(
        impl std::ops::$trait for $vector {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                // SAFETY: only code that runs where the level was found uses its vectors.
                Self(unsafe { std::arch::x86_64::$intrinsic(self.0, other.0) })
            }
        }
    )+};
}

/// A mask that is a vector of all ones or all zeros, from the names of its intrinsics.
macro_rules! wide_mask {
    ($mask:ident, $and:ident, $or:ident, $xor:ident, $ones:ident) => {
        impl std::ops::BitAnd for $mask {
            type Output = Self;

            #[inline(always)]
            fn bitand(self, other: Self) -> Self {
                // SAFETY: only code that runs where the level was found uses its vectors.
                Self(unsafe { std::arch::x86_64::$and(self.0, other.0) })
            }
        }

        impl std::ops::BitOr for $mask {
            type Output = Self;

            #[inline(always)]
            fn bitor(self, other: Self) -> Self {
                // SAFETY: only code that runs where the level was found uses its vectors.
                Self(unsafe { std::arch::x86_64::$or(self.0, other.0) })
            }
        }

        impl std::ops::Not for $mask {
            type Output = Self;

            #[inline(always)]
            fn not(self) -> Self {
                // SAFETY: only code that runs where the level was found uses its vectors.
                Self(unsafe {
                    std::arch::x86_64::$xor(self.0, std::arch::x86_64::$ones(f64::from_bits(!0)))
                })
            }
        }
    };
}

/// [`Vector::in_order`](super::Vector::in_order), from the names of a vector's registers and of a level that has them.
macro_rules! in_order {
    ($vector:ident, $register:ident, $feature:literal) => {
        #[inline]
        #[target_feature(enable = $feature)]
        fn in_order(
            before: &mut Complex<$vector>,
            after: &mut Complex<$vector>,
            memory: &[f64],
        ) {
            // SAFETY: there are no instructions; all registers and memory stay as they are.
            unsafe {
                std::arch::asm!(
                    "/* {} {} {} {} {} */",
                    inout($register) before.re.0,
                    inout($register) before.im.0,
                    inout($register) after.re.0,
                    inout($register) after.im.0,
                    in(reg) memory.as_ptr(),
                    options(nostack, preserves_flags)
                );
            }
        }
    };
}

use {arithmetic, in_order, wide_mask};
