//! Takes tasks one by one, renders them, stores the pictures, reports. Knows the queue, the kernel and the blob store;
//! no rows and no routes.

mod cancel;
mod clock;
mod compose;
#[cfg(debug_assertions)]
mod failpoint;
mod parts;
mod pipe;
mod place;
mod presence;
mod slot;
mod watched;

use cancel::Cancellations;
use faafo_blob::BlobStore;
use faafo_kernel::Renderer;
use faafo_model::Lane;
use faafo_queue::Queue;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long a stopping worker goes on with what it has begun; then it hands back.
const DRAIN: Duration = Duration::from_secs(10);

/// A worker's surroundings.
pub struct Worker {
    /// Its name, which no other worker has and which becomes a picture's `generated_by`.
    pub name: String,
    /// The machine it runs on.
    pub host: String,
    /// How many cores it renders with.
    pub cores: u32,
    /// How many tasks of each lane it renders at once, while others that are small are stored; they share the renderer's threads, but each holds some blocks
    /// for every thread in memory.
    pub slots: NonZeroUsize,
    /// Where tasks come from and reports go.
    pub queue: Arc<dyn Queue>,
    /// Where pictures go.
    pub blobs: Arc<dyn BlobStore>,
    /// What renders.
    pub renderer: Arc<Renderer>,
}

/// How many blocking threads of the runtime a worker of so many slots may hold at once.
pub fn blocking_threads(slots: NonZeroUsize) -> usize {
    let tasks = |lane: &Lane| usize::from(lane.share(prefetch(slots)));
    Lane::ALL.iter().map(tasks).sum()
}

fn prefetch(slots: NonZeroUsize) -> u16 {
    slots.get().try_into().unwrap_or(u16::MAX)
}

impl Worker {
    /// Works until `stop`; then finishes what can be finished soon and hands the rest back.
    pub async fn run(self, stop: CancellationToken) {
        let worker = Arc::new(self);
        let cancellations = Arc::new(Cancellations::default());
        // Hard: no more time.
        let hand_back = CancellationToken::new();
        let mut slots = JoinSet::new();
        let prefetch = prefetch(worker.slots);
        for lane in Lane::ALL {
            let rendered = lane.share(prefetch);
            let places = Arc::new(Semaphore::new(rendered.into()));
            for _ in 0..rendered + lane.share(place::STORING) {
                let slot = slot::Slot {
                    worker: Arc::clone(&worker),
                    lane,
                    places: Arc::clone(&places),
                    cancellations: Arc::clone(&cancellations),
                    stop: stop.clone(),
                    hand_back: hand_back.clone(),
                };
                slots.spawn(slot.run());
            }
        }
        worker.queue.consume_tasks(prefetch);
        let listener = tokio::spawn({
            let queue = Arc::clone(&worker.queue);
            let cancellations = Arc::clone(&cancellations);
            async move { cancellations.listen(&*queue).await }
        });
        let announcer = tokio::spawn({
            let (worker, running) = (Arc::clone(&worker), Arc::clone(&cancellations));
            async move { presence::announce(&worker, &running).await }
        });
        stop.cancelled().await;
        worker.queue.consume_tasks(0);
        let busy = cancellations.running().len();
        if busy > 0 {
            tracing::info!(busy, "draining");
        }
        let all = async { while slots.join_next().await.is_some() {} };
        tokio::pin!(all);
        if tokio::time::timeout(DRAIN, &mut all).await.is_err() {
            tracing::info!("handing back what is not finished");
            hand_back.cancel();
            all.await;
        }
        listener.abort();
        announcer.abort();
        presence::say_goodbye(&worker).await;
    }
}
