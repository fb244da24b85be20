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
    events::{self, Bus, Consumer},
    jobs::Jobs,
    limits::Limits,
    redis::Redis,
    rpc::{self, Loopback},
    signer::Signer,
    time::system_clock,
};

use web::Web;

use crate::{
    databases::Databases,
    fleet::{Fleet, Registered},
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
    fleet: Fleet,
    machinery: Arc<Machinery>,
    system: Arc<dyn System>,
    bus: Arc<dyn Bus>,
    pages: Web,
    modules: Modules,
}

/// The services that are hosted here, for their workers.
struct Modules {
    product: Option<Arc<product::Service>>,
    customer: Option<Arc<customer::Service>>,
    cart: Option<Arc<cart::Service>>,
    payment: Option<Arc<payment::Service>>,
    shipping: Option<Arc<shipping::Service>>,
    order: Option<Arc<order::Service>>,
    notification: Option<Arc<notification::Service>>,
    recommendation: Option<Arc<recommendation::Service>>,
    review: Option<Arc<review::Service>>,
}

/// Does the same for each module that is hosted.
macro_rules! each {
    ($modules:expr, [$($module:ident),+ $(,)?], |$service:ident| $work:expr) => {
        $(if let Some($service) = &$modules.$module { $work; })+
    };
}

impl App {
    /// Opens the databases, migrates them, and connects the modules, those of other processes too.
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
        let fleet = Fleet::new(&settings)?;
        let (modules, ports) = connect(&settings, &databases, &fleet, clock.clone(), signer.clone()).await?;
        let jobs = Jobs::with_clock(clock.clone());
        let mut consumers: Vec<Arc<dyn Consumer>> = Vec::new();
        each!(
            modules,
            [product, customer, cart, payment, shipping, order, notification, recommendation, review],
            |module| consumers.extend(module.consumers())
        );
        let bus = fleet.bus(consumers);
        let machinery =
            Machinery::new(&settings, databases.outboxes(), bus.clone(), jobs.clone(), clock.now());
        let machinery = Arc::new(machinery);
        let system: Arc<dyn System> = fleet.system(machinery.clone());
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
            system: system.clone(),
            cache,
            limits,
            api: settings.hosts("gateway"),
            pages: settings.hosts("web").then(|| Arc::new(Hosted(pages.clone())) as Arc<dyn Pages>),
        };
        let gateway = Gateway::new(parts, settings.gateway.clone());
        let edges =
            || if settings.hosts("gateway") { vec![gateway.watcher(), pages.watcher()] } else { Vec::new() };
        for outbox in databases.outboxes() {
            edges().into_iter().chain(fleet.watcher()).for_each(|watcher| outbox.db.watch(watcher));
            if let Some(redis) = &redis {
                outbox.db.watch(redis.watcher());
            }
        }
        fleet.watch(edges(), &gateway.cache());
        // The broker's word comes to everybody; without one it is Redis that tells.
        if let Some(redis) = redis.as_ref().filter(|_| !settings.is_shared()) {
            redis.watch(gateway.listener());
            redis.watch(pages.watcher());
        }
        Ok(Self {
            settings,
            ports,
            databases,
            gateway,
            jobs,
            redis,
            fleet,
            machinery,
            system,
            bus,
            pages,
            modules,
        })
    }

    /// Starts relays and workers; what a crash left is taken up at once.
    pub async fn start(&self) -> Result<()> {
        self.fleet.start(&self.jobs).await;
        if let Some(order) = &self.modules.order {
            order.recover().await?;
        }
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
        each!(
            self.modules,
            [product, customer, cart, payment, shipping, order, notification, recommendation],
            |module| module.start(&self.jobs)
        );
        self.gateway.start(&self.jobs);
        if let Some(redis) = &self.redis {
            redis.start(&self.jobs);
        }
        Ok(())
    }

    /// Listens, until the server's handle is told to stop.
    pub fn serve(&self) -> Result<(Server, Vec<std::net::SocketAddr>)> {
        let gateway = self.gateway.clone();
        let server = &self.settings.server;
        let mut http = HttpServer::new(move || ActixApp::new().configure(|config| gateway.configure(config)))
            .shutdown_timeout(server.shutdown_seconds)
            .disable_signals()
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

    /// Lets others find this process, which listens at these addresses, until the entry is ended.
    pub fn register(&self, addresses: &[std::net::SocketAddr]) -> Result<Registered> {
        self.fleet.register(&self.settings, addresses, &self.jobs)
    }

    /// The process is about to stop: it is not ready any more.
    pub fn leave(&self) {
        self.machinery.leave();
    }

    /// Ends the streams that pages listen to: a server that stops waits for nobody else.
    pub fn close_streams(&self) {
        self.pages.close_streams();
    }

    /// The shop as its operators see it.
    pub fn system(&self) -> &dyn System {
        &*self.system
    }

    /// Waits until every product change is in the search index, if that is here.
    pub async fn search_idle(&self) -> Result<()> {
        match &self.modules.product {
            Some(product) => product.search_idle().await,
            None => Ok(()),
        }
    }

    /// What was done with products, to evaluate recommendations with. `NotFound` where they are not hosted.
    pub async fn interactions(&self) -> Result<recommendation::evaluate::Log> {
        let missing = || Error::not_found("module recommendation in this process");
        self.modules.recommendation.as_ref().ok_or_else(missing)?.log().await
    }

    /// Stops the workers; those that are in the middle of something finish it.
    pub async fn stop(&self) {
        self.jobs.stop(Duration::from_secs(self.settings.server.shutdown_seconds)).await;
        self.fleet.close().await;
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

/// How callers get to modules.
struct Wires<'a> {
    transport: Transport,
    fleet: &'a Fleet,
    remote: Option<Arc<dyn rpc::Transport>>,
}

impl Wires<'_> {
    /// A port as its callers get it: the service itself, a client that serialises every call to it, or a client of another
    /// process. What is here is served to the others too.
    fn link<P: ?Sized, S: rpc::Service + 'static>(
        &self,
        service: Option<Arc<P>>,
        server: fn(Arc<P>) -> S,
        client: fn(Arc<dyn rpc::Transport>) -> Arc<P>,
    ) -> Arc<P> {
        let Some(service) = service else {
            return client(
                self.remote.clone().expect("the settings have a broker unless everything is hosted"),
            );
        };
        self.fleet.serve(server(service.clone()));
        match self.transport {
            Transport::InProcess => service,
            Transport::Loopback => client(Arc::new(Loopback(Arc::new(server(service))))),
        }
    }
}

async fn connect(
    settings: &Settings,
    dbs: &Databases,
    fleet: &Fleet,
    clock: Arc<dyn Clock>,
    signer: Signer,
) -> Result<(Modules, Ports)> {
    use contracts::{
        cart as c, customer as cu, idempotency as i, metadata as m, notification as n, order as o,
        payment as pa, product as p, recommendation as re, review as r, shipping as s,
    };
    let wires = Wires { transport: settings.modules.transport, fleet, remote: fleet.transport() };
    let crash = CrashPoints::parse(&settings.testing.crash_at)?;

    // A service that is hosted here, as one of its ports.
    macro_rules! port {
        ($service:expr, $Port:ty, $($module:ident)::+) => {
            wires.link(
                $service.clone().map(|service| service as Arc<$Port>),
                $($module)::+::Server,
                |remote| Arc::new($($module)::+::Client(remote)),
            )
        };
    }

    let product = match settings.hosts("product") {
        true => {
            let settings = settings.product.clone();
            Some(product::Service::new(dbs.products().clone(), clock.clone(), settings).await?)
        }
        false => None,
    };
    let products: Arc<dyn Products> = port!(product, dyn Products, p);
    let stock: Arc<dyn Stock> = port!(product, dyn Stock, p::stock);
    let customer = match settings.hosts("customer") {
        true => {
            let db = dbs.customers().clone();
            Some(customer::Service::new(db, clock.clone(), signer.clone(), settings.customer.clone()).await?)
        }
        false => None,
    };
    let customers: Arc<dyn Customers> = port!(customer, dyn Customers, cu);
    let shipping = settings
        .hosts("shipping")
        .then(|| shipping::Service::new(dbs.orders().clone(), clock.clone(), settings.shipping.clone()));
    let shippings: Arc<dyn Shipping> = port!(shipping, dyn Shipping, s);
    let cart = match settings.hosts("cart") {
        true => {
            let (db, settings) = (dbs.metadata().clone(), settings.cart.clone());
            let service =
                cart::Service::new(db, clock.clone(), products.clone(), shippings.clone(), settings);
            Some(service.await?)
        }
        false => None,
    };
    let carts: Arc<dyn Carts> = port!(cart, dyn Carts, c);
    let payment = settings.hosts("payment").then(|| {
        let (db, settings) = (dbs.orders().clone(), settings.payment.clone());
        payment::Service::new(db, clock.clone(), signer.clone(), crash.clone(), settings)
    });
    let payments: Arc<dyn Payments> = port!(payment, dyn Payments, pa);
    let order = settings.hosts("order").then(|| {
        order::Service::new(
            dbs.orders().clone(),
            clock.clone(),
            signer.clone(),
            crash,
            carts.clone(),
            stock.clone(),
            payments.clone(),
            shippings.clone(),
            settings.order.clone(),
        )
    });
    let orders: Arc<dyn Orders> = port!(order, dyn Orders, o);
    let idempotency: Arc<dyn Idempotency> = port!(order, dyn Idempotency, i);
    let metadata = settings
        .hosts("metadata")
        .then(|| metadata::Service::new(dbs.metadata().clone(), clock.clone(), settings.metadata.clone()));
    let metadatas: Arc<dyn Metadata> = port!(metadata, dyn Metadata, m);
    let notification = match settings.hosts("notification") {
        true => {
            let (db, settings) = (dbs.metadata().clone(), settings.notification.clone());
            Some(notification::Service::new(db, clock.clone(), signer, settings).await?)
        }
        false => None,
    };
    let notifications: Arc<dyn Notifications> = port!(notification, dyn Notifications, n);
    let review = settings.hosts("review").then(|| {
        let (db, settings) = (dbs.metadata().clone(), settings.review);
        review::Service::new(db, clock.clone(), products.clone(), customers.clone(), settings)
    });
    let reviews: Arc<dyn Reviews> = port!(review, dyn Reviews, r);
    let recommendation = match settings.hosts("recommendation") {
        true => {
            let db = dbs.metadata().clone();
            let settings =
                recommendation::Settings { several: settings.is_shared(), ..settings.recommendation.clone() };
            Some(recommendation::Service::new(db, clock, products.clone(), settings).await?)
        }
        false => None,
    };
    let recommendations: Arc<dyn Recommendations> = port!(recommendation, dyn Recommendations, re);

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
