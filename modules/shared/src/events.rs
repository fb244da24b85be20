//! What modules tell each other: written to an outbox with the change itself, delivered at least once and in
//! order per aggregate, taken once by means of an inbox.

pub mod dead_letters;
pub mod inbox;
pub(crate) mod mongo;
mod moving;
pub(crate) mod outbox;
mod relay;
#[cfg(test)]
mod tests;

use std::{fmt::Display, panic::AssertUnwindSafe, sync::Arc, time::Instant};

use async_trait::async_trait;
use futures::FutureExt;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[cfg(feature = "distributed")]
use crate::Kind;
use crate::{
    Error, Id, Result, Time,
    db::{Migration, Migrations},
    ids::Entity,
    telemetry::{self, TraceParent},
};

pub use mongo::SCHEMA;
pub use moving::KINDS;
pub use outbox::{Lag, forget, lag, prune};
pub use relay::{Limits, relay};

/// The tables outbox, inbox and dead_letters: one set in each database.
pub const MIGRATIONS: Migrations = Migrations {
    module: "shared",
    list: &[
        Migration {
            version: "2026-11-23_events",
            up: include_str!("../../../migrations/shared/2026-11-23_events/up.sql"),
            down: include_str!("../../../migrations/shared/2026-11-23_events/down.sql"),
        },
        Migration {
            version: "2026-11-29_aggregate",
            up: include_str!("../../../migrations/shared/2026-11-29_aggregate/up.sql"),
            down: include_str!("../../../migrations/shared/2026-11-29_aggregate/down.sql"),
        },
    ],
};

/// What an [`EventId`] names.
pub struct EventEntity;

impl Entity for EventEntity {
    const PREFIX: &'static str = "evt";
    const NOUN: &'static str = "event";
}

/// The id of one event. Ids of one process sort in the order of their making.
pub type EventId = Id<EventEntity>;

/// An event on its way. Consumers ignore members that they do not know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// Unique; the inbox goes by it.
    pub id: EventId,
    /// `order.placed`: see [`Event::TYPE`].
    #[serde(rename = "type")]
    pub kind: String,
    /// See [`Event::VERSION`].
    pub version: u16,
    /// The module that says it.
    pub module: String,
    /// When the transaction said it.
    pub occurred_at: Time,
    /// The id of the thing it is about. Events of one aggregate arrive in order.
    pub aggregate_id: String,
    /// Orders the events of one aggregate.
    pub sequence: i64,
    /// The W3C trace context of the request that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The event itself.
    pub data: serde_json::Value,
}

impl Envelope {
    /// An event that is being said now, in the trace of the request at work.
    pub(crate) fn new<E: Event>(
        now: Time,
        module: &'static str,
        aggregate_id: impl Display,
        sequence: i64,
        event: &E,
    ) -> Result<Self> {
        Ok(Self {
            id: Id::new(),
            kind: E::TYPE.to_owned(),
            version: E::VERSION,
            module: module.to_owned(),
            occurred_at: now,
            aggregate_id: aggregate_id.to_string(),
            sequence,
            traceparent: telemetry::current().map(|trace| trace.to_string()),
            data: serde_json::to_value(event)?,
        })
    }

    /// Reads a message. `Malformed` if it is no event.
    #[cfg(feature = "distributed")]
    pub(crate) fn read(message: &[u8]) -> Result<Self> {
        let wrong = |error: serde_json::Error| {
            Error::new(Kind::Malformed, "no_event", format!("not an event: {error}"))
        };
        serde_json::from_slice(message).map_err(wrong)
    }

    /// The event inside. `Internal` if it is another event, a newer version than this binary knows, or malformed.
    pub fn parse<E: Event>(&self) -> Result<E> {
        if !self.is::<E>() {
            return Err(Error::internal(format!("{} is not {}", self.kind, E::TYPE)));
        }
        if self.version > E::VERSION {
            let (kind, theirs, ours) = (&self.kind, self.version, E::VERSION);
            return Err(Error::internal(format!("{kind} has version {theirs}, this binary knows {ours}")));
        }
        Ok(E::deserialize(&self.data)?)
    }

    /// Whether an `E` is inside.
    pub fn is<E: Event>(&self) -> bool {
        self.kind == E::TYPE
    }
}

/// Something that happened, in the past tense, as others may know it.
pub trait Event: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// `order.placed`: module and verb. Never changes.
    const TYPE: &'static str;
    /// Raised when old consumers would misread it; a new optional member does not raise it.
    const VERSION: u16 = 1;
}

/// Who hears what. It is known without the module running, so that nothing is lost before it first does.
#[derive(Clone, Copy, Debug)]
pub struct Hears {
    /// Unique: the inbox, the queue and the dead letters go by it. Usually the module's name.
    pub consumer: &'static str,
    /// The types of event it wants.
    pub kinds: &'static [&'static str],
}

/// A module's ear.
#[async_trait]
pub trait Consumer: Send + Sync {
    /// Its name and what it wants.
    fn hears(&self) -> Hears;

    /// See [`Hears::consumer`].
    fn name(&self) -> &'static str {
        self.hears().consumer
    }

    /// The types of event, of those it hears, that change what each process holds in memory. Where several processes have
    /// this consumer one takes an event from the queue; these are handled by all of them, once or twice.
    fn follows(&self) -> &'static [&'static str] {
        &[]
    }

    /// Takes one event. It may come again: the effect and [`inbox::first`] share a transaction.
    /// An error means that it is delivered again, up to [`Limits::delivery_limit`] times.
    async fn handle(&self, event: &Envelope) -> Result<()>;
}

/// An event has not come to everybody who is to have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undelivered {
    /// Nobody could be asked: that counts for nothing, and is tried until it works.
    Down(String),
    /// Somebody did not take it.
    Refused(Vec<Failure>),
}

/// One consumer did not take an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// [`Consumer::name`], or the bus's own name if nobody could be reached.
    pub consumer: String,
    /// The error with its causes, for operators.
    pub error: String,
}

/// Brings events to consumers.
#[async_trait]
pub trait Bus: Send + Sync {
    /// `Ok` once every consumer has taken the event, or once a broker has it safely.
    async fn publish(&self, event: &Envelope) -> Result<(), Undelivered>;

    /// Delivers to one consumer only: a dead letter is replayed to the one that failed.
    async fn deliver(&self, consumer: &str, event: &Envelope) -> Result<(), Undelivered>;
}

/// Delivers within this process.
pub struct InProcess {
    /// Everybody who may hear something.
    pub consumers: Vec<Arc<dyn Consumer>>,
}

impl InProcess {
    /// A bus to these consumers.
    pub fn new(consumers: Vec<Arc<dyn Consumer>>) -> Self {
        Self { consumers }
    }

    async fn hand_out(
        &self,
        event: &Envelope,
        wanted: impl Fn(&dyn Consumer) -> bool,
    ) -> Result<(), Undelivered> {
        let hears = self.consumers.iter().filter(|consumer| wanted(&***consumer));
        let handled = futures::future::join_all(hears.map(|consumer| handled(&**consumer, event))).await;
        let failures: Vec<_> = handled.into_iter().filter_map(Result::err).collect();
        if failures.is_empty() { Ok(()) } else { Err(Undelivered::Refused(failures)) }
    }
}

#[async_trait]
impl Bus for InProcess {
    async fn publish(&self, event: &Envelope) -> Result<(), Undelivered> {
        self.hand_out(event, |consumer| consumer.hears().kinds.contains(&event.kind.as_str())).await
    }

    /// A consumer that is no longer there has nothing to take.
    async fn deliver(&self, consumer: &str, event: &Envelope) -> Result<(), Undelivered> {
        self.hand_out(event, |candidate| candidate.name() == consumer).await
    }
}

/// Hands `event` to `consumer` in the event's trace; an error or a panic is a [`Failure`]. Buses use it too.
pub async fn handled(consumer: &dyn Consumer, event: &Envelope) -> Result<(), Failure> {
    // The call is inside too: a handler may panic before there is a future.
    let work = AssertUnwindSafe(async { consumer.handle(event).await }).catch_unwind();
    let (started, trace) = (Instant::now(), event.traceparent.as_deref().and_then(TraceParent::parse));
    let outcome = match trace {
        Some(trace) => telemetry::scope(trace.child(), work).await,
        None => work.await,
    };
    let (trace_id, us) = (trace.map(TraceParent::trace_id), started.elapsed().as_micros() as u64);
    let (consumer_name, kind, ok) = (consumer.name(), event.kind.as_str(), matches!(outcome, Ok(Ok(()))));
    tracing::debug!(target: "bodega::calls", trace_id, consumer = consumer_name, kind, ok, us, "heard");
    let error = match outcome {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error.chain(),
        Err(panic) => format!("panicked: {}", crate::jobs::panic_message(&*panic)),
    };
    Err(Failure { consumer: consumer.name().to_owned(), error })
}
