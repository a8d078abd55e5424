//! Few stops for many.
//! Source: D. H. Douglas, T. K. Peucker, "Algorithms for the reduction of the number of points required to represent a
//! digitized line or its caricature", Cartographica 10 (1973), with a bound on their number instead of their error.

use crate::Stop;
use crate::colours::MOST_STOPS;

/// The same stops if they are few enough; else those that keep closest to all.
pub(super) fn reduced(stops: Vec<Stop>) -> Vec<Stop> {
    if stops.len() <= MOST_STOPS {
        return stops;
    }
    let mut kept = vec![0, stops.len() - 1];
    while kept.len() < MOST_STOPS {
        let gaps = kept.windows(2);
        let worst = gaps.filter_map(|gap| farthest(&stops, gap[0], gap[1]));
        let Some((at, _)) = worst.max_by(|(_, a), (_, b)| a.total_cmp(b)) else {
            break;
        };
        let place = kept.partition_point(|&other| other < at);
        kept.insert(place, at);
    }
    kept.into_iter().map(|at| stops[at]).collect()
}

/// The stop between two others that lies farthest from a straight line between these, and how far.
fn farthest(stops: &[Stop], from: usize, to: usize) -> Option<(usize, f64)> {
    let (left, right) = (stops[from], stops[to]);
    let width = right.position - left.position;
    let distance = |at: usize| {
        let stop = stops[at];
        let part = if width > 0.0 {
            (stop.position - left.position) / width
        } else {
            0.0
        };
        let channels = 0..3;
        let off = channels.map(|channel| {
            let [here, left, right] =
                [stop, left, right].map(|stop| f64::from(stop.colour.0[channel]));
            (here - (left + (right - left) * part)).abs()
        });
        off.fold(0.0, f64::max)
    };
    let between = (from + 1..to).map(|at| (at, distance(at)));
    let off = between.filter(|(_, distance)| *distance > 0.0);
    off.max_by(|(_, a), (_, b)| a.total_cmp(b))
}
