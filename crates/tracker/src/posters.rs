//! Posters from their plan to the day when their bands are joined. What is looked at here follows from rows alone, so any
//! tracker may do it at any time, and doing it twice changes nothing.

use crate::{Tracker, now};
use bytes::Bytes;
use faafo_model::poster::BANDS_SHARE;
use faafo_model::{BlobRef, Event, Manifest, PlannedBand, State, TaskReport, Uuid};
use faafo_store::{ActivePoster, Error, Joining, Planning};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// For how long the pace is remembered, at least; twice as long at most.
const REMEMBERED: Duration = Duration::from_secs(30);
/// A pace seen for less says nothing.
const TOO_SHORT: Duration = Duration::from_secs(2);

impl Tracker {
    /// A worker has planned a poster.
    pub(crate) async fn record_plan(
        &self,
        report: &TaskReport,
        preview: BlobRef,
        bands: &[PlannedBand],
    ) -> Result<(), Error> {
        let id = report.id;
        match self.store.plan(id, preview, bands, now()).await? {
            Planning::Planned => {
                tracing::info!(uuid = %id, bands = bands.len(), "poster planned");
                self.queue
                    .publish_event(Event::state(id, State::Rendering, 0.0));
            }
            Planning::NotWanted => {}
            Planning::Wrong => {
                let reason = "the planned bands are not the picture";
                return self.give_back(id, report.attempt, reason, "returned").await;
            }
        }
        self.wake.notify_one();
        Ok(())
    }

    /// Sees how far each poster is, and whether its bands can be joined or one has failed.
    pub(crate) async fn settle_posters(&self, paces: &mut Paces) -> Result<(), Error> {
        let posters = self.store.active_posters().await?;
        paces.forget_all_but(&posters);
        for poster in posters {
            let bands = poster.bands;
            if poster.failed > 0 {
                if self.store.fail_poster(poster.id, now()).await? {
                    tracing::warn!(uuid = %poster.id, "poster failed, as one of its bands did");
                    self.queue
                        .publish_event(Event::state(poster.id, State::Failed, 0.0));
                }
            } else if bands.done == bands.total {
                self.join(&poster).await?;
            } else {
                self.tell_progress(&poster, paces).await?;
            }
        }
        Ok(())
    }

    async fn tell_progress(&self, poster: &ActivePoster, paces: &mut Paces) -> Result<(), Error> {
        let eta = paces.seconds_left(poster.id, poster.work_done, Instant::now());
        let progress = BANDS_SHARE * poster.work_done;
        if progress == poster.progress {
            return Ok(());
        }
        let store = &self.store;
        if store.poster_progress(poster.id, progress, eta).await? {
            let event = Event::state(poster.id, State::Rendering, progress);
            self.queue.publish_event(Event { eta, ..event });
        }
        Ok(())
    }

    /// Hands the joining of a poster's bands to the workers.
    async fn join(&self, poster: &ActivePoster) -> Result<(), Error> {
        let micros = now().0.saturating_sub(poster.since.0);
        let manifest = Manifest {
            duration: micros.max(0) as f64 / 1e6,
            bands: self.store.fragments(poster.id).await?,
        };
        let bytes = Bytes::from(serde_json::to_vec(&manifest).unwrap_or_default());
        let manifest = match faafo_blob::put(&*self.blobs, bytes).await {
            Ok(manifest) => manifest,
            Err(error) => {
                tracing::warn!(%error, uuid = %poster.id, "can't store which bands a poster has; trying again");
                return Ok(());
            }
        };
        match self.store.join(poster.id, &manifest, now()).await? {
            Joining::Queued => {
                tracing::info!(uuid = %poster.id, bands = poster.bands.total, "all bands of a poster are done");
                self.queue
                    .publish_event(Event::state(poster.id, State::Queued, BANDS_SHARE));
                self.wake.notify_one();
            }
            // Another tracker was quicker, or it comes again in a second.
            Joining::NotWanted | Joining::BlobGoing => {}
        }
        Ok(())
    }
}

/// How fast posters grow.
#[derive(Default)]
pub(crate) struct Paces(HashMap<Uuid, [(Instant, f64); 2]>);

impl Paces {
    fn forget_all_but(&mut self, posters: &[ActivePoster]) {
        let known: HashSet<_> = posters.iter().map(|poster| poster.id).collect();
        self.0.retain(|id, _| known.contains(id));
    }

    /// Seconds until the poster's bands are done, of which this part is done now, if they go on as they did of late.
    fn seconds_left(&mut self, id: Uuid, done: f64, now: Instant) -> Option<f64> {
        let seen = self.0.entry(id).or_insert([(now, done); 2]);
        if now - seen[1].0 > REMEMBERED {
            *seen = [seen[1], (now, done)];
        }
        let (since, then) = seen[0];
        let (time, part) = (now - since, done - then);
        (time >= TOO_SHORT && part > 0.0).then(|| (1.0 - done) / part * time.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_takes_as_long_as_what_was_done_of_late() {
        let (mut paces, id, start) = (Paces::default(), Uuid::nil(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(paces.seconds_left(id, 0.1, start), None);
        assert_eq!(
            paces.seconds_left(id, 0.15, after(1)),
            None,
            "too soon to tell"
        );
        assert_eq!(paces.seconds_left(id, 0.1, after(5)), None, "nothing done");
        let left = paces.seconds_left(id, 0.2, after(10)).unwrap();
        assert!((left - 80.0).abs() < 1e-9, "{left}");
        // Then others come and help.
        for seconds in 11..=200 {
            paces.seconds_left(id, 0.2 + (seconds - 10) as f64 * 0.004, after(seconds));
        }
        let left = paces.seconds_left(id, 0.96, after(200)).unwrap();
        assert!((left - 10.0).abs() < 0.1, "{left}");
    }
}
