//! From a stored result to a row that says done, whoever has made it: reserve the blobs, see that they exist, finish,
//! tell. In this order no row says done without its blobs, and none of these is deleted for want of use meanwhile.

use faafo_blob::BlobStore;
use faafo_model::{BlobKey, Event, State, Timestamp};
use faafo_queue::Queue;
use faafo_store::{Error, Finish, Reservation, Store, Subject};
use futures_util::future::join_all;
use std::time::Duration;
use tokio::time::timeout;

/// How long the store may take to say whether a blob is there; others wait meanwhile.
const LOOK: Duration = Duration::from_secs(3);

/// What became of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Its row says so, now or since earlier.
    Done,
    /// Nobody wants it: its task is gone or final. Its blobs are looked at, and go if nobody needs them.
    NotWanted,
    /// A blob is not there, or not of the size that it is said to have.
    Missing,
    /// A blob of that content is just being deleted: it must be stored again, soon.
    BlobGoing,
    /// The blob store does not say whether they are there. They are reserved, and asking again is harmless.
    Undecided,
}

/// Settles results. Returns for each what became of it.
///
/// # Errors
/// When the database fails; then settling them again is harmless.
pub async fn settle(
    store: &Store,
    blobs: &dyn BlobStore,
    queue: &dyn Queue,
    finishes: &[Finish],
    now: Timestamp,
) -> Result<Vec<Settled>, Error> {
    let reservations = store.reserve(finishes).await?;
    let looking = finishes
        .iter()
        .zip(&reservations)
        .map(async |(finish, reservation)| match reservation {
            Reservation::Reserved => all_stored(blobs, finish).await,
            Reservation::NotWanted => Settled::NotWanted,
            Reservation::BlobGoing => Settled::BlobGoing,
        });
    let settled = join_all(looking).await;
    let those = |which| {
        let both = finishes.iter().zip(&settled);
        both.filter(move |(_, settled)| **settled == which)
            .map(|(finish, _)| finish)
    };
    let unwanted: Vec<BlobKey> = those(Settled::NotWanted)
        .flat_map(Finish::blobs)
        .map(|(_, blob)| blob.key)
        .collect();
    if !unwanted.is_empty() {
        store.suspect(&unwanted).await?;
    }
    let wanted: Vec<Finish> = those(Settled::Done).cloned().collect();
    let changed = store.finish(&wanted, now).await?;
    for (finish, _) in wanted.iter().zip(changed).filter(|(_, changed)| *changed) {
        let seconds = finish.duration;
        match finish.subject() {
            Subject::Owner => {
                tracing::info!(uuid = %finish.id, seconds, "fractal done");
                queue.publish_event(Event::state(finish.id, State::Done, 1.0));
            }
            Subject::Part => tracing::debug!(task = %finish.id, seconds, "band done"),
        }
    }
    Ok(settled)
}

/// Whether the blobs are there. Who stored them may have seen them before they were deleted, so nobody's word will do.
async fn all_stored(blobs: &dyn BlobStore, finish: &Finish) -> Settled {
    for (_, blob) in finish.blobs() {
        let key = blob.key;
        match timeout(LOOK, blobs.size(&key)).await {
            Ok(Ok(Some(size))) if size == blob.size => {}
            Ok(Ok(found)) => {
                tracing::warn!(%key, said = blob.size, ?found, "not stored as it is said to be");
                return Settled::Missing;
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, %key, "can't look at a stored picture; trying again");
                return Settled::Undecided;
            }
            Err(_) => {
                tracing::warn!(%key, "can't look at a stored picture; trying again");
                return Settled::Undecided;
            }
        }
    }
    Settled::Done
}
