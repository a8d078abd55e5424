//! Which instructions a machine has, and code compiled for each of them.

use super::Vector;
use std::fmt;

/// A set of instructions. The same recipe gives the same bytes with each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// One number at a time.
    Scalar,
    /// Two at a time; every x86-64 processor.
    Sse2,
    /// Two at a time; every 64-bit ARM processor.
    Neon,
    /// Four at a time.
    Avx2,
    /// Eight at a time.
    Avx512,
}

impl Level {
    /// Every level, from the slowest to the fastest.
    pub const ALL: [Self; 5] = [
        Self::Scalar,
        Self::Sse2,
        Self::Neon,
        Self::Avx2,
        Self::Avx512,
    ];

    /// The level's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Sse2 => "sse2",
            Self::Neon => "neon",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// The level of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }

    /// Whether this machine has it.
    pub fn is_available(self) -> bool {
        match self {
            Self::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Self::Sse2 => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("fma")
            }
            #[cfg(target_arch = "aarch64")]
            Self::Neon => true,
            #[cfg_attr(
                not(any(target_arch = "x86_64", target_arch = "aarch64")),
                expect(unreachable_patterns)
            )]
            _ => false,
        }
    }

    /// The levels that this machine has, from the slowest to the fastest.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|level| level.is_available())
    }

    /// The fastest that this machine has.
    pub fn best() -> Self {
        Self::available().last().unwrap_or(Self::Scalar)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Something to be done with the vectors of some level. [`run`](Self::run) and all that it calls must be inlined, so
/// that it is compiled for that level.
pub(crate) trait AtLevel {
    /// What it comes to.
    type Output;

    /// Does it with `STREAMS` independent vectors under way.
    fn run<V: Vector, const STREAMS: usize>(self) -> Self::Output;
}

/// Does it with a level's instructions, or one number at a time where this machine doesn't have them. How many vectors
/// are under way is what was measured to be fastest: enough to hide that an addition takes cycles, not more than
/// registers hold.
pub(crate) fn at_level<W: AtLevel>(level: Level, work: W) -> W::Output {
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 if level.is_available() => {
            // SAFETY: this machine has the level's instructions.
            unsafe { x86::avx512(work) }
        }
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 if level.is_available() => {
            // SAFETY: this machine has the level's instructions.
            unsafe { x86::avx2(work) }
        }
        #[cfg(target_arch = "x86_64")]
        Level::Sse2 => work.run::<super::x86::F64x2, 5>(),
        #[cfg(target_arch = "aarch64")]
        Level::Neon => work.run::<super::neon::F64x2, 6>(),
        _ => work.run::<f64, 4>(),
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::super::x86::{F64x4, F64x8};
    use super::AtLevel;
    use std::hint::black_box;
    use std::mem::MaybeUninit;

    /// A cache line.
    #[repr(align(64))]
    struct Line(#[expect(dead_code, reason = "only its place matters")] [u8; 64]);

    /// Something that is aligned like a cache line among a function's variables. With it the compiler aligns the vectors
    /// that it keeps there for want of registers; otherwise, as the stack happens to begin, most of them may lie across
    /// two lines, and some pictures take a quarter longer.
    #[inline(always)]
    fn align_variables() {
        let mut line = MaybeUninit::<Line>::uninit();
        black_box(&mut line);
    }

    #[target_feature(enable = "avx512f,avx512dq,avx2,fma,bmi1,bmi2,popcnt,lzcnt")]
    pub(super) fn avx512<W: AtLevel>(work: W) -> W::Output {
        align_variables();
        work.run::<F64x8, 8>()
    }

    #[target_feature(enable = "avx2,fma,bmi1,bmi2,popcnt,lzcnt")]
    pub(super) fn avx2<W: AtLevel>(work: W) -> W::Output {
        align_variables();
        work.run::<F64x4, 7>()
    }
}
