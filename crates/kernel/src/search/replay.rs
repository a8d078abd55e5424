//! Orbits that have ended, followed once more, to find the very step.

use super::Ends;
use super::orbits::{Orbits, Taken, WHOLE};
use super::steps::{Group, STREAMS, STRIDE};
use crate::simd::{MOST_LANES, Vector};
use faafo_formula::{Complex, Map};

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
pub(super) fn replay<V: Vector, M: Map, const DEFERRED: bool>(
    map: &M,
    rules: Rules,
    queue: &mut Orbits,
    waiting: &mut Orbits,
    ends: &mut Ends,
) -> u64 {
    let mut done = 0;
    while queue.len() >= Group::<V>::LEN || (rules.all && queue.len() > 0) {
        let len = queue.len().min(Group::<V>::LEN);
        let mut taken = queue.take::<V, M>(len);
        // First it is found out in which two steps; these are looked at one by one.
        let mut steps = rules.steps;
        while DEFERRED && steps > STRIDE {
            steps /= 2;
            taken.skip(map, steps);
        }
        if ends.z.is_empty() {
            taken.group.follow::<M, false>(map, steps);
        } else {
            taken.group.follow::<M, true>(map, steps);
        }
        done += report::<V, M>(map, rules, len, &mut taken, waiting, ends);
    }
    done
}

/// Notes how orbits have ended, and hands on those that have not.
#[inline(always)]
fn report<V: Vector, M: Map>(
    map: &M,
    rules: Rules,
    len: usize,
    taken: &mut Taken<V>,
    waiting: &mut Orbits,
    ends: &mut Ends,
) -> u64 {
    let Taken {
        group,
        index,
        count,
    } = taken;
    let limit = V::splat(f64::from(rules.limit));
    let mut numbers = [[0.0; STREAMS * MOST_LANES]; 4];
    let mut gone_on = 0;
    for stream in 0..STREAMS {
        let at = stream * V::LANES;
        count[stream] = count[stream] + group.taken[stream];
        // What has not ended has not reached the limit either, or has ended there.
        let ended = map.ended(group.z[stream], group.before[stream]);
        let below = count[stream].less(limit);
        let going = group.alive[stream] & !ended & below;
        group.alive[stream] = going;
        gone_on |= u64::from(V::bits(group.alive[stream]) & V::ALL) << at;
        // What goes on counts as having reached the limit, until more is known.
        let reached = V::select(below & !going, count[stream], limit) + V::splat(WHOLE);
        index[stream].store(&mut numbers[0][at..]);
        reached.store(&mut numbers[1][at..]);
        group.z[stream].re.store(&mut numbers[2][at..]);
        group.z[stream].im.store(&mut numbers[3][at..]);
    }
    let want_z = !ends.z.is_empty();
    let [index_of, reached, re, im] = &numbers;
    for rank in 0..len {
        let index = index_of[rank].to_bits() as u32 as usize;
        ends.count[index] = reached[rank].to_bits() as u32;
        if want_z {
            ends.z[index] = Complex::new(re[rank], im[rank]);
        }
    }
    if gone_on != 0 {
        // Had ended by a hair's breadth less than the deferred test allows for.
        waiting.push_alive::<V, M>(group, index, count);
    }
    (len - gone_on.count_ones() as usize) as u64
}
