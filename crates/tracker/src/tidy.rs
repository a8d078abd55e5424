//! What nobody heard of: objects of workers that were killed before they could say what they had stored, for fractals
//! that were deleted meanwhile; and the beginnings of uploads that never ended.

use crate::{Tracker, pause};
use faafo_model::BlobKey;
use futures_util::StreamExt;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often this is looked at, or as often as things get old enough.
const EVERY: Duration = Duration::from_secs(3600);
/// No upload takes so long.
const UPLOAD: Duration = Duration::from_secs(24 * 3600);
/// Objects looked up at once.
const PAGE: usize = 500;
/// So many may go whatever there is.
const FEW: usize = 100;

/// Why it is left to the next time.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Store(#[from] faafo_store::Error),
    #[error(transparent)]
    Blobs(#[from] faafo_blob::Error),
}

impl Tracker {
    pub(crate) async fn tidy(&self, stop: &CancellationToken) {
        loop {
            pause(self.tidy_after.min(EVERY), stop).await;
            if stop.is_cancelled() {
                return;
            }
            let tidied = tokio::select! {
                tidied = self.tidy_once() => tidied,
                () = stop.cancelled() => return,
            };
            match tidied {
                Ok((0, 0)) => {}
                Ok((objects, uploads)) => tracing::info!(objects, uploads, "left over, removed"),
                Err(error) => tracing::warn!(%error, "can't look for what is left over"),
            }
        }
    }

    /// Returns the number of objects without a row that are removed by and by, and of unfinished uploads removed.
    async fn tidy_once(&self) -> Result<(usize, u64), Failure> {
        let (mut all, mut unknown) = (0, Vec::new());
        let mut pages = self.blobs.list().chunks(PAGE);
        while let Some(page) = pages.next().await {
            let mut keys: Vec<BlobKey> = Vec::new();
            for blob in page {
                let blob = blob?;
                all += 1;
                // What is younger may be on its way to its row.
                if blob.age >= self.tidy_after {
                    keys.push(blob.key);
                }
            }
            let referenced = self.store.referenced(&keys).await?;
            unknown.extend(keys.into_iter().filter(|key| !referenced.contains(key)));
        }
        let uploads = self.blobs.remove_leftovers(UPLOAD).await?;
        if is_suspicious(unknown.len(), all) {
            tracing::warn!(
                unknown = unknown.len(),
                all,
                "most stored pictures belong to no fractal: is this another service's store, or another database? \
                 They stay; `faafo storage check` tells more"
            );
            return Ok((0, uploads));
        }
        for keys in unknown.chunks(PAGE) {
            // A hint: the sweep removes them in the order of steps that removing takes.
            self.store.suspect(keys).await?;
        }
        Ok((unknown.len(), uploads))
    }
}

/// Whether so many unknown objects of all speak for a wrong setting rather than for workers that were killed.
fn is_suspicious(unknown: usize, all: usize) -> bool {
    unknown > FEW && unknown > all / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_of_which_hardly_anything_is_known_is_left_alone() {
        assert!(!is_suspicious(0, 0));
        assert!(!is_suspicious(100, 100), "killed workers");
        assert!(!is_suspicious(400, 1000));
        assert!(is_suspicious(101, 101), "another service's");
        assert!(is_suspicious(600, 1000));
    }
}
