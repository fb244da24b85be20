//! The caller's side: a question with an address for the answer.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use lapin::{
    BasicProperties, Confirmation,
    message::Delivery,
    options::BasicPublishOptions,
    types::{AMQPValue, FieldTable},
};
use recloser::{AsyncRecloser, Recloser};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::{Semaphore, mpsc};
use tower::retry::budget::{Budget, TpsBudget};

use super::{Broker, lock, publish::BLOCKED};
use crate::{
    Error, Kind, Result,
    events::Envelope,
    rpc::{Method, Transport, deadline},
    telemetry::{self, TraceParent},
};

/// Where RabbitMQ takes answers without a queue.
pub(super) const REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// A call may be repeated if this share of all calls was not yet; a few a second always may.
const REPEATS: f32 = 0.1;
const REPEATS_PER_SECOND: u32 = 5;

/// What travels back.
#[derive(Serialize, Deserialize)]
pub(super) struct Answer<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub ok: Option<&'a RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
    /// What the call has caused, for the caller's caches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Envelope>,
}

/// The calls under way.
pub(super) struct Calls {
    next: AtomicU64,
    waiting: Mutex<HashMap<String, mpsc::Sender<Vec<u8>>>>,
    routes: Mutex<HashMap<&'static str, Arc<Route>>>,
    max: usize,
    budget: TpsBudget,
}

/// One service as its callers see it.
struct Route {
    in_flight: Semaphore,
    breaker: AsyncRecloser,
}

/// Why there is no answer.
enum Trouble {
    /// The service has not seen the call.
    Unsent(Error),
    /// Nobody knows whether it has.
    Lost(Error),
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        let (Trouble::Unsent(error) | Trouble::Lost(error)) = trouble;
        error
    }
}

impl Calls {
    pub fn new(max: usize) -> Self {
        Self {
            next: AtomicU64::new(0),
            waiting: Mutex::default(),
            routes: Mutex::default(),
            max,
            budget: TpsBudget::new(Duration::from_secs(10), REPEATS_PER_SECOND, REPEATS),
        }
    }

    fn route(&self, service: &'static str) -> Arc<Route> {
        let new = || {
            let breaker = Recloser::custom()
                .error_rate(0.5)
                .closed_len(20)
                .half_open_len(1)
                .open_wait(Duration::from_secs(2))
                .build();
            Arc::new(Route { in_flight: Semaphore::new(self.max), breaker: AsyncRecloser::from(breaker) })
        };
        lock(&self.routes).entry(service).or_insert_with(new).clone()
    }

    /// A place for up to `answers` answers.
    pub fn wait(&self, answers: usize) -> Waiting<'_> {
        let id = self.next.fetch_add(1, Ordering::Relaxed).to_string();
        let (sender, receiver) = mpsc::channel(answers);
        lock(&self.waiting).insert(id.clone(), sender);
        Waiting { calls: self, id, receiver }
    }

    /// An answer has come; nobody may be waiting for it any more.
    pub fn answered(&self, delivery: Delivery) {
        let id = delivery.properties.correlation_id().as_ref().map(ToString::to_string);
        if let Some(sender) = id.and_then(|id| lock(&self.waiting).get(&id).cloned()) {
            sender.try_send(delivery.data).ok();
        }
    }

    /// No answer will come any more.
    pub fn all_lost(&self) {
        lock(&self.waiting).clear();
    }
}

/// Whoever waits for an answer.
pub(super) struct Waiting<'a> {
    calls: &'a Calls,
    pub id: String,
    pub receiver: mpsc::Receiver<Vec<u8>>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        lock(&self.calls.waiting).remove(&self.id);
    }
}

/// The module that a service belongs to.
fn module(service: &str) -> &str {
    service.split('.').next().unwrap_or_default()
}

/// Calls over the broker.
pub(super) struct Remote(pub Broker);

#[async_trait]
impl Transport for Remote {
    async fn call(&self, method: Method, args: Vec<u8>) -> Result<Vec<u8>> {
        let calls = &self.0.0.calls;
        let route = calls.route(method.service);
        let _place = route.in_flight.try_acquire().map_err(|_| {
            let detail = format!("too many calls of {} are under way", method.service);
            Error::unavailable(detail).with("module", module(method.service))
        })?;
        calls.budget.deposit();
        // Of the whole, asking again included.
        let until = Instant::now() + self.0.0.options.call_timeout;
        deadline::scope(until, self.ask(method, &route, &args)).await
    }
}

impl Remote {
    async fn ask(&self, method: Method, route: &Route, args: &[u8]) -> Result<Vec<u8>> {
        let calls = &self.0.0.calls;
        let attempt = async || {
            // Only silence speaks against a service: somebody who says no is there.
            let silent = |trouble: &Trouble| matches!(trouble, Trouble::Lost(_));
            match route.breaker.call_with(silent, self.attempt(method, args)).await {
                Ok(reply) => Ok(reply),
                Err(recloser::Error::Inner(trouble)) => Err(trouble),
                Err(recloser::Error::Rejected) => Err(Trouble::Unsent(
                    Error::unavailable(format!("{} does not answer", module(method.service))).retry_after(2),
                )),
            }
        };
        let reply = match attempt().await {
            Err(Trouble::Lost(error))
                if method.repeatable
                    && !deadline::remaining(self.0.0.options.call_timeout).is_zero()
                    && calls.budget.withdraw() =>
            {
                tracing::debug!(service = method.service, method = method.name, %error, "asked again");
                attempt().await
            }
            reply => reply,
        };
        let reply = reply.map_err(|trouble| Error::from(trouble).with("module", module(method.service)))?;
        let Answer { ok, error, events } = serde_json::from_slice(&reply)?;
        self.0.hear(&events);
        match (ok, error) {
            (Some(ok), None) => Ok(ok.get().as_bytes().to_vec()),
            (_, Some(error)) => Err(error),
            // `()` is `null`, which is nothing.
            (None, None) => Ok(b"null".to_vec()),
        }
    }

    async fn attempt(&self, method: Method, args: &[u8]) -> Result<Vec<u8>, Trouble> {
        let Self(broker) = self;
        let Method { service, name, .. } = method;
        let late = || Trouble::Unsent(Error::unavailable("there is no time left"));
        let left = || deadline::remaining(broker.0.options.call_timeout);
        if left().is_zero() {
            return Err(late());
        }
        // Connecting takes of the same time.
        let publisher = tokio::time::timeout(left(), broker.publisher()).await.map_err(|_| late())?;
        let publisher = publisher.map_err(Trouble::Unsent)?;
        let most = left();
        if most.is_zero() {
            return Err(late());
        }
        if publisher.is_blocked() {
            return Err(Trouble::Unsent(Error::unavailable(BLOCKED).retry_after(5)));
        }
        let mut waiting = broker.0.calls.wait(1);
        let lost =
            |error: &str| Trouble::Lost(Error::unavailable(format!("{service} was asked and {error}")));
        let exchange = async {
            let confirmed = publisher
                .calls
                .basic_publish(
                    "".into(),
                    broker.name(&format!("rpc.{service}")).into(),
                    BasicPublishOptions { mandatory: true, ..Default::default() },
                    args,
                    self.properties(&waiting.id, name, most),
                )
                .await;
            let confirmed = match confirmed {
                Ok(confirm) => confirm.await,
                Err(error) => Err(error),
            };
            match confirmed {
                Ok(Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_))) => {
                    let detail = format!("nobody serves {}", module(service));
                    return Err(Trouble::Unsent(Error::unavailable(detail)));
                }
                Ok(Confirmation::Nack(None)) => {
                    return Err(Trouble::Unsent(Error::unavailable(format!("{service} has too much to do"))));
                }
                Ok(_) => {}
                Err(error) => {
                    publisher.broken.cancel();
                    return Err(lost(&error.to_string()));
                }
            }
            waiting.receiver.recv().await.ok_or_else(|| lost("the connection was lost"))
        };
        tokio::select! {
            reply = tokio::time::timeout(most, exchange) =>
                reply.unwrap_or_else(|_| Err(lost("did not answer in time"))),
            // Nor does it take answers.
            () = publisher.blocked() => Err(lost(BLOCKED)),
        }
    }

    fn properties(&self, id: &str, method: &str, most: Duration) -> BasicProperties {
        let mut headers = FieldTable::default();
        headers.insert("method".into(), AMQPValue::LongString(method.into()));
        // What is left, not until when: two machines need not agree on the time. The broker drops what waits longer.
        let left = i64::try_from(most.as_millis()).unwrap_or(i64::MAX);
        headers.insert("timeout_ms".into(), AMQPValue::LongLongInt(left));
        let trace = telemetry::current().map_or_else(TraceParent::new, TraceParent::child);
        headers.insert("traceparent".into(), AMQPValue::LongString(trace.to_string().into()));
        BasicProperties::default()
            .with_reply_to(REPLY_TO.into())
            .with_correlation_id(id.into())
            .with_expiration(most.as_millis().max(1).to_string().into())
            .with_content_type("application/json".into())
            .with_headers(headers)
    }
}

/// The failures that a service is to blame for.
pub(super) fn is_fault(error: &Error) -> bool {
    error.kind == Kind::Internal
}
