//! Dead letters on the broker: for people to look at, send again or give up.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lapin::{
    BasicProperties, Channel, Confirmation,
    message::{BasicGetMessage, Delivery},
    options::{
        BasicAckOptions, BasicGetOptions, BasicNackOptions, BasicPublishOptions, ConfirmSelectOptions,
        QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable},
};
use serde::Serialize;

use super::{Broker, CONFIRM};
use crate::{Error, Result, events::EventId};

/// A message that a consumer did not take.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeadLetter {
    /// The event's id, or of a message that is no event something that stays the same.
    pub id: String,
    /// Who did not take it.
    pub consumer: String,
    /// The event's type, if it has one.
    pub kind: String,
    /// Why, as far as anybody knows.
    pub error: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it became a dead letter, in milliseconds since 1970.
    pub failed_at_ms: i64,
    /// The message, if it is JSON; its text otherwise.
    pub data: serde_json::Value,
}

/// The dead letters of a consumer, oldest first, at most `limit`. None if the queue is not there.
///
/// # Errors
/// `Unavailable` if the broker cannot be reached.
pub async fn list(broker: &Broker, consumer: &str, limit: usize) -> Result<Vec<DeadLetter>> {
    let (mut letters, mut last) = (Vec::new(), None);
    let Some((channel, waiting)) = open(broker, consumer).await? else { return Ok(letters) };
    for _ in 0..limit.min(waiting) {
        let Some(message) = get(broker, &channel, consumer).await? else { break };
        letters.push(read(consumer, &message));
        last = Some(message.delivery.delivery_tag);
    }
    put_back(broker, consumer, &channel, last, letters.len()).await?;
    Ok(letters)
}

/// Sends one back to its consumer. `NotFound`; `Unavailable` if the broker cannot be reached.
pub async fn replay(broker: &Broker, consumer: &str, id: &str) -> Result<()> {
    find(broker, consumer, id, true).await
}

/// Gives one up. `NotFound`; `Unavailable` if the broker cannot be reached.
pub async fn discard(broker: &Broker, consumer: &str, id: &str) -> Result<()> {
    find(broker, consumer, id, false).await
}

/// How many messages a queue holds, if it is there.
pub(super) async fn depth(broker: &Broker, queue: &str) -> Result<Option<u32>> {
    let channel = channel(broker).await?;
    let look = QueueDeclareOptions { passive: true, ..Default::default() };
    match channel.queue_declare(queue.into(), look, FieldTable::default()).await {
        Ok(queue) => {
            channel.close(200, "seen".into()).await.ok();
            Ok(Some(queue.message_count()))
        }
        // That closes the channel too.
        Err(_) => Ok(None),
    }
}

/// Puts a copy of what was delivered, with the reason, among the dead letters of a consumer.
pub(super) async fn bury(
    broker: &Broker,
    consumer: &str,
    delivery: &Delivery,
    error: &str,
    attempts: u32,
) -> Result<()> {
    let mut headers = FieldTable::default();
    headers
        .insert("error".into(), AMQPValue::LongString(error.chars().take(4_000).collect::<String>().into()));
    headers.insert("attempts".into(), AMQPValue::LongLongInt(attempts.into()));
    headers.insert("failed_at".into(), AMQPValue::LongLongInt(unix_ms(SystemTime::now())));
    let properties = delivery.properties.clone().with_delivery_mode(2).with_headers(headers);
    let publisher = broker.publisher().await?;
    let key = broker.name(&format!("dead.{consumer}"));
    send(&publisher.events, &key, &delivery.data, properties).await
}

async fn find(broker: &Broker, consumer: &str, id: &str, again: bool) -> Result<()> {
    let missing = || Error::not_found("dead letter");
    let (channel, waiting) = open(broker, consumer).await?.ok_or_else(missing)?;
    channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(gone)?;
    let (mut last, mut read_too, mut outcome) = (None, 0, Err(missing()));
    for _ in 0..waiting {
        let Some(message) = get(broker, &channel, consumer).await? else { break };
        if read(consumer, &message).id != id {
            last = Some(message.delivery.delivery_tag);
            read_too += 1;
            continue;
        }
        if again {
            let key = broker.name(&format!("events.{consumer}"));
            // Counted from the beginning.
            let properties = message.delivery.properties.clone().with_headers(FieldTable::default());
            send(&channel, &key, &message.delivery.data, properties).await?;
        }
        outcome = message.delivery.acker.ack(BasicAckOptions::default()).await.map(|_| ()).map_err(gone);
        break;
    }
    put_back(broker, consumer, &channel, last, read_too).await?;
    outcome
}

/// Puts back everything up to the last that was read and not acknowledged, and waits a moment until it is there: a quorum
/// queue says nothing about that.
async fn put_back(
    broker: &Broker,
    consumer: &str,
    channel: &Channel,
    last: Option<u64>,
    count: usize,
) -> Result<()> {
    if let Some(tag) = last {
        let options = BasicNackOptions { multiple: true, requeue: true };
        channel.basic_nack(tag, options).await.map_err(gone)?;
    }
    channel.close(200, "seen".into()).await.ok();
    let queue = broker.name(&format!("dead.{consumer}"));
    for _ in 0..50 {
        let there = depth(broker, &queue).await?.and_then(|depth| usize::try_from(depth).ok());
        if there.is_none_or(|there| there >= count) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// A channel of its own, and how many letters there are; none if nobody of that name has ever consumed.
async fn open(broker: &Broker, consumer: &str) -> Result<Option<(Channel, usize)>> {
    let depth = depth(broker, &broker.name(&format!("dead.{consumer}"))).await?;
    let Some(depth) = depth else { return Ok(None) };
    Ok(Some((channel(broker).await?, usize::try_from(depth).unwrap_or(usize::MAX))))
}

async fn channel(broker: &Broker) -> Result<Channel> {
    broker.publisher().await?.connection.create_channel().await.map_err(gone)
}

async fn get(broker: &Broker, channel: &Channel, consumer: &str) -> Result<Option<BasicGetMessage>> {
    let queue = broker.name(&format!("dead.{consumer}"));
    channel.basic_get(queue.into(), BasicGetOptions::default()).await.map_err(gone)
}

async fn send(channel: &Channel, queue: &str, body: &[u8], properties: BasicProperties) -> Result<()> {
    let publishing = async {
        let mandatory = BasicPublishOptions { mandatory: true, ..Default::default() };
        channel.basic_publish("".into(), queue.into(), mandatory, body, properties).await?.await
    };
    match tokio::time::timeout(CONFIRM, publishing).await {
        Ok(Ok(Confirmation::Ack(None))) => Ok(()),
        Ok(Ok(_)) => Err(Error::unavailable(format!("{queue} does not take it"))),
        Ok(Err(error)) => Err(gone(error)),
        Err(_) => Err(Error::unavailable("the message broker is silent")),
    }
}

/// Milliseconds since 1970.
fn unix_ms(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn gone(error: lapin::Error) -> Error {
    Error::unavailable(format!("the message broker: {error}"))
}

fn read(consumer: &str, message: &BasicGetMessage) -> DeadLetter {
    let properties = &message.delivery.properties;
    let headers = properties.headers().as_ref().map(FieldTable::inner);
    let header = |name: &str| headers.and_then(|headers| headers.get(name));
    let number = |name| match header(name) {
        Some(AMQPValue::LongLongInt(number)) => Some(*number),
        _ => None,
    };
    let text = String::from_utf8_lossy(&message.delivery.data);
    let data: serde_json::Value =
        serde_json::from_str(&text).unwrap_or_else(|_| text.chars().take(1_000).collect::<String>().into());
    let id = data["id"].as_str().filter(|id| id.parse::<EventId>().is_ok());
    DeadLetter {
        id: id.map_or_else(|| fingerprint(&message.delivery.data), str::to_owned),
        consumer: consumer.to_owned(),
        kind: data["type"].as_str().unwrap_or("none").to_owned(),
        error: match header("error") {
            Some(AMQPValue::LongString(error)) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            _ => "the process that took it died, each time".to_owned(),
        },
        attempts: number("attempts").unwrap_or(0),
        failed_at_ms: number("failed_at").unwrap_or(0),
        data: data.get("data").cloned().unwrap_or(data),
    }
}

fn fingerprint(data: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    data_encoding::HEXLOWER.encode(&Sha256::digest(data)[..8])
}
