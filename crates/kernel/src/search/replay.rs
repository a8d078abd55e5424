//! Orbits followed step by step, to find the very step in which each ended.

use super::lanes::{MOST, Resumed};
use super::{Ends, MOST_STEPS};
use crate::simd::{MOST_LANES, Vector};
use faafo_formula::{Complex, Map};

/// Vectors under way.
const STREAMS: usize = 4;

/// Space for what is left over, what all lanes can add, and what the last vector writes behind its end.
const SPACE: usize = STREAMS * MOST_LANES + 2 * MOST + MOST_LANES;

/// Orbits that wait to be followed step by step.
pub(super) struct Queue {
    re: [f64; SPACE],
    im: [f64; SPACE],
    before_re: [f64; SPACE],
    before_im: [f64; SPACE],
    c_re: [f64; SPACE],
    c_im: [f64; SPACE],
    /// With [`WHOLE`].
    index: [f64; SPACE],
    /// Steps taken so far; after a replay, with [`WHOLE`].
    count: [f64; SPACE],
    len: usize,
}

impl Default for Queue {
    fn default() -> Self {
        let zeros = [0.0; SPACE];
        Self {
            re: zeros,
            im: zeros,
            before_re: zeros,
            before_im: zeros,
            c_re: zeros,
            c_im: zeros,
            index: zeros,
            count: zeros,
            len: 0,
        }
    }
}

/// How orbits in a queue are followed.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// The most steps.
    pub steps: usize,
    /// Whether all have reached the limit of iterations within these steps.
    pub to_the_limit: bool,
    /// The limit of iterations.
    pub limit: u32,
    /// The c of a Julia form.
    pub constant: Option<(f64, f64)>,
    /// Whether all are followed; otherwise as many as fill vectors.
    pub all: bool,
}

impl Rules {
    /// The same for all in the queue.
    pub fn of_all(self) -> Self {
        Self { all: true, ..self }
    }

    /// The same for orbits that are about to reach the limit.
    pub fn last(self) -> Self {
        Self {
            steps: MOST_STEPS,
            to_the_limit: true,
            ..self
        }
    }
}

/// Added to a whole number below 2³² it leaves that number in the lowest bits.
pub(super) const WHOLE: f64 = (1u64 << 52) as f64;

/// The whole number to which [`WHOLE`] was added.
#[inline(always)]
fn whole(number: f64) -> u32 {
    number.to_bits() as u32
}

impl Queue {
    /// Whether there is enough to follow.
    #[inline(always)]
    pub fn is_full(&self) -> bool {
        self.len >= MOST
    }

    /// Adds the orbits in some lanes of a vector.
    #[inline(always)]
    pub fn push<V: Vector, M: Map>(
        &mut self,
        bits: u32,
        z: Complex<V>,
        before: Complex<V>,
        c: Option<Complex<V>>,
        index: V,
        count: V,
    ) {
        let at = self.len;
        z.re.compress(bits).store(&mut self.re[at..]);
        z.im.compress(bits).store(&mut self.im[at..]);
        if M::MEMORY {
            before.re.compress(bits).store(&mut self.before_re[at..]);
            before.im.compress(bits).store(&mut self.before_im[at..]);
        }
        if let Some(c) = c {
            c.re.compress(bits).store(&mut self.c_re[at..]);
            c.im.compress(bits).store(&mut self.c_im[at..]);
        }
        index.compress(bits).store(&mut self.index[at..]);
        count.compress(bits).store(&mut self.count[at..]);
        self.len = at + bits.count_ones() as usize;
    }

    /// Follows the orbits in whole groups of vectors. Returns how many pixels are done.
    #[inline(always)]
    pub fn replay<V: Vector, M: Map>(
        &mut self,
        map: &M,
        rules: Rules,
        ends: &mut Ends,
        resumed: &mut Vec<Resumed>,
    ) -> u64 {
        let group = STREAMS * V::LANES;
        let (mut from, mut done) = (0, 0);
        while self.len - from >= group || (rules.all && from < self.len) {
            let here = group.min(self.len - from);
            done += self.follow::<V, M>(map, rules, from, here, ends, resumed);
            from += here;
        }
        self.keep(from);
        done
    }

    /// Moves what is left over to the front.
    fn keep(&mut self, from: usize) {
        let left = from..self.len;
        self.len -= from;
        for numbers in [
            &mut self.re,
            &mut self.im,
            &mut self.before_re,
            &mut self.before_im,
            &mut self.c_re,
            &mut self.c_im,
            &mut self.index,
            &mut self.count,
        ] {
            numbers.copy_within(left.clone(), 0);
        }
    }

    #[inline(always)]
    fn follow<V: Vector, M: Map>(
        &mut self,
        map: &M,
        rules: Rules,
        from: usize,
        len: usize,
        ends: &mut Ends,
        resumed: &mut Vec<Resumed>,
    ) -> u64 {
        let zero = Complex::<V>::splat(0.0, 0.0);
        let (none, one) = (V::splat(0.0), V::splat(1.0));
        let limit = V::splat(f64::from(rules.limit));
        let (mut z, mut before) = ([zero; STREAMS], [zero; STREAMS]);
        let constant = rules.constant.unwrap_or_default();
        let mut c = [Complex::splat(constant.0, constant.1); STREAMS];
        let mut count = [none; STREAMS];
        // What another step adds to the count: nothing once an orbit has ended.
        let mut more = [one; STREAMS];
        for stream in 0..STREAMS {
            let at = from + stream * V::LANES;
            z[stream] = Complex::new(V::load(&self.re[at..]), V::load(&self.im[at..]));
            count[stream] = V::load(&self.count[at..]);
            if M::MEMORY {
                before[stream] = Complex::new(
                    V::load(&self.before_re[at..]),
                    V::load(&self.before_im[at..]),
                );
            }
            if rules.constant.is_none() {
                c[stream] = Complex::new(V::load(&self.c_re[at..]), V::load(&self.c_im[at..]));
            }
        }
        for step in 0..rules.steps {
            for stream in 0..STREAMS {
                let mut ended = map.ended(z[stream], before[stream]);
                if rules.to_the_limit {
                    ended = ended | !count[stream].less(limit);
                }
                more[stream] = V::select(ended, none, more[stream]);
                count[stream] = count[stream] + more[stream];
                let next = map.step(z[stream], before[stream], c[stream]);
                // What has ended stays as it is, and so has still ended when it is looked at again.
                if M::MEMORY {
                    before[stream].re = V::select(ended, before[stream].re, z[stream].re);
                    before[stream].im = V::select(ended, before[stream].im, z[stream].im);
                }
                z[stream].re = V::select(ended, z[stream].re, next.re);
                z[stream].im = V::select(ended, z[stream].im, next.im);
            }
            if step % 4 == 3 {
                let mut any = more[0];
                for more in &more[1..] {
                    any = any + *more;
                }
                if V::bits(any.equal(none)) & V::ALL == V::ALL {
                    break;
                }
            }
        }
        let mut bits = 0u64;
        for stream in 0..STREAMS {
            let at = from + stream * V::LANES;
            if !rules.to_the_limit {
                let ended = map.ended(z[stream], before[stream]);
                more[stream] = V::select(ended, none, more[stream]);
            }
            bits |= u64::from(V::bits(more[stream].equal(none)) & V::ALL) << (stream * V::LANES);
            (count[stream] + V::splat(WHOLE)).store(&mut self.count[at..]);
            z[stream].re.store(&mut self.re[at..]);
            z[stream].im.store(&mut self.im[at..]);
            if M::MEMORY {
                before[stream].re.store(&mut self.before_re[at..]);
                before[stream].im.store(&mut self.before_im[at..]);
            }
        }
        self.report(rules, from, len, bits, ends, resumed)
    }

    /// Notes how orbits have ended, and hands on those that have not.
    #[inline(always)]
    fn report(
        &mut self,
        rules: Rules,
        from: usize,
        len: usize,
        ended: u64,
        ends: &mut Ends,
        resumed: &mut Vec<Resumed>,
    ) -> u64 {
        let want_z = !ends.z.is_empty();
        let mut done = len as u64;
        for rank in 0..len {
            let at = from + rank;
            let (index, count) = (whole(self.index[at]) as usize, whole(self.count[at]));
            if ended >> rank & 1 == 1 {
                ends.count[index] = count;
                if want_z {
                    ends.z[index] = Complex::new(self.re[at], self.im[at]);
                }
            } else {
                // Had ended by a hair's breadth less than the deferred test allows for.
                resumed.push(self.orbit(at, rules.constant));
                done -= 1;
            }
        }
        done
    }

    fn orbit(&self, at: usize, constant: Option<(f64, f64)>) -> Resumed {
        let c = constant.unwrap_or((self.c_re[at], self.c_im[at]));
        Resumed {
            z: Complex::new(self.re[at], self.im[at]),
            before: Complex::new(self.before_re[at], self.before_im[at]),
            c: Complex::new(c.0, c.1),
            index: self.index[at],
            count: f64::from(whole(self.count[at])),
        }
    }
}
