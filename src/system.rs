//! What the process knows of itself, for `/api/v1/admin/system`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use contracts::system::{
    DeadLetter, Health, HostedModule, ModulePlace, OutboxLag, Process, System, SystemReport,
};
use shared::{
    Database, Result, Time,
    events::{self, Bus, EventId},
    jobs::Jobs,
};

use crate::settings::{MODULES, Settings, Transport};

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
    outboxes: Vec<Outbox>,
    bus: Arc<dyn Bus>,
    jobs: Jobs,
    started_at: Time,
    settings: Settings,
    is_leaving: AtomicBool,
}

impl Machinery {
    /// `started_at` is now.
    pub fn new(
        settings: &Settings,
        outboxes: Vec<Outbox>,
        bus: Arc<dyn Bus>,
        jobs: Jobs,
        started_at: Time,
    ) -> Self {
        Self {
            outboxes,
            bus,
            jobs,
            started_at,
            settings: settings.clone(),
            is_leaving: AtomicBool::new(false),
        }
    }

    /// From now on this process is not ready: it stops.
    pub fn leave(&self) {
        self.is_leaving.store(true, Ordering::Relaxed);
    }

    /// This process.
    pub async fn process(&self) -> Result<Process> {
        let place = match self.settings.modules.transport {
            Transport::InProcess => "in_process",
            Transport::Loopback => "loopback",
        };
        let store = |database: Option<&str>| {
            let outbox = self.outboxes.iter().find(|outbox| Some(outbox.database) == database);
            outbox.map_or("none", |outbox| outbox.db.kind())
        };
        let hosted = MODULES.iter().filter(|module| self.settings.hosts(module.name));
        let modules = hosted.map(|module| HostedModule {
            name: module.name.into(),
            place: place.into(),
            store: store(module.database).into(),
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
        Ok(Process {
            instance: self.settings.instance.clone(),
            address: self.settings.address().to_owned(),
            version: env!("CARGO_PKG_VERSION").into(),
            started_at: self.started_at,
            modules: modules.collect(),
            outboxes,
            jobs: self.jobs.status(),
            health: self.health().await,
            services: Vec::new(),
            queues: Vec::new(),
        })
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
        Ok(report(vec![self.process().await?]))
    }

    async fn health(&self) -> Vec<Health> {
        let asks = self.outboxes.iter().map(|outbox| async {
            let answer = tokio::time::timeout(PATIENCE, outbox.db.ping()).await;
            if let Ok(Err(error)) = &answer {
                tracing::warn!(dependency = outbox.database, error = %error.chain(), "not ready");
            }
            Health { name: format!("{} database", outbox.database), ok: matches!(answer, Ok(Ok(()))) }
        });
        let mut health = futures::future::join_all(asks).await;
        if self.is_leaving.load(Ordering::Relaxed) {
            health.push(Health { name: "process that stays".into(), ok: false });
        }
        health
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

/// What the processes say of themselves, in one. The first is the one that was asked.
pub fn report(processes: Vec<Process>) -> SystemReport {
    let all = || processes.iter().enumerate();
    let place = |name: &str| {
        let hosts = || all().filter_map(|(n, p)| Some((n, p.modules.iter().find(|m| m.name == name)?)));
        let (place, store) = match hosts().next() {
            Some((0, here)) => (here.place.clone(), here.store.clone()),
            Some((_, there)) => ("remote".to_owned(), there.store.clone()),
            None => ("missing".to_owned(), "none".to_owned()),
        };
        ModulePlace { name: name.to_owned(), place, store, instances: hosts().count() }
    };
    let mut outboxes: Vec<OutboxLag> = Vec::new();
    for outbox in processes.iter().flat_map(|process| &process.outboxes) {
        if outboxes.iter().all(|known| known.database != outbox.database) {
            outboxes.push(outbox.clone());
        }
    }
    let asked = &processes[0];
    SystemReport {
        version: asked.version.clone(),
        started_at: asked.started_at,
        modules: MODULES.iter().map(|module| place(module.name)).collect(),
        outboxes,
        jobs: processes.iter().flat_map(|process| process.jobs.clone()).collect(),
        health: processes.iter().flat_map(|process| process.health.clone()).fold(
            Vec::new(),
            |mut all, one| {
                match all.iter_mut().find(|known: &&mut Health| known.name == one.name) {
                    Some(known) => known.ok &= one.ok,
                    None => all.push(one),
                }
                all
            },
        ),
        processes,
    }
}
