//! Keeps an inbox filled through one connection.

use super::inbox::Inbox;
use super::pump::{Pump, Read};
use super::suspects::Suspects;
use super::trouble::Trouble;
use lapin::Connection;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long a queue may take to begin to deliver.
const BEGIN: Duration = Duration::from_secs(15);
/// How long the broker may take to say that it is there.
const ALIVE: Duration = Duration::from_secs(5);

/// Brings messages from `queue` as long as the process wants some. Ends without an error only after `stop`, when the
/// fate of the last message has gone to the broker.
pub(crate) async fn fill<T: Send + 'static>(
    inbox: &Arc<Inbox<T>>,
    connection: &Connection,
    suspects: &Suspects,
    queue: String,
    read: Read<T>,
    ack_early: Option<Duration>,
    stop: &CancellationToken,
) -> Result<(), Trouble> {
    let mut wanted = inbox.wanted();
    let mut pumps = JoinSet::new();
    loop {
        let (room, mut more) = mpsc::unbounded_channel();
        let mut prefetch = *wanted.borrow_and_update();
        loop {
            if prefetch > 0 && !stop.is_cancelled() {
                let channel = connection.create_channel().await?;
                let from = (queue.clone(), read);
                let to = Arc::clone(inbox);
                let asked = suspects.ask(&queue).await;
                let opening = Pump::open(channel, from, to, prefetch, room.clone(), ack_early);
                let Ok(opened) = timeout(BEGIN, opening).await else {
                    return Err(silence(connection, &queue).await);
                };
                let pump = opened?;
                asked.answered();
                pumps.spawn(pump.run(wanted.clone()));
            }
            if stop.is_cancelled() {
                inbox.ask(0);
                if pumps.is_empty() {
                    return Ok(());
                }
            }
            prefetch = tokio::select! {
                Ok(()) = wanted.changed() => break,
                () = stop.cancelled(), if !stop.is_cancelled() => 0,
                Some(number) = more.recv() => number,
                Some(ended) = pumps.join_next() => match ended {
                    Ok(ended) => ended.map(|()| 0)?,
                    Err(panic) => return Err(Trouble::new(panic)),
                },
            };
        }
    }
}

/// Whether it is the queue's or the whole broker's.
async fn silence(connection: &Connection, queue: &str) -> Trouble {
    match timeout(ALIVE, connection.create_channel()).await {
        Ok(Ok(_)) => Trouble::Queue(queue.to_owned()),
        Ok(Err(error)) => error.into(),
        Err(_) => Trouble::new("the broker has fallen silent"),
    }
}
