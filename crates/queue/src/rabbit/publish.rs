//! Messages that must arrive: persistent, and confirmed by the broker.

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Confirmation, Connection};
use serde::Serialize;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout, timeout_at};
use uuid::Uuid;

/// A message and where it shall go.
pub(crate) struct Message {
    exchange: String,
    routing_key: &'static str,
    body: Vec<u8>,
    properties: BasicProperties,
}

impl Message {
    /// About the fractal `about`, if any, which operators find as the correlation id; the message has an id of its own.
    pub(crate) fn new(
        exchange: String,
        routing_key: &'static str,
        kind: &str,
        about: Option<Uuid>,
        content: &impl Serialize,
    ) -> serde_json::Result<Self> {
        let mut properties = BasicProperties::default()
            .with_content_type("application/json".into())
            .with_delivery_mode(2)
            .with_type(kind.into())
            .with_message_id(Uuid::new_v4().to_string().into())
            .with_app_id("faafo".into());
        if let Some(about) = about {
            properties = properties.with_correlation_id(about.to_string().into());
        }
        Ok(Self {
            exchange,
            routing_key,
            body: serde_json::to_vec(content)?,
            properties,
        })
    }
}

/// A channel for such messages.
pub(crate) struct Publisher {
    channel: Mutex<Channel>,
    /// Something was not confirmed in time.
    doubted: AtomicBool,
    broken: Notify,
}

/// How long a new channel may take; a broker that accepts no messages for now does not even open one.
const OPEN: Duration = Duration::from_secs(5);

impl Publisher {
    pub(crate) async fn open(connection: &Connection) -> lapin::Result<Self> {
        Ok(Self {
            channel: Mutex::new(channel(connection).await?),
            doubted: AtomicBool::new(false),
            broken: Notify::new(),
        })
    }

    pub(crate) fn is_usable(&self) -> bool {
        self.channel().status().connected()
    }

    /// Waits until the connection has proved useless for publishing.
    pub(crate) async fn broken(&self) {
        self.broken.notified().await;
    }

    /// Returns once the broker has the message safe. `connection` is the one that this was opened on.
    pub(crate) async fn publish(
        &self,
        connection: &Connection,
        message: Message,
        deadline: Instant,
    ) -> Result<(), String> {
        if self.doubted.swap(false, Relaxed) {
            self.replace(connection).await;
        }
        let channel = self.channel();
        let Ok(published) = timeout_at(deadline, confirmed(&channel, message)).await else {
            self.doubted.store(true, Relaxed);
            return Err("RabbitMQ did not confirm the message in time".into());
        };
        let error = match published {
            Ok(Confirmation::Ack(None)) => return Ok(()),
            Ok(Confirmation::Nack(_)) => return Err("the broker refused the message".into()),
            // Mandatory, and no queue is bound any more: they must be declared again.
            Ok(Confirmation::Ack(Some(returned))) => format!("returned: {}", returned.reply_text),
            Ok(Confirmation::NotRequested) => "the channel confirms nothing".into(),
            Err(error) => error.to_string(),
        };
        self.broken.notify_one();
        Err(error)
    }

    /// The broker's side of a channel counts what it sends to a quorum queue. When the queue was lost and made anew,
    /// the old numbers are never confirmed; those of a new channel are.
    async fn replace(&self, connection: &Connection) {
        match timeout(OPEN, channel(connection)).await {
            Ok(Ok(new)) => *self.lock() = new,
            _ => self.doubted.store(true, Relaxed),
        }
    }

    fn channel(&self) -> Channel {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Channel> {
        // Only ever replaced as a whole.
        self.channel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn channel(connection: &Connection) -> lapin::Result<Channel> {
    let channel = connection.create_channel().await?;
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await?;
    Ok(channel)
}

async fn confirmed(channel: &Channel, message: Message) -> lapin::Result<Confirmation> {
    let options = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    channel
        .basic_publish(
            message.exchange.into(),
            message.routing_key.into(),
            options,
            &message.body,
            message.properties,
        )
        .await?
        .await
}
