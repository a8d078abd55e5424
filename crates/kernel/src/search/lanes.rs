//! The orbits under way, side by side.

use super::orbits::{Orbit, Orbits as Queue};
use crate::simd::{Fused, MOST_LANES, Vector};
use faafo_formula::{Complex, Map};
use std::ops::Range;

/// The most lanes: bits in a u128.
pub(super) const MOST: usize = 128;

/// Steps after which an orbit is suspected of never ending, and watched for a cycle.
const SUSPICIOUS: f64 = 256.0;

/// As many numbers as a row keeps: a cache line more, for the reason that queues do so.
const KEPT: usize = MOST + 8;

/// A number for each lane.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Row(pub [f64; KEPT]);

impl Row {
    /// `numbers` go to the lanes in `mask` of the vector at `base`.
    #[inline(always)]
    fn select<V: Vector>(&mut self, base: usize, mask: V::Mask, numbers: V) {
        let numbers = V::select(mask, numbers, load(self, base));
        numbers.store(&mut self.0[base..]);
    }
}

const ZEROS: Row = Row([0.0; KEPT]);

/// Where orbits are.
#[derive(Clone, Copy)]
pub(super) struct Orbits {
    re: Row,
    im: Row,
    before_re: Row,
    before_im: Row,
}

const NOWHERE: Orbits = Orbits {
    re: ZEROS,
    im: ZEROS,
    before_re: ZEROS,
    before_im: ZEROS,
};

/// The lanes: what is under way in each. A bit of a u128 stands for a lane. They come in
/// sets, of which each is as many vectors as are under way at a time.
pub(super) struct Lanes {
    /// Now, and after the block of steps.
    at: [Orbits; 2],
    /// Which of them is now.
    current: usize,
    /// Whether all orbits have the same c.
    julia: bool,
    c_re: Row,
    c_im: Row,
    index: Row,
    /// When the orbit had taken no step yet.
    birth: Row,
    /// What the orbit is compared with.
    seen_re: Row,
    seen_im: Row,
    /// When it will be compared with something newer.
    next_look: Row,
    /// Lanes with an orbit.
    pub live: u128,
    /// Lanes whose orbit is compared with one of its earlier places.
    pub watched: u128,
    /// Steps taken.
    pub now: u64,
    /// Before this time no orbit reaches the limit.
    pub first_expiry: f64,
}

/// How many lanes there are.
pub(super) const fn count<V: Vector, const STREAMS: usize>() -> usize {
    let set = STREAMS * V::LANES;
    MOST / set * set
}

/// All lanes.
#[inline(always)]
pub(super) fn all<V: Vector, const STREAMS: usize>() -> u128 {
    u128::MAX >> (MOST - count::<V, STREAMS>())
}

#[inline(always)]
fn load<V: Vector>(row: &Row, base: usize) -> V {
    V::load(&row.0[base..])
}

/// The vector at `at` in a set of lanes.
#[inline(always)]
fn load_both<V: Vector>(re: &Row, im: &Row, set: &Range<usize>, at: usize) -> Complex<V> {
    let (re, im) = (&re.0[set.start..set.end], &im.0[set.start..set.end]);
    Complex::new(V::load(&re[at..]), V::load(&im[at..]))
}

#[inline(always)]
fn store_both<V: Vector>(z: Complex<V>, re: &mut Row, im: &mut Row, set: &Range<usize>, at: usize) {
    z.re.store(&mut re.0[set.start..set.end][at..]);
    z.im.store(&mut im.0[set.start..set.end][at..]);
}

/// A step of the vector at a place among those under way. Plain steps leave the units that multiply idle, fused ones the
/// units that add; half of each keep both busy.
#[inline(always)]
fn step<V: Vector, M: Map>(
    map: &M,
    stream: usize,
    z: Complex<V>,
    before: Complex<V>,
    c: Complex<V>,
) -> Complex<V> {
    if stream % 2 == 1 {
        Fused::step(map, z, before, c)
    } else {
        map.step(z, before, c)
    }
}

/// Those lanes that are in the vector at `base`.
#[inline(always)]
fn bits<V: Vector>(lanes: u128, base: usize) -> u32 {
    (lanes >> base) as u32 & V::ALL
}

impl Lanes {
    /// Without any orbit; for a Julia form with its c.
    pub fn new(constant: Option<(f64, f64)>) -> Self {
        let (c_re, c_im) = constant.unwrap_or_default();
        Self {
            at: [NOWHERE; 2],
            current: 0,
            julia: constant.is_some(),
            c_re: Row([c_re; KEPT]),
            c_im: Row([c_im; KEPT]),
            index: ZEROS,
            birth: ZEROS,
            seen_re: ZEROS,
            seen_im: ZEROS,
            next_look: ZEROS,
            live: 0,
            watched: 0,
            now: 0,
            first_expiry: f64::INFINITY,
        }
    }

    /// Takes a block of steps. Returns the lanes whose orbit may have ended on the way, and those whose orbit is back
    /// where it was seen; both also for lanes that are empty.
    #[inline(always)]
    pub fn advance<V: Vector, M: Map, const STREAMS: usize, const DEFERRED: bool>(
        &mut self,
        map: &M,
        steps: usize,
    ) -> (u128, u128) {
        let width = STREAMS * V::LANES;
        let (mut ended, mut cyclic) = (0, 0);
        for set in 0..count::<V, STREAMS>() / width {
            let base = set * width;
            // Towards the end of a search most sets are empty.
            if (self.live >> base) as u64 & (u64::MAX >> (64 - width)) == 0 {
                continue;
            }
            let (out, back) = self.advance_set::<V, M, STREAMS, DEFERRED>(map, steps, base);
            ended |= u128::from(out) << base;
            cyclic |= u128::from(back) << base;
        }
        (ended, cyclic)
    }

    /// The same for the set at `base`.
    #[inline(always)]
    fn advance_set<V: Vector, M: Map, const STREAMS: usize, const DEFERRED: bool>(
        &mut self,
        map: &M,
        steps: usize,
        base: usize,
    ) -> (u64, u64) {
        let zero = Complex::<V>::splat(0.0, 0.0);
        let (mut z, mut before) = ([zero; STREAMS], [zero; STREAMS]);
        let mut c = [zero; STREAMS];
        let mut ended = [V::mask(0); STREAMS];
        let (one, two) = self.at.split_at_mut(1);
        let (from, to) = match self.current {
            0 => (&one[0], &mut two[0]),
            _ => (&two[0], &mut one[0]),
        };
        let lanes = base..base + STREAMS * V::LANES;
        for stream in 0..STREAMS {
            let at = stream * V::LANES;
            z[stream] = load_both(&from.re, &from.im, &lanes, at);
            if M::MEMORY {
                before[stream] = load_both(&from.before_re, &from.before_im, &lanes, at);
            }
            c[stream] = load_both(&self.c_re, &self.c_im, &lanes, at);
        }
        for _ in 0..steps {
            for stream in 0..STREAMS {
                if !DEFERRED {
                    ended[stream] = ended[stream] | map.ended(z[stream], before[stream]);
                }
                let next = step(map, stream, z[stream], before[stream], c[stream]);
                if M::MEMORY {
                    before[stream] = z[stream];
                }
                z[stream] = next;
                // In two halves: one by one, it would wait for results instead.
                if stream + 1 == STREAMS / 2
                    && let Some([done, then]) = z[stream..].first_chunk_mut()
                {
                    V::in_order(done, then);
                }
            }
        }
        let (mut all_ended, mut all_cyclic) = (0, 0);
        for stream in 0..STREAMS {
            let at = stream * V::LANES;
            store_both(z[stream], &mut to.re, &mut to.im, &lanes, at);
            if M::MEMORY {
                store_both(
                    before[stream],
                    &mut to.before_re,
                    &mut to.before_im,
                    &lanes,
                    at,
                );
            }
            if DEFERRED {
                ended[stream] = map.far(z[stream]);
            }
            all_ended |= u64::from(V::bits(ended[stream]) & V::ALL) << at;
        }
        if self.watched != 0 {
            for (stream, z) in z.into_iter().enumerate() {
                let at = stream * V::LANES;
                let re = V::load(&self.seen_re.0[lanes.start..lanes.end][at..]);
                all_cyclic |= u64::from(V::bits(z.re.equal(re)) & V::ALL) << at;
            }
            // Seldom is anything back even on the line.
            if all_cyclic != 0 {
                for (stream, z) in z.into_iter().enumerate() {
                    let at = stream * V::LANES;
                    let im = V::load(&self.seen_im.0[lanes.start..lanes.end][at..]);
                    let other = V::bits(!z.im.equal(im)) & V::ALL;
                    all_cyclic &= !(u64::from(other) << at);
                }
            }
        }
        (all_ended, all_cyclic)
    }

    /// What was calculated becomes what is; it was so many steps.
    #[inline(always)]
    pub fn turn_over(&mut self, steps: usize) {
        self.current = 1 - self.current;
        self.now += steps as u64;
    }

    /// Nothing is under way in these lanes any more.
    #[inline(always)]
    pub fn empty(&mut self, lanes: u128) {
        self.live &= !lanes;
        self.watched &= !lanes;
    }

    /// Puts the orbits of some lanes into a queue as they are, before the steps that were calculated last.
    #[inline(always)]
    pub fn put<M: Map>(&self, mut lanes: u128, queue: &mut Queue) {
        let (from, now) = (&self.at[self.current & 1], self.now as f64);
        let mut at = queue.grow(lanes.count_ones() as usize);
        while lanes != 0 {
            let lane = lanes.trailing_zeros() as usize % MOST;
            let orbit = Orbit {
                z: Complex::new(from.re.0[lane], from.im.0[lane]),
                before: Complex::new(from.before_re.0[lane], from.before_im.0[lane]),
                c: Complex::new(self.c_re.0[lane], self.c_im.0[lane]),
                index: self.index.0[lane],
                count: now - self.birth.0[lane],
            };
            queue.set::<M>(at, orbit);
            at += 1;
            lanes &= lanes - 1;
        }
    }

    /// Gives waiting orbits to empty lanes, as far as there are any.
    #[inline(always)]
    pub fn fill<M: Map>(&mut self, mut empty: u128, waiting: &mut Queue, limit: u32) {
        let count = (empty.count_ones() as usize).min(waiting.len());
        let from = waiting.shrink(count);
        let (to, now) = (&mut self.at[self.current & 1], self.now as f64);
        let mut first_birth = f64::INFINITY;
        let before = empty;
        for at in from..from + count {
            let (lane, orbit) = (empty.trailing_zeros() as usize % MOST, waiting.get(at));
            (to.re.0[lane], to.im.0[lane]) = (orbit.z.re, orbit.z.im);
            if M::MEMORY {
                (to.before_re.0[lane], to.before_im.0[lane]) = (orbit.before.re, orbit.before.im);
            }
            if !self.julia {
                (self.c_re.0[lane], self.c_im.0[lane]) = (orbit.c.re, orbit.c.im);
            }
            self.index.0[lane] = orbit.index;
            let birth = now - orbit.count;
            self.birth.0[lane] = birth;
            if birth < first_birth {
                first_birth = birth;
            }
            empty &= empty - 1;
        }
        self.live |= before & !empty;
        self.first_expiry = self.first_expiry.min(first_birth + f64::from(limit));
    }

    /// The lanes whose orbits would go beyond the limit with so many more steps.
    #[inline(always)]
    pub fn expired<V: Vector, const STREAMS: usize>(&mut self, limit: u32, steps: usize) -> u128 {
        if (self.now + steps as u64) as f64 <= self.first_expiry {
            return 0;
        }
        let (now, limit) = (self.now as f64, f64::from(limit));
        let never = f64::INFINITY;
        let (mut over, mut first) = (0, V::splat(never));
        let too_early = V::splat(now + steps as f64 - limit);
        for base in (0..count::<V, STREAMS>()).step_by(V::LANES) {
            let birth = load::<V>(&self.birth, base);
            let live = V::mask(bits::<V>(self.live, base));
            let expired = live & birth.less(too_early);
            over |= u128::from(V::bits(expired) & V::ALL) << base;
            let sooner = live & !expired & birth.less(first);
            first = V::select(sooner, birth, first);
        }
        let mut births = [never; MOST_LANES];
        first.store(&mut births);
        self.first_expiry = births.iter().fold(never, |a, &b| a.min(b)) + limit;
        over
    }

    /// Orbits that are suspicious are compared with where they are now, each for twice as long as before.
    #[inline(always)]
    pub fn watch<V: Vector, const STREAMS: usize>(&mut self) {
        let now = V::splat(self.now as f64);
        let here = &self.at[self.current];
        for base in (0..count::<V, STREAMS>()).step_by(V::LANES) {
            let age = now - load(&self.birth, base);
            let due = !load::<V>(&self.next_look, base).greater(now);
            let watched = V::mask(bits::<V>(self.watched, base));
            let live = V::mask(bits::<V>(self.live, base));
            let new = live & age.greater(V::splat(SUSPICIOUS)) & (due | !watched);
            self.seen_re.select::<V>(base, new, load(&here.re, base));
            self.seen_im.select::<V>(base, new, load(&here.im, base));
            self.next_look.select(base, new, now + age);
            self.watched |= u128::from(V::bits(new) & V::ALL) << base;
        }
    }
}
