//! Orbits that wait for something.

use super::ENOUGH_WAITING;
use super::steps::{Group, STREAMS, step};
use crate::simd::Vector;
use faafo_formula::{Complex, Map};

/// Space for the most that ever wait: almost as many as are begun, and a group of vectors; and of those that are followed
/// once more fewer than are worth the while, and a set of lanes, go on after all. In a power of two a queue can go round.
const SPACE: usize = 2 * ENOUGH_WAITING;

/// So many numbers are kept for that, a cache line more: processors take addresses that are 4096 bytes apart for one and
/// the same when they look whether a load has to wait for a store.
const KEPT: usize = SPACE + 8;

/// Added to a whole number below 2³² it leaves that number in the lowest bits.
pub(crate) const WHOLE: f64 = (1u64 << 52) as f64;

/// An orbit that has been followed for a while.
#[derive(Debug, Clone, Copy)]
pub(super) struct Orbit {
    pub z: Complex<f64>,
    /// The z before, if the formula looks at it.
    pub before: Complex<f64>,
    pub c: Complex<f64>,
    /// The pixel's number, with [`WHOLE`].
    pub index: f64,
    /// Steps taken.
    pub count: f64,
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
    index: Numbers,
    count: Numbers,
    /// Where the first is.
    first: usize,
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
            index: zeros,
            count: zeros,
            first: 0,
            len: 0,
            julia: constant.is_some(),
        }
    }

    /// How many.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Makes room for so many more at the end. Returns where they are to be put, counted on from the first.
    #[inline(always)]
    pub fn grow(&mut self, count: usize) -> usize {
        let from = self.first + self.len;
        self.len += count;
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
        (self.index[at], self.count[at]) = (orbit.index, orbit.count);
    }

    /// The one there.
    #[inline(always)]
    pub fn get(&self, at: usize) -> Orbit {
        let at = at % SPACE;
        Orbit {
            z: Complex::new(self.re[at], self.im[at]),
            before: Complex::new(self.before_re[at], self.before_im[at]),
            c: Complex::new(self.c_re[at], self.c_im[at]),
            index: self.index[at],
            count: self.count[at],
        }
    }

    /// Adds those of a group that have not ended.
    #[inline(always)]
    pub fn push_alive<V: Vector, M: Map>(
        &mut self,
        group: &Group<V>,
        index: &[V; STREAMS],
        count: &[V; STREAMS],
    ) {
        for stream in 0..STREAMS {
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
            put(bits, index[stream], &mut self.index[at..]);
            put(bits, count[stream], &mut self.count[at..]);
            self.len = at + bits.count_ones() as usize;
        }
    }

    /// Takes the first `len` orbits, a group of them, or all if they are fewer. The group's other lanes are not alive.
    #[inline(always)]
    pub fn take<V: Vector, M: Map>(&mut self, len: usize) -> Taken<V> {
        let from = self.first % SPACE;
        self.len -= len;
        self.first = if self.len == 0 { 0 } else { from + len };
        let mut taken = Taken {
            group: Group::new(),
            index: [V::splat(0.0); STREAMS],
            count: [V::splat(0.0); STREAMS],
        };
        let Taken {
            group,
            index,
            count,
        } = &mut taken;
        for stream in 0..STREAMS {
            let at = from + stream * V::LANES;
            group.z[stream] = load(&self.re, &self.im, at);
            if M::MEMORY {
                group.before[stream] = load(&self.before_re, &self.before_im, at);
            }
            group.c[stream] = load(&self.c_re, &self.c_im, at);
            group.alive[stream] = V::mask(first::<V>(len.saturating_sub(stream * V::LANES)));
            index[stream] = V::load(&self.index[at..]);
            count[stream] = V::load(&self.count[at..]);
        }
        taken
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

/// A group of orbits, each with its pixel's number and the steps it has taken.
pub(super) struct Taken<V: Vector> {
    pub group: Group<V>,
    pub index: [V; STREAMS],
    pub count: [V; STREAMS],
}

impl<V: Vector> Taken<V> {
    /// Takes so many steps, but stays where it is if the orbit has perhaps ended on the way.
    #[inline(always)]
    pub fn skip<M: Map>(&mut self, map: &M, steps: usize) {
        let Self { group, count, .. } = self;
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
            count[stream] = V::select(near, count[stream] + steps, count[stream]);
        }
    }
}
