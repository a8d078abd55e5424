//! Messages that must arrive: persistent, and confirmed by the broker.

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Confirmation, Connection};
use serde::Serialize;
use tokio::sync::Notify;
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
    channel: Channel,
    broken: Notify,
}

impl Publisher {
    pub(crate) async fn open(connection: &Connection) -> lapin::Result<Self> {
        let channel = connection.create_channel().await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        Ok(Self {
            channel,
            broken: Notify::new(),
        })
    }

    pub(crate) fn is_usable(&self) -> bool {
        self.channel.status().connected()
    }

    /// Waits until the connection has proved useless for publishing.
    pub(crate) async fn broken(&self) {
        self.broken.notified().await;
    }

    /// Returns once the broker has the message safe.
    pub(crate) async fn publish(&self, message: Message) -> Result<(), String> {
        let published = self.confirmed(message).await;
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

    async fn confirmed(&self, message: Message) -> lapin::Result<Confirmation> {
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        self.channel
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
}
