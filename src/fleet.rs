//! The other processes of the shop, over RabbitMQ: with the cargo feature `distributed`, where the settings name a broker.

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use contracts::system::{DeadLetter, Health, Process, QueueDepth, ServiceLoad, System, SystemReport};
use shared::{
    Result, Time,
    amqp::{Broker, Options, Served, dead_letters},
    cache::Cache,
    db::Watcher,
    events::{Bus, Consumer, InProcess},
    jobs::Jobs,
    rpc::{Service, Transport},
};

pub use crate::registry::Registered;
use crate::{
    registry,
    settings::Settings,
    system::{self, Machinery},
};

/// How long the other processes may take to say how they are.
const PATIENCE: Duration = Duration::from_millis(500);

/// How many dead letters of each consumer are shown.
const SHOWN: usize = 100;

/// The other processes of the shop, if there may be any.
pub struct Fleet {
    broker: Option<Broker>,
    /// Whether this process is of no use without the broker.
    depends: bool,
}

impl Fleet {
    pub fn new(settings: &Settings) -> Result<Self> {
        let depends = !settings.hosts_everything();
        if !settings.is_shared() {
            return Ok(Self { broker: None, depends });
        }
        let options = Options {
            namespace: settings.broker.namespace.clone(),
            instance: settings.instance.clone(),
            call_timeout: Duration::from_millis(settings.broker.call_timeout_ms),
            max_calls: settings.broker.max_calls,
            workers: settings.broker.workers,
            delivery_limit: settings.events.delivery_limit,
        };
        Ok(Self { broker: Some(Broker::new(&settings.broker.url, options)?), depends })
    }

    /// Reaches the modules that are not here.
    pub fn transport(&self) -> Option<Arc<dyn Transport>> {
        self.broker.as_ref().map(Broker::transport)
    }

    /// Lets the others call a module that is here.
    pub fn serve(&self, service: impl Service + 'static) {
        if let Some(broker) = &self.broker {
            broker.serve(service);
        }
    }

    /// Brings events to the consumers, those here and those elsewhere.
    pub fn bus(&self, consumers: Vec<Arc<dyn Consumer>>) -> Arc<dyn Bus> {
        match &self.broker {
            Some(broker) => {
                broker.expect(
                    [
                        &product::HEARS[..],
                        &[
                            cart::HEARS,
                            order::HEARS,
                            notification::HEARS,
                            recommendation::HEARS,
                            review::HEARS,
                        ],
                    ]
                    .concat(),
                );
                broker.consume(consumers);
                broker.bus()
            }
            None => Arc::new(InProcess::new(consumers)),
        }
    }

    /// The whole shop as its operators see it.
    pub fn system(&self, local: Arc<Machinery>) -> Arc<dyn System> {
        let Some(broker) = self.broker.clone() else { return local };
        let here = Arc::new(Here { local, broker: broker.clone(), depends: self.depends });
        let reporter = Arc::downgrade(&here);
        broker.report(Arc::new(move || {
            let here = reporter.upgrade();
            Box::pin(async move {
                match here {
                    Some(here) => Ok(serde_json::to_vec(&here.process().await?)?),
                    None => Err(shared::Error::unavailable("the process ends")),
                }
            })
        }));
        here
    }

    /// To be told of every commit in this process.
    pub fn watcher(&self) -> Option<Watcher> {
        self.broker.as_ref().map(Broker::watcher)
    }

    /// Tells the watchers, and what makes the cache stale, of everything that happens elsewhere.
    pub fn watch(&self, watchers: Vec<Watcher>, cache: &Cache) {
        if let Some(broker) = &self.broker {
            watchers.into_iter().for_each(|watcher| broker.watch(watcher));
            let cache = cache.clone();
            broker.when_lost(Arc::new(move || cache.drop_all()));
        }
    }

    /// Connects. It waits a moment for that, so that what begins next finds the others; without a broker it goes on too.
    pub async fn start(&self, jobs: &Jobs) {
        if let Some(broker) = &self.broker {
            broker.start(jobs);
            if let Err(error) = broker.ping().await {
                tracing::warn!(error = error.chain(), "starting all the same");
            }
        }
    }

    /// Lets the others find this process, which listens at these addresses.
    pub fn register(&self, settings: &Settings, addresses: &[SocketAddr], jobs: &Jobs) -> Result<Registered> {
        registry::register(settings, addresses, jobs)
    }

    /// After the workers have ended.
    pub async fn close(&self) {
        if let Some(broker) = &self.broker {
            broker.close().await;
        }
    }
}

/// This process among the others.
struct Here {
    local: Arc<Machinery>,
    broker: Broker,
    depends: bool,
}

impl Here {
    async fn process(&self) -> Result<Process> {
        let mut process = self.local.process().await?;
        process.health.extend(self.broker_health().await);
        process.services = self.broker.served().into_iter().map(load).collect();
        let depths = self.broker.depths().await.unwrap_or_default();
        process.queues = depths.into_iter().map(|(name, waiting)| QueueDepth { name, waiting }).collect();
        Ok(process)
    }

    async fn broker_health(&self) -> Option<Health> {
        let ok = self.broker.ping().await.is_ok();
        self.depends.then(|| Health { name: "message broker".into(), ok })
    }

    /// This process first, then what the others say.
    async fn processes(&self) -> Result<Vec<Process>> {
        let mut processes = vec![self.process().await?];
        let answers = self.broker.ask_everybody(PATIENCE).await.unwrap_or_default();
        let others = answers.iter().filter_map(|answer| match serde_json::from_slice::<Process>(answer) {
            Ok(process) => Some(process),
            Err(error) => {
                tracing::warn!(%error, "a process cannot be understood; its version may be another");
                None
            }
        });
        let own = processes[0].instance.clone();
        processes.extend(others.filter(|process| process.instance != own));
        processes[1..].sort_by(|a, b| a.address.cmp(&b.address));
        Ok(processes)
    }
}

fn load(served: Served) -> ServiceLoad {
    let Served { service, calls, failures, rate, p50_us, p99_us } = served;
    ServiceLoad { service, calls, failures, rate, p50_us, p99_us }
}

/// `broker-<message>-<consumer>`.
const BROKER: &str = "broker-";

fn place(id: &str) -> Option<(&str, &str)> {
    let (message, consumer) = id.strip_prefix(BROKER)?.split_once('-')?;
    Some((consumer, message))
}

#[async_trait]
impl System for Here {
    async fn report(&self) -> Result<SystemReport> {
        Ok(system::report(self.processes().await?))
    }

    async fn health(&self) -> Vec<Health> {
        let mut health = self.local.health().await;
        health.extend(self.broker_health().await);
        health
    }

    async fn dead_letters(&self) -> Result<Vec<DeadLetter>> {
        let mut letters = self.local.dead_letters().await?;
        let processes = self.processes().await?;
        let queues = processes.iter().flat_map(|process| &process.queues);
        let consumers: BTreeSet<_> = queues.filter_map(|queue| queue.name.strip_prefix("events.")).collect();
        for consumer in consumers {
            for letter in dead_letters::list(&self.broker, consumer, SHOWN).await? {
                letters.push(DeadLetter {
                    id: format!("{BROKER}{}-{}", letter.id, letter.consumer),
                    database: "broker".into(),
                    consumer: letter.consumer,
                    kind: letter.kind,
                    error: letter.error,
                    attempts: letter.attempts,
                    failed_at: Time::from_micros(letter.failed_at_ms.saturating_mul(1_000)),
                    data: letter.data,
                });
            }
        }
        letters.sort_by_key(|letter| std::cmp::Reverse(letter.failed_at));
        Ok(letters)
    }

    async fn replay(&self, id: &str) -> Result<()> {
        match place(id) {
            Some((consumer, message)) => dead_letters::replay(&self.broker, consumer, message).await,
            None => self.local.replay(id).await,
        }
    }

    async fn discard(&self, id: &str) -> Result<()> {
        match place(id) {
            Some((consumer, message)) => dead_letters::discard(&self.broker, consumer, message).await,
            None => self.local.discard(id).await,
        }
    }
}
