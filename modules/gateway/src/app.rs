//! The gateway as one value: ports in, routes out.

use std::{
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use actix_web::{http::StatusCode, middleware::from_fn, web};
use contracts::{Ports, system::System};
use shared::{Clock, cache::Cache, jobs::Jobs, limits::Limits};

use crate::{
    auth::Verifier,
    cached, gate,
    health::{self, Metrics},
    idempotency, mail_catcher, media, openapi, problem, routes,
    settings::Settings,
};

/// What the gateway is made of.
pub struct Parts {
    pub ports: Ports,
    pub clock: Arc<dyn Clock>,
    pub system: Arc<dyn System>,
    /// Ready answers, the pages' too: what makes an answer of the API stale makes a page stale.
    pub cache: Cache,
    pub limits: Arc<Limits>,
    /// Whether the API is served here; without it this is a process that answers for itself only.
    pub api: bool,
    /// The pages, where they are hosted beside the API.
    pub pages: Option<Arc<dyn Pages>>,
}

/// HTML beside the API, served behind the same outermost layer.
pub trait Pages: Send + Sync {
    /// Registers the routes and the answer for unknown addresses.
    fn configure(&self, config: &mut web::ServiceConfig);
    /// A page without scripts for an error that struck before a page could be made. `languages` is `Accept-Language`.
    fn error(&self, path: &str, languages: &str, status: StatusCode, trace_id: &str) -> String;
}

/// What handlers see.
pub struct State {
    pub(crate) ports: Ports,
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) cache: Cache,
    pub(crate) verifier: Verifier,
    pub(crate) limits: Arc<Limits>,
    pub(crate) system: Arc<dyn System>,
    pub(crate) api: bool,
    pub(crate) pages: Option<Arc<dyn Pages>>,
    pub(crate) metrics: Metrics,
    pub(crate) in_flight: AtomicUsize,
    pub(crate) keys: idempotency::Keys,
}

/// The HTTP API.
#[derive(Clone)]
pub struct Gateway(web::Data<State>);

impl Gateway {
    /// Puts it together. `Settings.currencies` must not be empty.
    pub fn new(parts: Parts, settings: Settings) -> Self {
        Self(web::Data::new(State {
            keys: idempotency::Keys::new(parts.ports.idempotency.clone()),
            verifier: Verifier::new(parts.ports.customers.clone(), parts.clock.clone()),
            ports: parts.ports,
            clock: parts.clock,
            limits: parts.limits,
            cache: parts.cache,
            api: parts.api,
            pages: parts.pages,
            system: parts.system,
            metrics: Metrics::new(),
            in_flight: AtomicUsize::new(0),
            settings,
        }))
    }

    /// Its ready answers.
    pub fn cache(&self) -> Cache {
        self.0.cache.clone()
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

    /// To be told of what other instances of the gateway have committed, and have told the shared cache themselves.
    pub fn listener(&self) -> shared::db::Watcher {
        let state = Arc::downgrade(&self.0.clone().into_inner());
        Arc::new(move |events| {
            let Some(state) = state.upgrade() else { return };
            let cache = state.cache.unshared();
            events.iter().for_each(|event| cached::forget(&cache, &state.verifier, event));
        })
    }

    /// Starts its workers.
    pub fn start(&self, jobs: &Jobs) {
        let state = self.0.clone();
        jobs.every("gateway.limits", Duration::from_secs(60), move || {
            state.limits.shrink();
            async { Ok(()) }
        });
        let state = self.0.clone();
        jobs.every("gateway.idempotency", Duration::from_secs(1), move || {
            let state = state.clone();
            async move {
                state.keys.tie_up().await;
                Ok(())
            }
        });
    }

    /// Registers every route of what is served here.
    pub fn configure(&self, config: &mut web::ServiceConfig) {
        config.app_data(self.0.clone());
        config.service(web::scope("").wrap(from_fn(crate::middleware::observe)).configure(|config| {
            health::configure(config);
            if !self.0.api {
                config.default_service(web::to(problem::not_found));
                return;
            }
            mail_catcher::configure(config, self.0.settings.development);
            media::configure(config);
            openapi::configure(config);
            let api = web::scope("/api/v1").wrap(from_fn(idempotency::remember)).wrap(from_fn(gate::pass));
            config.service(api.configure(routes::configure).default_service(web::to(problem::not_found)));
            match &self.0.pages {
                Some(pages) => pages.configure(config),
                None => {
                    config.default_service(web::to(problem::not_found));
                }
            }
        }));
    }
}
