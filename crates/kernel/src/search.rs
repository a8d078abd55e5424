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
mod replay;
mod source;

use crate::simd::{AtLevel, Level, Vector, at_level};
use faafo_formula::{Complex, Map, Quadratic};
use lanes::{Lanes, Resumed};
use replay::{Queue, Rules};
pub(crate) use source::Pixels;
use source::Source;
use std::hint::black_box;

/// The most steps between two looks at an orbit; [`Map::STAYS`] promises no more.
const MOST_STEPS: usize = 16;

/// Blocks of steps between two looks at the stop flag, and between changes of what orbits are compared with.
const ROUND: u32 = 64;

/// The most steps of all lanes together until others get their turn: about 50 ms, one number at a time.
const TURN: u64 = 1 << 24;

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
    lanes: Box<Lanes>,
    source: Box<Source>,
    trips: Box<Queue>,
    expired: Box<Queue>,
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
    /// Counts a block of steps, in which so many orbits ended; whether a round is full.
    #[inline(always)]
    fn count(&mut self, ended: u32) -> bool {
        self.blocks += 1;
        self.ended += ended;
        self.blocks == ROUND
    }

    /// Begins another round of blocks; whether they have another number of steps.
    fn change(&mut self, lanes: u32) -> bool {
        let before = self.steps;
        let length = ROUND as usize * lanes as usize * self.steps / (self.ended as usize).max(1);
        self.steps = match length {
            0..12 => 4,
            12..64 => 8,
            _ => MOST_STEPS,
        };
        (self.blocks, self.ended) = (0, 0);
        self.steps != before
    }
}

impl Search {
    /// Over these pixels; nothing is done yet.
    pub fn new<M: Map>(iteration: &Iteration<M>, pixels: &Pixels, want_z: bool) -> Self {
        let len = pixels.len();
        let nothing = Complex { re: 0.0, im: 0.0 };
        Self {
            lanes: Box::new(Lanes::new(iteration.julia)),
            source: Box::default(),
            trips: Box::default(),
            expired: Box::default(),
            ends: Ends {
                count: vec![iteration.limit; len],
                z: vec![nothing; if want_z { len } else { 0 }],
            },
            done: 0,
            pace: Pace {
                steps: 8,
                blocks: 0,
                ended: 0,
            },
        }
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
        const {
            assert!(V::LANES * STREAMS <= lanes::MOST);
        }
        let Iteration { map, julia, limit } = self.iteration;
        let (level, pixels) = (self.level, self.pixels);
        let Search {
            lanes,
            source,
            trips,
            expired,
            ends,
            done,
            pace,
        } = self.search;
        let all = lanes::first((V::LANES * STREAMS) as u32);
        let mut turn = TURN / (V::LANES * STREAMS) as u64;
        let mut rules = Rules {
            steps: pace.steps,
            to_the_limit: false,
            limit: *limit,
            constant: *julia,
            all: false,
        };
        let mut replay = |queue: &mut Queue, rules: Rules, resumed: &mut Vec<Resumed>| {
            // Not inlined, because there is so much of it.
            at_level(
                level,
                Replay {
                    map,
                    queue,
                    rules,
                    ends,
                    resumed,
                },
            )
        };
        loop {
            if source.is_low() {
                *done += source.fill::<V, M>(map, julia.is_some(), pixels);
            }
            let empty = all & !lanes.live;
            if empty != 0 && (source.has(1) || !lanes.resumed.is_empty()) {
                lanes.fill::<V, M, STREAMS>(empty, source, map);
            }
            if lanes.live == 0 {
                // The last few orbits; some of them may have to go on.
                let resumed = &mut lanes.resumed;
                *done += replay(trips, rules.of_all(), resumed);
                *done += replay(expired, rules.last().of_all(), resumed);
                if resumed.is_empty() && !source.has(1) {
                    return Ok(true);
                }
                continue;
            }
            // No orbit may take a step beyond the limit.
            let steps = rules.steps;
            if (lanes.now + steps as u64) as f64 > lanes.first_expiry {
                let over = lanes.expired::<V, STREAMS>(*limit, steps);
                if over != 0 {
                    lanes.put::<V, M, STREAMS>(over, expired);
                    lanes.empty(over);
                    if expired.is_full() {
                        *done += replay(expired, rules.last(), &mut lanes.resumed);
                    }
                    continue;
                }
            }
            let (ended, cyclic) = lanes.advance::<V, M, STREAMS, DEFERRED>(map, steps);
            let ended = ended & lanes.live;
            let cyclic = cyclic & lanes.watched & !ended;
            if ended != 0 {
                lanes.put::<V, M, STREAMS>(ended, trips);
                if trips.is_full() {
                    *done += replay(trips, rules, &mut lanes.resumed);
                }
            }
            *done += u64::from(cyclic.count_ones());
            lanes.empty(ended | cyclic);
            lanes.turn_over(steps);
            if pace.count(ended.count_ones()) {
                lanes.watch::<V, STREAMS>();
                if pace.change(all.count_ones()) {
                    *done += replay(trips, rules.of_all(), &mut lanes.resumed);
                    rules.steps = pace.steps;
                }
                if (self.stop)() {
                    return Err(Stopped);
                }
            }
            turn = turn.saturating_sub(steps as u64);
            if turn == 0 {
                return Ok(false);
            }
        }
    }
}

/// Follows the orbits in a queue.
struct Replay<'a, M> {
    map: &'a M,
    queue: &'a mut Queue,
    rules: Rules,
    ends: &'a mut Ends,
    resumed: &'a mut Vec<Resumed>,
}

impl<M: Map> AtLevel for Replay<'_, M> {
    type Output = u64;

    #[inline(always)]
    fn run<V: Vector, const STREAMS: usize>(self) -> u64 {
        let Self {
            map,
            queue,
            rules,
            ends,
            resumed,
        } = self;
        queue.replay::<V, M>(map, rules, ends, resumed)
    }
}

/// So many blocks of steps of z² + c in all lanes, with nothing around them.
pub(crate) struct RawLoop(pub u64);

impl AtLevel for RawLoop {
    type Output = u64;

    #[inline(always)]
    fn run<V: Vector, const STREAMS: usize>(self) -> u64 {
        let mut lanes = Box::new(Lanes::new(None));
        for _ in 0..self.0 {
            let ended =
                lanes.advance::<V, Quadratic, STREAMS, true>(&Quadratic, black_box(MOST_STEPS));
            black_box(ended);
            lanes.turn_over(MOST_STEPS);
        }
        self.0 * (MOST_STEPS * STREAMS * V::LANES) as u64
    }
}

#[cfg(test)]
mod tests;
