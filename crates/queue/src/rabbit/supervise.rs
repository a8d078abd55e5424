//! Connects, and again whenever the connection is lost, for ever.

use super::session::Session;
use super::trouble::Trouble;
use super::{Shared, State};
use faafo_model::Event;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// The pauses between attempts grow from the first to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));
/// For connecting and declaring.
const OPEN: Duration = Duration::from_secs(30);
/// A connection that held for so long was a good one: the next pause is short again.
const GOOD: Duration = Duration::from_secs(5);

pub(crate) async fn supervise(
    shared: Arc<Shared>,
    mut outgoing: broadcast::Receiver<Event>,
    stop: CancellationToken,
) {
    let mut pause = PAUSES.0;
    let mut last_trouble = String::new();
    for host in shared.address.hosts.iter().cycle() {
        let opened = tokio::select! {
            opened = timeout(OPEN, Session::open(&shared, host)) => opened,
            () = stop.cancelled() => break,
        };
        let trouble = match opened {
            Ok(Ok(session)) => {
                tracing::info!(%host, "connected to RabbitMQ");
                let (session, begun) = (Arc::new(session), Instant::now());
                shared.state.send_replace(State::Up(Arc::clone(&session)));
                let ended = session.run(&shared, &mut outgoing, &stop).await;
                if begun.elapsed() > GOOD {
                    pause = PAUSES.0;
                }
                match ended {
                    Ok(()) => {
                        session.close().await;
                        break;
                    }
                    Err(trouble) => {
                        session.abandon();
                        shared.suspects.connection_ended(trouble.is_about_a_queue());
                        last_trouble.clear();
                        trouble
                    }
                }
            }
            Ok(Err(trouble)) => trouble,
            Err(_) => Trouble::new(format!("no answer within {} s", OPEN.as_secs())),
        }
        .to_string();
        if trouble == last_trouble {
            tracing::debug!(%host, trouble, "still no connection to RabbitMQ");
        } else {
            tracing::warn!(%host, trouble, "no connection to RabbitMQ; trying again");
        }
        shared.state.send_replace(State::Down(trouble.clone()));
        last_trouble = trouble;
        tokio::select! {
            // Not all at once when a broker comes back.
            () = sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)) => {}
            () = stop.cancelled() => break,
        }
        pause = (pause * 2).min(PAUSES.1);
    }
    shared.state.send_replace(State::Closed);
}
