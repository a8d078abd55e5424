//! Orbits that have ended go, and others take their lanes.

use super::{Constants, MOST, Orbits, Set};
use crate::search::orbits::{Orbit, Orbits as Queue};
use faafo_formula::{Complex, Map};

/// The orbit in a lane, where it has been since a time.
#[inline(always)]
pub(super) fn orbit(from: &Orbits, of: &Constants, lane: usize, since: u64) -> Orbit {
    Orbit {
        z: Complex::new(from.re.0[lane], from.im.0[lane]),
        before: Complex::new(from.before_re.0[lane], from.before_im.0[lane]),
        c: Complex::new(of.c_re.0[lane], of.c_im.0[lane]),
        mark: of.marks[lane].later(since),
    }
}

/// An orbit goes on in a lane.
#[inline(always)]
pub(super) fn take_up<M: Map>(
    to: &mut Orbits,
    of: &mut Constants,
    lane: usize,
    orbit: Orbit,
    now: u64,
) {
    (to.re.0[lane], to.im.0[lane]) = (orbit.z.re, orbit.z.im);
    if M::MEMORY {
        (to.before_re.0[lane], to.before_im.0[lane]) = (orbit.before.re, orbit.before.im);
    }
    if !of.julia {
        (of.c_re.0[lane], of.c_im.0[lane]) = (orbit.c.re, orbit.c.im);
    }
    of.marks[lane] = orbit.mark.earlier(now);
}

/// The exchange of orbits that have ended for others that wait, one after the other.
pub(in crate::search) struct Exchange<'a> {
    /// Before and after the block of steps.
    from: &'a Orbits,
    to: &'a mut Orbits,
    of: &'a mut Constants,
    trips: &'a mut Queue,
    waiting: &'a Queue,
    /// Lanes where it is still to be done.
    lanes: u64,
    /// Where the next goes among the trips.
    at: usize,
    /// Which of the waiting is the next.
    next: usize,
    /// Before and after the block of steps.
    before: u64,
    now: u64,
}

impl<'a> Exchange<'a> {
    /// With nothing to be done.
    pub fn none(set: &'a mut Set, trips: &'a mut Queue, waiting: &'a mut Queue) -> Self {
        Self::new(set, trips, waiting, 0, 0)
    }

    /// In these lanes, for which enough wait.
    #[inline(always)]
    pub(super) fn new(
        set: &'a mut Set,
        trips: &'a mut Queue,
        waiting: &'a mut Queue,
        lanes: u64,
        before: u64,
    ) -> Self {
        let count = lanes.count_ones() as usize;
        let (one, two) = set.at.split_at_mut(1);
        let (from, to) = match set.current {
            0 => (&one[0], &mut two[0]),
            _ => (&two[0], &mut one[0]),
        };
        Self {
            from,
            to,
            of: &mut set.of,
            lanes,
            at: trips.grow(count),
            next: waiting.shrink(count),
            before,
            now: set.now,
            trips,
            waiting,
        }
    }

    /// Does it in one lane, if there is one.
    #[inline(always)]
    pub(super) fn go_on<M: Map>(&mut self) {
        if self.lanes == 0 {
            return;
        }
        let lane = self.lanes.trailing_zeros() as usize % MOST;
        let ended = orbit(self.from, self.of, lane, self.before);
        self.trips.set::<M>(self.at, ended);
        let next = self.waiting.get(self.next);
        take_up::<M>(self.to, self.of, lane, next, self.now);
        self.at += 1;
        self.next += 1;
        self.lanes &= self.lanes - 1;
    }

    /// Does it in the lanes that are left.
    #[inline(always)]
    pub fn rest<M: Map>(mut self) {
        while self.lanes != 0 {
            self.go_on::<M>();
        }
    }
}
