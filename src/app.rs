//! The wiring: one function turns settings into a shop.

use std::{path::Path, sync::Arc, time::Duration};

use actix_web::{App as ActixApp, HttpServer, dev::Server, http::StatusCode};
use contracts::{
    Ports,
    cart::Carts,
    customer::Customers,
    idempotency::Idempotency,
    metadata::Metadata,
    notification::Notifications,
    order::Orders,
    payment::Payments,
    product::{Products, stock::Stock},
    recommendation::Recommendations,
    review::Reviews,
    shipping::Shipping,
    system::System,
};
use gateway::{Gateway, Parts, app::Pages};
use shared::{
    Clock, Error, Result,
    cache::Cache,
    crash::CrashPoints,
    events::{self, Bus, Consumer, InProcess},
    jobs::Jobs,
    limits::Limits,
    redis::Redis,
    rpc::{Loopback, Service},
    signer::Signer,
    time::system_clock,
};

use web::Web;

use crate::{
    databases::Databases,
    settings::{Settings, Transport},
    system::Machinery,
};

/// A shop, put together and not yet started.
pub struct App {
    pub settings: Settings,
    pub ports: Ports,
    pub databases: Databases,
    pub gateway: Gateway,
    pub jobs: Jobs,
    redis: Option<Redis>,
    bus: Arc<dyn Bus>,
    pages: Web,
    modules: Modules,
}

/// The services themselves, for their workers.
struct Modules {
    product: Arc<product::Service>,
    customer: Arc<customer::Service>,
    cart: Arc<cart::Service>,
    payment: Arc<payment::Service>,
    shipping: Arc<shipping::Service>,
    order: Arc<order::Service>,
    notification: Arc<notification::Service>,
    recommendation: Arc<recommendation::Service>,
    review: Arc<review::Service>,
}

impl App {
    /// Opens the databases, migrates them, and connects the modules.
    pub async fn build(settings: Settings) -> Result<Self> {
        Self::build_at(settings, system_clock()).await
    }

    /// The same with a clock of the caller's.
    pub async fn build_at(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self> {
        let databases = Databases::open(&settings, clock.clone()).await?;
        Self::build_on(databases, settings, clock).await
    }

    /// The same on databases that are open.
    pub async fn build_on(databases: Databases, settings: Settings, clock: Arc<dyn Clock>) -> Result<Self> {
        databases.migrate().await?;
        let signer = Signer::new(&secret(&settings)?);
        let (modules, ports) = connect(&settings, &databases, clock.clone(), signer.clone()).await?;
        let jobs = Jobs::with_clock(clock.clone());
        let mut consumers: Vec<Arc<dyn Consumer>> = Vec::new();
        consumers.extend(modules.product.consumers());
        consumers.extend(modules.customer.consumers());
        consumers.extend(modules.cart.consumers());
        consumers.extend(modules.payment.consumers());
        consumers.extend(modules.shipping.consumers());
        consumers.extend(modules.order.consumers());
        consumers.extend(modules.notification.consumers());
        consumers.extend(modules.recommendation.consumers());
        consumers.extend(modules.review.consumers());
        let bus: Arc<dyn Bus> = Arc::new(InProcess::new(consumers));
        let machinery =
            Machinery::new(&settings, databases.outboxes(), bus.clone(), jobs.clone(), clock.now());
        let system: Arc<dyn System> = Arc::new(machinery);
        let redis = settings.redis()?;
        let ttl = Duration::from_secs(settings.gateway.cache_seconds);
        let cache = Cache::new(settings.gateway.cache_bytes, ttl, redis.clone());
        let limits = Limits::new(&settings.gateway.limits, redis.clone());
        let pages = Web::new(
            web::Parts {
                ports: ports.clone(),
                clock: clock.clone(),
                system: system.clone(),
                cache: cache.clone(),
                limits: limits.clone(),
                signer: signer.clone(),
            },
            settings.web.clone(),
        );
        let parts = Parts {
            ports: ports.clone(),
            clock,
            system,
            cache,
            limits,
            pages: Some(Arc::new(Hosted(pages.clone()))),
        };
        let gateway = Gateway::new(parts, settings.gateway.clone());
        for outbox in databases.outboxes() {
            outbox.db.watch(gateway.watcher());
            outbox.db.watch(pages.watcher());
            if let Some(redis) = &redis {
                outbox.db.watch(redis.watcher());
            }
        }
        if let Some(redis) = &redis {
            redis.watch(gateway.listener());
            redis.watch(pages.watcher());
        }
        Ok(Self { settings, ports, databases, gateway, jobs, redis, bus, pages, modules })
    }

    /// Starts relays and workers; what a crash left is taken up at once.
    pub async fn start(&self) -> Result<()> {
        self.modules.order.recover().await?;
        let limits =
            events::Limits { delivery_limit: self.settings.events.delivery_limit, ..Default::default() };
        for outbox in self.databases.outboxes() {
            let relay = events::relay(outbox.db.clone(), self.bus.clone(), limits, self.jobs.token());
            self.jobs.spawn_graceful(outbox.relay, relay);
            let keep = Duration::from_secs(self.settings.events.keep_days * 86_400);
            self.jobs.every(outbox.prune, Duration::from_secs(3600), move || {
                let db = outbox.db.clone();
                async move { events::prune(&db, keep).await.map(|_| ()) }
            });
        }
        self.modules.product.start(&self.jobs);
        self.modules.customer.start(&self.jobs);
        self.modules.cart.start(&self.jobs);
        self.modules.payment.start(&self.jobs);
        self.modules.shipping.start(&self.jobs);
        self.modules.order.start(&self.jobs);
        self.modules.notification.start(&self.jobs);
        self.modules.recommendation.start(&self.jobs);
        self.gateway.start(&self.jobs);
        if let Some(redis) = &self.redis {
            redis.start(&self.jobs);
        }
        Ok(())
    }

    /// Listens. The server stops by itself on SIGTERM and SIGINT.
    pub fn serve(&self) -> Result<(Server, Vec<std::net::SocketAddr>)> {
        let gateway = self.gateway.clone();
        let server = &self.settings.server;
        let mut http = HttpServer::new(move || ActixApp::new().configure(|config| gateway.configure(config)))
            .shutdown_timeout(server.shutdown_seconds)
            .max_connections(server.max_connections)
            .client_request_timeout(Duration::from_secs(10))
            .keep_alive(Duration::from_secs(75));
        if server.workers > 0 {
            http = http.workers(server.workers);
        }
        let busy = |e: std::io::Error| {
            Error::invalid("server.listen", "address", format!("cannot listen on {}: {e}", server.listen))
        };
        let http = http.bind(&server.listen).map_err(busy)?;
        let addresses = http.addrs();
        Ok((http.run(), addresses))
    }

    /// Once the process is told to stop, ends the streams that pages listen to: the server waits for nobody else.
    pub async fn close_streams_at_stop(&self) {
        stop_signal().await;
        self.pages.close_streams();
    }

    /// Waits until every product change is in the search index.
    pub async fn search_idle(&self) -> Result<()> {
        self.modules.product.search_idle().await
    }

    /// What was done with products, to evaluate recommendations with.
    pub async fn interactions(&self) -> Result<recommendation::evaluate::Log> {
        self.modules.recommendation.log().await
    }

    /// Stops the workers; those that are in the middle of something finish it.
    pub async fn stop(&self) {
        self.jobs.stop(Duration::from_secs(self.settings.server.shutdown_seconds)).await;
    }
}

/// The pages, behind the gateway's outermost layer.
struct Hosted(Web);

impl Pages for Hosted {
    fn configure(&self, config: &mut actix_web::web::ServiceConfig) {
        self.0.configure(config);
    }

    fn error(&self, path: &str, languages: &str, status: StatusCode, trace_id: &str) -> String {
        self.0.error(path, languages, status, trace_id)
    }
}

/// A port as its callers get it: the service itself, or a client that serialises every call to it.
fn link<P: ?Sized>(transport: Transport, service: Arc<P>, remote: impl FnOnce(Arc<P>) -> Arc<P>) -> Arc<P> {
    match transport {
        Transport::InProcess => service,
        Transport::Loopback => remote(service),
    }
}

fn wire(server: impl Service + 'static) -> Arc<Loopback> {
    Arc::new(Loopback(Arc::new(server)))
}

async fn connect(
    settings: &Settings,
    dbs: &Databases,
    clock: Arc<dyn Clock>,
    signer: Signer,
) -> Result<(Modules, Ports)> {
    use contracts::{
        cart as c, customer as cu, idempotency as i, metadata as m, notification as n, order as o,
        payment as pa, product as p, recommendation as re, review as r, shipping as s,
    };
    let how = settings.modules.transport;
    let crash = CrashPoints::parse(&settings.testing.crash_at)?;

    let product =
        product::Service::new(dbs.products.clone(), clock.clone(), settings.product.clone()).await?;
    let products: Arc<dyn Products> = link(how, product.clone(), |x| Arc::new(p::Client(wire(p::Server(x)))));
    let stock: Arc<dyn Stock> =
        link(how, product.clone(), |x| Arc::new(p::stock::Client(wire(p::stock::Server(x)))));
    let customer = customer::Service::new(
        dbs.customers.clone(),
        clock.clone(),
        signer.clone(),
        settings.customer.clone(),
    )
    .await?;
    let customers: Arc<dyn Customers> =
        link(how, customer.clone(), |x| Arc::new(cu::Client(wire(cu::Server(x)))));
    let shipping = shipping::Service::new(dbs.orders.clone(), clock.clone(), settings.shipping.clone());
    let shippings: Arc<dyn Shipping> =
        link(how, shipping.clone(), |x| Arc::new(s::Client(wire(s::Server(x)))));
    let cart = cart::Service::new(
        dbs.metadata.clone(),
        clock.clone(),
        products.clone(),
        shippings.clone(),
        settings.cart.clone(),
    )
    .await?;
    let carts: Arc<dyn Carts> = link(how, cart.clone(), |x| Arc::new(c::Client(wire(c::Server(x)))));
    let payment = payment::Service::new(
        dbs.orders.clone(),
        clock.clone(),
        signer.clone(),
        crash.clone(),
        settings.payment.clone(),
    );
    let payments: Arc<dyn Payments> =
        link(how, payment.clone(), |x| Arc::new(pa::Client(wire(pa::Server(x)))));
    let order = order::Service::new(
        dbs.orders.clone(),
        clock.clone(),
        signer.clone(),
        crash,
        carts.clone(),
        stock.clone(),
        payments.clone(),
        shippings.clone(),
        settings.order.clone(),
    );
    let orders: Arc<dyn Orders> = link(how, order.clone(), |x| Arc::new(o::Client(wire(o::Server(x)))));
    let idempotency: Arc<dyn Idempotency> =
        link(how, order.clone(), |x| Arc::new(i::Client(wire(i::Server(x)))));
    let metadata = metadata::Service::new(dbs.metadata.clone(), clock.clone(), settings.metadata.clone());
    let metadatas: Arc<dyn Metadata> = link(how, metadata, |x| Arc::new(m::Client(wire(m::Server(x)))));
    let notification = notification::Service::new(
        dbs.metadata.clone(),
        clock.clone(),
        signer,
        settings.notification.clone(),
    )
    .await?;
    let notifications: Arc<dyn Notifications> =
        link(how, notification.clone(), |x| Arc::new(n::Client(wire(n::Server(x)))));
    let review = review::Service::new(
        dbs.metadata.clone(),
        clock.clone(),
        products.clone(),
        customers.clone(),
        settings.review,
    );
    let reviews: Arc<dyn Reviews> = link(how, review.clone(), |x| Arc::new(r::Client(wire(r::Server(x)))));

    let recommendation = recommendation::Service::new(
        dbs.metadata.clone(),
        clock,
        products.clone(),
        settings.recommendation.clone(),
    )
    .await?;
    let recommendations: Arc<dyn Recommendations> =
        link(how, recommendation.clone(), |x| Arc::new(re::Client(wire(re::Server(x)))));

    let ports = Ports {
        products,
        stock,
        customers,
        carts,
        payments,
        shipping: shippings,
        orders,
        idempotency,
        notifications,
        recommendations,
        metadata: metadatas,
        reviews,
    };
    let modules =
        Modules { product, customer, cart, payment, shipping, order, notification, recommendation, review };
    Ok((modules, ports))
}

#[cfg(unix)]
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn stop_signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

/// The configured secret, or the one in the data folder, made at the first start.
fn secret(settings: &Settings) -> Result<Vec<u8>> {
    if !settings.secret_key.0.is_empty() {
        return Ok(settings.secret_key.0.clone().into_bytes());
    }
    let path = settings.data_dir.join("secret.key");
    if let Ok(secret) = std::fs::read(&path)
        && secret.len() >= 32
    {
        return Ok(secret);
    }
    let secret = format!("{}{}", shared::telemetry::trace_id(), shared::telemetry::trace_id()).into_bytes();
    std::fs::create_dir_all(&settings.data_dir).map_err(Error::internal)?;
    write_private(&path, &secret).map_err(Error::internal)?;
    Ok(secret)
}

/// Writes a file that only its owner may read.
#[cfg(unix)]
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?
        .write_all(bytes)
}

#[cfg(not(unix))]
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    std::fs::write(path, bytes)
}
