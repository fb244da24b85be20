//! What the process knows of itself, for `/api/v1/admin/system`.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use contracts::system::{DeadLetter, Health, ModulePlace, OutboxLag, System, SystemReport};
use shared::{
    Database, Result, Time,
    events::{self, Bus, EventId},
    jobs::Jobs,
};

use crate::settings::{Settings, Transport};

/// Each module with the database it lives in.
const MODULES: [(&str, &str); 12] = [
    ("product", "products"),
    ("customer", "customers"),
    ("cart", "metadata"),
    ("payment", "orders"),
    ("shipping", "orders"),
    ("order", "orders"),
    ("notification", "metadata"),
    ("review", "metadata"),
    ("recommendation", "metadata"),
    ("metadata", "metadata"),
    ("gateway", "none"),
    ("web", "none"),
];

/// How long a dependency may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many dead letters of each database are shown.
const SHOWN: i64 = 100;

/// A database that events leave from.
#[derive(Clone)]
pub struct Outbox {
    pub database: &'static str,
    /// The names of its two jobs.
    pub relay: &'static str,
    pub prune: &'static str,
    pub db: Database,
}

/// The process as its operators see it.
pub struct Machinery {
    outboxes: [Outbox; 4],
    bus: Arc<dyn Bus>,
    jobs: Jobs,
    started_at: Time,
    transport: Transport,
}

impl Machinery {
    /// `started_at` is now.
    pub fn new(
        settings: &Settings,
        outboxes: [Outbox; 4],
        bus: Arc<dyn Bus>,
        jobs: Jobs,
        started_at: Time,
    ) -> Self {
        Self { outboxes, bus, jobs, started_at, transport: settings.modules.transport }
    }

    /// An id is `<database>-<event>-<consumer>`.
    fn find(&self, id: &str) -> Result<(&Outbox, EventId, String)> {
        let missing = || shared::Error::not_found("dead letter");
        let mut parts = id.splitn(3, '-');
        let (database, event, consumer) = (parts.next(), parts.next(), parts.next());
        let outbox = self.outboxes.iter().find(|o| Some(o.database) == database).ok_or_else(missing)?;
        let event = event.unwrap_or_default().parse().map_err(|_| EventId::not_found())?;
        Ok((outbox, event, consumer.ok_or_else(missing)?.to_owned()))
    }
}

#[async_trait]
impl System for Machinery {
    async fn report(&self) -> Result<SystemReport> {
        let place = match self.transport {
            Transport::InProcess => "in_process",
            Transport::Loopback => "loopback",
        };
        let store = |database| {
            self.outboxes.iter().find(|o| o.database == database).map_or("none", |outbox| outbox.db.kind())
        };
        let modules = MODULES.map(|(name, db)| ModulePlace {
            name: name.into(),
            place: place.into(),
            store: store(db).into(),
        });
        let mut outboxes = Vec::new();
        for outbox in &self.outboxes {
            let lag = events::lag(&outbox.db).await?;
            outboxes.push(OutboxLag {
                database: outbox.database.into(),
                unpublished: lag.unpublished,
                oldest: lag.oldest,
            });
        }
        Ok(SystemReport {
            version: env!("CARGO_PKG_VERSION").into(),
            started_at: self.started_at,
            modules: modules.into(),
            outboxes,
            jobs: self.jobs.status(),
            health: self.health().await,
        })
    }

    async fn health(&self) -> Vec<Health> {
        let asks = self.outboxes.iter().map(|outbox| async {
            let answer = tokio::time::timeout(PATIENCE, outbox.db.ping()).await;
            if let Ok(Err(error)) = &answer {
                tracing::warn!(dependency = outbox.database, error = %error.chain(), "not ready");
            }
            Health { name: format!("{} database", outbox.database), ok: matches!(answer, Ok(Ok(()))) }
        });
        futures::future::join_all(asks).await
    }

    async fn dead_letters(&self) -> Result<Vec<DeadLetter>> {
        let mut letters = Vec::new();
        for outbox in &self.outboxes {
            for letter in events::dead_letters::list(&outbox.db, SHOWN).await? {
                letters.push(DeadLetter {
                    id: format!("{}-{}-{}", outbox.database, letter.event, letter.consumer),
                    database: outbox.database.into(),
                    consumer: letter.consumer,
                    kind: letter.envelope.kind,
                    error: letter.error,
                    attempts: letter.attempts,
                    failed_at: letter.failed_at,
                    data: letter.envelope.data,
                });
            }
        }
        letters.sort_by_key(|letter| std::cmp::Reverse(letter.failed_at));
        Ok(letters)
    }

    async fn replay(&self, id: &str) -> Result<()> {
        let (outbox, event, consumer) = self.find(id)?;
        events::dead_letters::replay(&outbox.db, self.bus.as_ref(), event, &consumer).await
    }

    async fn discard(&self, id: &str) -> Result<()> {
        let (outbox, event, consumer) = self.find(id)?;
        events::dead_letters::discard(&outbox.db, event, &consumer).await
    }
}
