//! A whole shop in this process, on servers that a test may kill.

use std::{sync::Arc, time::Duration};

use bodega::{App, Settings};
use contracts::customer::NewStaff;
use diesel_async::SimpleAsyncConnection;
use shared::db::{Db, Options, on};

use crate::{
    books,
    client::Client,
    harness::{OWNER, Running, fresh, run, wait_for},
    journal::Journal,
    servers::Servers,
    shoppers::Town,
};

/// What makes things happen soon enough for a test.
const IMPATIENT: [(&str, &str); 12] = [
    ("demo", "false"),
    ("server.listen", "127.0.0.1:0"),
    ("server.workers", "2"),
    ("server.shutdown_seconds", "2"),
    ("order.reservation_seconds", "3"),
    ("order.call_timeout_seconds", "4"),
    ("order.lease_seconds", "5"),
    ("payment.test.confirm_after_seconds", "0"),
    ("payment.settle_after_seconds", "1"),
    ("payment.reconcile_seconds", "1"),
    ("product.sweep_seconds", "1"),
    ("gateway.limits.checkout_per_address", "1000000"),
];

/// How long a request may take at most: what a checkout may, and half a second.
pub const DEADLINE: Duration = Duration::from_millis(10_500);

/// How often somebody comes.
pub const EVERY: Duration = Duration::from_millis(25);

/// A running shop with goods. Its servers end after it.
pub struct Shop {
    pub guest: Client,
    pub town: Arc<Town>,
    pub app: Arc<App>,
    _running: Running,
    pub servers: Servers,
    _folder: tempfile::TempDir,
}

impl Shop {
    /// Opens on new servers: of `postgres`, `mongodb` and `redis` those that are named. What has none is embedded.
    pub async fn open(servers: &[&'static str], more: &[(&str, &str)]) -> Self {
        let servers = Servers::start(servers).await;
        let folder = tempfile::tempdir().unwrap();
        let mut settings = vec![("data_dir".to_owned(), folder.path().display().to_string())];
        settings.extend(databases(&servers).await);
        let mut all: Vec<_> = settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        all.extend(IMPATIENT);
        all.extend(more);
        let (app, address, running) = run(Settings::with(&all).unwrap()).await;
        let owner = NewStaff {
            email: OWNER.0.parse().unwrap(),
            name: None,
            role: "owner".into(),
            password: Some(OWNER.1.into()),
        };
        app.ports.customers.add_staff(owner).await.unwrap();
        let guest = Client::new(format!("http://{address}"));
        let town = Arc::new(Town::found(&guest).await);
        Self { guest, town, app, _running: running, servers, _folder: folder }
    }

    /// Everything comes to rest by itself; nobody has lost anything, and the books balance.
    pub async fn owes_nobody_anything(&self, journal: Journal) {
        let counter = self.town.counter(&self.guest).await;
        journal.ask_again(&counter).await;
        wait_for("everything comes to rest", async || counter.is_quiet().await).await;
        journal.is_kept(&counter).await;
        books::add_up_at_the_counter(&counter).await;
        books::add_up_in_the_database(self.app.databases.orders()).await;
    }
}

/// A new database for everything that a server is there for.
async fn databases(servers: &Servers) -> Vec<(String, String)> {
    let mut settings = Vec::new();
    if let Some(url) = servers.postgres() {
        let admin = Db::open(&format!("{url}/postgres"), &Options::default()).await.unwrap();
        for name in ["customers", "orders"] {
            let create = format!("create database {name}");
            on!(&mut admin.get().await.unwrap(), |c| c.batch_execute(&create).await).unwrap();
            settings.push((format!("database.{name}"), format!("{url}/{name}")));
        }
    }
    if let Some((host, query)) = servers.mongodb().and_then(|url| url.split_once("/?")) {
        for name in ["products", "metadata"] {
            settings.push((format!("database.{name}"), format!("{host}/{name}?{query}")));
        }
    }
    if let Some(url) = servers.redis() {
        settings.push(("cache.url".into(), url.to_owned()));
        settings.push(("cache.namespace".into(), fresh()));
    }
    settings
}
