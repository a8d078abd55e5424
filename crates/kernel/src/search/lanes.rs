//! The orbits under way, side by side.

use super::orbits::{Orbit, Orbits as Queue};
use super::steps::step;
use crate::simd::{MOST_LANES, Vector};
use faafo_formula::{Complex, Map};
use std::hint::black_box;
use std::ops::Range;

/// The most lanes of a set: bits in a u64.
pub(super) const MOST: usize = 64;

/// Sets of lanes. With three of them, one takes its steps, one is looked after, and of one it is long ago, so that
/// what was written to its lanes has arrived.
pub(super) const SETS: usize = 3;

/// The set that is to take its steps, of this number, and the one that took them last.
#[inline(always)]
pub(super) fn pair(sets: &mut [Set; SETS], ahead: usize) -> (&mut Set, &mut Set) {
    let [one, two, three] = sets;
    match ahead {
        0 => (one, three),
        1 => (two, one),
        _ => (three, two),
    }
}

/// Steps after which an orbit is suspected of never ending, and watched for a cycle.
const SUSPICIOUS: f64 = 256.0;

/// Blocks of steps between changes of what orbits are compared with.
const ROUND: u32 = 64;

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

/// A set of lanes: what is under way in each. A bit of a u64 stands for a lane. They are as many bundles of vectors as fit,
/// of which each is as many as are under way at a time.
pub(super) struct Set {
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
    live: u64,
    /// Lanes whose orbit is compared with one of its earlier places.
    watched: u64,
    /// Steps taken.
    now: u64,
    /// Before this time no orbit reaches the limit.
    first_expiry: f64,
    /// Blocks of steps since what is watched was last changed.
    blocks: u32,
    /// The steps that were taken and not yet looked at.
    block: Block,
}

/// A block of steps.
#[derive(Clone, Copy)]
struct Block {
    /// How many; none if there is nothing to be looked at.
    steps: usize,
    /// Lanes whose orbit may have ended on the way; also some that are empty.
    ended: u64,
    /// Lanes whose orbit is back where it was seen; also some that are not watched.
    cyclic: u64,
}

const NOTHING: Block = Block {
    steps: 0,
    ended: 0,
    cyclic: 0,
};

/// What came of a block of steps.
pub(super) struct Settled {
    /// How many they were.
    pub steps: usize,
    /// Orbits that have perhaps ended.
    pub ended: u32,
    /// Orbits that never will.
    pub endless: u32,
}

/// How many lanes a set has.
pub(super) const fn count<V: Vector, const STREAMS: usize>() -> usize {
    let bundle = STREAMS * V::LANES;
    MOST / bundle * bundle
}

/// All lanes of a set.
#[inline(always)]
fn all<V: Vector, const STREAMS: usize>() -> u64 {
    u64::MAX >> (MOST - count::<V, STREAMS>())
}

#[inline(always)]
fn load<V: Vector>(row: &Row, base: usize) -> V {
    V::load(&row.0[base..])
}

/// The vector at `at` in a bundle of lanes.
#[inline(always)]
fn load_both<V: Vector>(re: &Row, im: &Row, bundle: &Range<usize>, at: usize) -> Complex<V> {
    let (re, im) = (
        &re.0[bundle.start..bundle.end],
        &im.0[bundle.start..bundle.end],
    );
    Complex::new(V::load(&re[at..]), V::load(&im[at..]))
}

#[inline(always)]
fn store_both<V: Vector>(
    z: Complex<V>,
    re: &mut Row,
    im: &mut Row,
    bundle: &Range<usize>,
    at: usize,
) {
    z.re.store(&mut re.0[bundle.start..bundle.end][at..]);
    z.im.store(&mut im.0[bundle.start..bundle.end][at..]);
}

/// Those lanes that are in the vector at `base`.
#[inline(always)]
fn bits<V: Vector>(lanes: u64, base: usize) -> u32 {
    (lanes >> base) as u32 & V::ALL
}

impl Set {
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
            blocks: 0,
            block: NOTHING,
        }
    }

    /// Whether no orbit is under way.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Takes a block of steps, which is to be looked at by [`settle`](Self::settle). Goes on with an exchange on the way:
    /// moving numbers takes other parts of a processor than calculating.
    #[inline(always)]
    pub fn advance<V: Vector, M: Map, const STREAMS: usize, const DEFERRED: bool>(
        &mut self,
        map: &M,
        steps: usize,
        exchange: &mut Exchange,
    ) {
        let width = STREAMS * V::LANES;
        let (mut ended, mut cyclic) = (0, 0);
        for bundle in 0..count::<V, STREAMS>() / width {
            let base = bundle * width;
            // Towards the end of a search most are empty.
            if (self.live >> base) & (u64::MAX >> (64 - width)) == 0 {
                continue;
            }
            let (out, back) =
                self.advance_bundle::<V, M, STREAMS, DEFERRED>(map, steps, base, exchange);
            ended |= out << base;
            cyclic |= back << base;
        }
        self.block = Block {
            steps,
            ended,
            cyclic,
        };
    }

    /// The same for the bundle at `base`.
    #[inline(always)]
    fn advance_bundle<V: Vector, M: Map, const STREAMS: usize, const DEFERRED: bool>(
        &mut self,
        map: &M,
        steps: usize,
        base: usize,
        exchange: &mut Exchange,
    ) -> (u64, u64) {
        let zero = Complex::<V>::splat(0.0, 0.0);
        let (mut z, mut before) = ([zero; STREAMS], [zero; STREAMS]);
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
        }
        for _ in 0..steps {
            for stream in 0..STREAMS {
                if !DEFERRED {
                    ended[stream] = ended[stream] | map.ended(z[stream], before[stream]);
                }
                let c = load_both(&self.c_re, &self.c_im, &lanes, stream * V::LANES);
                let next = step(map, stream, z[stream], before[stream], c);
                if M::MEMORY {
                    before[stream] = z[stream];
                }
                z[stream] = next;
                if DEFERRED && let Some([done, then]) = z[stream..].first_chunk_mut() {
                    V::in_order(done, then, &self.c_re.0);
                }
            }
            if V::MANY_REGISTERS {
                exchange.go_on::<M>();
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
            let bits = if DEFERRED {
                map.near(z[stream])
            } else {
                ended[stream]
            };
            all_ended |= u64::from(V::bits(bits) & V::ALL) << at;
        }
        if DEFERRED {
            // These were those that have not.
            all_ended = !all_ended & (u64::MAX >> (64 - lanes.len()));
        }
        if self.watched != 0 {
            let mut back = [V::mask(0); STREAMS];
            let mut any = V::mask(0);
            for (stream, z) in z.into_iter().enumerate() {
                let at = stream * V::LANES;
                let re = V::load(&self.seen_re.0[lanes.start..lanes.end][at..]);
                back[stream] = z.re.equal(re);
                any = any | back[stream];
            }
            // Seldom is anything back even on the line.
            if V::bits(any) & V::ALL != 0 {
                for (stream, z) in z.into_iter().enumerate() {
                    let at = stream * V::LANES;
                    let im = V::load(&self.seen_im.0[lanes.start..lanes.end][at..]);
                    let same = V::bits(back[stream] & z.im.equal(im)) & V::ALL;
                    all_cyclic |= u64::from(same) << at;
                }
            }
        }
        (all_ended, all_cyclic)
    }

    /// Looks at the block of steps that was taken last: orbits that have ended are to go among the `trips`, as they were
    /// before it, and waiting ones to take their place. Once that is [done](Exchange::rest), calls for
    /// [`settled`](Self::settled).
    #[inline(always)]
    pub fn settle<'a, M: Map>(
        &'a mut self,
        trips: &'a mut Queue,
        waiting: &'a mut Queue,
    ) -> (Settled, Exchange<'a>) {
        let Block {
            steps,
            ended,
            cyclic,
        } = std::mem::replace(&mut self.block, NOTHING);
        let out = ended & self.live;
        let cyclic = cyclic & self.watched & !out;
        let settled = Settled {
            steps,
            ended: out.count_ones(),
            endless: cyclic.count_ones(),
        };
        let before = self.now as f64;
        self.now += steps as u64;
        self.empty(out | cyclic);
        let mut exchange = Exchange {
            now: self.now as f64,
            lanes: 0,
            before,
            at: 0,
            next: 0,
            first_birth: f64::INFINITY,
            set: self,
            trips,
            waiting,
        };
        exchange.begin::<M>(out);
        (settled, exchange)
    }

    /// After an exchange, whose first birth this is. Returns how many orbits have reached the limit.
    #[inline(always)]
    pub fn settled<V: Vector, M: Map, const STREAMS: usize>(
        &mut self,
        steps: usize,
        first_birth: f64,
        waiting: &mut Queue,
        limit: u32,
    ) -> u32 {
        self.first_expiry = self.first_expiry.min(first_birth + f64::from(limit));
        if steps != 0 {
            self.current = 1 - self.current;
            self.blocks += 1;
            if self.blocks == ROUND {
                self.watch::<V, STREAMS>();
                self.blocks = 0;
            }
        }
        let empty = all::<V, STREAMS>() & !self.live;
        if empty != 0 {
            self.fill::<M>(empty, waiting, limit);
        }
        // What has not ended by now had not at the limit either, which was a few steps ago.
        let over = self.over::<V, STREAMS>(limit);
        if over != 0 {
            self.empty(over);
        }
        over.count_ones()
    }

    /// Nothing is under way in these lanes any more.
    #[inline(always)]
    fn empty(&mut self, lanes: u64) {
        self.live &= !lanes;
        self.watched &= !lanes;
    }

    /// Puts the orbits of some lanes into a queue as they are, which they have been since a time.
    #[inline(always)]
    fn put<M: Map>(&self, mut lanes: u64, since: f64, queue: &mut Queue) {
        let mut at = queue.grow(lanes.count_ones() as usize);
        while lanes != 0 {
            let lane = lanes.trailing_zeros() as usize % MOST;
            queue.set::<M>(at, self.orbit(lane, since));
            at += 1;
            lanes &= lanes - 1;
        }
    }

    /// Gives waiting orbits to empty lanes, as far as there are any.
    #[inline(always)]
    fn fill<M: Map>(&mut self, mut empty: u64, waiting: &mut Queue, limit: u32) {
        let count = (empty.count_ones() as usize).min(waiting.len());
        let from = waiting.shrink(count);
        let before = empty;
        let mut first_birth = f64::INFINITY;
        for at in from..from + count {
            let lane = empty.trailing_zeros() as usize % MOST;
            let birth = self.take_up::<M>(self.current, lane, waiting.get(at), self.now as f64);
            first_birth = if birth < first_birth {
                birth
            } else {
                first_birth
            };
            empty &= empty - 1;
        }
        self.live |= before & !empty;
        self.first_expiry = self.first_expiry.min(first_birth + f64::from(limit));
    }

    /// The orbit in a lane, where it has been since a time.
    #[inline(always)]
    fn orbit(&self, lane: usize, since: f64) -> Orbit {
        let from = &self.at[self.current & 1];
        Orbit {
            z: Complex::new(from.re.0[lane], from.im.0[lane]),
            before: Complex::new(from.before_re.0[lane], from.before_im.0[lane]),
            c: Complex::new(self.c_re.0[lane], self.c_im.0[lane]),
            index: self.index.0[lane],
            count: since - self.birth.0[lane],
        }
    }

    /// An orbit goes on in a lane. Returns its birth.
    #[inline(always)]
    fn take_up<M: Map>(&mut self, at: usize, lane: usize, orbit: Orbit, now: f64) -> f64 {
        let to = &mut self.at[at & 1];
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
        birth
    }

    /// The lanes whose orbits have reached the limit.
    #[inline(always)]
    fn over<V: Vector, const STREAMS: usize>(&mut self, limit: u32) -> u64 {
        if (self.now as f64) < self.first_expiry {
            return 0;
        }
        let (now, limit) = (self.now as f64, f64::from(limit));
        let never = f64::INFINITY;
        let (mut over, mut first) = (0, V::splat(never));
        let latest = V::splat(now - limit);
        for base in (0..count::<V, STREAMS>()).step_by(V::LANES) {
            let birth = load::<V>(&self.birth, base);
            let live = V::mask(bits::<V>(self.live, base));
            let expired = live & !latest.less(birth);
            over |= u64::from(V::bits(expired) & V::ALL) << base;
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
    fn watch<V: Vector, const STREAMS: usize>(&mut self) {
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
            self.watched |= u64::from(V::bits(new) & V::ALL) << base;
        }
    }

    /// As if orbits that never end were under way in all lanes.
    pub fn pretend(&mut self) {
        self.live = u64::MAX;
    }

    /// The steps that were taken last are not looked at.
    #[inline(always)]
    pub fn pass(&mut self) {
        black_box(self.block.ended | self.block.cyclic);
        self.current = 1 - self.current;
    }
}

/// The exchange of orbits that have ended for others that wait, one after the other.
pub(super) struct Exchange<'a> {
    set: &'a mut Set,
    trips: &'a mut Queue,
    waiting: &'a mut Queue,
    /// Lanes where it is still to be done.
    lanes: u64,
    /// Where the next goes among the trips.
    at: usize,
    /// Which of the waiting is the next.
    next: usize,
    /// Before and after the block of steps.
    before: f64,
    now: f64,
    first_birth: f64,
}

impl<'a> Exchange<'a> {
    /// With nothing to be done.
    pub fn none(set: &'a mut Set, trips: &'a mut Queue, waiting: &'a mut Queue) -> Self {
        Self {
            set,
            trips,
            waiting,
            lanes: 0,
            at: 0,
            next: 0,
            before: 0.0,
            now: 0.0,
            first_birth: f64::INFINITY,
        }
    }

    /// Where the orbits have ended in these lanes. If too few wait, the lanes only become empty.
    #[inline(always)]
    fn begin<M: Map>(&mut self, ended: u64) {
        let count = ended.count_ones() as usize;
        if self.waiting.len() < count {
            self.set.put::<M>(ended, self.before, self.trips);
            return;
        }
        self.at = self.trips.grow(count);
        self.next = self.waiting.shrink(count);
        self.set.live |= ended;
        self.lanes = ended;
    }

    /// Does it in one lane, if there is one.
    #[inline(always)]
    fn go_on<M: Map>(&mut self) {
        if self.lanes == 0 {
            return;
        }
        let lane = self.lanes.trailing_zeros() as usize % MOST;
        let orbit = self.set.orbit(lane, self.before);
        self.trips.set::<M>(self.at, orbit);
        let after = 1 - self.set.current;
        let next = self.waiting.get(self.next);
        let birth = self.set.take_up::<M>(after, lane, next, self.now);
        if birth < self.first_birth {
            self.first_birth = birth;
        }
        self.at += 1;
        self.next += 1;
        self.lanes &= self.lanes - 1;
    }

    /// Does it in the lanes that are left. Returns when the first of the new orbits had taken no step yet.
    #[inline(always)]
    pub fn rest<M: Map>(mut self) -> f64 {
        while self.lanes != 0 {
            self.go_on::<M>();
        }
        self.first_birth
    }
}
