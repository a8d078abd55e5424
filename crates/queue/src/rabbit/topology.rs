//! Exchanges and queues. Every side declares all of them, so that nothing is published into the void, whoever comes
//! first, and so that a broker that lost its data gets them back.

use super::names::{Names, REPORT, routing_key};
use super::trouble::Trouble;
use crate::QueueDepth;
use faafo_model::Lane;
use lapin::options::{
    ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ErrorKind, ExchangeKind};

/// A task that comes back once goes to the queue of those that are rendered alone.
const RETURNS: i32 = 0;
/// One that comes back more often from there has killed five workers, the first one included, and is a dead letter.
const RETURNS_IN_QUARANTINE: i32 = 3;
/// Practically no limit, which is not the same as none: RabbitMQ 4 takes 20 for none given. A report comes back as long
/// as the tracker can't reach its database.
const UNLIMITED: i32 = i32::MAX;
/// Dead letters kept; then the oldest go.
const DEAD_LETTERS: i32 = 100_000;
/// Events that wait at the broker for a process that doesn't read; then the oldest go.
const EVENTS: i32 = 10_000;

/// Declares everything that lasts.
pub(crate) async fn declare(channel: &Channel, names: &Names) -> Result<(), Trouble> {
    exchange(channel, &names.tasks(), ExchangeKind::Direct).await?;
    exchange(channel, &names.results(), ExchangeKind::Direct).await?;
    exchange(channel, &names.events(), ExchangeKind::Fanout).await?;
    exchange(channel, &names.dead(), ExchangeKind::Fanout).await?;
    queue(channel, &names.dead(), dead_arguments()).await?;
    bind(channel, &names.dead(), &names.dead(), "").await?;
    let dead = (names.dead(), "");
    // Before any task can become a dead letter.
    let name = names.unfinished();
    queue(channel, &name, work_arguments(&dead, UNLIMITED)).await?;
    bind(channel, &name, &names.dead(), "").await?;
    // The one into which the others dead-letter comes first.
    for lane in Lane::ALL.into_iter().rev() {
        let name = names.tasks_of(lane);
        let arguments = match lane {
            Lane::Quarantine => work_arguments(&dead, RETURNS_IN_QUARANTINE),
            _ => work_arguments(&(names.tasks(), routing_key(Lane::Quarantine)), RETURNS),
        };
        queue(channel, &name, arguments).await?;
        bind(channel, &name, &names.tasks(), routing_key(lane)).await?;
    }
    let name = names.results();
    queue(channel, &name, work_arguments(&dead, UNLIMITED)).await?;
    bind(channel, &name, &name, REPORT).await
}

/// False if another connection has taken charge of a queue that must be made anew. This one is in charge to its end, so
/// that nobody deletes what it has just made.
pub(crate) async fn take_charge(connection: &Connection, queue: &str) -> Result<bool, Trouble> {
    let options = QueueDeclareOptions {
        exclusive: true,
        ..QueueDeclareOptions::default()
    };
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("classic"));
    let charge = format!("{queue}.charge");
    // Of its own, because a refusal ends it.
    let channel = connection.create_channel().await?;
    let declared = channel
        .queue_declare(charge.into(), options, arguments)
        .await;
    match declared {
        Ok(_) => Ok(true),
        Err(error) if is(&error, AMQPSoftError::RESOURCELOCKED) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn is(error: &lapin::Error, kind: AMQPSoftError) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(error) if *error.kind() == AMQPErrorKind::Soft(kind))
}

/// Deletes a queue with what is in it.
pub(crate) async fn delete(channel: &Channel, queue: &str) -> Result<(), Trouble> {
    channel
        .queue_delete(queue.into(), QueueDeleteOptions::default())
        .await
        .map(drop)
        .map_err(|error| Trouble::new(format!("can't delete queue {queue}: {error}")))
}

/// This connection's own queue for events, which goes with it. Returns its name.
pub(crate) async fn declare_events(channel: &Channel, names: &Names) -> Result<String, Trouble> {
    let options = QueueDeclareOptions {
        exclusive: true,
        auto_delete: true,
        ..QueueDeclareOptions::default()
    };
    let mut arguments = FieldTable::default();
    // Also where quorum queues are the virtual host's default: they can't be exclusive.
    arguments.insert("x-queue-type".into(), text("classic"));
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(EVENTS));
    let queue = channel
        .queue_declare("".into(), options, arguments)
        .await
        .map_err(|error| Trouble::new(format!("can't declare a queue for events: {error}")))?;
    bind(channel, queue.name().as_str(), &names.events(), "").await?;
    Ok(queue.name().to_string())
}

/// How many messages wait in the queues.
pub(crate) async fn depth(connection: &Connection, names: &Names) -> lapin::Result<QueueDepth> {
    let channel = connection.create_channel().await?;
    let mut depth = QueueDepth::default();
    for lane in Lane::ALL {
        depth.tasks += waiting(&channel, &names.tasks_of(lane)).await?;
    }
    depth.reports = waiting(&channel, &names.results()).await?;
    depth.dead = waiting(&channel, &names.dead()).await?;
    channel.close(200, "OK".into()).await?;
    Ok(depth)
}

async fn waiting(channel: &Channel, name: &str) -> lapin::Result<u64> {
    let options = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::default()
    };
    let queue = channel
        .queue_declare(name.into(), options, FieldTable::default())
        .await?;
    Ok(queue.message_count().into())
}

/// For tasks and reports: on a majority of the cluster's nodes, and nothing is lost on its way to where it goes after too
/// many returns (an exchange and a routing key), which needs `reject-publish`.
fn work_arguments((exchange, key): &(String, &str), returns: i32) -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(returns));
    arguments.insert("x-dead-letter-exchange".into(), text(exchange));
    arguments.insert("x-dead-letter-routing-key".into(), text(key));
    arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    arguments.insert("x-overflow".into(), text("reject-publish"));
    arguments
}

fn dead_arguments() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(UNLIMITED));
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(DEAD_LETTERS));
    arguments
}

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

async fn exchange(channel: &Channel, name: &str, kind: ExchangeKind) -> Result<(), Trouble> {
    let options = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    channel
        .exchange_declare(name.into(), kind, options, FieldTable::default())
        .await
        .map_err(|error| explain("exchange", name, &error))
}

async fn queue(channel: &Channel, name: &str, arguments: FieldTable) -> Result<(), Trouble> {
    let options = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    match channel.queue_declare(name.into(), options, arguments).await {
        Ok(_) => Ok(()),
        Err(error) => Err(explain("queue", name, &error)),
    }
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> Result<(), Trouble> {
    let options = QueueBindOptions::default();
    channel
        .queue_bind(
            queue.into(),
            exchange.into(),
            key.into(),
            options,
            FieldTable::default(),
        )
        .await
        .map_err(|error| {
            Trouble::new(format!(
                "can't bind queue {queue} to exchange {exchange}: {error}"
            ))
        })
}

fn explain(what: &str, name: &str, error: &lapin::Error) -> Trouble {
    Trouble::new(if is(error, AMQPSoftError::PRECONDITIONFAILED) {
        format!(
            "{what} {name} exists with other settings than this version's: let it run empty and delete it, or give \
             transport_url a prefix= of its own ({error})"
        )
    } else {
        format!("can't declare {what} {name}: {error}")
    })
}
