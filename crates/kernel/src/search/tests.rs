use super::orbits::Mark;
use super::*;
use crate::plane::{Columns, Rows};
use crate::promised::levels;
use faafo_formula::Quadratic;

/// The definition, one step at a time.
fn naive(z: Complex<f64>, c: Complex<f64>, limit: u32) -> (u32, Complex<f64>) {
    let (mut re, mut im) = (z.re, z.im);
    for count in 0..limit {
        if re * re + im * im > 4.0 {
            return (count, Complex { re, im });
        }
        (re, im) = ((re * re - im * im) + c.re, (re * im + im * re) + c.im);
    }
    (limit, Complex { re, im })
}

fn quadratic(julia: Option<(f64, f64)>, limit: u32) -> Iteration<Quadratic> {
    Iteration {
        map: Quadratic,
        julia,
        limit,
    }
}

fn search<M: Map>(level: Level, iteration: &Iteration<M>, pixels: &Pixels) -> Search {
    let mut search = Search::new(iteration, pixels, true);
    while !search.go_on(level, iteration, pixels, &|| false).unwrap() {}
    assert_eq!(search.done(), pixels.len() as u64);
    search
}

fn assert_same_as_naive(iteration: &Iteration<Quadratic>, across: Vec<f64>, down: &[f64]) {
    let (columns, rows) = (Columns::new(across), Rows::new(down.to_vec()));
    let pixels = Pixels::new(&columns, &rows);
    let points = || (0..pixels.len()).map(|index| pixels.point(index));
    let expected: Vec<_> = points()
        .map(|pixel| match iteration.julia {
            Some((re, im)) => naive(pixel, Complex { re, im }, iteration.limit),
            None => naive(Complex { re: 0.0, im: 0.0 }, pixel, iteration.limit),
        })
        .collect();
    for level in levels() {
        let search = search(level, iteration, &pixels);
        let ends = search.ends();
        for (index, pixel) in points().enumerate() {
            let (count, z) = expected[index];
            assert_eq!(
                ends.count[index], count,
                "{level}, {iteration:?} at {pixel:?}"
            );
            if count < iteration.limit {
                let bits = |z: Complex<f64>| (z.re.to_bits(), z.im.to_bits());
                assert_eq!(
                    bits(ends.z[index]),
                    bits(z),
                    "{level}, {iteration:?} at {pixel:?}"
                );
            }
        }
    }
}

#[test]
fn orbits_end_where_the_definition_says() {
    let mut rng = fastrand::Rng::with_seed(5);
    for _ in 0..300 {
        let constant = (2.0 * rng.f64() - 1.5, 2.0 * rng.f64() - 1.0);
        let limit = rng.u32(1..10) << rng.u32(0..12);
        let iteration = quadratic(rng.bool().then_some(constant), limit);
        let mut numbers = |most: usize, reach: f64| -> Vec<f64> {
            let count = rng.usize(1..most);
            (0..count)
                .map(|_| 2.0 * reach * rng.f64() - reach)
                .collect()
        };
        let (across, down) = (numbers(60, 2.0), numbers(8, 1.5));
        assert_same_as_naive(&iteration, across, &down);
    }
}

#[test]
fn orbits_that_leave_and_come_back_end_when_they_leave() {
    // Beyond |c| = 2 an orbit may be beyond |z| = 2 and come back.
    let across: Vec<f64> = (0..600).map(|step| f64::from(step) * 0.01 - 3.0).collect();
    for constant in [
        (-6.0, 0.0),
        (-2.5, 0.1),
        (-2.0, 0.0),
        (2.0, 0.0),
        (0.0, 2.0),
        (1e100, -1e100),
    ] {
        assert_same_as_naive(
            &quadratic(Some(constant), 500),
            across.clone(),
            &[0.0, 1e-9, 0.3],
        );
    }
}

#[test]
fn orbits_that_stay_close_to_the_circle_are_followed_to_their_end() {
    // On the needle and at c = -2, orbits come close to |z| = 2 again and again, and escape late or never.
    let close = |to: f64| (0..60).map(move |bits| to - 0.5f64.powi(bits));
    let across: Vec<f64> = close(-2.0).chain(close(2.0)).chain([-2.0, 2.0]).collect();
    for limit in [15, 16, 17, 31, 200, 5000] {
        assert_same_as_naive(&quadratic(Some((-2.0, 0.0)), limit), across.clone(), &[0.0]);
        let needle: Vec<f64> = (0..400).map(|step| -2.0 + f64::from(step) * 1e-3).collect();
        assert_same_as_naive(&quadratic(None, limit), needle, &[0.0, 1e-300]);
        assert_same_as_naive(&quadratic(None, limit), across.clone(), &[0.0, -0.0, 1e-17]);
    }
}

#[test]
fn numbers_beyond_all_bounds_escape() {
    let across = vec![1e100, -1e100, 1e-300, 0.0, 1e160, f64::MAX];
    assert_same_as_naive(&quadratic(None, 100), across.clone(), &[1e100, 0.0]);
    assert_same_as_naive(&quadratic(Some((0.3, 0.0)), 100), across, &[1e100, 0.0]);
}

#[test]
fn orbits_that_escape_late_are_not_taken_for_cycles() {
    // Ever closer to the cusp at 1/4, orbits take ever longer to escape.
    let distances = (0..30).map(|halvings| 0.25 + 0.1 * 0.5f64.powi(halvings));
    assert_same_as_naive(&quadratic(None, 300_000), distances.collect(), &[0.0]);
}

#[test]
fn limits_around_blocks_of_steps_are_kept() {
    for limit in (1..70).chain([255, 256, 257, 2047, 2048, 2049, 4096]) {
        let columns = (0..200).map(|step| 0.2501 + f64::from(step) * 1e-8);
        assert_same_as_naive(&quadratic(None, limit), columns.collect(), &[0.0]);
        let columns = (0..150).map(|step| f64::from(step) * 0.03 - 2.3);
        assert_same_as_naive(
            &quadratic(None, limit),
            columns.clone().collect(),
            &[0.1, 0.9],
        );
        assert_same_as_naive(
            &quadratic(Some((-0.8, 0.156)), limit),
            columns.collect(),
            &[0.1],
        );
    }
}

#[test]
fn what_is_certainly_inside_never_ends() {
    let across = (0..300).map(|step| f64::from(step) * 0.01 - 2.1).collect();
    let down: Vec<f64> = (0..60).map(|step| f64::from(step) * 0.02).collect();
    assert_same_as_naive(&quadratic(None, 3000), across, &down);
}

#[test]
fn a_mark_tells_pixel_and_steps_however_long_its_lane_has_been_in_use() {
    for pixel in [0, 1, 123_456_789, u32::MAX] {
        for now in [0, 8, u64::from(u32::MAX), 1 << 40] {
            let begun = Mark(WHOLE + 8.0 * Mark::STEP + f64::from(pixel));
            let under_way = begun.earlier(now);
            let ended = under_way.later(now + 1000);
            assert_eq!((ended.pixel(), ended.count()), (pixel as usize, 1008));
            assert_eq!(ended.whole_count(), WHOLE + 1008.0);
        }
    }
}

#[test]
fn a_cycle_ends_the_search() {
    for level in levels() {
        // Cycles of 1, 3 and 4, all outside of what is known to be inside.
        let columns = Columns::new(vec![-0.16]);
        for down in [0.75, 0.0, 1.03] {
            let rows = Rows::new(vec![down]);
            let pixels = Pixels::new(&columns, &rows);
            let iteration = quadratic(Some((-0.12, 0.75)), u32::MAX);
            let mut search = Search::new(&iteration, &pixels, false);
            let asked = std::cell::Cell::new(0);
            let stop = || {
                asked.set(asked.get() + 1);
                asked.get() > 3000
            };
            while !search.go_on(level, &iteration, &pixels, &stop).unwrap() {}
        }
    }
}

#[test]
fn what_was_searched_before_makes_no_difference() {
    let across = (0..150).map(|step| f64::from(step) * 0.02 - 2.1);
    let columns = Columns::new(across.collect());
    let iteration = quadratic(None, 700);
    let rows = |rows: std::ops::Range<u32>| -> Rows {
        Rows::new(rows.map(|row| f64::from(row) * 0.03 - 0.9).collect())
    };
    let places = |ends: &Ends| -> Vec<_> {
        let counts = ends.count.iter().zip(&ends.z);
        let place = |(&count, z): (&u32, &Complex<f64>)| {
            (
                count,
                (count < 700).then(|| (z.re.to_bits(), z.im.to_bits())),
            )
        };
        counts.map(place).collect()
    };
    for level in levels() {
        let (first, second) = (rows(0..40), rows(40..53));
        let (first, second) = (
            Pixels::new(&columns, &first),
            Pixels::new(&columns, &second),
        );
        let fresh = search(level, &iteration, &second);
        let mut again = search(level, &iteration, &first);
        again.begin_anew(&second);
        while !again.go_on(level, &iteration, &second, &|| false).unwrap() {}
        assert_eq!(again.done(), fresh.done());
        assert!(places(again.ends()) == places(fresh.ends()), "{level}");
    }
}

#[test]
fn a_stopped_search_ends_inside_an_orbit() {
    for level in levels() {
        let iteration = quadratic(
            Some((-0.390_540_870_218_4, -0.586_787_907_346_97)),
            u32::MAX,
        );
        let (columns, rows) = (Columns::new(vec![-0.37]), Rows::new(vec![-0.34]));
        let pixels = Pixels::new(&columns, &rows);
        let mut search = Search::new(&iteration, &pixels, false);
        let outcome = search.go_on(level, &iteration, &pixels, &|| true);
        assert_eq!(outcome, Err(Stopped));
    }
}
