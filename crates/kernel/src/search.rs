//! The inner loop: follows the orbits of many pixels at once, until each has ended.
//!
//! Several vectors of orbits are under way. All take some steps in a row; only then is it asked whether one has
//! ended on the way. Such an orbit is put aside as it was before these steps, to be followed again step by step
//! together with others of its kind (`replay`), and its lane goes on with the next pixel. Nothing of that changes what
//! is calculated: every orbit takes the very steps that one alone would take, in plain f64 arithmetic.
//!
//! An orbit that comes back to the very same numbers never ends (R. P. Brent, "An improved Monte Carlo factorization
//! algorithm", 1980), so it is not followed any further.

mod lanes;
mod orbits;
mod replay;
mod source;
mod steps;

use crate::plane::Pixels;
use crate::simd::{AtLevel, Level, Vector, at_level};
use faafo_formula::{Complex, Map, Quadratic};
use lanes::{Exchange, SETS, Set};
use orbits::Orbits;
#[cfg(test)]
pub(crate) use orbits::WHOLE;
use replay::Rules;
pub(crate) use source::BEHIND;
use source::{Begin, FIRST_STEPS, Source};
use std::hint::black_box;

/// The most steps between two looks at an orbit; [`Map::STAYS`] promises no more.
const MOST_STEPS: usize = 16;

/// So many orbits that have ended are worth the while to be followed once more.
const ENOUGH: usize = 160;

/// Once orbits are begun, they are until so many wait for a lane.
const ENOUGH_WAITING: usize = 256;

/// Blocks of steps between two looks at the stop flag.
const ROUND: u32 = 128;

/// The most steps of all lanes together until others get their turn: about 50 ms, one number at a time.
const TURN: i64 = 1 << 24;

/// The function to iterate, and how often at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Iteration<M> {
    /// The function.
    pub map: M,
    /// The c of a Julia form; without it the pixel is c.
    pub julia: Option<(f64, f64)>,
    /// The most iterations of a pixel; at least 1.
    pub limit: u32,
}

/// The render was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped;

/// How the orbits of some pixels ended.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    /// The first iteration that found the orbit ended, or the limit if none did.
    pub count: Vec<u32>,
    /// The z that had ended, unless nobody wants it; unspecified if none had.
    pub z: Vec<Complex<f64>>,
}

/// A search under way.
pub(crate) struct Search {
    source: Source,
    /// Those that wait for a lane.
    waiting: Box<Orbits>,
    sets: Box<[Set; SETS]>,
    /// Those that have ended.
    trips: Box<Orbits>,
    /// The most steps until they have.
    longest: usize,
    ends: Ends,
    done: u64,
    pace: Pace,
}

/// How many steps are taken between two looks: few while orbits are short, because half of them are in vain then.
struct Pace {
    steps: usize,
    /// Since the last change.
    blocks: u32,
    ended: u32,
}

impl Pace {
    const FIRST: Self = Self {
        steps: 8,
        blocks: 0,
        ended: 0,
    };

    /// Counts a block of steps, in which so many orbits ended; whether a round is full.
    #[inline(always)]
    fn count(&mut self, ended: u32) -> bool {
        self.blocks += 1;
        self.ended += ended;
        self.blocks == ROUND
    }

    /// Begins another round of blocks.
    fn change(&mut self, lanes: usize) {
        let length = ROUND as usize * lanes * self.steps / (self.ended as usize).max(1);
        self.steps = match length {
            0..12 => 4,
            12..64 => 8,
            _ => MOST_STEPS,
        };
        (self.blocks, self.ended) = (0, 0);
    }
}

impl Search {
    /// Over these pixels; nothing is done yet.
    pub fn new<M: Map>(iteration: &Iteration<M>, pixels: &Pixels, want_z: bool) -> Self {
        let len = pixels.len();
        let nothing = Complex { re: 0.0, im: 0.0 };
        Self {
            source: Source::default(),
            waiting: Box::new(Orbits::new(iteration.julia)),
            sets: Box::new(std::array::from_fn(|_| Set::new(iteration.julia))),
            trips: Box::new(Orbits::new(iteration.julia)),
            longest: 0,
            ends: Ends {
                count: vec![0; len],
                z: vec![nothing; if want_z { len } else { 0 }],
            },
            done: 0,
            pace: Pace::FIRST,
        }
    }

    /// Begins anew once all is done, over other pixels for the same iteration, in the memory that there is already.
    pub fn begin_anew(&mut self, pixels: &Pixels) {
        debug_assert!(self.done == self.ends.count.len() as u64, "not done");
        let (len, nothing) = (pixels.len(), Complex { re: 0.0, im: 0.0 });
        // Of what is done, no orbit waits or is under way.
        self.source = Source::default();
        self.ends.count.resize(len, 0);
        if !self.ends.z.is_empty() {
            self.ends.z.resize(len, nothing);
        }
        self.done = 0;
        self.pace = Pace::FIRST;
    }

    /// Goes on for a while; whether all is done. Asks `stop` every millisecond or more often.
    pub fn go_on<M: Map>(
        &mut self,
        level: Level,
        iteration: &Iteration<M>,
        pixels: &Pixels,
        stop: &dyn Fn() -> bool,
    ) -> Result<bool, Stopped> {
        at_level(
            level,
            GoOn {
                level,
                search: self,
                iteration,
                pixels,
                stop,
            },
        )
    }

    /// How many pixels are done.
    pub fn done(&self) -> u64 {
        self.done
    }

    /// How the orbits ended, once all is done.
    pub fn ends(&self) -> &Ends {
        &self.ends
    }
}

struct GoOn<'a, M> {
    level: Level,
    search: &'a mut Search,
    iteration: &'a Iteration<M>,
    pixels: &'a Pixels<'a>,
    stop: &'a dyn Fn() -> bool,
}

impl<M: Map> AtLevel for GoOn<'_, M> {
    type Output = Result<bool, Stopped>;

    #[inline(always)]
    fn run<V: Vector, const STREAMS: usize>(self) -> Self::Output {
        let short = |(re, im): (f64, f64)| re * re + im * im <= 4.0;
        if M::STAYS && self.iteration.julia.is_none_or(short) {
            self.turn::<V, STREAMS, true>()
        } else {
            // Where orbits may end and come back, every step is looked at.
            self.turn::<V, STREAMS, false>()
        }
    }
}

impl<M: Map> GoOn<'_, M> {
    #[inline(always)]
    fn turn<V: Vector, const STREAMS: usize, const DEFERRED: bool>(self) -> Result<bool, Stopped> {
        let Iteration { map, julia, limit } = *self.iteration;
        let (level, pixels) = (self.level, self.pixels);
        let Search {
            source,
            waiting,
            sets,
            trips,
            longest,
            ends,
            done,
            pace,
        } = self.search;
        let begin = Begin {
            map: &map,
            julia,
            limit,
        };
        let count = lanes::count::<V, STREAMS>();
        let mut turn = TURN;
        loop {
            for ahead in 0..SETS {
                while waiting.len() < count && !source.exhausted {
                    let fill = Fill {
                        begin: &begin,
                        source,
                        pixels,
                        waiting,
                        ends,
                    };
                    let ended = at_level(level, fill);
                    *done += ended;
                    turn -= (ended * u64::from(FIRST_STEPS)) as i64;
                    if (self.stop)() {
                        return Err(Stopped);
                    }
                }
                let (ahead, behind) = lanes::pair(sets, ahead);
                let (settled, mut exchange) = behind.settle::<M>(trips, waiting);
                // A set takes its steps while the one before it is looked after, which processors do at the same time.
                if !ahead.is_empty() {
                    ahead.advance::<V, M, STREAMS, DEFERRED>(&map, pace.steps, &mut exchange);
                    turn -= (pace.steps * count) as i64;
                }
                exchange.rest::<M>();
                let over = behind.settled::<V, M, STREAMS>(settled.steps, waiting, limit);
                *done += u64::from(settled.endless + over);
                *longest = settled.steps.max(*longest);
                let round = pace.count(settled.ended);
                if round {
                    pace.change(count);
                    if (self.stop)() {
                        return Err(Stopped);
                    }
                }
                let last = source.exhausted && sets.iter().all(Set::is_empty);
                if trips.len() >= ENOUGH || round || last {
                    let replay = Replay::<M, DEFERRED> {
                        map: &map,
                        rules: Rules {
                            steps: *longest,
                            limit,
                            all: round || last,
                        },
                        trips,
                        waiting,
                        ends,
                    };
                    *done += at_level(level, replay);
                    if trips.len() == 0 {
                        *longest = 0;
                    }
                }
            }
            let none = trips.len() + waiting.len() == 0 && sets.iter().all(Set::is_empty);
            if none && source.exhausted {
                return Ok(true);
            }
            if turn <= 0 {
                return Ok(false);
            }
        }
    }
}

/// Begins the orbits of some pixels. Not inlined, because there is so much of it.
struct Fill<'a, M> {
    begin: &'a Begin<'a, M>,
    source: &'a mut Source,
    pixels: &'a Pixels<'a>,
    waiting: &'a mut Orbits,
    ends: &'a mut Ends,
}

impl<M: Map> AtLevel for Fill<'_, M> {
    type Output = u64;

    #[inline(always)]
    fn run<V: Vector, const STREAMS: usize>(self) -> u64 {
        let Self {
            begin,
            source,
            pixels,
            waiting,
            ends,
        } = self;
        // Masks that are no vectors leave registers for one vector more.
        let few_registers = V::WIDE_MASKS || M::MEMORY;
        match (few_registers, ends.z.is_empty()) {
            (true, true) => source.fill::<V, M, false, 4>(begin, pixels, waiting, ends),
            (true, false) => source.fill::<V, M, true, 4>(begin, pixels, waiting, ends),
            (false, true) => source.fill::<V, M, false, 5>(begin, pixels, waiting, ends),
            (false, false) => source.fill::<V, M, true, 5>(begin, pixels, waiting, ends),
        }
    }
}

/// Follows orbits once more. Not inlined, because there is so much of it.
struct Replay<'a, M, const DEFERRED: bool> {
    map: &'a M,
    rules: Rules,
    trips: &'a mut Orbits,
    waiting: &'a mut Orbits,
    ends: &'a mut Ends,
}

impl<M: Map, const DEFERRED: bool> AtLevel for Replay<'_, M, DEFERRED> {
    type Output = u64;

    #[inline(always)]
    fn run<V: Vector, const STREAMS: usize>(self) -> u64 {
        let Self {
            map,
            rules,
            trips,
            waiting,
            ends,
        } = self;
        if ends.z.is_empty() {
            replay::replay::<V, M, DEFERRED, false>(map, rules, trips, waiting, ends)
        } else {
            replay::replay::<V, M, DEFERRED, true>(map, rules, trips, waiting, ends)
        }
    }
}

/// So many blocks of steps of z² + c in all lanes, with nothing around them.
pub(crate) struct RawLoop(pub u64);

impl AtLevel for RawLoop {
    type Output = u64;

    #[inline(always)]
    fn run<V: Vector, const STREAMS: usize>(self) -> u64 {
        let mut set = Box::new(Set::new(None));
        set.pretend();
        let mut other = Box::new(Set::new(None));
        let (mut trips, mut waiting) = (Box::new(Orbits::new(None)), Box::new(Orbits::new(None)));
        let mut none = Exchange::none(&mut other, &mut trips, &mut waiting);
        for _ in 0..self.0 {
            set.advance::<V, Quadratic, STREAMS, true>(
                &Quadratic,
                black_box(MOST_STEPS),
                &mut none,
            );
            set.pass();
        }
        self.0 * (MOST_STEPS * lanes::count::<V, STREAMS>()) as u64
    }
}

#[cfg(test)]
mod tests;
