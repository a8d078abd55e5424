//! The orbits under way, side by side.

mod exchange;

use super::orbits::{Mark, Orbits as Queue, WHOLE};
use super::steps::step;
use crate::simd::{MOST_LANES, Vector};
pub(super) use exchange::Exchange;
use exchange::{orbit, take_up};
use faafo_formula::{Complex, Map};
use std::hint::black_box;
use std::ops::{Range, RangeInclusive};

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

/// Blocks of steps between changes of what orbits are compared with: few where cycles are found, because what goes round
/// is followed in vain; many where none are, because it costs time.
const ROUNDS: RangeInclusive<u32> = 16..=256;

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

/// What stays as it is while an orbit takes its steps.
struct Constants {
    /// Whether all orbits have the same c.
    julia: bool,
    c_re: Row,
    c_im: Row,
    /// With the steps that an orbit had taken before the set took any; they may be less than none.
    marks: [Mark; KEPT],
}

/// A set of lanes: what is under way in each. A bit of a u64 stands for a lane. They are as many bundles of vectors as fit,
/// of which each is as many as are under way at a time.
pub(super) struct Set {
    /// Now, and after the block of steps.
    at: [Orbits; 2],
    /// Which of them is now.
    current: usize,
    of: Constants,
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
    first_expiry: u64,
    /// Blocks of steps until what is watched is changed.
    round: u32,
    /// How many of them have been taken.
    blocks: u32,
    /// Whether cycles have been found in them.
    found: bool,
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
            of: Constants {
                julia: constant.is_some(),
                c_re: Row([c_re; KEPT]),
                c_im: Row([c_im; KEPT]),
                marks: [Mark::NONE; KEPT],
            },
            seen_re: ZEROS,
            seen_im: ZEROS,
            next_look: ZEROS,
            live: 0,
            watched: 0,
            now: 0,
            first_expiry: u64::MAX,
            round: *ROUNDS.start(),
            blocks: 0,
            found: false,
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
                let c = load_both(&self.of.c_re, &self.of.c_im, &lanes, stream * V::LANES);
                let next = step(map, stream, z[stream], before[stream], c);
                if M::MEMORY {
                    before[stream] = z[stream];
                }
                z[stream] = next;
                if DEFERRED && let Some([done, then]) = z[stream..].first_chunk_mut() {
                    V::in_order(done, then, &self.of.c_re.0);
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
        let before = self.now;
        self.now += steps as u64;
        self.found |= cyclic != 0;
        self.empty(out | cyclic);
        let count = settled.ended as usize;
        if waiting.len() < count {
            // Too few wait: lanes only become empty.
            self.put::<M>(out, before, trips);
            return (settled, Exchange::new(self, trips, waiting, 0, before));
        }
        self.live |= out;
        (settled, Exchange::new(self, trips, waiting, out, before))
    }

    /// After an exchange. Returns how many orbits have reached the limit.
    #[inline(always)]
    pub fn settled<V: Vector, M: Map, const STREAMS: usize>(
        &mut self,
        steps: usize,
        waiting: &mut Queue,
        limit: u32,
    ) -> u32 {
        if steps != 0 {
            self.current = 1 - self.current;
            self.blocks += 1;
            if self.blocks == self.round {
                self.watch::<V, STREAMS>();
                let round = if self.found {
                    self.round / 4
                } else {
                    self.round * 2
                };
                self.round = round.clamp(*ROUNDS.start(), *ROUNDS.end());
                (self.blocks, self.found) = (0, false);
            }
        }
        // Whoever has been taken up had not taken more steps than that.
        let first_expiry = (self.now + u64::from(limit)).saturating_sub(waiting.most_taken());
        self.first_expiry = self.first_expiry.min(first_expiry);
        let empty = all::<V, STREAMS>() & !self.live;
        if empty != 0 {
            self.fill::<M>(empty, waiting);
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
    fn put<M: Map>(&self, mut lanes: u64, since: u64, queue: &mut Queue) {
        let mut at = queue.grow(lanes.count_ones() as usize);
        while lanes != 0 {
            let lane = lanes.trailing_zeros() as usize % MOST;
            let orbit = orbit(&self.at[self.current & 1], &self.of, lane, since);
            queue.set::<M>(at, orbit);
            at += 1;
            lanes &= lanes - 1;
        }
    }

    /// Gives waiting orbits to empty lanes, as far as there are any.
    #[inline(always)]
    fn fill<M: Map>(&mut self, mut empty: u64, waiting: &mut Queue) {
        let count = (empty.count_ones() as usize).min(waiting.len());
        let from = waiting.shrink(count);
        let before = empty;
        for at in from..from + count {
            let lane = empty.trailing_zeros() as usize % MOST;
            let to = &mut self.at[self.current & 1];
            take_up::<M>(to, &mut self.of, lane, waiting.get(at), self.now);
            empty &= empty - 1;
        }
        self.live |= before & !empty;
    }

    /// How many steps the orbit in each lane has taken, with [`WHOLE`].
    #[inline(always)]
    fn ages(&self) -> Row {
        let mut ages = ZEROS;
        for (age, mark) in ages.0.iter_mut().zip(&self.of.marks) {
            *age = mark.later(self.now).whole_count();
        }
        ages
    }

    /// The lanes whose orbits have reached the limit.
    #[inline(always)]
    fn over<V: Vector, const STREAMS: usize>(&mut self, limit: u32) -> u64 {
        if self.now < self.first_expiry {
            return 0;
        }
        let ages = self.ages();
        let least = V::splat(WHOLE);
        let limit_there = V::splat(WHOLE + f64::from(limit));
        let (mut over, mut oldest) = (0, least);
        for base in (0..count::<V, STREAMS>()).step_by(V::LANES) {
            let age = load::<V>(&ages, base);
            let live = V::mask(bits::<V>(self.live, base));
            let below = live & age.less(limit_there);
            over |= u64::from(V::bits(live & !below) & V::ALL) << base;
            oldest = V::select(below & oldest.less(age), age, oldest);
        }
        let mut ages = [WHOLE; MOST_LANES];
        oldest.store(&mut ages);
        let oldest = ages.iter().fold(WHOLE, |a, &b| a.max(b)) - WHOLE;
        self.first_expiry = self.now + u64::from(limit) - oldest as u64;
        over
    }

    /// Orbits that are suspicious are compared with where they are now, each for twice as long as before.
    #[inline(always)]
    fn watch<V: Vector, const STREAMS: usize>(&mut self) {
        let ages = self.ages();
        let now = V::splat(self.now as f64);
        let here = &self.at[self.current];
        for base in (0..count::<V, STREAMS>()).step_by(V::LANES) {
            let age = load::<V>(&ages, base) - V::splat(WHOLE);
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
