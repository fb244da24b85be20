//! Redis beside the process: what instances tell each other at once, ready answers they share, and shared limits.
//!
//! Nothing that is only in Redis matters. It gets 50 ms for an answer; if it does not give one, nobody asks it for a
//! second, and the process does by itself what it did with Redis: slower, or with a limit per instance. Losing,
//! flushing or pausing Redis changes no answer.

mod limiter;
mod link;
mod pages;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use deadpool_redis::{
    Config, Pool, PoolConfig, Runtime, Timeouts,
    redis::{self, FromRedisValue, Pipeline},
};
use tokio::sync::mpsc;

use crate::{Error, Result, db::Watcher};

pub use limiter::Verdict;
pub(crate) use pages::Kept;

/// How long an answer of the shop waits for Redis.
const BUDGET: Duration = Duration::from_millis(50);

/// How long nobody asks a Redis that has not answered.
const SILENCE: Duration = Duration::from_secs(1);

/// Connections for answers; each carries many commands at once.
const CONNECTIONS: usize = 4;

/// A Redis server. Cheap to clone.
#[derive(Clone)]
pub struct Redis(Arc<Inner>);

struct Inner {
    pool: Pool,
    client: redis::Client,
    /// Before every key and channel.
    namespace: String,
    /// Tells this process's messages from others'.
    instance: String,
    started: Instant,
    /// Milliseconds since `started` until which nobody asks.
    silent_until: AtomicU64,
    failures: AtomicU64,
    outgoing: mpsc::UnboundedSender<link::Message>,
    /// Taken by [`Redis::start`].
    queued: Mutex<Option<mpsc::UnboundedReceiver<link::Message>>>,
    /// Tags whose drop is on its way: entries with one of them are not believed.
    dropping: Mutex<HashMap<String, usize>>,
    /// A message was lost: until everybody has been told to forget everything, no shared entry is believed.
    lost: AtomicBool,
    /// Whether others' messages arrive.
    hears: AtomicBool,
    watchers: RwLock<Vec<Watcher>>,
    forget_all: RwLock<Vec<Arc<dyn Fn() + Send + Sync>>>,
}

impl Redis {
    /// `redis://…` or `rediss://…` (TLS). Connects when first asked: a shop starts without Redis, too.
    ///
    /// `namespace` comes before every key: which shop, and which version of the program, because what different ones
    /// keep must not be mixed. `Invalid` if the URL cannot be read.
    pub fn new(url: &str, namespace: &str) -> Result<Self> {
        let wrong = |error: &dyn std::fmt::Display| {
            Error::invalid("cache.url", "redis_url", format!("not a Redis URL: {error}"))
        };
        let client = redis::Client::open(url).map_err(|error| wrong(&error))?;
        let mut config = Config::from_url(url);
        config.pool = Some(PoolConfig {
            max_size: CONNECTIONS,
            timeouts: Timeouts { wait: Some(BUDGET), create: Some(BUDGET), recycle: Some(BUDGET) },
            ..PoolConfig::default()
        });
        let pool = config.create_pool(Some(Runtime::Tokio1)).map_err(|error| wrong(&error))?;
        let (outgoing, queued) = mpsc::unbounded_channel();
        Ok(Self(Arc::new(Inner {
            pool,
            client,
            namespace: namespace.to_owned(),
            instance: uuid::Uuid::new_v4().simple().to_string(),
            started: Instant::now(),
            silent_until: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            outgoing,
            queued: Mutex::new(Some(queued)),
            dropping: Mutex::default(),
            lost: AtomicBool::new(true),
            hears: AtomicBool::new(false),
            watchers: RwLock::default(),
            forget_all: RwLock::default(),
        })))
    }

    /// The answers to `commands`; `None` if there is no good one within 50 ms. Then nobody asks for a second.
    pub(crate) async fn ask<T: FromRedisValue>(&self, commands: &Pipeline) -> Option<T> {
        let now = u64::try_from(self.0.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        if now < self.0.silent_until.load(Ordering::Relaxed) {
            return None;
        }
        let asked = async {
            let mut connection = self.0.pool.get().await.map_err(|error| (error.to_string(), true))?;
            commands
                .query_async(&mut connection)
                .await
                .map_err(|error: redis::RedisError| (error.to_string(), error.is_unrecoverable_error()))
        };
        let late = || Err(("no answer in time".to_owned(), true));
        match tokio::time::timeout(BUDGET, asked).await.unwrap_or_else(|_| late()) {
            Ok(answer) => Some(answer),
            Err((error, gone)) => {
                self.0.failures.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(error, "Redis did not help");
                if gone {
                    let silence = u64::try_from(SILENCE.as_millis()).unwrap_or(u64::MAX);
                    self.0.silent_until.store(now + silence, Ordering::Relaxed);
                }
                None
            }
        }
    }

    /// Whether it answers and others' messages arrive.
    pub fn is_up(&self) -> bool {
        self.0.hears.load(Ordering::Relaxed)
    }

    /// How often it did not answer.
    pub fn failures(&self) -> u64 {
        self.0.failures.load(Ordering::Relaxed)
    }

    fn key(&self, kind: &str, name: &str) -> String {
        format!("{}:{kind}:{name}", self.0.namespace)
    }
}
