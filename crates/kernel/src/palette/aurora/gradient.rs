//! Aurora's colours: a closed curve through a few stops in the Oklab colour space, as a table of sRGB bytes.

use std::sync::LazyLock;

/// Entries of the table; neighbours differ by at most a few units.
pub(super) const STEPS: usize = 4096;

/// Red, green, blue around the curve. Made with `libm`, whose bits do not depend on the platform.
pub(super) static GRADIENT: LazyLock<Box<[[u8; 3]]>> = LazyLock::new(table);

/// A place on the curve, 0 ≤ at < 1, and the colour there.
struct Stop {
    at: f64,
    srgb: [u8; 3],
}

const fn stop(at: f64, srgb: u32) -> Stop {
    let [_, red, green, blue] = srgb.to_be_bytes();
    Stop {
        at,
        srgb: [red, green, blue],
    }
}

/// Night, deep blue, sky, snow, amber, embers, and night again.
const STOPS: [Stop; 9] = [
    stop(0.00, 0x03_06_20),
    stop(0.16, 0x0b_22_6b),
    stop(0.28, 0x1c_5e_c2),
    stop(0.39, 0x7c_bd_ee),
    stop(0.48, 0xfd_fa_f0),
    stop(0.58, 0xff_cf_5c),
    stop(0.69, 0xee_86_12),
    stop(0.80, 0x8c_2e_0a),
    stop(0.90, 0x1c_07_14),
];

fn table() -> Box<[[u8; 3]]> {
    let labs = STOPS.map(|stop| oklab(stop.srgb));
    (0..STEPS)
        .map(|step| srgb(curve(&labs, step as f64 / STEPS as f64)))
        .collect()
}

/// The curve's point at a position 0 ≤ at < 1: a cubic Hermite spline whose slopes never overshoot a stop.
fn curve(labs: &[[f64; 3]; STOPS.len()], at: f64) -> [f64; 3] {
    let count = STOPS.len();
    let left = STOPS.iter().rposition(|stop| stop.at <= at).unwrap_or(0);
    // Stops beyond either end are those of the turn before or after.
    let place = |index: usize| STOPS[index % count].at + (index / count) as f64 - 1.0;
    let middle = left + count;
    let (x0, x1, x2, x3) = (
        place(middle - 1),
        place(middle),
        place(middle + 1),
        place(middle + 2),
    );
    let width = x2 - x1;
    let t = (at - x1) / width;
    std::array::from_fn(|channel| {
        let lab = |index: usize| labs[index % count][channel];
        let (before, here, after) = (
            (lab(middle) - lab(middle - 1)) / (x1 - x0),
            (lab(middle + 1) - lab(middle)) / width,
            (lab(middle + 2) - lab(middle + 1)) / (x3 - x2),
        );
        let (from, to) = (lab(middle), lab(middle + 1));
        let (slope_from, slope_to) = (tame(before, here) * width, tame(here, after) * width);
        let (t2, t3) = (t * t, t * t * t);
        from * (2.0 * t3 - 3.0 * t2 + 1.0)
            + slope_from * (t3 - 2.0 * t2 + t)
            + to * (3.0 * t2 - 2.0 * t3)
            + slope_to * (t3 - t2)
    })
}

/// A slope between two secants that keeps the spline monotone: their harmonic mean, or 0 at an extremum.
fn tame(before: f64, after: f64) -> f64 {
    if before * after <= 0.0 {
        return 0.0;
    }
    2.0 * before * after / (before + after)
}

/// Oklab of an sRGB colour (Björn Ottosson, "A perceptual color space for image processing", 2020).
fn oklab(srgb: [u8; 3]) -> [f64; 3] {
    let [red, green, blue] = srgb.map(|byte| to_linear(f64::from(byte) / 255.0));
    let long = libm::cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
    let medium = libm::cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
    let short = libm::cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
    [
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    ]
}

/// The sRGB colour of an Oklab one, clipped.
fn srgb([lightness, a, b]: [f64; 3]) -> [u8; 3] {
    let cube = |x: f64| x * x * x;
    let long = cube(lightness + 0.3963377774 * a + 0.2158037573 * b);
    let medium = cube(lightness - 0.1055613458 * a - 0.0638541728 * b);
    let short = cube(lightness - 0.0894841775 * a - 1.2914855480 * b);
    [
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    ]
    .map(|linear| libm::round(from_linear(linear.clamp(0.0, 1.0)) * 255.0) as u8)
}

fn to_linear(value: f64) -> f64 {
    if value <= 0.04045 {
        value / 12.92
    } else {
        libm::pow((value + 0.055) / 1.055, 2.4)
    }
}

fn from_linear(value: f64) -> f64 {
    if value <= 0.0031308 {
        value * 12.92
    } else {
        1.055 * libm::pow(value, 1.0 / 2.4) - 0.055
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest difference of a channel.
    fn distance(a: [u8; 3], b: [u8; 3]) -> u8 {
        let channels = a.into_iter().zip(b);
        channels.map(|(a, b)| a.abs_diff(b)).max().unwrap()
    }

    #[test]
    fn the_gradient_closes_and_has_no_jumps() {
        for (index, colour) in GRADIENT.iter().enumerate() {
            let next = GRADIENT[(index + 1) % STEPS];
            assert!(distance(*colour, next) <= 3, "at {index}");
        }
    }

    #[test]
    fn the_interior_has_a_colour_of_its_own() {
        assert!(!GRADIENT.contains(&crate::palette::aurora::INTERIOR));
    }

    #[test]
    fn the_gradient_meets_its_stops() {
        for stop in &STOPS {
            let colour = GRADIENT[libm::round(stop.at * STEPS as f64) as usize];
            assert!(distance(colour, stop.srgb) <= 3);
        }
    }
}
