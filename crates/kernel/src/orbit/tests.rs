use super::*;

/// The definition, one step at a time.
fn naive(z: Complex, c: Complex, limit: u32) -> (u32, Complex) {
    let (mut re, mut im) = (z.re, z.im);
    for count in 0..limit {
        if re * re + im * im > 4.0 {
            return (count, Complex { re, im });
        }
        (re, im) = ((re * re - im * im) + c.re, (re * im + im * re) + c.im);
    }
    (limit, Complex { re, im })
}

fn assert_same_as_naive(iteration: &Iteration, y: f64, x: impl Iterator<Item = f64>) {
    let mut segment = Segment::default();
    segment.place(y, x);
    run(iteration, &mut segment, &|| false).unwrap();
    for (index, x) in segment.x.iter().enumerate() {
        let (z, c) = iteration.start(*x, y);
        let (count, z) = naive(z, c, iteration.limit);
        assert_eq!(segment.count[index], count, "{iteration:?} at {x}, {y}");
        if count < iteration.limit {
            let seen = (segment.re[index].to_bits(), segment.im[index].to_bits());
            assert_eq!(
                seen,
                (z.re.to_bits(), z.im.to_bits()),
                "{iteration:?} at {x}, {y}"
            );
        }
    }
}

#[test]
fn orbits_end_where_the_definition_says() {
    let mut rng = fastrand::Rng::with_seed(5);
    for _ in 0..300 {
        let constant = (2.0 * rng.f64() - 1.5, 2.0 * rng.f64() - 1.0);
        let iteration = Iteration {
            julia: rng.bool().then_some(constant),
            limit: rng.u32(1..10) << rng.u32(0..12),
        };
        let y = 3.0 * rng.f64() - 1.5;
        let columns: Vec<f64> = (0..rng.usize(1..40))
            .map(|_| 4.0 * rng.f64() - 2.0)
            .collect();
        assert_same_as_naive(&iteration, y, columns.into_iter());
    }
}

#[test]
fn orbits_that_escape_late_are_not_taken_for_cycles() {
    // Ever closer to the cusp at 1/4, orbits take ever longer to escape.
    let mandelbrot = Iteration {
        julia: None,
        limit: 300_000,
    };
    let distances = (0..30).map(|halvings| 0.25 + 0.1 * 0.5f64.powi(halvings));
    assert_same_as_naive(&mandelbrot, 0.0, distances);
}

#[test]
fn limits_around_the_cycle_check_are_kept() {
    for limit in [1, 2, 2047, 2048, 2049, 4095, 4096, 4097] {
        let columns = (0..200).map(|step| 0.2501 + f64::from(step) * 1e-8);
        assert_same_as_naive(&Iteration { julia: None, limit }, 0.0, columns);
    }
}

#[test]
fn a_cycle_ends_the_search() {
    let iteration = Iteration {
        julia: None,
        limit: u32::MAX,
    };
    let mut segment = Segment::default();
    segment.place(0.0, [0.0, -1.0, 0.1].into_iter());
    let asked = std::cell::Cell::new(0);
    let stop = || {
        asked.set(asked.get() + 1);
        asked.get() > 10
    };
    assert_eq!(run(&iteration, &mut segment, &stop), Ok(()));
    assert_eq!(segment.count, [u32::MAX; 3]);
}

#[test]
fn a_stopped_run_ends_inside_an_orbit() {
    let iteration = Iteration {
        julia: Some((-0.390_540_870_218_4, -0.586_787_907_346_97)),
        limit: u32::MAX,
    };
    let mut segment = Segment::default();
    segment.place(-0.34, [-0.37].into_iter());
    assert_eq!(run(&iteration, &mut segment, &|| true), Err(Stopped));
}
