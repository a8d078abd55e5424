//! Events out to everybody and in from everybody, one's own included. Nothing is confirmed; what gets lost is lost.

use super::trouble::Trouble;
use faafo_model::Event;
use futures_util::StreamExt;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Consumer};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio_util::sync::CancellationToken;

/// Ends without an error only after `stop`, when everything has gone out.
pub(crate) async fn send(
    channel: &Channel,
    exchange: &str,
    events: &mut broadcast::Receiver<Event>,
    stop: &CancellationToken,
) -> Result<(), Trouble> {
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            () = stop.cancelled() => break,
        };
        match event {
            Ok(event) => publish(channel, exchange, &event).await?,
            // The broker was away for long: the oldest are gone.
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => break,
        }
    }
    loop {
        match events.try_recv() {
            Ok(event) => publish(channel, exchange, &event).await?,
            Err(TryRecvError::Lagged(_)) => {}
            Err(TryRecvError::Empty | TryRecvError::Closed) => return Ok(()),
        }
    }
}

async fn publish(channel: &Channel, exchange: &str, event: &Event) -> Result<(), Trouble> {
    let body = serde_json::to_vec(event).map_err(Trouble::new)?;
    let properties = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_delivery_mode(1)
        .with_type("event".into())
        .with_app_id("faafo".into());
    let options = BasicPublishOptions::default();
    channel
        .basic_publish(exchange.into(), "".into(), options, &body, properties)
        .await?;
    Ok(())
}

pub(crate) async fn consumer(channel: &Channel, queue: &str) -> lapin::Result<Consumer> {
    let options = BasicConsumeOptions {
        no_ack: true,
        exclusive: true,
        ..BasicConsumeOptions::default()
    };
    channel
        .basic_consume(queue.into(), "".into(), options, FieldTable::default())
        .await
}

/// Ends only with an error.
pub(crate) async fn receive(mut consumer: Consumer, events: &broadcast::Sender<Event>) -> Trouble {
    loop {
        match consumer.next().await {
            Some(Ok(delivery)) => match serde_json::from_slice(&delivery.data) {
                // An error only says that nobody listens.
                Ok(event) => drop(events.send(event)),
                // Of another version, perhaps.
                Err(error) => tracing::debug!(%error, "unreadable event"),
            },
            Some(Err(error)) => return error.into(),
            None => return Trouble::new("the broker ended the consumer of events"),
        }
    }
}
