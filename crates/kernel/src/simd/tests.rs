use super::*;
use crate::promised::levels;
use crate::search::WHOLE;

/// Every operation with the vectors of a level, against the same one number at a time.
struct Check;

impl AtLevel for Check {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector, const STREAMS: usize>(self) {
        let a = [1.5, -0.0, f64::NAN, 4.0, f64::INFINITY, 1e-310, -7.25, 0.1];
        let b = [3.0, 2.0, 1.0, 4.0, -1.0, 1e-310, 0.3, -0.7];
        let (va, vb) = (V::load(&a), V::load(&b));
        let lanes = |vector: V| {
            let mut lanes = [0.0; MOST_LANES];
            vector.store(&mut lanes);
            lanes
        };
        let same = |vector: V, expected: fn(f64, f64) -> f64| {
            let lanes = lanes(vector);
            for lane in 0..V::LANES {
                let expected = expected(a[lane], b[lane]);
                let both_nan = expected.is_nan() && lanes[lane].is_nan();
                assert!(both_nan || lanes[lane].to_bits() == expected.to_bits());
            }
        };
        same(va + vb, |a, b| a + b);
        same(va - vb, |a, b| a - b);
        same(va * vb, |a, b| a * b);
        same(va / vb, |a, b| a / b);
        same(va.abs(), |a, _| a.abs());
        same(va.twice_plus(vb), |a, b| (a + a) + b);
        same(va.fused_twice_plus(vb), |a, b| (a + a) + b);
        same(V::splat(7.0), |_, _| 7.0);
        let said = |mask: V::Mask, expected: fn(f64, f64) -> bool| {
            for lane in 0..V::LANES {
                assert_eq!(V::bits(mask) >> lane & 1 == 1, expected(a[lane], b[lane]));
            }
        };
        said(va.less(vb), |a, b| a < b);
        said(va.greater(vb), |a, b| a > b);
        said(va.equal(vb), |a, b| a == b);
        said(!va.less(vb), |a, b| {
            !matches!(a.partial_cmp(&b), Some(std::cmp::Ordering::Less))
        });
        said(va.less(vb) | va.equal(vb), |a, b| a <= b);
        said(va.less(vb) & va.equal(vb), |_, _| false);
        let mut low = [0; MOST_LANES];
        va.store_low(&mut low);
        for lane in 0..V::LANES {
            assert_eq!(low[lane], a[lane].to_bits() as u32);
        }
        let counts = lanes(V::splat(WHOLE + 41.0).one_more(va.less(vb)));
        for lane in 0..V::LANES {
            let more = if a[lane] < b[lane] { 1.0 } else { 0.0 };
            assert_eq!(counts[lane], WHOLE + 41.0 + more);
        }
        for bits in 0..=V::ALL {
            assert_eq!(V::bits(V::mask(bits)) & V::ALL, bits);
            let members: Vec<usize> = (0..V::LANES).filter(|lane| bits >> lane & 1 == 1).collect();
            let front = lanes(vb.compress(bits));
            let chosen = lanes(V::select(V::mask(bits), vb, V::splat(9.0)));
            for (rank, &lane) in members.iter().enumerate() {
                assert_eq!(front[rank], b[lane]);
                assert_eq!(chosen[lane], b[lane]);
            }
            for lane in (0..V::LANES).filter(|lane| !members.contains(lane)) {
                assert_eq!(chosen[lane], 9.0);
            }
        }
    }
}

#[test]
fn every_level_calculates_as_one_number_at_a_time() {
    for level in levels() {
        at_level(level, Check);
    }
}

#[test]
fn levels_have_names() {
    for level in Level::ALL {
        assert_eq!(Level::named(level.name()), Some(level));
    }
    assert!(Level::best().is_available());
}
