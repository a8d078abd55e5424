//! The orbits under way, side by side.

use super::replay::Queue;
use super::source::Source;
use crate::simd::{MOST_LANES, Vector};
use faafo_formula::{Complex, Map};

/// The most lanes: bits in a u64.
pub(super) const MOST: usize = 64;

/// Steps after which an orbit is suspected of never ending, and watched for a cycle.
const SUSPICIOUS: f64 = 256.0;

/// A number for each lane.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Row(pub [f64; MOST]);

impl Row {
    /// The first of `numbers` go to the lanes in `bits` of the vector at `base`.
    #[inline(always)]
    fn expand<V: Vector>(&mut self, base: usize, bits: u32, numbers: V) {
        let numbers = numbers.expand(bits, load(self, base));
        numbers.store(&mut self.0[base..]);
    }

    /// `numbers` go to the lanes in `mask` of the vector at `base`.
    #[inline(always)]
    fn select<V: Vector>(&mut self, base: usize, mask: V::Mask, numbers: V) {
        let numbers = V::select(mask, numbers, load(self, base));
        numbers.store(&mut self.0[base..]);
    }
}

const ZEROS: Row = Row([0.0; MOST]);

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

/// An orbit that has been followed for a while and is to go on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resumed {
    pub z: Complex<f64>,
    pub before: Complex<f64>,
    pub c: Complex<f64>,
    /// The pixel's number.
    pub index: f64,
    /// Steps taken.
    pub count: f64,
}

/// The lanes: what is under way in each. A bit of a u64 stands for a lane.
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
    pub live: u64,
    /// Lanes whose orbit is compared with one of its earlier places.
    pub watched: u64,
    /// Steps taken.
    pub now: u64,
    /// Before this time no orbit reaches the limit.
    pub first_expiry: f64,
    /// Orbits that wait for a lane.
    pub resumed: Vec<Resumed>,
}

/// The first `count` lanes.
#[inline(always)]
pub(super) fn first(count: u32) -> u64 {
    u64::MAX >> (64 - count)
}

#[inline(always)]
fn load<V: Vector>(row: &Row, base: usize) -> V {
    V::load(&row.0[base..])
}

/// The lanes of a set that are in the vector at `base`.
#[inline(always)]
fn bits<V: Vector>(lanes: u64, base: usize) -> u32 {
    (lanes >> base) as u32 & V::ALL
}

/// From how many lanes on no vector is left out: that costs less than to guess wrongly which have one.
const MANY: u32 = 6;

impl Lanes {
    /// Without any orbit; for a Julia form with its c.
    pub fn new(constant: Option<(f64, f64)>) -> Self {
        let (c_re, c_im) = constant.unwrap_or_default();
        Self {
            at: [NOWHERE; 2],
            current: 0,
            julia: constant.is_some(),
            c_re: Row([c_re; MOST]),
            c_im: Row([c_im; MOST]),
            index: ZEROS,
            birth: ZEROS,
            seen_re: ZEROS,
            seen_im: ZEROS,
            next_look: ZEROS,
            live: 0,
            watched: 0,
            now: 0,
            first_expiry: 0.0,
            resumed: Vec::new(),
        }
    }

    /// Takes a block of steps. Returns the lanes whose orbit may have ended on the way, and those whose orbit is back
    /// where it was seen; both also for lanes that are empty.
    #[inline(always)]
    pub fn advance<V: Vector, M: Map, const STREAMS: usize, const DEFERRED: bool>(
        &mut self,
        map: &M,
        steps: usize,
    ) -> (u64, u64) {
        let zero = Complex::<V>::splat(0.0, 0.0);
        let (mut z, mut before) = ([zero; STREAMS], [zero; STREAMS]);
        let mut c = [zero; STREAMS];
        let watch = self.watched != 0;
        let mut ended = [V::mask(0); STREAMS];
        let (one, two) = self.at.split_at_mut(1);
        let (from, to) = match self.current {
            0 => (&one[0], &mut two[0]),
            _ => (&two[0], &mut one[0]),
        };
        for stream in 0..STREAMS {
            let base = stream * V::LANES;
            z[stream] = Complex::new(load(&from.re, base), load(&from.im, base));
            if M::MEMORY {
                before[stream] =
                    Complex::new(load(&from.before_re, base), load(&from.before_im, base));
            }
            c[stream] = Complex::new(load(&self.c_re, base), load(&self.c_im, base));
        }
        for _ in 0..steps {
            for stream in 0..STREAMS {
                if !DEFERRED {
                    ended[stream] = ended[stream] | map.ended(z[stream], before[stream]);
                }
                let next = map.step(z[stream], before[stream], c[stream]);
                if M::MEMORY {
                    before[stream] = z[stream];
                }
                z[stream] = next;
            }
        }
        let (mut all_ended, mut all_cyclic) = (0, 0);
        for stream in 0..STREAMS {
            let base = stream * V::LANES;
            z[stream].re.store(&mut to.re.0[base..]);
            z[stream].im.store(&mut to.im.0[base..]);
            if M::MEMORY {
                before[stream].re.store(&mut to.before_re.0[base..]);
                before[stream].im.store(&mut to.before_im.0[base..]);
            }
            if DEFERRED {
                ended[stream] = map.far(z[stream]);
            }
            all_ended |= u64::from(V::bits(ended[stream]) & V::ALL) << base;
            if watch {
                let re = z[stream].re.equal(load(&self.seen_re, base));
                let im = z[stream].im.equal(load(&self.seen_im, base));
                all_cyclic |= u64::from(V::bits(re & im) & V::ALL) << base;
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
    pub fn empty(&mut self, lanes: u64) {
        self.live &= !lanes;
        self.watched &= !lanes;
    }

    /// Puts orbits into a queue as they are, before the steps that were calculated last.
    #[inline(always)]
    pub fn put<V: Vector, M: Map, const STREAMS: usize>(&self, lanes: u64, queue: &mut Queue) {
        let (from, now) = (&self.at[self.current], V::splat(self.now as f64));
        let every = lanes.count_ones() >= MANY;
        for stream in 0..STREAMS {
            let base = stream * V::LANES;
            let bits = bits::<V>(lanes, base);
            if !every && bits == 0 {
                continue;
            }
            let count = now - load(&self.birth, base);
            let z = Complex::new(load::<V>(&from.re, base), load(&from.im, base));
            let before = Complex::new(load(&from.before_re, base), load(&from.before_im, base));
            let c = Complex::new(load(&self.c_re, base), load(&self.c_im, base));
            let c = (!self.julia).then_some(c);
            queue.push::<V, M>(bits, z, before, c, load(&self.index, base), count);
        }
    }

    /// Gives pixels to empty lanes, as far as there are any.
    #[inline(always)]
    pub fn fill<V: Vector, M: Map, const STREAMS: usize>(
        &mut self,
        empty: u64,
        source: &mut Source,
        map: &M,
    ) {
        let count = empty.count_ones();
        if !self.resumed.is_empty() || !source.has(count as usize) {
            self.fill_each(empty, source, map.critical(), map.before());
            return;
        }
        let every = count >= MANY;
        let now = V::splat(self.now as f64);
        let (critical, before) = (map.critical(), map.before());
        let to = &mut self.at[self.current];
        for stream in 0..STREAMS {
            let base = stream * V::LANES;
            let bits = bits::<V>(empty, base);
            if !every && bits == 0 {
                continue;
            }
            let [re, im, index] = source.take::<V>(bits.count_ones() as usize);
            let mask = V::mask(bits);
            if self.julia {
                to.re.expand(base, bits, re);
                to.im.expand(base, bits, im);
            } else {
                to.re.select(base, mask, V::splat(critical.0));
                to.im.select(base, mask, V::splat(critical.1));
                self.c_re.expand(base, bits, re);
                self.c_im.expand(base, bits, im);
            }
            if M::MEMORY {
                to.before_re.select(base, mask, V::splat(before.0));
                to.before_im.select(base, mask, V::splat(before.1));
            }
            self.index.expand(base, bits, index);
            self.birth.select(base, mask, now);
        }
        self.live |= empty;
    }

    /// Fills lanes one by one: with orbits that go on, then with the last pixels.
    #[cold]
    #[inline(never)]
    fn fill_each(
        &mut self,
        mut empty: u64,
        source: &mut Source,
        critical: (f64, f64),
        before: (f64, f64),
    ) {
        while empty != 0 && self.fill_one(empty.trailing_zeros() as usize, source, critical, before)
        {
            empty &= empty - 1;
        }
    }

    fn fill_one(
        &mut self,
        lane: usize,
        source: &mut Source,
        critical: (f64, f64),
        before: (f64, f64),
    ) -> bool {
        let critical = Complex::new(critical.0, critical.1);
        let constant = Complex::new(self.c_re.0[lane], self.c_im.0[lane]);
        let orbit = self.resumed.pop().or_else(|| {
            source.next().map(|(pixel, index)| Resumed {
                z: if self.julia { pixel } else { critical },
                before: Complex::new(before.0, before.1),
                c: if self.julia { constant } else { pixel },
                index,
                count: 0.0,
            })
        });
        let Some(orbit) = orbit else {
            return false;
        };
        let to = &mut self.at[self.current];
        (to.re.0[lane], to.im.0[lane]) = (orbit.z.re, orbit.z.im);
        (to.before_re.0[lane], to.before_im.0[lane]) = (orbit.before.re, orbit.before.im);
        (self.c_re.0[lane], self.c_im.0[lane]) = (orbit.c.re, orbit.c.im);
        self.index.0[lane] = orbit.index;
        self.birth.0[lane] = self.now as f64 - orbit.count;
        if orbit.count > 0.0 {
            self.first_expiry = 0.0;
        }
        self.live |= 1 << lane;
        true
    }

    /// The lanes whose orbits would go beyond the limit with so many more steps.
    #[inline(always)]
    pub fn expired<V: Vector, const STREAMS: usize>(&mut self, limit: u32, steps: usize) -> u64 {
        let (now, limit) = (self.now as f64, f64::from(limit));
        let (mut over, mut first) = (0, V::splat(now));
        let too_early = V::splat(now + steps as f64 - limit);
        for stream in 0..STREAMS {
            let base = stream * V::LANES;
            let birth = load::<V>(&self.birth, base);
            let live = V::mask(bits::<V>(self.live, base));
            let expired = live & birth.less(too_early);
            over |= u64::from(V::bits(expired) & V::ALL) << base;
            let sooner = live & !expired & birth.less(first);
            first = V::select(sooner, birth, first);
        }
        let mut births = [now; MOST_LANES];
        first.store(&mut births);
        self.first_expiry = births.iter().fold(now, |a, &b| a.min(b)) + limit;
        over
    }

    /// Orbits that are suspicious are compared with where they are now, each for twice as long as before.
    #[inline(always)]
    pub fn watch<V: Vector, const STREAMS: usize>(&mut self) {
        let now = V::splat(self.now as f64);
        let here = &self.at[self.current];
        for stream in 0..STREAMS {
            let base = stream * V::LANES;
            let age = now - load(&self.birth, base);
            let due = !load::<V>(&self.next_look, base).greater(now);
            let watched = V::mask(bits::<V>(self.watched, base));
            let live = V::mask(bits::<V>(self.live, base));
            let new = live & age.greater(V::splat(SUSPICIOUS)) & (due | !watched);
            self.seen_re.select::<V>(base, new, load(&here.re, base));
            self.seen_im.select::<V>(base, new, load(&here.im, base));
            self.next_look.select(base, new, now + age);
            self.watched |= u64::from(V::bits(new) & V::ALL) << base;
        }
    }
}
