//! Functions whose bits do not depend on the platform.

use std::f64::consts::{LN_2, LOG2_E};

/// The binary logarithm of a normal positive number, to about nine digits. The standard library's may round
/// differently on each platform.
#[inline]
pub(crate) fn log2(x: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    const EXPONENT_OF_ONE: u64 = 1023;
    /// The bits of √½'s mantissa's distance to 1: splitting there keeps the mantissa within √½..√2.
    const HALF_OCTAVE: u64 = 0x6_a09e_667f_3bcd;
    /// 2⁵² and the bits of a small whole number above it.
    const WHOLE: f64 = 4_503_599_627_370_496.0;
    let bits = x.to_bits();
    let up = u64::from(bits & MANTISSA >= HALF_OCTAVE);
    let exponent = (bits >> 52) + up;
    let mantissa = f64::from_bits((bits & MANTISSA) | (EXPONENT_OF_ONE - up) << 52);
    // ln m = 2 artanh t
    let t = (mantissa - 1.0) / (mantissa + 1.0);
    let t2 = t * t;
    let series = 1.0 + t2 * (1.0 / 3.0 + t2 * (1.0 / 5.0 + t2 * (1.0 / 7.0 + t2 * (1.0 / 9.0))));
    // As the conversion of a whole number, which not every processor can do with several.
    let exponent = f64::from_bits(WHOLE.to_bits() | exponent) - WHOLE;
    (exponent - EXPONENT_OF_ONE as f64) + t * series * (2.0 * LOG2_E)
}

/// The natural logarithm of a normal positive number, to about nine digits.
#[inline]
pub(crate) fn ln(x: f64) -> f64 {
    log2(x) * LN_2
}

/// The angle of a point in turns, from 0 to 1, to about seven digits. 0 for the origin.
#[inline]
pub(crate) fn turns(re: f64, im: f64) -> f64 {
    let (x, y) = (re.abs(), im.abs());
    let (long, short) = if x < y { (y, x) } else { (x, y) };
    if !(long > 0.0 && long < f64::INFINITY) {
        return 0.0;
    }
    // Within an eighth of a turn. From there half the angle: tan φ/2 = tan φ ÷ (1 + √(1 + tan² φ)).
    let tangent = short / long;
    let half = tangent / (1.0 + (1.0 + tangent * tangent).sqrt());
    let square = half * half;
    let series = 1.0
        - square
            * (1.0 / 3.0
                - square
                    * (1.0 / 5.0
                        - square * (1.0 / 7.0 - square * (1.0 / 9.0 - square * (1.0 / 11.0)))));
    let eighth = half * series / std::f64::consts::PI;
    let quarter = if x < y { 0.25 - eighth } else { eighth };
    let upper = if re < 0.0 { 0.5 - quarter } else { quarter };
    if im < 0.0 { 1.0 - upper } else { upper }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_close_everywhere() {
        for x in [
            1e-300,
            1e-12,
            0.5,
            0.999,
            1.0,
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
            assert!((ln(x) - libm::log(x)).abs() < 1e-8, "{x}");
        }
        for x in [0.0, f64::INFINITY, 5e-324] {
            assert!(log2(x).is_finite());
        }
    }

    #[test]
    fn angles_are_close_all_around() {
        for step in 0..10_000 {
            let angle = f64::from(step) * 1e-4;
            let radians = angle * 2.0 * std::f64::consts::PI;
            for size in [1e-200, 1.0, 1e150] {
                let found = turns(size * libm::cos(radians), size * libm::sin(radians));
                let error = (found - angle).abs();
                assert!(error.min(1.0 - error) < 1e-6, "{angle}: {found}");
            }
        }
        assert_eq!(turns(0.0, 0.0), 0.0);
        assert_eq!(turns(f64::INFINITY, 1.0), 0.0);
        assert_eq!(turns(f64::NAN, 1.0), 0.0);
        assert_eq!((turns(-1.0, 0.0), turns(0.0, -1.0)), (0.5, 0.75));
    }
}
