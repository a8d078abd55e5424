//! Results whose blobs are stored. Working is a pure function of what is asked for, so a result is welcome from any
//! attempt.

use crate::backend::{Work, transaction};
use crate::fractals::{self, among};
use crate::owner::{Owner, OwnerKind, Role};
use crate::sql::{marks, sql};
use crate::tasks::{self, Locked, Subject};
use crate::{Error, Store, blobs};
use faafo_model::{BlobKey, BlobRef, Part, State, Timestamp, Uuid};
use faafo_telemetry::metrics;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A finished task whose blobs are stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Finish {
    /// The task.
    pub id: Uuid,
    /// What is stored.
    pub made: Made,
    /// Seconds it took.
    pub duration: Option<f64>,
    /// Who did it.
    pub worker: Option<String>,
}

/// What a task has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// What its owner asked for.
    Picture {
        /// The file; its name becomes the checksum.
        picture: BlobRef,
        /// A small picture of it, which may be the same.
        thumbnail: BlobRef,
    },
    /// A band of a poster.
    Fragment(BlobRef),
}

/// What a result may be needed as, in the order of [`Finish::blobs`].
const RESULTS: [Role; 3] = [Role::PICTURE, Role::THUMBNAIL, Role::FRAGMENT];

impl Finish {
    /// What is to exist, and what it is for.
    pub fn blobs(&self) -> impl Iterator<Item = (Role, BlobRef)> {
        let blobs = match self.made {
            // What is its own thumbnail needs no other.
            Made::Picture { picture, thumbnail } => [
                Some((Role::PICTURE, picture)),
                (thumbnail.key != picture.key).then_some((Role::THUMBNAIL, thumbnail)),
            ],
            Made::Fragment(fragment) => [Some((Role::FRAGMENT, fragment)), None],
        };
        blobs.into_iter().flatten()
    }

    /// Whom it is for, if that is what the task was to make.
    fn owner(&self, task: &Locked) -> Option<Owner> {
        match (self.made, task.kind == tasks::BAND) {
            (Made::Picture { .. }, false) => Some(Owner::fractal(task.owner)),
            (Made::Fragment(_), true) => Some(Owner::task(task.id)),
            _ => None,
        }
    }

    /// Whether it is only a part of what was asked for.
    pub fn subject(&self) -> Subject {
        match self.made {
            Made::Picture { .. } => Subject::Owner,
            Made::Fragment(_) => Subject::Part,
        }
    }
}

/// Whether somebody now refers to a finished task's blobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reservation {
    /// The blobs stay. The caller makes sure that they exist and then calls [`Store::finish`].
    Reserved,
    /// The task is gone or final: nobody wants this.
    NotWanted,
    /// One of the blobs is just being deleted for want of use: store it again.
    BlobGoing,
}

/// Result fields as old workers send them before, or without, their picture. Absent fields stay as they are.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of Fractal")]
pub struct LegacyResult {
    pub duration: Option<f64>,
    pub checksum: Option<String>,
    pub size: Option<i64>,
    pub generated_by: Option<String>,
    pub url: Option<String>,
}

/// The tasks of these results that are not final, locked.
async fn lock(work: &mut Work, finishes: &[Finish]) -> Result<HashMap<Uuid, Locked>, Error> {
    let condition = sql(format!(
        "id IN ({}) AND {}",
        marks(finishes.len()),
        among(State::Done.reached_from())
    ));
    let ids = finishes.iter().map(|finish| finish.id);
    let tasks = tasks::lock(work, condition.bind_all(ids)).await?;
    Ok(tasks.into_iter().map(|task| (task.id, task)).collect())
}

/// What these owners refer to.
async fn held(
    work: &mut Work,
    owners: impl Iterator<Item = Owner>,
) -> Result<BTreeMap<(Uuid, String), BlobKey>, Error> {
    let (fractals, tasks): (Vec<_>, Vec<_>) =
        owners.partition(|owner| owner.kind == OwnerKind::FRACTAL);
    let mut held = BTreeMap::new();
    for (kind, owners) in [(OwnerKind::FRACTAL, fractals), (OwnerKind::TASK, tasks)] {
        let ids: Vec<_> = owners.into_iter().map(|owner| owner.id).collect();
        held.extend(blobs::held(work, kind, &ids).await?);
    }
    Ok(held)
}

impl Store {
    /// Has those for whom these results are refer to their stored blobs, so that these can't be deleted any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reserve(&self, finishes: &[Finish]) -> Result<Vec<Reservation>, Error> {
        if finishes.is_empty() {
            return Ok(Vec::new());
        }
        // Nothing is said to be done before it is finished.
        transaction!(self.backend.hasty(), async |work| {
            let tasks = lock(work, finishes).await?;
            let owner = |finish: &Finish| {
                let task = tasks.get(&finish.id)?;
                finish.owner(task)
            };
            let held = held(work, finishes.iter().filter_map(owner)).await?;
            let mut wanted = BTreeMap::new();
            let mut unwanted: BTreeSet<BlobKey> = held.values().copied().collect();
            for finish in finishes {
                for (_, blob) in finish.blobs() {
                    match owner(finish) {
                        Some(_) => drop(wanted.insert(blob.key, Some(blob.size))),
                        None => drop(unwanted.insert(blob.key)),
                    }
                }
            }
            let going = blobs::note(work, &wanted, &unwanted).await?;
            let (mut reservations, mut references) = (Vec::new(), Vec::new());
            let mut left = BTreeSet::new();
            for finish in finishes {
                let Some(owner) = owner(finish) else {
                    reservations.push(Reservation::NotWanted);
                    continue;
                };
                if finish.blobs().any(|(_, blob)| going.contains(&blob.key)) {
                    left.extend(finish.blobs().map(|(_, blob)| blob.key));
                    reservations.push(Reservation::BlobGoing);
                    continue;
                }
                if held.keys().any(|(id, _)| *id == owner.id) {
                    // Whatever an earlier result was: this one takes its place.
                    blobs::release(work, owner.kind, &[owner.id], &RESULTS).await?;
                }
                let blobs = finish.blobs().map(|(role, blob)| (owner, role, blob.key));
                references.extend(blobs);
                reservations.push(Reservation::Reserved);
            }
            // Two results for one owner may come together; the last one stays.
            let mut last = Vec::with_capacity(references.len());
            for (owner, role, key) in references.into_iter().rev() {
                match last
                    .iter()
                    .any(|(known, as_what, _)| (*known, *as_what) == (owner, role))
                {
                    true => drop(left.insert(key)),
                    false => last.push((owner, role, key)),
                }
            }
            blobs::add(work, last);
            blobs::note(work, &BTreeMap::new(), &left).await?;
            Ok(reservations)
        })
    }

    /// The reserved blobs exist: these tasks are done, and so are the fractals that had no other. Returns for each
    /// whether that changed anything.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish(&self, finishes: &[Finish], now: Timestamp) -> Result<Vec<bool>, Error> {
        if finishes.is_empty() {
            return Ok(Vec::new());
        }
        let changed = transaction!(self.backend, async |work| {
            let tasks = lock(work, finishes).await?;
            let owner = |finish: &Finish| {
                let task = tasks.get(&finish.id)?;
                finish.owner(task)
            };
            let held = held(work, finishes.iter().filter_map(owner)).await?;
            // Whether what was reserved is still what was reserved last, and no more: another result for the same owner
            // may need something beside it at which nobody has looked.
            let is_held = |finish: &Finish| {
                owner(finish).filter(|owner| {
                    let of_result = |role: &Role| {
                        let blob = held.get(&(owner.id, role.name().to_owned()))?;
                        Some((*role, *blob))
                    };
                    let reserved = RESULTS.iter().filter_map(of_result);
                    reserved.eq(finish.blobs().map(|(role, blob)| (role, blob.key)))
                })
            };
            let held: Vec<_> = finishes.iter().map(is_held).collect();
            let whole = |owner: &&Owner| owner.kind == OwnerKind::FRACTAL;
            let owners = held.iter().flatten().filter(whole);
            let owners: Vec<_> = owners.map(|owner| owner.id).collect();
            let fractals = fractals::lock(work, &owners, State::Done.reached_from()).await?;
            let mut fractals: HashMap<_, _> = fractals.into_iter().collect();
            let (mut changed, mut done, mut bands) = (Vec::new(), Vec::new(), Vec::new());
            for (finish, owner) in finishes.iter().zip(held) {
                let is_new = match (owner, finish.made) {
                    (Some(owner), Made::Picture { picture, .. }) => {
                        let from = fractals.remove(&owner.id);
                        if let Some(from) = from {
                            done_now(work, owner.id, finish, &picture, now);
                            work.counted.moved(from, State::Done);
                            done.push(owner.id);
                        }
                        from.is_some()
                    }
                    (Some(owner), Made::Fragment(_)) if !bands.contains(&owner.id) => {
                        bands.push(owner.id);
                        true
                    }
                    _ => false,
                };
                changed.push(is_new);
            }
            if !bands.is_empty() {
                let update = format!(
                    "UPDATE tasks SET state = 'done', progress = 1.0, error = NULL, updated_at = ?, published = 1 \
                     WHERE id IN ({})",
                    marks(bands.len())
                );
                work.later(sql(update).bind(now).bind_all(&bands));
            }
            remove(work, &tasks, &done).await?;
            Ok(changed)
        })?;
        let done = changed
            .iter()
            .zip(finishes)
            .filter(|(changed, finish)| **changed && finish.subject() == Subject::Owner);
        metrics::FINISHED.add([State::Done.name()], done.count() as u64);
        Ok(changed)
    }

    /// Records what an old worker says of a fractal that is not yet final. Returns whether there was such a one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn legacy_result(&self, id: Uuid, result: &LegacyResult) -> Result<bool, Error> {
        let update = sql(format!(
            "UPDATE fractals SET duration = COALESCE(?, duration), checksum = COALESCE(?, checksum), \
             size = COALESCE(?, size), generated_by = COALESCE(?, generated_by), url = COALESCE(?, url) \
             WHERE uuid = ? AND {}",
            among(State::Done.reached_from())
        ))
        .bind(result.duration)
        .bind(result.checksum.as_deref())
        .bind(result.size)
        .bind(result.generated_by.as_deref())
        .bind(result.url.as_deref())
        .bind(id);
        transaction!(self.backend, async |work| Ok(work
            .execute(update.clone())
            .await?
            > 0))
    }
}

fn done_now(work: &mut Work, id: Uuid, finish: &Finish, picture: &BlobRef, now: Timestamp) {
    let update = "UPDATE fractals SET state = 'done', progress = 1.0, error = NULL, finished_at = ?, eta = NULL, \
         duration = ?, checksum = ?, size = ?, generated_by = ? WHERE uuid = ?";
    let update = sql(update)
        .bind(now)
        .bind(finish.duration)
        .bind(&picture.key)
        .bind(picture.size)
        .bind(finish.worker.as_deref())
        .bind(id);
    work.later(update);
}

/// Removes the tasks of fractals that are done. All but posters have just one, for which nothing is stored.
async fn remove(
    work: &mut Work,
    tasks: &HashMap<Uuid, Locked>,
    done: &[Uuid],
) -> Result<(), Error> {
    let is_single =
        |id: &&Uuid| matches!(tasks.get(id), Some(task) if task.kind == Part::Whole.name());
    let (single, posters): (Vec<_>, Vec<_>) = done.iter().partition(is_single);
    if !single.is_empty() {
        let delete = format!("DELETE FROM tasks WHERE id IN ({})", marks(single.len()));
        work.later(sql(delete).bind_all(single));
    }
    if !posters.is_empty() {
        let posters: Vec<Uuid> = posters.into_iter().copied().collect();
        tasks::remove_of(work, &posters).await?;
    }
    Ok(())
}
