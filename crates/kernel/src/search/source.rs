//! Where orbits begin.

use super::orbits::{Mark, Orbits, WHOLE, first};
use super::steps::Group;
use super::{ENOUGH_WAITING, Ends};
use crate::plane::Pixels;
use crate::simd::{MOST_LANES, Vector};
use faafo_formula::{Complex, Map};

/// The first steps of all orbits, taken side by side in the pixels' order. Many a picture has more orbits that end on
/// the way than that go on.
pub(super) const FIRST_STEPS: u32 = 8;

/// Pixels after which others get their turn.
const AT_ONCE: usize = 4096;

/// So many numbers behind those of all columns are read and not made use of.
pub(crate) const BEHIND: usize = 5 * MOST_LANES;

/// How far it is.
#[derive(Debug, Default)]
pub(super) struct Source {
    row: usize,
    column: usize,
    /// Whether there are no more.
    pub exhausted: bool,
}

impl Source {
    /// Begins the orbits of some more pixels, until enough wait to go on, or none is left, or some time has passed.
    /// Leaves those out that are certainly inside. `STREAMS` vectors are under way. Returns how many pixels are done.
    #[inline(always)]
    pub fn fill<V: Vector, M: Map, const PLACES: bool, const STREAMS: usize>(
        &mut self,
        begin: &Begin<M>,
        pixels: &Pixels,
        waiting: &mut Orbits,
        ends: &mut Ends,
    ) -> u64 {
        let width = pixels.width();
        let constants = Constants::new(begin.limit);
        let (mut seen, mut done) = (0, 0);
        while waiting.len() < ENOUGH_WAITING && seen < AT_ONCE {
            if self.row == pixels.height() || width == 0 {
                self.exhausted = true;
                break;
            }
            let (row, column) = (self.row, self.column);
            let here = (width - column).min(Group::<V, STREAMS>::LEN);
            self.column += here;
            if self.column == width {
                (self.row, self.column) = (row + 1, 0);
            }
            let here = Here {
                row,
                column,
                width: here,
            };
            done += begin.group::<V, PLACES, STREAMS>(&constants, pixels, here, waiting, ends);
            seen += here.width;
        }
        done
    }
}

/// Some pixels of a row.
#[derive(Clone, Copy)]
struct Here {
    row: usize,
    /// The first.
    column: usize,
    /// How many.
    width: usize,
}

/// What is the same for all orbits that begin.
struct Constants<V> {
    /// The limit, with [`WHOLE`].
    limit: V,
    /// 0, 1, 2 and so on.
    counting: V,
}

impl<V: Vector> Constants<V> {
    #[inline(always)]
    fn new(limit: u32) -> Self {
        let mut counting = [0.0; MOST_LANES];
        for (lane, number) in counting.iter_mut().enumerate() {
            *number = lane as f64;
        }
        Self {
            limit: V::splat(WHOLE + f64::from(limit)),
            counting: V::load(&counting),
        }
    }
}

/// How orbits begin.
pub(super) struct Begin<'a, M> {
    pub map: &'a M,
    /// The c of a Julia form.
    pub julia: Option<(f64, f64)>,
    pub limit: u32,
}

impl<M: Map> Begin<'_, M> {
    /// Takes the first steps for some pixels, at most a group of them. Returns how many are done.
    #[inline(always)]
    fn group<V: Vector, const PLACES: bool, const STREAMS: usize>(
        &self,
        constants: &Constants<V>,
        pixels: &Pixels,
        here: Here,
        waiting: &mut Orbits,
        ends: &mut Ends,
    ) -> u64 {
        let Constants { limit, counting } = *constants;
        let (row, column, here) = (here.row, here.column, here.width);
        let mut group = Group::<V, STREAMS>::new();
        let critical = self.map.critical();
        let before = self.map.before();
        let mut wanted = [V::mask(V::ALL); STREAMS];
        if here < Group::<V, STREAMS>::LEN {
            for (stream, wanted) in wanted.iter_mut().enumerate() {
                *wanted = V::mask(first::<V>(here.saturating_sub(stream * V::LANES)));
            }
        }
        // Those of the columns behind the last that are not wanted either read what is there.
        let segment = pixels.segment(row, column, Group::<V, STREAMS>::LEN);
        for (stream, wanted) in wanted.iter_mut().enumerate() {
            let pixel = segment.load::<V>(stream * V::LANES);
            group.before[stream] = Complex::splat(before.0, before.1);
            if let Some((re, im)) = self.julia {
                group.z[stream] = pixel;
                group.c[stream] = Complex::splat(re, im);
            } else {
                group.z[stream] = Complex::splat(critical.0, critical.1);
                group.c[stream] = pixel;
                if let Some(inside) = self.map.inside(pixel) {
                    *wanted = *wanted & !inside;
                }
            }
            group.alive[stream] = *wanted;
        }
        group.follow::<M, PLACES>(self.map, FIRST_STEPS as usize);
        for (stream, wanted) in wanted.into_iter().enumerate() {
            // All others count as having reached the limit, until more is known of them.
            let mut ended = wanted & !group.alive[stream];
            if self.limit <= FIRST_STEPS {
                ended = ended & group.taken[stream].less(limit);
            }
            group.taken[stream] = V::select(ended, group.taken[stream], limit);
        }
        let from = row * pixels.width() + column;
        note::<V, PLACES, STREAMS>(&group, from, here, ends);
        if self.limit <= FIRST_STEPS {
            return here as u64;
        }
        let mut gone_on = 0;
        for alive in group.alive {
            gone_on += u64::from((V::bits(alive) & V::ALL).count_ones());
        }
        if gone_on != 0 {
            let first = WHOLE + f64::from(FIRST_STEPS) * Mark::STEP + from as f64;
            let mut marks = [counting; STREAMS];
            for (stream, marks) in marks.iter_mut().enumerate() {
                *marks = counting + V::splat(first + (stream * V::LANES) as f64);
            }
            waiting.push_alive::<V, M, STREAMS>(&group, &marks, FIRST_STEPS);
        }
        here as u64 - gone_on
    }
}

/// Notes how the orbits of `here` pixels from a number on have ended.
#[inline(always)]
fn note<V: Vector, const PLACES: bool, const STREAMS: usize>(
    group: &Group<V, STREAMS>,
    from: usize,
    here: usize,
    ends: &mut Ends,
) {
    let counts = &mut ends.count[from..from + here];
    if here == Group::<V, STREAMS>::LEN {
        for stream in 0..STREAMS {
            group.taken[stream].store_low(&mut counts[stream * V::LANES..]);
        }
    } else {
        let mut all = [0; BEHIND];
        for stream in 0..STREAMS {
            group.taken[stream].store_low(&mut all[stream * V::LANES..]);
        }
        counts.copy_from_slice(&all[..here]);
    }
    if PLACES {
        let mut parts = [[0.0; BEHIND]; 2];
        for stream in 0..STREAMS {
            group.z[stream].re.store(&mut parts[0][stream * V::LANES..]);
            group.z[stream].im.store(&mut parts[1][stream * V::LANES..]);
        }
        let [re, im] = &parts;
        for (z, (&re, &im)) in ends.z[from..from + here].iter_mut().zip(re.iter().zip(im)) {
            *z = Complex::new(re, im);
        }
    }
}
