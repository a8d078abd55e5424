//! What was lately read of fractals that are done. Their rows change only by being deleted, which everybody notices
//! within a second, and whoever deletes one here at once.

use crate::{Role, StoredBlob};
use faafo_model::{Fractal, State, Uuid};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long what was read holds. Shorter than the second that was promised, because sending it takes time, too.
const FRESH: Duration = Duration::from_millis(800);
/// The most that are kept: a few megabytes.
const MOST: usize = 4096;

/// A fractal, and what is stored of it in one role.
pub type Found = (Fractal, Option<StoredBlob>);

/// What was lately read.
#[derive(Default)]
pub(crate) struct Recent {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// What is known of each, when it was read, and of which role.
    found: HashMap<Uuid, Vec<(Role, Instant, Found)>>,
    /// Grows with each change: what was read before it may be out of date.
    changes: u64,
}

/// Reading that has begun.
pub(crate) struct Reading {
    begun: Instant,
    changes: u64,
}

impl Recent {
    /// What is known at this moment, or the beginning of finding out.
    pub(crate) fn find(&self, id: Uuid, role: Role, now: Instant) -> Result<Found, Reading> {
        let kept = self.lock();
        let known = kept.found.get(&id).into_iter().flatten();
        let mut fresh = known.filter(|(known, read, _)| *known == role && is_fresh(*read, now));
        match fresh.next() {
            Some((.., found)) => Ok(found.clone()),
            None => Err(Reading {
                begun: now,
                changes: kept.changes,
            }),
        }
    }

    /// This was found by reading.
    pub(crate) fn keep(&self, role: Role, reading: &Reading, found: &Found) {
        let mut kept = self.lock();
        if found.0.state != State::Done || kept.changes != reading.changes {
            return;
        }
        if kept.found.len() >= MOST {
            let is_needed = |(_, read, _): &_| is_fresh(*read, reading.begun);
            kept.found.retain(|_, known| known.iter().any(is_needed));
        }
        if kept.found.len() >= MOST {
            kept.found.clear();
        }
        let known = kept.found.entry(found.0.id).or_default();
        known.retain(|(known, ..)| *known != role);
        known.push((role, reading.begun, found.clone()));
    }

    /// The fractal has changed, or is gone.
    pub(crate) fn forget(&self, id: Uuid) {
        let mut kept = self.lock();
        kept.changes += 1;
        kept.found.remove(&id);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // No code that holds the lock can panic halfway through a change.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_fresh(read: Instant, now: Instant) -> bool {
    now < read + FRESH
}

#[cfg(test)]
mod tests {
    use super::*;
    use faafo_model::{Recipe, Timestamp};

    fn found(state: State) -> Found {
        let recipe = r#"{"kind":"mandelbrot","xa":-1.0,"xb":1.0,"ya":-1.0,"yb":1.0,"width":2,"height":2,
            "iterations":2,"palette":"classic"}"#;
        let fractal = Fractal {
            id: Uuid::from_u128(7),
            recipe: Recipe::from_json(recipe).unwrap(),
            state,
            priority: 0,
            attempt: 1,
            progress: 0.0,
            error: None,
            created_at: Timestamp(0),
            finished_at: None,
            eta: None,
            duration: None,
            checksum: None,
            size: None,
            generated_by: None,
            url: None,
        };
        (fractal, None)
    }

    #[test]
    fn what_was_read_of_a_done_fractal_holds_for_less_than_a_second() {
        let (recent, done, begun) = (Recent::default(), found(State::Done), Instant::now());
        let id = done.0.id;
        let reading = recent.find(id, Role::PICTURE, begun).unwrap_err();
        recent.keep(Role::PICTURE, &reading, &done);
        assert_eq!(recent.find(id, Role::PICTURE, begun).ok(), Some(done));
        assert!(recent.find(id, Role::THUMBNAIL, begun).is_err());
        let later = begun + Duration::from_millis(800);
        assert!(recent.find(id, Role::PICTURE, later).is_err());
    }

    #[test]
    fn what_is_not_done_is_read_each_time() {
        let (recent, now) = (Recent::default(), Instant::now());
        for state in State::ALL.into_iter().filter(|state| *state != State::Done) {
            let found = found(state);
            let reading = recent.find(found.0.id, Role::PICTURE, now).unwrap_err();
            recent.keep(Role::PICTURE, &reading, &found);
            assert!(
                recent.find(found.0.id, Role::PICTURE, now).is_err(),
                "{state}"
            );
        }
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let (recent, done, now) = (Recent::default(), found(State::Done), Instant::now());
        let id = done.0.id;
        let early = recent.find(id, Role::PICTURE, now).unwrap_err();
        recent.keep(Role::PICTURE, &early, &done);
        recent.forget(id);
        let late = recent.find(id, Role::PICTURE, now).unwrap_err();
        recent.keep(Role::PICTURE, &early, &done);
        assert!(recent.find(id, Role::PICTURE, now).is_err());
        recent.keep(Role::PICTURE, &late, &done);
        assert!(recent.find(id, Role::PICTURE, now).is_ok());
    }

    #[test]
    fn no_more_are_kept_than_fit() {
        let (recent, now) = (Recent::default(), Instant::now());
        let (mut done, reading) = (
            found(State::Done),
            Reading {
                begun: now,
                changes: 0,
            },
        );
        for number in 0..=MOST as u128 {
            done.0.id = Uuid::from_u128(number);
            recent.keep(Role::PICTURE, &reading, &done);
        }
        assert!(recent.lock().found.len() <= MOST);
        assert!(recent.find(done.0.id, Role::PICTURE, now).is_ok());
    }
}
