//! The escape time as a continuous number.
//!
//! It becomes continuous by letting the orbit run on until it is so large that the constant no longer matters: then |z|
//! is raised to the same power in every step, and n − log log |z|, to the right bases, no longer depends on when one
//! looks.

use crate::colour::maths::log2;
use crate::plane::Pixels;
use crate::search::{BEHIND, Ends, Iteration};
use crate::simd::{AtLevel, Level, MOST_LANES, Vector, at_level};
use faafo_formula::{Complex, Map};

/// |z|² at which an orbit is large enough.
const LARGE: f64 = 65_536.0;

/// An orbit that is not large by then never will be: with |c| > 2 there are such beyond |z| = 2.
const MOST_STEPS: u32 = 64;

/// Numbers that are worked on in one go: enough to hide that each operation takes cycles.
const CHUNK: usize = 64;

/// The continuous escape time of all pixels whose orbits ended like this: near `count` on the circle |z| = 2. For orbits
/// that do not simply grow it is `count`.
pub(crate) fn times<M: Map>(
    level: Level,
    iteration: &Iteration<M>,
    pixels: &Pixels,
    ends: &Ends,
) -> Vec<f64> {
    let mut times: Vec<f64> = ends.count.iter().map(|&count| f64::from(count)).collect();
    if let Some(power) = iteration.map.growth() {
        let work = Times {
            iteration,
            power,
            pixels,
            ends,
            times: &mut times,
        };
        at_level(level, work);
    }
    times
}

struct Times<'a, M> {
    iteration: &'a Iteration<M>,
    power: f64,
    pixels: &'a Pixels<'a>,
    ends: &'a Ends,
    times: &'a mut [f64],
}

impl<M: Map> AtLevel for Times<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector, const STREAMS: usize>(self) {
        let width = self.pixels.width();
        let rows = self.times.chunks_exact_mut(width).enumerate();
        for ((row, times), ends) in rows.zip(self.ends.z.chunks_exact(width)) {
            let segment = self.pixels.segment(row, 0, width + BEHIND);
            for (chunk, times) in times.chunks_mut(CHUNK).enumerate() {
                let from = chunk * CHUNK;
                let (mut steps, mut norms) = ([0.0; CHUNK], [LARGE; CHUNK]);
                for at in (0..times.len()).step_by(V::LANES) {
                    let column = from + at;
                    let lanes = V::LANES.min(times.len() - at);
                    let z = gathered::<V>(&ends[column..column + lanes]);
                    let c = match self.iteration.julia {
                        Some((re, im)) => Complex::splat(re, im),
                        None => segment.load::<V>(column),
                    };
                    let (taken, norm) = grown(&self.iteration.map, z, c);
                    taken.store(&mut steps[at..]);
                    norm.store(&mut norms[at..]);
                }
                finish(self.power, &steps, &norms, times);
            }
        }
    }
}

/// Complex numbers side by side; behind them some that are large already.
#[inline(always)]
fn gathered<V: Vector>(numbers: &[Complex<f64>]) -> Complex<V> {
    let (mut re, mut im) = ([LARGE; MOST_LANES], [LARGE; MOST_LANES]);
    for (lane, number) in numbers.iter().enumerate() {
        (re[lane], im[lane]) = (number.re, number.im);
    }
    Complex::new(V::load(&re), V::load(&im))
}

/// How many steps it takes until z is large, and |z|² then.
#[inline(always)]
fn grown<V: Vector, M: Map>(map: &M, mut z: Complex<V>, c: Complex<V>) -> (V, V) {
    let mut steps = V::splat(0.0);
    for _ in 0..MOST_STEPS {
        let small = z.norm().less(V::splat(LARGE));
        if V::bits(small) == 0 {
            break;
        }
        let next = map.step(z, z, c);
        z = Complex::new(
            V::select(small, next.re, z.re),
            V::select(small, next.im, z.im),
        );
        steps = V::select(small, steps + V::splat(1.0), steps);
    }
    (steps, z.norm())
}

/// Adds to whole times what is behind the point.
#[inline(always)]
fn finish(power: f64, steps: &[f64; CHUNK], norms: &[f64; CHUNK], times: &mut [f64]) {
    let mut part = [0.0; CHUNK];
    if power == 2.0 {
        // log₂ |z|² is one more doubling than log₂ |z|.
        for (part, &norm) in part.iter_mut().zip(norms) {
            *part = log2(log2(norm));
        }
    } else {
        let base = log2(power);
        for (part, &norm) in part.iter_mut().zip(norms) {
            *part = log2(0.5 * log2(norm)) / base;
        }
    }
    for ((time, steps), part) in times.iter_mut().zip(steps).zip(part) {
        *time = *time + steps + 1.0 - part;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::{Columns, Rows};
    use faafo_formula::Quadratic;

    /// The time of one orbit, one step after the other.
    fn time(count: u32, mut z: Complex<f64>, c: Complex<f64>) -> f64 {
        let mut time = f64::from(count);
        let mut steps = 0;
        while z.norm() < LARGE && steps < MOST_STEPS {
            z = Quadratic.step(z, z, c);
            time += 1.0;
            steps += 1;
        }
        time + 1.0 - log2(log2(z.norm()))
    }

    #[test]
    fn many_times_at_once_are_those_of_one_after_the_other() {
        let mut rng = fastrand::Rng::with_seed(3);
        for _ in 0..100 {
            let (width, height) = (rng.usize(1..150), rng.usize(1..4));
            let mut number = |reach: f64| 2.0 * reach * rng.f64() - reach;
            let columns = Columns::new((0..width).map(|_| number(2.0)).collect());
            let rows = Rows::new((0..height).map(|_| number(2.0)).collect());
            let z = (0..width * height).map(|_| Complex::new(number(9.0), number(300.0)));
            let ends = Ends {
                z: z.collect(),
                count: (0..(width * height) as u32).collect(),
            };
            let pixels = Pixels::new(&columns, &rows);
            for julia in [None, Some((0.3, -3.5))] {
                let iteration = Iteration {
                    map: Quadratic,
                    julia,
                    limit: 1 << 20,
                };
                for level in crate::promised::levels() {
                    let times = times(level, &iteration, &pixels, &ends);
                    assert!(times.len() >= pixels.len());
                    for (index, found) in times.iter().enumerate().take(pixels.len()) {
                        let pixel = pixels.point(index);
                        let c = julia.map_or(pixel, |(re, im)| Complex::new(re, im));
                        let expected = time(ends.count[index], ends.z[index], c);
                        assert_eq!(found.to_bits(), expected.to_bits(), "{level}");
                    }
                }
            }
        }
    }

    #[test]
    fn smooth_time_has_no_steps() {
        // Along the real axis beyond the cusp the count jumps, the smooth time must not.
        let at = |x: f64| {
            let c = Complex { re: x, im: 0.0 };
            let mut z = Complex { re: 0.0, im: 0.0 };
            let mut count = 0;
            while z.re * z.re + z.im * z.im <= 4.0 {
                z = Complex {
                    re: z.re * z.re - z.im * z.im + c.re,
                    im: 2.0 * z.re * z.im + c.im,
                };
                count += 1;
            }
            (count, time(count, z, c))
        };
        let mut jumps = 0;
        for step in 0..100_000 {
            let x = 0.27 + f64::from(step) * 1e-5;
            let ((count, time), (next_count, next_time)) = (at(x), at(x + 1e-5));
            jumps += u32::from(count != next_count);
            assert!((time - next_time).abs() < 0.02, "{time} {next_time} at {x}");
        }
        assert!(jumps > 5);
    }
}
