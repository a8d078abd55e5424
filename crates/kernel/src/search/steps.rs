//! Steps, and those of which each is looked at: where the very step is found in which an orbit ends.

use super::orbits::WHOLE;
use crate::simd::{Fused, Vector};
use faafo_formula::{Complex, Map};

/// Vectors under way.
pub(super) const STREAMS: usize = 5;

/// Steps between two looks at whether all have ended.
pub(super) const STRIDE: usize = 2;

/// A step of the vector at a place among those under way. Plain steps leave the units that multiply idle, fused ones the
/// units that add; a mixture keeps both busy.
#[inline(always)]
pub(super) fn step<V: Vector, M: Map>(
    map: &M,
    stream: usize,
    z: Complex<V>,
    before: Complex<V>,
    c: Complex<V>,
) -> Complex<V> {
    if stream % 3 == 1 {
        Fused::step(map, z, before, c)
    } else {
        map.step(z, before, c)
    }
}

/// Orbits that are followed together.
pub(super) struct Group<V: Vector, const N: usize> {
    /// Where each is; once it has ended, where it had, if anybody wanted to know.
    pub z: [Complex<V>; N],
    pub before: [Complex<V>; N],
    pub c: [Complex<V>; N],
    /// Which have not ended.
    pub alive: [V::Mask; N],
    /// Steps that each took until it ended, with [`WHOLE`].
    pub taken: [V; N],
}

impl<V: Vector, const N: usize> Group<V, N> {
    /// Without any orbit.
    #[inline(always)]
    pub fn new() -> Self {
        let zero = Complex::splat(0.0, 0.0);
        Self {
            z: [zero; N],
            before: [zero; N],
            c: [zero; N],
            alive: [V::mask(0); N],
            taken: [V::splat(0.0); N],
        }
    }

    /// How many.
    pub const LEN: usize = N * V::LANES;

    /// Takes so many steps, in pairs, or fewer if all end before. What the last one leads to is not looked at. With
    /// `PLACES`, what has ended stays where it had.
    #[inline(always)]
    pub fn follow<M: Map, const PLACES: bool>(&mut self, map: &M, steps: usize) {
        let in_place = PLACES || !V::WIDE_MASKS;
        self.taken = [V::splat(WHOLE); N];
        for stride in 0..steps.div_ceil(STRIDE) {
            if in_place {
                self.stride_in_place(map, stride * STRIDE);
            } else {
                self.stride(map);
            }
            let mut any = 0;
            for alive in self.alive {
                any |= V::bits(alive) & V::ALL;
            }
            if any == 0 {
                break;
            }
        }
    }

    /// Takes a few steps, after so many. What has ended stays as it is, and so has still ended when it is looked at again.
    #[inline(always)]
    fn stride_in_place<M: Map>(&mut self, map: &M, before: usize) {
        let mut on = self.alive;
        for step in 1..=STRIDE {
            let further = V::splat(WHOLE + (before + step) as f64);
            for (stream, on) in on.iter_mut().enumerate() {
                let (z, before) = (self.z[stream], self.before[stream]);
                *on = !map.ended(z, before);
                // With the test for company, all vectors are better fused.
                let next = Fused::step(map, z, before, self.c[stream]);
                if M::MEMORY {
                    self.before[stream].re = V::select(*on, z.re, before.re);
                    self.before[stream].im = V::select(*on, z.im, before.im);
                }
                self.z[stream].re = V::select(*on, next.re, z.re);
                self.z[stream].im = V::select(*on, next.im, z.im);
                self.taken[stream] = V::select(*on, further, self.taken[stream]);
            }
        }
        for (alive, on) in self.alive.iter_mut().zip(on) {
            *alive = *alive & on;
        }
    }

    /// Takes a few steps. Only what has not ended is where it says.
    #[inline(always)]
    fn stride<M: Map>(&mut self, map: &M) {
        for _ in 0..STRIDE {
            for stream in 0..N {
                let (z, before) = (self.z[stream], self.before[stream]);
                let on = self.alive[stream] & !map.ended(z, before);
                // With the test for company, all vectors are better fused.
                self.z[stream] = Fused::step(map, z, before, self.c[stream]);
                if M::MEMORY {
                    self.before[stream] = z;
                }
                self.taken[stream] = self.taken[stream].one_more(on);
                self.alive[stream] = on;
                if M::STAYS
                    && let Some([done, then]) = self.z[stream..].first_chunk_mut()
                {
                    V::in_order(done, then, &[]);
                }
            }
        }
    }
}
