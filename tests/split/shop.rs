//! The cluster as a shop: with goods, and with books that have to add up.

use std::{path::Path, sync::Arc, time::Duration};

use shared::db::{Db, Options};

use crate::{
    books,
    client::Client,
    cluster::{Cluster, within},
    harness::{all, list, number},
    journal::Journal,
    shoppers::{Counter, Town},
    tls,
};

/// How long everything may take to come to rest.
const REST: Duration = Duration::from_secs(60);

/// How long a request may take at most: what a checkout may, and half a second.
pub const DEADLINE: Duration = Duration::from_millis(10_500);

/// How often somebody comes: two dozen processes in one machine do less than one.
pub const EVERY: Duration = Duration::from_millis(100);

/// A shop with goods behind nginx.
pub struct Shop {
    /// Comes through nginx, over TLS.
    pub guest: Client,
    pub town: Arc<Town>,
    orders: Db,
    pub cluster: Cluster,
}

impl Shop {
    pub async fn open() -> Self {
        let cluster = Cluster::start().await;
        let address =
            cluster.named("CLUSTER_URL").rsplit('/').next().unwrap().replace("localhost", "127.0.0.1");
        let entrance = tls::entrance(address.parse().unwrap(), Path::new(cluster.named("CLUSTER_CA"))).await;
        // A connection for each request: nginx closes idle ones when it is reloaded, and a request that is just being sent
        // on one would have to be sent again.
        let connections = reqwest::Client::builder().pool_max_idle_per_host(0);
        let guest = Client::of(connections, format!("http://{entrance}"));
        let town = Arc::new(Town::found(&guest).await);
        let url = format!("{}/orders", cluster.named("BODEGA_TEST_POSTGRES_URL"));
        let orders = Db::open(&url, &Options { readers: 2, ..Options::default() }).await.unwrap();
        Self { guest, town, orders, cluster }
    }

    pub async fn counter(&self) -> Counter {
        self.town.counter(&self.guest).await
    }

    /// Everything comes to rest by itself; nobody has lost anything, and the books balance.
    pub async fn owes_nobody_anything(&self, journal: Journal) {
        let counter = self.counter().await;
        let rest = within(REST, "everything comes to rest", async || is_quiet(&counter).await).await;
        journal.ask_again(&counter).await;
        within(REST, "it is still at rest", async || is_quiet(&counter).await).await;
        within(REST, "everybody is told", async || counter.is_quiet().await).await;
        journal.is_kept(&counter).await;
        books::add_up_at_the_counter(&counter).await;
        books::add_up_in_the_database(&self.orders).await;
        let orders = all(&counter.owner, "/admin/orders").await.len();
        println!("at rest after {rest:.1?}; the books of {orders} orders balance");
    }
}

/// No order, no event and no reservation is on its way any more, as far as all the processes know.
async fn is_quiet(counter: &Counter) -> bool {
    let levels = counter.owner.get("/admin/inventory/levels?limit=100").await;
    let pending = counter.owner.get("/admin/orders?status=pending").await;
    let report = counter.owner.get("/admin/system").await;
    if [&levels, &pending, &report].iter().any(|answer| answer.status == 503) {
        return false;
    }
    let (levels, report) = (list(&levels.expect(200)), report.expect(200));
    let reserved: i64 = levels.iter().map(|level| number(&level["reserved"])).sum();
    let there = report["modules"].as_array().unwrap().iter().all(|module| module["place"] != "missing");
    let outboxes = report["outboxes"].as_array().unwrap();
    let heard = outboxes.iter().all(|outbox| outbox["unpublished"] == 0);
    let processes = report["processes"].as_array().unwrap().iter();
    let taken =
        processes.flat_map(|process| process["queues"].as_array().unwrap()).all(|q| q["waiting"] == 0);
    reserved == 0 && list(&pending.expect(200)).is_empty() && there && heard && taken
}
