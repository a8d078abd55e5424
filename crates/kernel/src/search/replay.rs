//! Orbits that have ended, followed once more, to find the very step.

use super::Ends;
use super::orbits::{Mark, Orbits, Taken};
use super::steps::{Group, STREAMS, STRIDE};
use crate::simd::{MOST_LANES, Vector};
use faafo_formula::{Complex, Map};

/// So few steps are better looked at one by one than halved: finding out which orbits went on takes its time, too.
const FEW: usize = 2 * STRIDE;

/// How orbits are followed.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// The most steps; if the test may be deferred, a power of two.
    pub steps: usize,
    /// The limit of iterations.
    pub limit: u32,
    /// Whether all are followed; otherwise as many as fill vectors.
    pub all: bool,
}

/// Follows orbits, a group at a time. Those that go on after all get in the line of those that wait for a lane.
/// Returns how many pixels are done.
#[inline(always)]
pub(super) fn replay<V: Vector, M: Map, const DEFERRED: bool, const PLACES: bool>(
    map: &M,
    rules: Rules,
    queue: &mut Orbits,
    waiting: &mut Orbits,
    ends: &mut Ends,
) -> u64 {
    let (mut done, mut from) = (0, 0);
    let least = if rules.all {
        1
    } else {
        Group::<V, STREAMS>::LEN
    };
    while queue.len() - from >= least {
        let len = (queue.len() - from).min(Group::<V, STREAMS>::LEN);
        let mut taken = queue.group::<V, M>(from, len);
        // First it is found out in which few steps; these are looked at one by one.
        let mut steps = rules.steps;
        while DEFERRED && steps > FEW {
            steps /= 2;
            taken.skip(map, steps);
        }
        taken.group.follow::<M, PLACES>(map, steps);
        done += report::<V, M, PLACES>(map, rules, len, &mut taken, waiting, ends);
        from += len;
    }
    queue.remove_first::<V, M>(from);
    done
}

/// Notes how orbits have ended, and hands on those that have not.
#[inline(always)]
fn report<V: Vector, M: Map, const PLACES: bool>(
    map: &M,
    rules: Rules,
    len: usize,
    taken: &mut Taken<V>,
    waiting: &mut Orbits,
    ends: &mut Ends,
) -> u64 {
    let Taken {
        group,
        marks,
        skipped,
    } = taken;
    // Marks, the steps taken since, and places.
    let mut numbers = [[0.0; STREAMS * MOST_LANES]; 4];
    let mut gone_on = 0;
    for stream in 0..STREAMS {
        let at = stream * V::LANES;
        let z = group.z[stream];
        let going = group.alive[stream] & !map.ended(z, group.before[stream]);
        group.alive[stream] = going;
        gone_on |= u64::from(V::bits(going) & V::ALL) << at;
        let steps = skipped[stream] + group.taken[stream];
        marks[stream].store(&mut numbers[0][at..]);
        steps.store(&mut numbers[1][at..]);
        z.re.store(&mut numbers[2][at..]);
        z.im.store(&mut numbers[3][at..]);
    }
    let [marks, steps, re, im] = &mut numbers;
    for rank in 0..len {
        let mark = Mark(marks[rank]).later(steps[rank].to_bits());
        let pixel = mark.pixel();
        ends.count[pixel] = mark.count().min(rules.limit);
        if PLACES {
            ends.z[pixel] = Complex::new(re[rank], im[rank]);
        }
    }
    let mut done = len as u64;
    if gone_on != 0 {
        // Had ended by a hair's breadth less than the deferred test allows for.
        let mut most_taken = 0;
        for rank in (0..len).filter(move |rank| gone_on >> rank & 1 == 1) {
            let mark = Mark(marks[rank]).later(steps[rank].to_bits());
            // Counts as having reached the limit, until more is known.
            ends.count[mark.pixel()] = rules.limit;
            if mark.count() >= rules.limit {
                gone_on &= !(1 << rank);
            }
            most_taken = most_taken.max(mark.count());
            marks[rank] = mark.0;
        }
        let mut marks_now = [V::splat(0.0); STREAMS];
        for (stream, now) in marks_now.iter_mut().enumerate() {
            let at = stream * V::LANES;
            *now = V::load(&marks[at..]);
            group.alive[stream] = V::mask((gone_on >> at) as u32 & V::ALL);
        }
        waiting.push_alive::<V, M, STREAMS>(group, &marks_now, most_taken);
        done -= u64::from(gone_on.count_ones());
    }
    done
}
