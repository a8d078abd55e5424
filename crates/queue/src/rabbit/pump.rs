//! From one consumer at the broker to the inbox, and the fates of its messages back. A pump has a channel of its own and
//! ends with it, so that nothing is ever acknowledged on another channel than it came on.

use super::inbox::{Claim, Inbox};
use super::trouble::Trouble;
use crate::Delivery;
use crate::delivery::Acknowledge;
use futures_util::StreamExt;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions,
};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

/// Makes sense of a message; `None` if nobody needs to hear of it.
pub(crate) type Read<T> = fn(&lapin::message::Delivery) -> serde_json::Result<Option<T>>;

/// For messages that say all in their body.
pub(crate) fn readable<T: DeserializeOwned>(
    message: &lapin::message::Delivery,
) -> serde_json::Result<Option<T>> {
    serde_json::from_slice(&message.data).map(Some)
}

/// What a pump works with.
pub(crate) struct Pump<T> {
    queue: String,
    read: Read<T>,
    inbox: Arc<Inbox<T>>,
    channel: Channel,
    prefetch: u16,
    /// Says how many messages may come through other pumps instead of this one.
    room: mpsc::UnboundedSender<u16>,
    ack_early: Option<Duration>,
    /// Messages whose fate is open, by delivery tag: the oldest first.
    held: BTreeMap<u64, Held>,
    fates: (mpsc::UnboundedSender<Fate>, mpsc::UnboundedReceiver<Fate>),
    /// None when no more messages are wanted.
    consumer: Option<Consumer>,
    /// The process wants no more, or another number of messages: what ends here makes no room.
    stopping: bool,
}

struct Held {
    claim: Arc<Claim>,
    since: Instant,
    acknowledged: bool,
}

enum Fate {
    Ack(u64),
    Return(u64),
}

impl<T: Send + 'static> Pump<T> {
    pub(crate) async fn open(
        channel: Channel,
        (queue, read): (String, Read<T>),
        inbox: Arc<Inbox<T>>,
        prefetch: u16,
        room: mpsc::UnboundedSender<u16>,
        ack_early: Option<Duration>,
    ) -> lapin::Result<Self> {
        channel
            .basic_qos(prefetch, BasicQosOptions::default())
            .await?;
        let consumer = channel
            .basic_consume(
                queue.as_str().into(),
                "".into(),
                BasicConsumeOptions::default(),
                FieldTable::default(),
            )
            .await?;
        Ok(Self {
            queue,
            read,
            inbox,
            channel,
            prefetch,
            room,
            ack_early,
            held: BTreeMap::new(),
            fates: mpsc::unbounded_channel(),
            consumer: Some(consumer),
            stopping: false,
        })
    }

    /// Works until the process wants another number of messages than at first and the last one has found its end.
    pub(crate) async fn run(mut self, mut wanted: watch::Receiver<u16>) -> Result<(), Trouble> {
        loop {
            let early = self.next_early();
            tokio::select! {
                biased;
                Some(fate) = self.fates.1.recv() => self.settle(fate).await?,
                Ok(()) = wanted.changed(), if !self.stopping => self.stop().await?,
                () = sleep_until(early.unwrap_or_else(Instant::now)), if early.is_some() => {
                    self.acknowledge_early().await?;
                }
                delivery = next(&mut self.consumer), if self.consumer.is_some() => match delivery {
                    Some(delivery) => self.receive(delivery?).await?,
                    None => return Err(Trouble::new("the broker ended a consumer")),
                },
            }
            if self.consumer.is_none() && self.held.is_empty() {
                return Ok(());
            }
        }
    }

    async fn receive(&mut self, delivery: lapin::message::Delivery) -> lapin::Result<()> {
        let tag = delivery.delivery_tag;
        let payload = match (self.read)(&delivery) {
            Ok(Some(payload)) => payload,
            Ok(None) => return self.ack(tag).await,
            Err(error) => {
                tracing::warn!(queue = self.queue, %error, "an unreadable message becomes a dead letter");
                return self.reject(tag, false).await;
            }
        };
        let claim = Arc::new(Claim::default());
        let held = Held {
            claim: Arc::clone(&claim),
            since: Instant::now(),
            acknowledged: false,
        };
        self.held.insert(tag, held);
        let ticket = Ticket {
            tag,
            fates: self.fates.0.clone(),
        };
        self.inbox
            .put(claim, Delivery::new(payload, Box::new(ticket)));
        Ok(())
    }

    async fn settle(&mut self, fate: Fate) -> lapin::Result<()> {
        let (Fate::Ack(tag) | Fate::Return(tag)) = fate;
        let Some(held) = self.held.remove(&tag) else {
            return Ok(());
        };
        if self.consumer.is_none() && !self.stopping {
            self.make_room(1);
        }
        match fate {
            _ if held.acknowledged => Ok(()),
            Fate::Ack(_) => self.ack(tag).await,
            Fate::Return(_) => self.reject(tag, true).await,
        }
    }

    /// When the oldest message that is not acknowledged will be.
    fn next_early(&self) -> Option<Instant> {
        let ack_early = self.ack_early?;
        let oldest = self.held.values().find(|held| !held.acknowledged)?;
        Some(oldest.since + ack_early)
    }

    /// The broker must not take what is being worked on for lost. What it has acknowledged it would replace by another
    /// message, which would wait here behind hours of work; so this consumer ends first, and others take over its room
    /// as it becomes free.
    async fn acknowledge_early(&mut self) -> lapin::Result<()> {
        if self.consumer.is_some() {
            self.stop_consuming().await?;
            let held = self.held.len().try_into().unwrap_or(u16::MAX);
            self.make_room(self.prefetch.saturating_sub(held));
        }
        let Some(ack_early) = self.ack_early else {
            return Ok(());
        };
        let due = |held: &Held| !held.acknowledged && held.since.elapsed() >= ack_early;
        let tags: Vec<u64> = self
            .held
            .iter()
            .filter_map(|(tag, held)| due(held).then_some(*tag))
            .collect();
        for tag in tags {
            let Some(held) = self.held.get_mut(&tag) else {
                continue;
            };
            if held.claim.withdraw() {
                // Nobody has even begun.
                self.settle(Fate::Return(tag)).await?;
            } else {
                held.acknowledged = true;
                self.ack(tag).await?;
            }
        }
        self.inbox.purge();
        Ok(())
    }

    /// No more messages; those that nobody has taken go back.
    async fn stop(&mut self) -> lapin::Result<()> {
        self.stopping = true;
        self.stop_consuming().await?;
        let waiting: Vec<u64> = self
            .held
            .iter()
            .filter_map(|(tag, held)| held.claim.withdraw().then_some(*tag))
            .collect();
        for tag in waiting {
            self.settle(Fate::Return(tag)).await?;
        }
        self.inbox.purge();
        Ok(())
    }

    async fn stop_consuming(&mut self) -> lapin::Result<()> {
        let Some(mut consumer) = self.consumer.take() else {
            return Ok(());
        };
        self.channel
            .basic_cancel(consumer.tag(), BasicCancelOptions::default())
            .await?;
        // What was already on its way.
        while let Some(delivery) = consumer.next().await {
            self.receive(delivery?).await?;
        }
        Ok(())
    }

    fn make_room(&self, number: u16) {
        if number > 0 {
            // An error says that the connection is ending.
            let _ = self.room.send(number);
        }
    }

    async fn ack(&self, tag: u64) -> lapin::Result<()> {
        self.channel
            .basic_ack(tag, BasicAckOptions::default())
            .await
    }

    /// Not `nack`: recent brokers count only rejections, and a message must not circle for ever.
    async fn reject(&self, tag: u64, requeue: bool) -> lapin::Result<()> {
        self.channel
            .basic_reject(tag, BasicRejectOptions { requeue })
            .await
    }
}

async fn next(consumer: &mut Option<Consumer>) -> Option<lapin::Result<lapin::message::Delivery>> {
    match consumer {
        Some(consumer) => consumer.next().await,
        None => None,
    }
}

impl<T> Drop for Pump<T> {
    /// The broker delivers again what was not acknowledged, so nobody shall begin it here.
    fn drop(&mut self) {
        for held in self.held.values() {
            held.claim.withdraw();
        }
        self.inbox.purge();
    }
}

/// Knows the way back to the pump that a message came through; when that has ended, nothing happens.
struct Ticket {
    tag: u64,
    fates: mpsc::UnboundedSender<Fate>,
}

impl<T> Acknowledge<T> for Ticket {
    fn ack(self: Box<Self>) {
        let _ = self.fates.send(Fate::Ack(self.tag));
    }

    fn is_ours(&self) -> bool {
        !self.fates.is_closed()
    }

    fn give_back(self: Box<Self>, _payload: T) {
        let _ = self.fates.send(Fate::Return(self.tag));
    }
}
