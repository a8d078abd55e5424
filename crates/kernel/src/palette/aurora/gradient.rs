//! Aurora's colours: a closed curve through a few stops in the Oklab colour space, as a table of sRGB bytes.

use crate::colour::oklab;
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
    (0..STEPS)
        .map(|step| oklab::bytes(light(step as f64 / STEPS as f64)))
        .collect()
}

/// Linear light at a position 0 ≤ at < 1.
pub(crate) fn light(at: f64) -> [f64; 3] {
    static LABS: LazyLock<[[f64; 3]; STOPS.len()]> =
        LazyLock::new(|| STOPS.map(|stop| oklab::oklab(stop.srgb)));
    oklab::light(curve(&LABS, at))
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
