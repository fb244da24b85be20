//! The connection that consumes: calls of our services, events for our consumers, news for our caches.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use backon::{BackoffBuilder, ExponentialBuilder};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use lapin::{
    Connection,
    message::Delivery,
    options::{
        BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions,
    },
    types::FieldTable,
};
use tokio_util::sync::CancellationToken;

use super::{Broker, CONFIRM, dead_letters, listen, lock, serve, topology};
use crate::events::{Consumer, Envelope, Failure, handled};

/// Events that a consumer has in hand at once. What is tried again keeps its place, so there must be room beside it.
const IN_HAND: u16 = 64;

/// The pauses between the tries of one event.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

pub(super) async fn session(
    broker: Broker,
    connection: Connection,
    stop: CancellationToken,
) -> lapin::Result<()> {
    topology::declare_own(&broker, &connection).await?;
    // If one of these ends, all of them do: the connection is made anew.
    let over = stop.child_token();
    let mut parts: FuturesUnordered<BoxFuture<'_, lapin::Result<()>>> = FuturesUnordered::new();
    parts.push(Box::pin(listen::session(broker.clone(), &connection, over.clone())));
    for service in lock(&broker.0.services).clone() {
        parts.push(Box::pin(serve::session(broker.clone(), &connection, service, over.clone())));
    }
    for consumer in lock(&broker.0.consumers).clone() {
        parts.push(Box::pin(take_events(broker.clone(), &connection, consumer, over.clone())));
    }
    let mut ended = Ok(());
    while let Some(part) = parts.next().await {
        over.cancel();
        ended = ended.and(part);
    }
    drop(parts);
    let _ = tokio::time::timeout(CONFIRM, connection.close(200, "over".into())).await;
    ended
}

/// Hands events to a consumer until `stop`: those of one aggregate one after the other, aggregates side by side. An event
/// that fails is tried again after a pause, and holds up only its own aggregate, until it is a dead letter.
async fn take_events(
    broker: Broker,
    connection: &Connection,
    consumer: Arc<dyn Consumer>,
    stop: CancellationToken,
) -> lapin::Result<()> {
    let channel = connection.create_channel().await?;
    let queue = broker.name(&format!("events.{}", consumer.name()));
    channel.basic_qos(IN_HAND, BasicQosOptions::default()).await?;
    let mut events = channel
        .basic_consume(
            queue.as_str().into(),
            format!("{} {}", broker.0.options.instance, consumer.name()).into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await?;
    let tag = events.tag();
    let mut lanes: HashMap<String, VecDeque<(Delivery, Envelope)>> = HashMap::new();
    let mut working = FuturesUnordered::new();
    let mut open = true;
    let work = |lane: String, delivery, event| {
        let (broker, consumer, stop) = (broker.clone(), consumer.clone(), stop.clone());
        // A task of its own: a handler is not dropped half way when the connection breaks.
        let task = tokio::spawn(async move { take(&broker, &*consumer, delivery, event, &stop).await });
        task.map(move |_| lane)
    };
    while open || !working.is_empty() {
        tokio::select! {
            delivery = events.next(), if open => match delivery {
                Some(Ok(delivery)) => match Envelope::read(&delivery.data) {
                    Ok(event) => {
                        let lane = format!("{} {}", event.module, event.aggregate_id);
                        match lanes.get_mut(&lane) {
                            Some(queue) => queue.push_back((delivery, event)),
                            None => {
                                lanes.insert(lane.clone(), VecDeque::new());
                                working.push(work(lane, delivery, event));
                            }
                        }
                    }
                    // It will not be better next time.
                    Err(error) => bury(&broker, consumer.name(), &delivery, &error.chain(), 1).await,
                },
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            },
            Some(lane) = working.next(), if !working.is_empty() => {
                match lanes.get_mut(&lane).and_then(VecDeque::pop_front) {
                    Some((delivery, event)) if open => working.push(work(lane, delivery, event)),
                    // The broker has it still, and gives it to somebody else.
                    _ => { lanes.remove(&lane); }
                }
            }
            () = stop.cancelled(), if open => {
                open = false;
                channel.basic_cancel(tag.clone(), BasicCancelOptions::default()).await?;
            }
        }
    }
    Ok(())
}

/// Tries until the consumer has taken it, it is a dead letter, or the process stops.
async fn take(
    broker: &Broker,
    consumer: &dyn Consumer,
    delivery: Delivery,
    event: Envelope,
    stop: &CancellationToken,
) {
    let limit = broker.0.options.delivery_limit.max(1);
    let mut pauses = ExponentialBuilder::new()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .with_jitter()
        .without_max_times()
        .build();
    let mut attempts = 0;
    loop {
        attempts += 1;
        let Err(Failure { consumer: name, error }) = handled(consumer, &event).await else {
            // If this fails the connection is gone, and it comes again: the inbox knows it.
            delivery.acker.ack(BasicAckOptions::default()).await.ok();
            return;
        };
        tracing::warn!(event = %event.id, kind = event.kind, consumer = name, error, attempts, "not taken");
        if attempts >= limit {
            return bury(broker, &name, &delivery, &error, attempts).await;
        }
        let pause = tokio::time::sleep(pauses.next().unwrap_or(LONGEST_PAUSE));
        if stop.run_until_cancelled(pause).await.is_none() {
            // The broker gives it to whoever comes next.
            return;
        }
    }
}

/// Moves a message to the dead letters, with why. Without a word from the broker it stays where it is.
async fn bury(broker: &Broker, consumer: &str, delivery: &Delivery, error: &str, attempts: u32) {
    match dead_letters::bury(broker, consumer, delivery, error, attempts).await {
        Ok(()) => delivery.acker.ack(BasicAckOptions::default()).await.ok(),
        Err(trouble) => {
            tracing::warn!(consumer, error = trouble.chain(), "a dead letter goes without its reason");
            delivery.acker.reject(BasicRejectOptions { requeue: false }).await.ok()
        }
    };
}
