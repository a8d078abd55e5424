//! Orbits that wait for something.

use super::ENOUGH_WAITING;
use super::lanes::{MOST, SETS};
use super::steps::{Group, STREAMS, step};
use crate::simd::{MOST_LANES, Vector};
use faafo_formula::{Complex, Map};

/// Space for all orbits that there are at a time: almost as many as are begun, and a group of vectors, and all lanes. A
/// power of two, so that an index costs no more than a mask to be a sound one.
const SPACE: usize = 2 * ENOUGH_WAITING;

/// So many numbers are kept for that: a group more, which is read where fewer are left, and a cache line, because
/// processors take addresses that are 4096 bytes apart for one and the same when they look whether a load has to wait
/// for a store.
const KEPT: usize = SPACE + 8 * MOST_LANES + 8;

const _: () = assert!(ENOUGH_WAITING + STREAMS * MOST_LANES + SETS * MOST <= SPACE);
const _: () = assert!(STREAMS <= 8);

/// Added to a whole number below 2³² it leaves that number in the lowest bits.
pub(crate) const WHOLE: f64 = (1u64 << 52) as f64;

/// Which pixel an orbit belongs to and how many steps it has taken, in one number, so that only one has to be moved: the
/// bits of 2⁵² + 2³² · steps + pixel. That can be put together with vectors. From then on the bits are calculated with:
/// the lower half is the pixel, and the upper half counts modulo 2³², from the upper half of 2⁵² on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark(pub f64);

impl Mark {
    /// Of the first pixel, with no steps taken.
    pub const NONE: Self = Self(WHOLE);

    /// What a step adds to [`WHOLE`].
    pub const STEP: f64 = (1u64 << 32) as f64;

    /// After so many more steps.
    #[inline(always)]
    pub fn later(self, steps: u64) -> Self {
        Self(f64::from_bits(self.0.to_bits().wrapping_add(steps << 32)))
    }

    /// Before the last of so many steps.
    #[inline(always)]
    pub fn earlier(self, steps: u64) -> Self {
        Self(f64::from_bits(self.0.to_bits().wrapping_sub(steps << 32)))
    }

    /// The pixel's number.
    #[inline(always)]
    pub fn pixel(self) -> usize {
        self.0.to_bits() as u32 as usize
    }

    /// Steps taken.
    #[inline(always)]
    pub fn count(self) -> u32 {
        (self.since_none() >> 32) as u32
    }

    /// Steps taken, with [`WHOLE`].
    #[inline(always)]
    pub fn whole_count(self) -> f64 {
        f64::from_bits(self.since_none() >> 32 | WHOLE.to_bits())
    }

    #[inline(always)]
    fn since_none(self) -> u64 {
        self.0.to_bits().wrapping_sub(WHOLE.to_bits())
    }
}

/// An orbit that has been followed for a while.
#[derive(Debug, Clone, Copy)]
pub(super) struct Orbit {
    pub z: Complex<f64>,
    /// The z before, if the formula looks at it.
    pub before: Complex<f64>,
    pub c: Complex<f64>,
    pub mark: Mark,
}

/// A number of each.
type Numbers = [f64; KEPT];

/// Orbits, which go one at a time from the end, or a group at a time from the beginning.
#[repr(align(64))]
pub(super) struct Orbits {
    re: Numbers,
    im: Numbers,
    before_re: Numbers,
    before_im: Numbers,
    c_re: Numbers,
    c_im: Numbers,
    /// The numbers of [`Mark`]s.
    marks: Numbers,
    /// The most steps that any has taken that was put here since there was none.
    most_taken: u64,
    len: usize,
    /// Whether all have the same c, which is there already.
    julia: bool,
}

impl Orbits {
    /// None yet; for a Julia form with its c.
    pub fn new(constant: Option<(f64, f64)>) -> Self {
        let (c_re, c_im) = constant.unwrap_or_default();
        let zeros = [0.0; KEPT];
        Self {
            re: zeros,
            im: zeros,
            before_re: zeros,
            before_im: zeros,
            c_re: [c_re; KEPT],
            c_im: [c_im; KEPT],
            marks: zeros,
            most_taken: 0,
            len: 0,
            julia: constant.is_some(),
        }
    }

    /// How many.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }

    /// No orbit here has taken more steps.
    #[inline(always)]
    pub fn most_taken(&self) -> u64 {
        self.most_taken
    }

    /// Makes room for so many more at the end. Returns where they are to be put.
    #[inline(always)]
    pub fn grow(&mut self, count: usize) -> usize {
        let from = self.len;
        self.len += count;
        debug_assert!(self.len <= SPACE, "more orbits than there can be");
        from
    }

    /// Takes so many from the end. Returns where they still are.
    #[inline(always)]
    pub fn shrink(&mut self, count: usize) -> usize {
        self.len -= count;
        self.len
    }

    /// Puts one there.
    #[inline(always)]
    pub fn set<M: Map>(&mut self, at: usize, orbit: Orbit) {
        let at = at % SPACE;
        (self.re[at], self.im[at]) = (orbit.z.re, orbit.z.im);
        if M::MEMORY {
            (self.before_re[at], self.before_im[at]) = (orbit.before.re, orbit.before.im);
        }
        if !self.julia {
            (self.c_re[at], self.c_im[at]) = (orbit.c.re, orbit.c.im);
        }
        self.marks[at] = orbit.mark.0;
    }

    /// The one there.
    #[inline(always)]
    pub fn get(&self, at: usize) -> Orbit {
        let at = at % SPACE;
        Orbit {
            z: Complex::new(self.re[at], self.im[at]),
            before: Complex::new(self.before_re[at], self.before_im[at]),
            c: Complex::new(self.c_re[at], self.c_im[at]),
            mark: Mark(self.marks[at]),
        }
    }

    /// Adds those of a group that are alive, of which none has taken more steps than `taken`, with the numbers of their
    /// [`Mark`]s.
    #[inline(always)]
    pub fn push_alive<V: Vector, M: Map, const N: usize>(
        &mut self,
        group: &Group<V, N>,
        marks: &[V; N],
        taken: u32,
    ) {
        if self.len == 0 {
            self.most_taken = 0;
        }
        self.most_taken = self.most_taken.max(u64::from(taken));
        for (stream, &marks) in marks.iter().enumerate() {
            let bits = V::bits(group.alive[stream]) & V::ALL;
            if bits == 0 {
                continue;
            }
            let at = self.len;
            put(bits, group.z[stream].re, &mut self.re[at..]);
            put(bits, group.z[stream].im, &mut self.im[at..]);
            if M::MEMORY {
                put(bits, group.before[stream].re, &mut self.before_re[at..]);
                put(bits, group.before[stream].im, &mut self.before_im[at..]);
            }
            if !self.julia {
                put(bits, group.c[stream].re, &mut self.c_re[at..]);
                put(bits, group.c[stream].im, &mut self.c_im[at..]);
            }
            put(bits, marks, &mut self.marks[at..]);
            self.grow(bits.count_ones() as usize);
        }
    }

    /// Removes the first `count`, after which fewer than a group are left.
    #[inline(always)]
    pub fn remove_first<V: Vector, M: Map>(&mut self, count: usize) {
        self.len -= count;
        if self.len == 0 {
            return;
        }
        let from = count % SPACE;
        move_up::<V>(&mut self.re, from);
        move_up::<V>(&mut self.im, from);
        if M::MEMORY {
            move_up::<V>(&mut self.before_re, from);
            move_up::<V>(&mut self.before_im, from);
        }
        if !self.julia {
            move_up::<V>(&mut self.c_re, from);
            move_up::<V>(&mut self.c_im, from);
        }
        move_up::<V>(&mut self.marks, from);
    }

    /// A group of orbits from a place on, or `len` of them, if they are fewer. The group's other lanes are not alive.
    #[inline(always)]
    pub fn group<V: Vector, M: Map>(&self, from: usize, len: usize) -> Taken<V> {
        let from = from % SPACE;
        let mut taken = Taken {
            group: Group::new(),
            marks: [V::splat(0.0); STREAMS],
            skipped: [V::splat(0.0); STREAMS],
        };
        for (stream, marks) in taken.marks.iter_mut().enumerate() {
            let group = &mut taken.group;
            let at = from + stream * V::LANES;
            group.z[stream] = load(&self.re, &self.im, at);
            if M::MEMORY {
                group.before[stream] = load(&self.before_re, &self.before_im, at);
            }
            group.c[stream] = load(&self.c_re, &self.c_im, at);
            group.alive[stream] = V::mask(first::<V>(len.saturating_sub(stream * V::LANES)));
            *marks = V::load(&self.marks[at..]);
        }
        taken
    }
}

/// Moves as many numbers as are in a group, from a place on, to the beginning.
#[inline(always)]
fn move_up<V: Vector>(numbers: &mut Numbers, from: usize) {
    let mut moved = [V::splat(0.0); STREAMS];
    for (stream, moved) in moved.iter_mut().enumerate() {
        *moved = V::load(&numbers[from..][stream * V::LANES..]);
    }
    for (stream, moved) in moved.into_iter().enumerate() {
        moved.store(&mut numbers[stream * V::LANES..]);
    }
}

/// Writes the numbers in some lanes.
#[inline(always)]
fn put<V: Vector>(bits: u32, numbers: V, to: &mut [f64]) {
    if V::LANES > 2 && bits == V::ALL {
        numbers.store(to);
    } else {
        numbers.compress(bits).store(to);
    }
}

#[inline(always)]
fn load<V: Vector>(re: &[f64], im: &[f64], at: usize) -> Complex<V> {
    Complex::new(V::load(&re[at..]), V::load(&im[at..]))
}

/// The first `count` lanes of a vector, or all.
#[inline(always)]
pub(super) fn first<V: Vector>(count: usize) -> u32 {
    ((1u32 << count.min(V::LANES)) - 1) & V::ALL
}

/// A group of orbits on which something has been found out already.
pub(super) struct Taken<V: Vector> {
    pub group: Group<V, STREAMS>,
    /// The numbers of the [`Mark`]s that they had when they were taken.
    pub marks: [V; STREAMS],
    /// Steps that each has taken since.
    pub skipped: [V; STREAMS],
}

impl<V: Vector> Taken<V> {
    /// Takes so many steps, but stays where it is if the orbit has perhaps ended on the way.
    #[inline(always)]
    pub fn skip<M: Map>(&mut self, map: &M, steps: usize) {
        let Self { group, skipped, .. } = self;
        let (mut z, mut before) = (group.z, group.before);
        for _ in 0..steps {
            for stream in 0..STREAMS {
                let next = step(map, stream, z[stream], before[stream], group.c[stream]);
                if M::MEMORY {
                    before[stream] = z[stream];
                }
                z[stream] = next;
            }
        }
        let steps = V::splat(steps as f64);
        for stream in 0..STREAMS {
            let near = map.near(z[stream]);
            let select = |place: &mut V, there: V| *place = V::select(near, there, *place);
            select(&mut group.z[stream].re, z[stream].re);
            select(&mut group.z[stream].im, z[stream].im);
            if M::MEMORY {
                select(&mut group.before[stream].re, before[stream].re);
                select(&mut group.before[stream].im, before[stream].im);
            }
            skipped[stream] = V::select(near, skipped[stream] + steps, skipped[stream]);
        }
    }
}
