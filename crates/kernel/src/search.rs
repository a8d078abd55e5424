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

use crate::simd::{AtLevel, Level, Vector, at_level};
use faafo_formula::{Complex, Map, Quadratic};
use lanes::Lanes;
use orbits::Orbits;
#[cfg(test)]
pub(crate) use orbits::WHOLE;
use replay::Rules;
pub(crate) use source::Pixels;
use source::{Begin, FIRST_STEPS, Source};
use std::hint::black_box;

/// The most steps between two looks at an orbit; [`Map::STAYS`] promises no more.
const MOST_STEPS: usize = 16;

/// So many orbits that have ended are worth the while to be followed once more.
const ENOUGH: usize = 64;

/// Blocks of steps between two looks at the stop flag, and between changes of what orbits are compared with.
const ROUND: u32 = 64;

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
    lanes: Box<Lanes>,
    /// Those that have ended, or are about to reach the limit.
    trips: Box<Orbits>,
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
    fn change(&mut self, lanes: usize) -> bool {
        let before = self.steps;
        let length = ROUND as usize * lanes * self.steps / (self.ended as usize).max(1);
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
            source: Source::default(),
            waiting: Box::new(Orbits::new(iteration.julia)),
            lanes: Box::new(Lanes::new(iteration.julia)),
            trips: Box::new(Orbits::new(iteration.julia)),
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
        let Iteration { map, julia, limit } = *self.iteration;
        let (level, pixels) = (self.level, self.pixels);
        let Search {
            source,
            waiting,
            lanes,
            trips,
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
            while waiting.len() < count && !source.exhausted {
                let fill = Fill {
                    begin: &begin,
                    source,
                    pixels,
                    enough: count,
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
            let empty = lanes::all::<V, STREAMS>() & !lanes.live;
            if empty != 0 {
                lanes.fill::<M>(empty, waiting, limit);
            }
            let steps = pace.steps;
            let mut rules = Rules {
                steps,
                limit,
                all: lanes.live == 0,
            };
            let mut cyclic = 0;
            // No orbit may take a step beyond the limit.
            let mut out = lanes.expired::<V, STREAMS>(limit, steps);
            let advanced = out == 0 && lanes.live != 0;
            if advanced {
                let (ended, back) = lanes.advance::<V, M, STREAMS, DEFERRED>(&map, steps);
                out = ended & lanes.live;
                cyclic = back & lanes.watched & !out;
            }
            lanes.put::<M>(out, trips);
            lanes.empty(out | cyclic);
            *done += u64::from(cyclic.count_ones());
            if advanced {
                turn -= (steps * count) as i64;
                lanes.turn_over(steps);
                if pace.count(out.count_ones()) {
                    lanes.watch::<V, STREAMS>();
                    rules.all |= pace.change(count);
                    if (self.stop)() {
                        return Err(Stopped);
                    }
                }
            }
            if rules.all || trips.len() >= ENOUGH {
                let replay = Replay {
                    map: &map,
                    rules,
                    trips,
                    waiting,
                    ends,
                };
                *done += at_level(level, replay);
            }
            if lanes.live == 0 && trips.len() + waiting.len() == 0 && source.exhausted {
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
    enough: usize,
    waiting: &'a mut Orbits,
    ends: &'a mut Ends,
}

impl<M: Map> AtLevel for Fill<'_, M> {
    type Output = u64;

    #[inline(always)]
    fn run<V: Vector, const STREAMS: usize>(self) -> u64 {
        self.source.fill::<V, M>(
            self.begin,
            self.pixels,
            self.enough,
            self.waiting,
            self.ends,
        )
    }
}

/// Follows orbits once more. Not inlined, because there is so much of it.
struct Replay<'a, M> {
    map: &'a M,
    rules: Rules,
    trips: &'a mut Orbits,
    waiting: &'a mut Orbits,
    ends: &'a mut Ends,
}

impl<M: Map> AtLevel for Replay<'_, M> {
    type Output = u64;

    #[inline(always)]
    fn run<V: Vector, const STREAMS: usize>(self) -> u64 {
        replay::replay::<V, M>(self.map, self.rules, self.trips, self.waiting, self.ends)
    }
}

/// So many blocks of steps of z² + c in all lanes, with nothing around them.
pub(crate) struct RawLoop(pub u64);

impl AtLevel for RawLoop {
    type Output = u64;

    #[inline(always)]
    fn run<V: Vector, const STREAMS: usize>(self) -> u64 {
        let mut lanes = Box::new(Lanes::new(None));
        lanes.live = lanes::all::<V, STREAMS>();
        for _ in 0..self.0 {
            let ended =
                lanes.advance::<V, Quadratic, STREAMS, true>(&Quadratic, black_box(MOST_STEPS));
            black_box(ended);
            lanes.turn_over(MOST_STEPS);
        }
        self.0 * (MOST_STEPS * lanes::count::<V, STREAMS>()) as u64
    }
}

#[cfg(test)]
mod tests;
