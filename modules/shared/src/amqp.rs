//! Calls and events between processes over RabbitMQ, with the cargo feature `distributed`.
//!
//! One connection publishes, another consumes, so that a broker that stops publishers for want of memory still takes
//! acknowledgements. Both are made anew by a loop of our own when they break, with everything that belongs on them.
//!
//! Names on the broker, `bodega` being the namespace:
//!
//! | name | what it is |
//! |---|---|
//! | `bodega.rpc.<service>` | calls of a port; gone with the last process that serves it |
//! | `bodega.events` | topic exchange: every event under its type |
//! | `bodega.events.<consumer>` | quorum queue of a consumer |
//! | `bodega.dead.<consumer>` | quorum queue of what it could not take |
//! | `bodega.system` | fanout exchange: questions to every process |

mod call;
mod consume;
pub mod dead_letters;
mod listen;
mod meter;
mod publish;
mod serve;
#[cfg(test)]
mod tests;
mod topology;
mod trail;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use backon::{BackoffBuilder, ExponentialBuilder};
use futures::future::BoxFuture;
use lapin::{Connection, ConnectionProperties, uri::AMQPUri};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Error, Result,
    db::Watcher,
    events::{self, Consumer, Envelope, Hears},
    jobs::Jobs,
    rpc::{Service, Transport},
};

pub use meter::Served;

use self::{call::Calls, meter::Meter, publish::Publisher, trail::Trail};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);

/// A peer that is silent for twice this long is gone.
const HEARTBEAT_SECONDS: u16 = 10;

/// How long the broker may take to say that it has a message.
const CONFIRM: Duration = Duration::from_secs(5);

/// How long somebody who wants to publish waits for a connection.
const PATIENCE: Duration = Duration::from_secs(1);

/// How the broker is used.
#[derive(Clone, Debug)]
pub struct Options {
    /// Before the name of every queue and exchange: shops that share a broker need different ones.
    pub namespace: String,
    /// This process, unlike any other.
    pub instance: String,
    /// How long a call may take when its caller has not said.
    pub call_timeout: Duration,
    /// Calls of one service under way at once, as a caller; one more is told to come back.
    pub max_calls: usize,
    /// Calls at work at once, for each service that is served here.
    pub workers: u16,
    /// Deliveries of an event, with pauses between them, after which it is a dead letter.
    pub delivery_limit: u32,
}

/// A link to RabbitMQ that keeps itself connected. Cheap to clone.
#[derive(Clone)]
pub struct Broker(Arc<Inner>);

struct Inner {
    uri: AMQPUri,
    options: Options,
    publisher: watch::Sender<Option<Arc<Publisher>>>,
    calls: Calls,
    trail: Trail,
    meter: Meter,
    services: Mutex<Vec<Arc<dyn Service>>>,
    consumers: Mutex<Vec<Arc<dyn Consumer>>>,
    /// Everybody who may hear something anywhere.
    hears: Mutex<Vec<Hears>>,
    ears: RwLock<Ears>,
    lately: Mutex<listen::Lately>,
    /// The end of the publishing connection, which outlives the workers.
    closing: CancellationToken,
    publishing: Mutex<Option<JoinHandle<()>>>,
}

/// Who in this process is told what.
#[derive(Default)]
struct Ears {
    watchers: Vec<Watcher>,
    /// Told only of these types of event.
    followers: Vec<Watcher>,
    follows: Vec<&'static str>,
    when_lost: Vec<Arc<dyn Fn() + Send + Sync>>,
    reporter: Option<Reporter>,
}

/// Says in JSON how this process is doing.
pub type Reporter = Arc<dyn Fn() -> BoxFuture<'static, Result<Vec<u8>>> + Send + Sync>;

impl Broker {
    /// A link to `url` (`amqp://user:password@host:5672/vhost`, `amqps://` with TLS), which [`Broker::start`] connects.
    ///
    /// # Errors
    /// `Invalid` if the URL is not one.
    pub fn new(url: &str, options: Options) -> Result<Self> {
        let mut uri: AMQPUri = url
            .parse()
            .map_err(|error| Error::invalid("broker.url", "setting", format!("broker.url: {error}")))?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        Ok(Self(Arc::new(Inner {
            uri,
            calls: Calls::new(options.max_calls),
            options,
            publisher: watch::Sender::new(None),
            trail: Trail::default(),
            meter: Meter::default(),
            services: Mutex::default(),
            consumers: Mutex::default(),
            hears: Mutex::default(),
            ears: RwLock::default(),
            lately: Mutex::default(),
            closing: CancellationToken::new(),
            publishing: Mutex::default(),
        })))
    }

    /// Reaches the ports of other processes.
    pub fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(call::Remote(self.clone()))
    }

    /// Answers calls of this service, from [`Broker::start`] on.
    pub fn serve(&self, service: impl Service + 'static) {
        lock(&self.0.services).push(Arc::new(service));
    }

    /// Hands events to these consumers, from [`Broker::start`] on. Of several processes with a consumer of one name one is
    /// at work, so that events of an aggregate stay in order; another takes over when it goes.
    /// Must be called in a runtime.
    pub fn consume(&self, consumers: Vec<Arc<dyn Consumer>>) {
        lock(&self.0.consumers).clone_from(&consumers);
        let follows: Vec<_> = consumers.iter().flat_map(|consumer| consumer.follows()).copied().collect();
        if follows.is_empty() {
            return;
        }
        let (sender, heard) = mpsc::unbounded_channel();
        tokio::spawn(listen::follow(consumers, heard));
        let mut ears = self.ears_mut();
        ears.follows.clone_from(&follows);
        ears.followers.push(Arc::new(move |events: &[Envelope]| {
            for event in events.iter().filter(|event| follows.contains(&event.kind.as_str())) {
                // It is gone at the end of the process.
                sender.send(event.clone()).ok();
            }
        }));
    }

    /// Who hears something anywhere in the shop: their queues are there before anything is published.
    pub fn expect(&self, hears: Vec<Hears>) {
        *lock(&self.0.hears) = hears;
    }

    /// Brings events of this process to every consumer, wherever it is.
    pub fn bus(&self) -> Arc<dyn events::Bus> {
        Arc::new(publish::Events(self.clone()))
    }

    /// Calls `watcher` with what other processes commit: at once with what a call made from here has caused, before its
    /// answer is seen, and soon with everything else.
    pub fn watch(&self, watcher: Watcher) {
        self.ears_mut().watchers.push(watcher);
    }

    /// Calls `forget` when something may have been missed.
    pub fn when_lost(&self, forget: Arc<dyn Fn() + Send + Sync>) {
        self.ears_mut().when_lost.push(forget);
    }

    /// Answers [`Broker::ask_everybody`].
    pub fn report(&self, reporter: Reporter) {
        self.ears_mut().reporter = Some(reporter);
    }

    /// To be told of every commit in this process: what a call has caused goes back with its answer.
    pub fn watcher(&self) -> Watcher {
        let broker = Arc::downgrade(&self.0);
        Arc::new(move |events: &[Envelope]| {
            if let Some(inner) = broker.upgrade() {
                inner.trail.add(events);
            }
        })
    }

    /// Connects, now and whenever the connection is lost. What is served and consumed must be known by now.
    pub fn start(&self, jobs: &Jobs) {
        let (broker, closing) = (self.clone(), self.0.closing.clone());
        let publishing = tokio::spawn(async move {
            broker.keep("publishes", closing, publish::session).await;
        });
        *lock(&self.0.publishing) = Some(publishing);
        let (broker, stop) = (self.clone(), jobs.token());
        jobs.spawn_graceful("broker", async move {
            broker.keep("consumes", stop, consume::session).await;
        });
    }

    /// Closes the connection that publishes: the last thing a process does.
    pub async fn close(&self) {
        self.0.closing.cancel();
        let publishing = lock(&self.0.publishing).take();
        if let Some(publishing) = publishing {
            let _ = tokio::time::timeout(CONNECT, publishing).await;
        }
    }

    /// Whether the broker can be reached; waits up to a second for it.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn ping(&self) -> Result<()> {
        self.publisher().await.map(|_| ())
    }

    /// What was served here so far, by service.
    pub fn served(&self) -> Vec<Served> {
        self.0.meter.read()
    }

    /// How many calls and events wait in each of the shop's queues that this process works on, by the queue's name
    /// without the namespace.
    ///
    /// # Errors
    /// `Unavailable` if the broker cannot be reached.
    pub async fn depths(&self) -> Result<Vec<(String, u32)>> {
        let services: Vec<_> = lock(&self.0.services).iter().map(|s| format!("rpc.{}", s.name())).collect();
        let consumers: Vec<_> =
            lock(&self.0.consumers).iter().map(|c| format!("events.{}", c.name())).collect();
        let mut depths = Vec::new();
        for name in services.into_iter().chain(consumers) {
            let depth = dead_letters::depth(self, &self.name(&name)).await?;
            depths.extend(depth.map(|depth| (name, depth)));
        }
        Ok(depths)
    }

    /// Connects and lets `session` work with it until it ends, again and again until `stop`.
    async fn keep<F>(
        &self,
        purpose: &'static str,
        stop: CancellationToken,
        session: impl Fn(Self, Connection, CancellationToken) -> F,
    ) where
        F: Future<Output = lapin::Result<()>>,
    {
        let pauses = || {
            ExponentialBuilder::new()
                .with_min_delay(Duration::from_millis(100))
                .with_max_delay(Duration::from_secs(2))
                .with_jitter()
                .without_max_times()
                .build()
        };
        let (mut pause, mut lost) = (pauses(), false);
        while !stop.is_cancelled() {
            let ended = match self.connect(purpose).await {
                Ok(connection) => {
                    if std::mem::take(&mut lost) {
                        tracing::info!(purpose, "the broker is back");
                    }
                    pause = pauses();
                    session(self.clone(), connection, stop.clone()).await.map_err(|e| e.to_string())
                }
                Err(error) => Err(error),
            };
            if stop.is_cancelled() {
                return;
            }
            if !std::mem::replace(&mut lost, true) {
                let error = ended.err().unwrap_or_else(|| "the connection was closed".to_owned());
                tracing::warn!(purpose, error, "no connection to the broker; trying again");
            }
            let pause = pause.next().unwrap_or_default();
            stop.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    async fn connect(&self, purpose: &str) -> Result<Connection, String> {
        let Options { namespace, instance, .. } = &self.0.options;
        let name = format!("{namespace} {instance} {purpose}");
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let connecting = Connection::connect_uri(self.0.uri.clone(), properties);
        match tokio::time::timeout(CONNECT, connecting).await {
            Ok(connected) => connected.map_err(|error| error.to_string()),
            Err(_) => Err(format!("no answer within {CONNECT:?}")),
        }
    }

    async fn publisher(&self) -> Result<Arc<Publisher>> {
        let mut publisher = self.0.publisher.subscribe();
        let connected = tokio::time::timeout(PATIENCE, publisher.wait_for(Option::is_some)).await;
        match connected {
            Ok(Ok(publisher)) => publisher.clone(),
            _ => None,
        }
        .ok_or_else(|| Error::unavailable("the message broker cannot be reached"))
    }

    /// Tells this process, and whoever has called it, what has happened elsewhere.
    fn hear(&self, events: &[Envelope]) {
        self.0.trail.add(events);
        let new = lock(&self.0.lately).sift(events);
        if !new.is_empty() {
            let ears = self.ears();
            ears.watchers.iter().chain(&ears.followers).for_each(|watcher| watcher(&new));
        }
    }

    fn name(&self, of: &str) -> String {
        format!("{}.{of}", self.0.options.namespace)
    }

    fn ears(&self) -> std::sync::RwLockReadGuard<'_, Ears> {
        self.0.ears.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn ears_mut(&self) -> std::sync::RwLockWriteGuard<'_, Ears> {
        self.0.ears.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nothing that is locked here is left half done by a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
