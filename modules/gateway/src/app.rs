//! The gateway as one value: ports in, routes out.

use std::{
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use actix_web::{middleware::from_fn, web};
use async_trait::async_trait;
use contracts::{
    cart::Carts,
    customer::Customers,
    idempotency::Idempotency,
    notification::Notifications,
    order::Orders,
    payment::Payments,
    product::{Products, stock::Stock},
    shipping::Shipping,
};
use serde::Serialize;
use shared::{
    Clock, Result, Time,
    cache::Cache,
    events::{Consumer, Envelope, Event},
    jobs::{JobStatus, Jobs},
};

use crate::{
    auth::Verifier,
    cached, gate,
    health::{self, Check, Health, Metrics},
    idempotency,
    limits::Limits,
    mail_catcher, media, openapi, problem, routes,
    settings::Settings,
};

/// Every module, wherever it runs.
#[derive(Clone)]
pub struct Ports {
    pub products: Arc<dyn Products>,
    pub stock: Arc<dyn Stock>,
    pub customers: Arc<dyn Customers>,
    pub carts: Arc<dyn Carts>,
    pub payments: Arc<dyn Payments>,
    pub shipping: Arc<dyn Shipping>,
    pub orders: Arc<dyn Orders>,
    pub idempotency: Arc<dyn Idempotency>,
    pub notifications: Arc<dyn Notifications>,
}

/// What the process knows of itself. Implemented by the wiring, which alone knows every database.
#[async_trait]
pub trait System: Send + Sync {
    /// Modules, outbox lag, jobs.
    async fn report(&self) -> Result<SystemReport>;
    /// Events that a consumer could not take, newest first.
    async fn dead_letters(&self) -> Result<Vec<DeadLetter>>;
    /// Delivers one again; `NotFound`.
    async fn replay(&self, id: &str) -> Result<()>;
    /// Gives one up; `NotFound`.
    async fn discard(&self, id: &str) -> Result<()>;
}

/// The state of the machinery.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct SystemReport {
    pub version: String,
    pub started_at: Time,
    pub modules: Vec<ModulePlace>,
    pub outboxes: Vec<OutboxLag>,
    #[schema(value_type = Vec<Object>)]
    pub jobs: Vec<JobStatus>,
    pub health: Vec<Health>,
}

/// Where a module runs.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ModulePlace {
    pub name: String,
    /// `in_process`, `loopback`, `remote`.
    pub place: String,
    /// `sqlite`, `postgres`, …
    pub store: String,
}

/// Events that are written and not yet heard.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct OutboxLag {
    pub database: String,
    pub unpublished: i64,
    pub oldest: Option<Time>,
}

/// An event that a consumer could not take.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct DeadLetter {
    pub id: String,
    pub database: String,
    pub consumer: String,
    pub kind: String,
    pub error: String,
    pub attempts: i64,
    pub failed_at: Time,
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
}

/// What the gateway is made of.
pub struct Parts {
    pub ports: Ports,
    pub clock: Arc<dyn Clock>,
    pub system: Arc<dyn System>,
    /// Asked by `/readyz`.
    pub checks: Vec<Check>,
}

/// What handlers see.
pub struct State {
    pub(crate) ports: Ports,
    pub(crate) settings: Settings,
    pub(crate) cache: Cache,
    pub(crate) verifier: Verifier,
    pub(crate) limits: Arc<Limits>,
    pub(crate) system: Arc<dyn System>,
    pub(crate) checks: Vec<Check>,
    pub(crate) metrics: Metrics,
    pub(crate) in_flight: AtomicUsize,
}

/// The HTTP API.
#[derive(Clone)]
pub struct Gateway(web::Data<State>);

impl Gateway {
    /// Puts it together. `Settings.currencies` must not be empty.
    pub fn new(parts: Parts, settings: Settings) -> Self {
        let cache = Cache::new(settings.cache_bytes, Duration::from_secs(settings.cache_seconds));
        Self(web::Data::new(State {
            verifier: Verifier::new(parts.ports.customers.clone(), parts.clock),
            ports: parts.ports,
            limits: Limits::new(&settings.limits),
            cache,
            system: parts.system,
            checks: parts.checks,
            metrics: Metrics::new(),
            in_flight: AtomicUsize::new(0),
            settings,
        }))
    }

    /// To be told of every commit in this process.
    pub fn watcher(&self) -> shared::db::Watcher {
        // The databases keep their watchers, and the state keeps the modules, which keep the databases.
        let state = Arc::downgrade(&self.0.clone().into_inner());
        Arc::new(move |events| {
            let Some(state) = state.upgrade() else { return };
            events.iter().for_each(|event| cached::forget(&state.cache, &state.verifier, event));
        })
    }

    /// Hears the events of other processes.
    pub fn consumer(&self) -> Arc<dyn Consumer> {
        Arc::new(Forgetful(self.0.clone()))
    }

    /// Starts its workers.
    pub fn start(&self, jobs: &Jobs) {
        let state = self.0.clone();
        jobs.every("gateway.limits", Duration::from_secs(60), move || {
            state.limits.shrink();
            async { Ok(()) }
        });
    }

    /// Registers every route.
    pub fn configure(&self, config: &mut web::ServiceConfig) {
        config.app_data(self.0.clone());
        config.service(web::scope("").wrap(from_fn(crate::middleware::observe)).configure(|config| {
            health::configure(config);
            mail_catcher::configure(config, self.0.settings.development);
            media::configure(config);
            openapi::configure(config);
            let api = web::scope("/api/v1").wrap(from_fn(idempotency::remember)).wrap(from_fn(gate::pass));
            config.service(api.configure(routes::configure).default_service(web::to(problem::not_found)));
            config.default_service(web::to(problem::not_found));
        }));
    }
}

/// Drops what other processes have made stale.
struct Forgetful(web::Data<State>);

#[async_trait]
impl Consumer for Forgetful {
    fn name(&self) -> &'static str {
        "gateway"
    }

    fn hears(&self) -> &'static [&'static str] {
        use contracts::{
            customer::SessionsRevoked,
            product::{self, stock::StockChanged},
        };
        &[
            product::ProductChanged::TYPE,
            product::CategoryChanged::TYPE,
            product::PricesChanged::TYPE,
            product::SearchUpdated::TYPE,
            StockChanged::TYPE,
            SessionsRevoked::TYPE,
        ]
    }

    async fn handle(&self, event: &Envelope) -> Result<()> {
        cached::forget(&self.0.cache, &self.0.verifier, event);
        Ok(())
    }
}
