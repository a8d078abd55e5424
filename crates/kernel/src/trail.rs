//! What orbits went through until they ended: they are followed once more, now that it is known how far, and on until
//! they are so large that the constant no longer matters.
//!
//! Orbits of about the same length go side by side. As in the search every orbit takes the very steps that one alone
//! would take.

use crate::plane::Pixels;
use crate::search::{Ends, Iteration, Stopped};
use crate::simd::{AtLevel, Level, MOST_LANES, Vector, at_level};
use faafo_formula::{Complex, Dual, Map, Number, REST};

/// |z|² up to which orbits that escape are followed. Times 16 in the exponent, for the largest power, is still a number.
const LARGE: f64 = 1e16;

/// The same for stripes: from there on they would only become finer.
pub(crate) const LARGE_FOR_STRIPES: f64 = 1e6;

/// An orbit that is not large by then never will be: with |c| > 2 there are such beyond |z| = 2.
const MOST_STEPS: u32 = 64;

/// Steps of all lanes together until others get their turn, and those of one group until it is asked whether to stop.
const TURN: u64 = 1 << 22;
const PATIENCE: u32 = 1 << 12;

/// What is gathered along orbits besides their ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Nothing.
    End,
    /// How the end depends on the pixel.
    Gradient,
    /// How close they came to an axis.
    Trap,
    /// The sum of sin 4φ over all angles φ.
    Stripe,
}

/// What is known about an orbit that has ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    /// Where it is, after `extra` more steps.
    pub z: Complex<f64>,
    /// Steps taken after it had ended.
    pub extra: f64,
    /// [`Map::unrest`] one step before the end and at the end; infinite if the formula has no rest.
    pub rest: [f64; 2],
    /// Where it was when it had just ended; or derivatives of |z|² or, before rest, of [`Map::unrest`], by the pixel's
    /// real and imaginary part; or, in the first, the least distance to an axis; or the sums of stripes with and
    /// without the last z.
    pub more: [f64; 2],
}

/// What a sample is that never ends, and what each is before it is known.
const NOTHING: Mark = Mark {
    z: Complex { re: 0.0, im: 0.0 },
    extra: 0.0,
    rest: [f64::INFINITY; 2],
    more: [0.0; 2],
};

/// Orbits being followed for the second time.
#[derive(Debug)]
pub(crate) struct Trail {
    wanted: Wanted,
    /// The pixels whose orbits end, by rising length.
    order: Vec<u32>,
    at: usize,
    marks: Vec<Mark>,
}

impl Trail {
    /// Of orbits that have ended like this; nothing is done yet.
    pub fn new(wanted: Wanted, ends: &Ends, limit: u32) -> Self {
        let count = |&index: &u32| ends.count[index as usize];
        let pixels = 0..ends.count.len() as u32;
        let mut order: Vec<u32> = pixels.filter(|index| count(index) < limit).collect();
        order.sort_unstable_by_key(|index| (count(index), *index));
        Self {
            wanted,
            order,
            at: 0,
            marks: vec![NOTHING; ends.count.len()],
        }
    }

    /// Goes on for a while; whether all is done.
    pub fn go_on<M: Map>(
        &mut self,
        level: Level,
        iteration: &Iteration<M>,
        pixels: &Pixels,
        ends: &Ends,
        stop: &dyn Fn() -> bool,
    ) -> Result<bool, Stopped> {
        at_level(
            level,
            Follow {
                trail: self,
                iteration,
                pixels,
                ends,
                stop,
            },
        )
    }

    /// What is known about each pixel's orbit, once all is done.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }
}

/// A number, perhaps with derivatives by the pixel's parts.
trait Carrier<V: Vector>: Number<Mask = V::Mask> {
    /// The real or the imaginary part of a pixel.
    fn variable(value: V, part: usize) -> Self;
    fn value(self) -> V;
    fn by(self) -> [V; 2];
}

impl<V: Vector> Carrier<V> for V {
    #[inline(always)]
    fn variable(value: V, _: usize) -> Self {
        value
    }

    #[inline(always)]
    fn value(self) -> V {
        self
    }

    #[inline(always)]
    fn by(self) -> [V; 2] {
        [V::splat(0.0); 2]
    }
}

impl<V: Vector> Carrier<V> for Dual<V> {
    #[inline(always)]
    fn variable(value: V, part: usize) -> Self {
        let mut by = [V::splat(0.0); 2];
        by[part] = V::splat(1.0);
        Self { value, by }
    }

    #[inline(always)]
    fn value(self) -> V {
        self.value
    }

    #[inline(always)]
    fn by(self) -> [V; 2] {
        self.by
    }
}

struct Follow<'a, M> {
    trail: &'a mut Trail,
    iteration: &'a Iteration<M>,
    pixels: &'a Pixels<'a>,
    ends: &'a Ends,
    stop: &'a dyn Fn() -> bool,
}

impl<M: Map> AtLevel for Follow<'_, M> {
    type Output = Result<bool, Stopped>;

    #[inline(always)]
    fn run<V: Vector, const STREAMS: usize>(self) -> Self::Output {
        match self.trail.wanted {
            Wanted::Gradient => self.turn::<V, Dual<V>, 2>(),
            _ => self.turn::<V, V, 4>(),
        }
    }
}

/// A vector of orbits.
#[derive(Clone, Copy)]
struct Orbit<V, D> {
    c: Complex<D>,
    z: Complex<D>,
    before: Complex<D>,
    /// The z before that, where it matters.
    earlier: Complex<D>,
    count: V,
    /// As in [`Mark`].
    gathered: [V; 2],
}

impl<M: Map> Follow<'_, M> {
    #[inline(always)]
    fn turn<V: Vector, D: Carrier<V>, const U: usize>(mut self) -> Result<bool, Stopped> {
        let mut turn = TURN;
        while self.trail.at < self.trail.order.len() {
            if turn == 0 {
                return Ok(false);
            }
            let from = self.trail.at;
            let to = (from + U * V::LANES).min(self.trail.order.len());
            let steps = self.group::<V, D, U>(from, to)?;
            turn = turn.saturating_sub((u64::from(steps) + 8) * (U * V::LANES) as u64);
            self.trail.at = to;
        }
        Ok(true)
    }

    /// Follows a group of orbits to their end; returns the steps of the longest.
    #[inline(always)]
    fn group<V: Vector, D: Carrier<V>, const U: usize>(
        &mut self,
        from: usize,
        to: usize,
    ) -> Result<u32, Stopped> {
        let wanted = self.trail.wanted;
        let map = &self.iteration.map;
        // The end is known, so nothing need be followed to get there.
        let at_end = wanted == Wanted::End && !M::MEMORY && !M::RESTS;
        let mut orbits: [Orbit<V, D>; U] =
            std::array::from_fn(|stream| self.start(from + stream * V::LANES, to, at_end));
        let count = |place: usize| match at_end {
            true => 0,
            false => self.ends.count[self.trail.order[place] as usize],
        };
        let (least, most) = (count(from), count(to - 1));
        for step in 0..most {
            let counted = V::splat(f64::from(step));
            for orbit in &mut orbits {
                if step < least {
                    orbit.advance(map, wanted);
                } else {
                    orbit.advance_some(map, wanted, counted.less(orbit.count));
                }
            }
            if step % PATIENCE == PATIENCE - 1 && (self.stop)() {
                return Err(Stopped);
            }
        }
        for (stream, orbit) in orbits.iter_mut().enumerate() {
            if wanted == Wanted::End {
                orbit.gathered = [orbit.z.re.value(), orbit.z.im.value()];
            }
            let extra = orbit.run_on(map, wanted);
            let first = from + stream * V::LANES;
            if first < to {
                self.write(first, to, orbit, extra);
            }
        }
        if (self.stop)() {
            return Err(Stopped);
        }
        Ok(most)
    }

    /// The orbits from a place in the order on; where there are none any more, the last one again.
    #[inline(always)]
    fn start<V: Vector, D: Carrier<V>>(
        &self,
        first: usize,
        to: usize,
        at_end: bool,
    ) -> Orbit<V, D> {
        let Iteration { map, julia, .. } = self.iteration;
        let mut numbers = [[0.0; MOST_LANES]; 5];
        for lane in 0..V::LANES {
            let index = self.trail.order[(first + lane).min(to - 1)] as usize;
            let end = match at_end {
                true => self.ends.z[index],
                false => NOTHING.z,
            };
            let point = self.pixels.point(index);
            let sample = [
                point.re,
                point.im,
                f64::from(self.ends.count[index]),
                end.re,
                end.im,
            ];
            for (numbers, number) in numbers.iter_mut().zip(sample) {
                numbers[lane] = number;
            }
        }
        let [re, im, count, end_re, end_im] = numbers.map(|numbers| V::load(&numbers));
        let pixel = Complex::new(D::variable(re, 0), D::variable(im, 1));
        let fixed = |(re, im): (f64, f64)| Complex::<D>::splat(re, im);
        let (start, c) = match *julia {
            Some(constant) => (pixel, fixed(constant)),
            None => (fixed(map.critical()), pixel),
        };
        let before = fixed(map.before());
        let z = match at_end {
            true => Complex::new(D::variable(end_re, 0), D::variable(end_im, 1)),
            false => start,
        };
        let gathered = match self.trail.wanted {
            Wanted::Trap => f64::INFINITY,
            _ => 0.0,
        };
        Orbit {
            c,
            z,
            before,
            earlier: before,
            count,
            gathered: [V::splat(gathered); 2],
        }
    }

    /// Notes what became of some orbits.
    #[inline(always)]
    fn write<V: Vector, D: Carrier<V>>(
        &mut self,
        first: usize,
        to: usize,
        orbit: &Orbit<V, D>,
        extra: V,
    ) {
        let map = &self.iteration.map;
        let far = orbit.z.norm();
        let mut rest = [V::splat(f64::INFINITY); 2];
        let mut end = far;
        if M::RESTS {
            let now = map.unrest(orbit.z, orbit.before);
            let earlier = map.unrest(orbit.before, orbit.earlier);
            rest = [earlier.value(), now.value()];
            let resting = now.value().less(V::splat(REST));
            end = D::select(resting, earlier, far);
        }
        let more = match self.trail.wanted {
            Wanted::Gradient => end.by(),
            _ => orbit.gathered,
        };
        let z = [orbit.z.re.value(), orbit.z.im.value()];
        let mut numbers = [[0.0; MOST_LANES]; 7];
        let vectors = [z[0], z[1], extra, rest[0], rest[1], more[0], more[1]];
        for (numbers, vector) in numbers.iter_mut().zip(vectors) {
            vector.store(numbers);
        }
        for lane in 0..V::LANES.min(to - first) {
            let index = self.trail.order[first + lane] as usize;
            let [re, im, extra, before, now, one, other] =
                numbers.each_ref().map(|numbers| numbers[lane]);
            self.trail.marks[index] = Mark {
                z: Complex::new(re, im),
                extra,
                rest: [before, now],
                more: [one, other],
            };
        }
    }
}

impl<V: Vector, D: Carrier<V>> Orbit<V, D> {
    #[inline(always)]
    fn advance<M: Map>(&mut self, map: &M, wanted: Wanted) {
        let next = map.step(self.z, self.before, self.c);
        (self.earlier, self.before, self.z) = (self.before, self.z, next);
        match wanted {
            Wanted::End | Wanted::Gradient => {}
            Wanted::Trap => {
                let (re, im) = (next.re.value().abs(), next.im.value().abs());
                let here = V::select(re.less(im), re, im);
                let least = self.gathered[0];
                self.gathered[0] = V::select(here.less(least), here, least);
            }
            Wanted::Stripe => {
                let sum = self.gathered[0];
                self.gathered = [sum + stripe::<V, D>(next), sum];
            }
        }
    }

    #[inline(always)]
    fn advance_some<M: Map>(&mut self, map: &M, wanted: Wanted, active: V::Mask) {
        let still = *self;
        self.advance(map, wanted);
        let choose = |yes: Complex<D>, no: Complex<D>| {
            Complex::new(
                D::select(active, yes.re, no.re),
                D::select(active, yes.im, no.im),
            )
        };
        self.z = choose(self.z, still.z);
        if M::MEMORY || M::RESTS {
            self.before = choose(self.before, still.before);
        }
        if M::RESTS {
            self.earlier = choose(self.earlier, still.earlier);
        }
        for (number, still) in self.gathered.iter_mut().zip(still.gathered) {
            *number = V::select(active, *number, still);
        }
    }

    /// Goes on until what escapes is large; returns the number of steps.
    #[inline(always)]
    fn run_on<M: Map>(&mut self, map: &M, wanted: Wanted) -> V {
        let mut extra = V::splat(0.0);
        if map.degree().is_none() {
            return extra;
        }
        let large = match wanted {
            Wanted::Stripe => LARGE_FOR_STRIPES,
            _ => LARGE,
        };
        for _ in 0..MOST_STEPS {
            let mut active = self.z.norm().value().less(V::splat(large));
            if M::RESTS {
                let unrest = map.unrest(self.z, self.before).value();
                active = active & !unrest.less(V::splat(REST));
            }
            if V::bits(active) == 0 {
                break;
            }
            self.advance_some(map, wanted, active);
            extra = V::select(active, extra + V::splat(1.0), extra);
        }
        extra
    }
}

/// sin 4φ of a number's angle φ.
#[inline(always)]
fn stripe<V: Vector, D: Carrier<V>>(z: Complex<D>) -> V {
    let (re, im) = (z.re.value(), z.im.value());
    let norm = re * re + im * im + V::splat(1e-300);
    let (cosine, sine) = ((re * re - im * im) / norm, (re * im + re * im) / norm);
    let product = cosine * sine;
    product + product
}
