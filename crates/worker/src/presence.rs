//! The worker says that it is there, and at last that it goes.

use crate::Worker;
use crate::cancel::Cancellations;
use faafo_model::{Presence, Report, Uuid};
use std::time::Duration;
use tokio::time::timeout;

/// How often.
const INTERVAL: Duration = Duration::from_secs(5);
/// How long a stopping worker tries to say goodbye; without it, it is only taken for silent.
const PATIENCE: Duration = Duration::from_secs(2);

/// Says so for ever. A queue that is away does not matter: nobody listens then.
pub(crate) async fn announce(worker: &Worker, cancellations: &Cancellations) {
    loop {
        let presence = presence(worker, cancellations.running(), false);
        if let Err(error) = worker.queue.publish_report(&presence).await {
            tracing::debug!(%error, "can't say that this worker is there");
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

pub(crate) async fn say_goodbye(worker: &Worker) {
    let presence = presence(worker, Vec::new(), true);
    let said = timeout(PATIENCE, worker.queue.publish_report(&presence)).await;
    if !matches!(said, Ok(Ok(()))) {
        tracing::debug!("can't say that this worker goes");
    }
}

fn presence(worker: &Worker, current: Vec<Uuid>, stopped: bool) -> Report {
    Report::Presence(Presence {
        name: worker.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        cores: worker.cores,
        host: worker.host.clone(),
        current,
        stopped,
    })
}
