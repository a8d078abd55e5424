//! Steps of which each is looked at: where the very step is found in which an orbit ends.

use crate::simd::Vector;
use faafo_formula::{Complex, Map};

/// Vectors under way.
pub(super) const STREAMS: usize = 4;

/// Steps between two looks at whether all have ended.
const STRIDE: usize = 4;

/// Orbits that are followed together.
pub(super) struct Group<V: Vector> {
    /// Once the orbit has ended, where it had.
    pub z: [Complex<V>; STREAMS],
    pub before: [Complex<V>; STREAMS],
    pub c: [Complex<V>; STREAMS],
    /// Which have not ended.
    pub alive: [V::Mask; STREAMS],
    /// Steps that each took until it ended.
    pub taken: [V; STREAMS],
}

impl<V: Vector> Group<V> {
    /// Without any orbit.
    #[inline(always)]
    pub fn new() -> Self {
        let zero = Complex::splat(0.0, 0.0);
        Self {
            z: [zero; STREAMS],
            before: [zero; STREAMS],
            c: [zero; STREAMS],
            alive: [V::mask(0); STREAMS],
            taken: [V::splat(0.0); STREAMS],
        }
    }

    /// How many.
    pub const LEN: usize = STREAMS * V::LANES;

    /// Takes so many steps, in fours, or fewer if all end before. What the last one leads to is not looked at.
    #[inline(always)]
    pub fn follow<M: Map>(&mut self, map: &M, steps: usize) {
        let wanted = self.alive;
        for stride in 0..steps.div_ceil(STRIDE) {
            let mut on = wanted;
            for step in 0..STRIDE {
                let further = V::splat((stride * STRIDE + step + 1) as f64);
                for (stream, on) in on.iter_mut().enumerate() {
                    *on = self.step(map, stream, further);
                }
            }
            let mut any = 0;
            for (stream, on) in on.into_iter().enumerate() {
                self.alive[stream] = wanted[stream] & on;
                any |= V::bits(self.alive[stream]) & V::ALL;
            }
            if any == 0 {
                break;
            }
        }
    }

    /// Takes a step with a vector, the `further`th. Returns which have not ended before.
    #[inline(always)]
    fn step<M: Map>(&mut self, map: &M, stream: usize, further: V) -> V::Mask {
        let (z, before) = (self.z[stream], self.before[stream]);
        let on = !map.ended(z, before);
        let next = map.step(z, before, self.c[stream]);
        // What has ended stays as it is, and so has still ended when it is looked at again.
        if M::MEMORY {
            self.before[stream].re = V::select(on, z.re, before.re);
            self.before[stream].im = V::select(on, z.im, before.im);
        }
        self.z[stream].re = V::select(on, next.re, z.re);
        self.z[stream].im = V::select(on, next.im, z.im);
        self.taken[stream] = V::select(on, further, self.taken[stream]);
        on
    }
}
