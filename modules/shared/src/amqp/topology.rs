//! What there has to be on the broker before anything is published: an event that has no queue yet would be lost.

use futures::future::try_join_all;
use lapin::{
    Channel, Connection, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};

use super::{Broker, lock};
use crate::events::Hears;

/// Declares the exchanges and the queues of all consumers of the shop, whether or not they are anywhere yet. Every
/// connection that publishes does: whoever comes first finds what it needs.
pub(super) async fn declare(broker: &Broker, connection: &Connection) -> lapin::Result<()> {
    let mut all = lock(&broker.0.hears).clone();
    let own = own(broker).into_iter();
    let new: Vec<_> = own.filter(|own| all.iter().all(|known| known.consumer != own.consumer)).collect();
    all.extend(new);
    queues(broker, connection, all).await
}

/// Declares the exchanges and the queues of this process's own consumers.
pub(super) async fn declare_own(broker: &Broker, connection: &Connection) -> lapin::Result<()> {
    queues(broker, connection, own(broker)).await
}

fn own(broker: &Broker) -> Vec<Hears> {
    lock(&broker.0.consumers).iter().map(|consumer| consumer.hears()).collect()
}

async fn queues(broker: &Broker, connection: &Connection, hears: Vec<Hears>) -> lapin::Result<()> {
    let mut channel = connection.create_channel().await?;
    let kinds =
        [("events", ExchangeKind::Topic), ("dead", ExchangeKind::Direct), ("system", ExchangeKind::Fanout)];
    for (name, kind) in kinds {
        let durable = ExchangeDeclareOptions { durable: true, ..Default::default() };
        channel.exchange_declare(broker.name(name).into(), kind, durable, FieldTable::default()).await?;
    }
    for hears in hears {
        queue(broker, connection, &mut channel, hears).await?;
    }
    channel.close(200, "declared".into()).await
}

/// The queue of a consumer with its bindings, and the one for what it cannot take.
async fn queue(
    broker: &Broker,
    connection: &Connection,
    channel: &mut Channel,
    hears: Hears,
) -> lapin::Result<()> {
    let Hears { consumer, kinds } = hears;
    let text = |text: &str| AMQPValue::LongString(text.into());
    let (dead, exchange) = (broker.name(&format!("dead.{consumer}")), broker.name("dead"));
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    declare_or_take(connection, channel, &dead, arguments.clone()).await?;
    let bind = QueueBindOptions::default();
    let bound = channel.queue_bind(
        dead.as_str().into(),
        exchange.as_str().into(),
        consumer.into(),
        bind,
        FieldTable::default(),
    );
    bound.await?;

    let (name, events) = (broker.name(&format!("events.{consumer}")), broker.name("events"));
    let limit = i32::try_from(broker.0.options.delivery_limit).unwrap_or(i32::MAX);
    // What a process dies of is a dead letter too: then it is the broker who counts.
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(limit));
    arguments.insert("x-dead-letter-exchange".into(), text(&exchange));
    arguments.insert("x-dead-letter-routing-key".into(), text(consumer));
    arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    arguments.insert("x-overflow".into(), text("reject-publish"));
    // One of several processes is at work, so that events of an aggregate stay in order.
    arguments.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
    declare_or_take(connection, channel, &name, arguments).await?;
    let bound = kinds.iter().map(|kind| {
        let (name, events) = (name.as_str().into(), events.as_str().into());
        channel.queue_bind(name, events, (*kind).into(), bind, FieldTable::default())
    });
    try_join_all(bound).await.map(drop)
}

/// Declares a queue, or takes it as it is: one that was made with other settings is refused, which closes the channel.
async fn declare_or_take(
    connection: &Connection,
    channel: &mut Channel,
    name: &str,
    arguments: FieldTable,
) -> lapin::Result<()> {
    let durable = QueueDeclareOptions { durable: true, ..Default::default() };
    let Err(error) = channel.queue_declare(name.into(), durable, arguments).await else { return Ok(()) };
    *channel = connection.create_channel().await?;
    let look = QueueDeclareOptions { passive: true, ..Default::default() };
    channel.queue_declare(name.into(), look, FieldTable::default()).await.map_err(|_| error.clone())?;
    tracing::warn!(queue = name, %error, "the queue keeps the settings that it was made with");
    Ok(())
}
