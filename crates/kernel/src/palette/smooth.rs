//! The escape time as a continuous number.
//!
//! It becomes continuous by letting the orbit run on until it is so large that the constant no longer matters: then |z|
//! is raised to the same power in every step, and n − log log |z|, to the right bases, no longer depends on when one
//! looks.

use crate::colour::maths::log2;
use faafo_formula::{Complex, Map};

/// |z|² at which an orbit is large enough.
const LARGE: f64 = 65_536.0;

/// An orbit that is not large by then never will be: with |c| > 2 there are such beyond |z| = 2.
const MOST_STEPS: u32 = 64;

/// The continuous escape time: near `count` on the circle |z| = 2. For orbits that do not simply grow it is `count`.
#[inline]
pub(crate) fn time<M: Map>(map: &M, count: u32, mut z: Complex<f64>, c: Complex<f64>) -> f64 {
    let mut time = f64::from(count);
    let Some(power) = map.growth() else {
        return time;
    };
    let mut steps = 0;
    while z.norm() < LARGE && steps < MOST_STEPS {
        z = map.step(z, z, c);
        time += 1.0;
        steps += 1;
    }
    if power == 2.0 {
        // log₂ |z|² is one more doubling than log₂ |z|.
        time + 1.0 - log2(log2(z.norm()))
    } else {
        time + 1.0 - log2(0.5 * log2(z.norm())) / log2(power)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faafo_formula::Quadratic;

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
            (count, super::time(&Quadratic, count, z, c))
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
