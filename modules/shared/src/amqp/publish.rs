//! The connection that publishes: questions, and events for everybody.

use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, Event,
    options::{BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions},
    types::FieldTable,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Broker, CONFIRM, call::REPLY_TO, topology};
use crate::events::{Bus, Envelope, Failure, Undelivered};

/// What is open while there is a connection.
pub(super) struct Publisher {
    pub connection: Connection,
    /// With the consumer of the answers.
    pub calls: Channel,
    pub events: Channel,
    /// Cancelled by whoever finds that it does not work any more.
    pub broken: CancellationToken,
    blocked: watch::Sender<bool>,
}

impl Publisher {
    /// Waits until the broker takes nothing more, for want of memory or disk. What is published from then on stays in this
    /// process until it does again, perhaps long after its sender has given up.
    pub async fn blocked(&self) {
        // The sender is ours, so it is there.
        self.blocked.subscribe().wait_for(|blocked| *blocked).await.ok();
    }

    pub fn is_blocked(&self) -> bool {
        *self.blocked.borrow()
    }
}

/// Why nothing is published.
pub(super) const BLOCKED: &str = "the message broker has no room";

pub(super) async fn session(
    broker: Broker,
    connection: Connection,
    stop: CancellationToken,
) -> lapin::Result<()> {
    topology::declare(&broker, &connection).await?;
    let calls = connection.create_channel().await?;
    calls.confirm_select(ConfirmSelectOptions::default()).await?;
    let unacknowledged = BasicConsumeOptions { no_ack: true, ..Default::default() };
    let mut answers =
        calls.basic_consume(REPLY_TO.into(), "".into(), unacknowledged, FieldTable::default()).await?;
    let events = connection.create_channel().await?;
    events.confirm_select(ConfirmSelectOptions::default()).await?;
    let broken = CancellationToken::new();
    let mut news = connection.events_listener();
    let blocked = watch::Sender::new(connection.status().blocked());
    let publisher = Arc::new(Publisher { connection, calls, events, broken: broken.clone(), blocked });
    broker.0.publisher.send_replace(Some(publisher.clone()));
    let ended = loop {
        tokio::select! {
            answer = answers.next() => match answer {
                Some(Ok(answer)) => broker.0.calls.answered(answer),
                Some(Err(error)) => break Err(error),
                None => break Ok(()),
            },
            Some(news) = news.next() => match news {
                Event::ConnectionBlocked(reason) => {
                    tracing::warn!(reason, "the broker takes nothing more");
                    publisher.blocked.send_replace(true);
                }
                Event::ConnectionUnblocked => {
                    tracing::info!("the broker takes messages again");
                    publisher.blocked.send_replace(false);
                }
                _ => {}
            },
            () = broken.cancelled() => break Ok(()),
            () = stop.cancelled() => break Ok(()),
        }
    };
    broker.0.publisher.send_replace(None);
    broker.0.calls.all_lost();
    // It may be closed already, or too broken to be.
    let _ = tokio::time::timeout(CONFIRM, publisher.connection.close(200, "over".into())).await;
    ended
}

/// Brings events to the exchange, and dead letters back to their queue.
pub(super) struct Events(pub Broker);

#[async_trait]
impl Bus for Events {
    async fn publish(&self, event: &Envelope) -> Result<(), Undelivered> {
        self.send(&self.0.name("events"), &event.kind, event).await.map(|_| ())
    }

    async fn deliver(&self, consumer: &str, event: &Envelope) -> Result<(), Undelivered> {
        let routed = self.send("", &self.0.name(&format!("events.{consumer}")), event).await?;
        if routed {
            return Ok(());
        }
        let error = "it has no queue on the broker".to_owned();
        Err(Undelivered::Refused(vec![Failure { consumer: consumer.to_owned(), error }]))
    }
}

impl Events {
    /// False if there was nobody to route it to.
    async fn send(&self, exchange: &str, key: &str, event: &Envelope) -> Result<bool, Undelivered> {
        let down = |error: String| Undelivered::Down(error);
        let body = serde_json::to_vec(event).map_err(|error| down(error.to_string()))?;
        let publisher = self.0.publisher().await.map_err(|error| down(error.detail))?;
        if publisher.is_blocked() {
            return Err(down(BLOCKED.to_owned()));
        }
        let properties = BasicProperties::default()
            .with_delivery_mode(2)
            .with_content_type("application/json".into())
            .with_message_id(event.id.to_string().into())
            .with_type(event.kind.as_str().into());
        let publishing = async {
            let options = BasicPublishOptions { mandatory: exchange.is_empty(), ..Default::default() };
            let confirm =
                publisher.events.basic_publish(exchange.into(), key.into(), options, &body, properties);
            confirm.await?.await
        };
        match tokio::time::timeout(CONFIRM, publishing).await {
            Ok(Ok(Confirmation::Ack(None) | Confirmation::NotRequested)) => Ok(true),
            Ok(Ok(Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_)))) => Ok(false),
            Ok(Ok(Confirmation::Nack(None))) => Err(down("the broker does not take it".to_owned())),
            Ok(Err(error)) => {
                publisher.broken.cancel();
                Err(down(error.to_string()))
            }
            Err(_) => Err(down(format!("no confirmation within {CONFIRM:?}"))),
        }
    }
}
