//! All that lives and dies with a connection to the broker.

use super::address::Host;
use super::connect::Link;
use super::fill::fill;
use super::publish::{Message, Publisher};
use super::pump::readable;
use super::trouble::Trouble;
use super::{Shared, dead, events, topology};
use crate::QueueDepth;
use faafo_model::Event;
use faafo_model::Lane;
use futures_util::{Stream, StreamExt};
use lapin::{Channel, Consumer};
use std::pin::Pin;
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long the last acknowledgements may take when the process ends.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Two connections, because a broker that is short of memory or disk stops reading from those that publish, and
/// acknowledgements, which would help it, must not wait behind.
pub(crate) struct Session {
    consuming: Link,
    publishing: Link,
    publisher: Publisher,
    outgoing: Channel,
    /// For [`run`](Self::run) alone.
    listening: Mutex<Option<Listening>>,
}

struct Listening {
    incoming: Consumer,
    consuming: Pin<Box<dyn Stream<Item = lapin::Event> + Send>>,
    publishing: Pin<Box<dyn Stream<Item = lapin::Event> + Send>>,
}

impl Session {
    /// Connects and declares. Everything is there when it returns: what is published from now on reaches all.
    pub(crate) async fn open(shared: &Shared, host: &Host) -> Result<Self, Trouble> {
        let consuming = Link::connect(&shared.address, host, "in").await?;
        let publishing = Link::connect(&shared.address, host, "out").await?;
        let listening_consuming = consuming.connection.events_listener();
        let listening_publishing = publishing.connection.events_listener();
        let channel = consuming.connection.create_channel().await?;
        for queue in shared.suspects.take_convicted() {
            if topology::take_charge(&consuming.connection, &queue).await? {
                tracing::warn!(queue, "the queue does not answer; making it anew");
                topology::delete(&channel, &queue).await?;
            }
        }
        topology::declare(&channel, &shared.names).await?;
        let queue = topology::declare_events(&channel, &shared.names).await?;
        let incoming = events::consumer(&channel, &queue).await?;
        let publisher = Publisher::open(&publishing.connection).await?;
        let outgoing = publishing.connection.create_channel().await?;
        Ok(Self {
            consuming,
            publishing,
            publisher,
            outgoing,
            listening: Mutex::new(Some(Listening {
                incoming,
                consuming: Box::pin(listening_consuming),
                publishing: Box::pin(listening_publishing),
            })),
        })
    }

    /// Lets messages flow until something breaks, which is the error, or until `stop`.
    pub(crate) async fn run(
        &self,
        shared: &Shared,
        outgoing: &mut broadcast::Receiver<Event>,
        stop: &CancellationToken,
    ) -> Result<(), Trouble> {
        let listening = self.listening.lock().ok().and_then(|mut once| once.take());
        let Some(listening) = listening else {
            return Err(Trouble::new("the session ran before"));
        };
        tokio::select! {
            ended = self.flow(shared, outgoing, stop) => ended,
            error = trouble(listening.consuming) => Err(error),
            error = trouble(listening.publishing) => Err(error),
            error = events::receive(listening.incoming, &shared.incoming) => Err(error),
            () = self.publisher.broken() => Err(Trouble::new("publishing failed")),
            () = last_words(stop) => Ok(()),
        }
    }

    async fn flow(
        &self,
        shared: &Shared,
        outgoing: &mut broadcast::Receiver<Event>,
        stop: &CancellationToken,
    ) -> Result<(), Trouble> {
        let connection = &self.consuming.connection;
        let names = &shared.names;
        let early = Some(shared.address.ack_early);
        let tasks = |lane| {
            let queue = names.tasks_of(lane);
            fill(
                shared.tasks(lane),
                connection,
                &shared.suspects,
                queue,
                readable,
                early,
                stop,
            )
        };
        // Reports are not acknowledged early: nothing else stands for them.
        let reports = |queue, read| {
            fill(
                &shared.reports,
                connection,
                &shared.suspects,
                queue,
                read,
                None,
                stop,
            )
        };
        let events = names.events();
        tokio::try_join!(
            tasks(Lane::Interactive),
            tasks(Lane::Batch),
            tasks(Lane::Bands),
            tasks(Lane::Quarantine),
            reports(names.results(), readable),
            reports(names.unfinished(), dead::report),
            events::send(&self.outgoing, &events, outgoing, stop),
        )?;
        Ok(())
    }

    /// Whether [`publish`](Self::publish) may succeed.
    pub(crate) fn can_publish(&self) -> bool {
        self.publisher.is_usable()
    }

    /// Returns once the broker has the message safe, or why it has not by the deadline.
    pub(crate) async fn publish(&self, message: Message, deadline: Instant) -> Result<(), String> {
        let connection = &self.publishing.connection;
        self.publisher.publish(connection, message, deadline).await
    }

    pub(crate) async fn depth(&self, shared: &Shared) -> lapin::Result<QueueDepth> {
        topology::depth(&self.consuming.connection, &shared.names).await
    }

    /// A word to the broker and back.
    pub(crate) async fn ping(&self) -> lapin::Result<()> {
        let channel = self.consuming.connection.create_channel().await?;
        channel.close(200, "OK".into()).await
    }

    /// Ends in peace.
    pub(crate) async fn close(&self) {
        tokio::join!(self.publishing.close(), self.consuming.close());
    }

    /// Ends at once, whoever still holds the session.
    pub(crate) fn abandon(&self) {
        self.publishing.cut();
        self.consuming.cut();
    }
}

/// Waits for the end of a connection.
async fn trouble(mut events: Pin<Box<dyn Stream<Item = lapin::Event> + Send>>) -> Trouble {
    loop {
        match events.next().await {
            Some(lapin::Event::Error(error)) => return error.into(),
            Some(lapin::Event::ConnectionBlocked(reason)) => {
                tracing::warn!(reason, "RabbitMQ accepts no messages for now");
            }
            Some(lapin::Event::ConnectionUnblocked) => {
                tracing::info!("RabbitMQ accepts messages again");
            }
            Some(_) => {}
            None => return Trouble::new("the connection is gone"),
        }
    }
}

async fn last_words(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(LAST_WORDS).await;
}
