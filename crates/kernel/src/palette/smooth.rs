//! The escape time as a continuous number.
//!
//! It becomes continuous by letting the orbit run on until it is so large that the constant no longer matters: then |z|
//! is raised to the same power in every step, and n − log log |z|, to the right bases, no longer depends on when one
//! looks.

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

/// The binary logarithm of a normal positive number, to about nine digits. The standard library's may round
/// differently on each platform.
#[inline]
fn log2(x: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    const EXPONENT_OF_ONE: u64 = 1023;
    /// The bits of √½'s mantissa's distance to 1: splitting there keeps the mantissa within √½..√2.
    const HALF_OCTAVE: u64 = 0x6_a09e_667f_3bcd;
    let bits = x.to_bits();
    let up = u64::from(bits & MANTISSA >= HALF_OCTAVE);
    let exponent = (bits >> 52) + up;
    let mantissa = f64::from_bits((bits & MANTISSA) | (EXPONENT_OF_ONE - up) << 52);
    // ln m = 2 artanh t
    let t = (mantissa - 1.0) / (mantissa + 1.0);
    let t2 = t * t;
    let series = 1.0 + t2 * (1.0 / 3.0 + t2 * (1.0 / 5.0 + t2 * (1.0 / 7.0 + t2 * (1.0 / 9.0))));
    (exponent as f64 - EXPONENT_OF_ONE as f64) + t * series * (2.0 * std::f64::consts::LOG2_E)
}

#[cfg(test)]
mod tests {
    use super::*;
    use faafo_formula::Quadratic;

    #[test]
    fn log2_is_close_everywhere() {
        for x in [
            16.0,
            17.3,
            65_536.0,
            1e5,
            92_681.9,
            92_682.0,
            1e10,
            1e100,
            f64::MAX,
        ] {
            assert!((log2(x) - libm::log2(x)).abs() < 1e-8, "{x}");
        }
        assert!(log2(f64::INFINITY).is_finite());
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
