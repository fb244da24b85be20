//! What every process hears, unlike a consumer's queue: news for its caches, and questions about itself.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use futures::StreamExt;
use lapin::{
    BasicProperties, Channel, Connection,
    message::Delivery,
    options::{
        BasicCancelOptions, BasicConsumeOptions, BasicPublishOptions, QueueBindOptions, QueueDeclareOptions,
    },
    types::FieldTable,
};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

use super::{Broker, CONFIRM, call::REPLY_TO};
use crate::{
    Error, Result,
    events::{Consumer, Envelope, Failure, handled},
};

/// As many processes may answer.
const PROCESSES: usize = 1_000;

/// A queue of this process alone, gone with its connection. Whatever was said while there was none is lost, which is why
/// everything is forgotten whenever it begins.
pub(super) async fn session(
    broker: Broker,
    connection: &Connection,
    stop: CancellationToken,
) -> lapin::Result<()> {
    let channel = connection.create_channel().await?;
    let own = QueueDeclareOptions { exclusive: true, auto_delete: true, ..Default::default() };
    let queue = channel.queue_declare("".into(), own, FieldTable::default()).await?.name().clone();
    let bind = QueueBindOptions::default();
    let kinds = {
        let ears = broker.ears();
        if ears.watchers.is_empty() { ears.follows.clone() } else { vec!["#"] }
    };
    let events = broker.name("events");
    for kind in kinds {
        let (queue, events) = (queue.clone(), events.as_str().into());
        channel.queue_bind(queue, events, kind.into(), bind, FieldTable::default()).await?;
    }
    let system = broker.name("system");
    channel.queue_bind(queue.clone(), system.into(), "".into(), bind, FieldTable::default()).await?;
    let unacknowledged = BasicConsumeOptions { no_ack: true, ..Default::default() };
    let mut news = channel.basic_consume(queue, "".into(), unacknowledged, FieldTable::default()).await?;
    broker.ears().when_lost.iter().for_each(|forget| forget());
    loop {
        tokio::select! {
            heard = news.next() => match heard {
                Some(Ok(message)) if message.properties.reply_to().is_some() => answer(&broker, &channel, message),
                Some(Ok(message)) => match Envelope::read(&message.data) {
                    Ok(event) => broker.hear(&[event]),
                    Err(error) => tracing::warn!(error = error.chain(), "unreadable news"),
                },
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            },
            () = stop.cancelled() => break,
        }
    }
    channel.basic_cancel(news.tag(), BasicCancelOptions::default()).await
}

/// Hands what is heard to those consumers of this process that follow it.
pub(super) async fn follow(consumers: Vec<Arc<dyn Consumer>>, mut heard: UnboundedReceiver<Envelope>) {
    while let Some(event) = heard.recv().await {
        for consumer in consumers.iter().filter(|one| one.follows().contains(&event.kind.as_str())) {
            if let Err(Failure { consumer, error }) = handled(&**consumer, &event).await {
                // It is the worker's, who takes it from the queue, to try again.
                tracing::warn!(event = %event.id, kind = event.kind, consumer, error, "not followed");
            }
        }
    }
}

fn answer(broker: &Broker, channel: &Channel, question: Delivery) {
    let Some(reporter) = broker.ears().reporter.clone() else { return };
    let channel = channel.clone();
    tokio::spawn(async move {
        let report = match reporter().await {
            Ok(report) => report,
            Err(error) => return tracing::warn!(error = error.chain(), "no report"),
        };
        let properties = question.properties;
        let to = properties.reply_to().clone().unwrap_or_default();
        let id = properties.correlation_id().clone().unwrap_or_default();
        let properties = BasicProperties::default().with_correlation_id(id);
        channel.basic_publish("".into(), to, BasicPublishOptions::default(), &report, properties).await.ok();
    });
}

impl Broker {
    /// Asks every process of the shop how it is doing, this one too, and returns what has come back within `patience`:
    /// see [`Broker::report`].
    ///
    /// # Errors
    /// `Unavailable` if the broker cannot be reached.
    pub async fn ask_everybody(&self, patience: Duration) -> Result<Vec<Vec<u8>>> {
        let publisher = self.publisher().await?;
        let mut waiting = self.0.calls.wait(PROCESSES);
        let properties = BasicProperties::default()
            .with_reply_to(REPLY_TO.into())
            .with_correlation_id(waiting.id.as_str().into());
        let asking = async {
            let options = BasicPublishOptions::default();
            publisher
                .calls
                .basic_publish(self.name("system").into(), "".into(), options, &[], properties)
                .await?
                .await
        };
        match tokio::time::timeout(CONFIRM, asking).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                publisher.broken.cancel();
                return Err(Error::unavailable(error.to_string()));
            }
            Err(_) => return Err(Error::unavailable("the message broker is silent")),
        }
        let mut answers = Vec::new();
        let until = tokio::time::Instant::now() + patience;
        while let Ok(Some(answer)) = tokio::time::timeout_at(until, waiting.receiver.recv()).await {
            answers.push(answer);
        }
        Ok(answers)
    }
}

/// Which events were heard lately: with an answer, and again as news.
#[derive(Default)]
pub(super) struct Lately {
    known: HashSet<crate::events::EventId>,
    order: VecDeque<crate::events::EventId>,
}

impl Lately {
    /// Keeps those that are new.
    pub fn sift(&mut self, events: &[Envelope]) -> Vec<Envelope> {
        let mut new = Vec::new();
        for event in events {
            if self.known.insert(event.id) {
                self.order.push_back(event.id);
                new.push(event.clone());
            }
        }
        while self.order.len() > 10_000 {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
        new
    }
}
