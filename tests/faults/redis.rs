//! Redis is flushed, killed, deaf and full, and Redis lies. Nobody notices.

use std::time::Duration;

use deadpool_redis::redis::{self, aio::MultiplexedConnection};
use reqwest::Method;
use serde_json::json;

use crate::{
    harness::{PASSWORD, cart, check_out, eur, fresh, goods, wait_for},
    journal::Journal,
    load::{Load, Traffic},
    shop::Shop,
};

/// How long each fault lasts.
const LASTS: Duration = Duration::from_secs(3);

/// How much slower the slowest in a hundred may be. What is faster than `QUICK` is fast enough.
const SLOWER: u32 = 3;
const QUICK: Duration = Duration::from_millis(50);

/// How many logins into one account there are in a minute: the shop's default.
const LOGINS: usize = 20;

/// Redis as its operator sees it.
struct Server(MultiplexedConnection);

impl Server {
    async fn of(shop: &Shop) -> Self {
        let client = redis::Client::open(shop.servers.redis().unwrap()).unwrap();
        Self(client.get_multiplexed_async_connection().await.unwrap())
    }

    async fn say<T: redis::FromRedisValue>(&mut self, words: &str) -> T {
        let mut command = redis::Cmd::new();
        words.split(' ').for_each(|word| {
            command.arg(word);
        });
        command.query_async(&mut self.0).await.unwrap_or_else(|error| panic!("{words}: {error}"))
    }

    /// Waits until a page is kept there.
    async fn has_pages(&mut self, shop: &Shop) {
        wait_for("pages are shared", async || {
            // One that no process has in its memory.
            let path = format!("/api/v1/products?q={}", fresh());
            shop.guest.root(Method::GET, &path).send().await.expect(200);
            !self.say::<Vec<String>>("KEYS *:page:*").await.is_empty()
        })
        .await;
    }
}

/// What is asked for before and during the faults, and what was bought.
struct Comparison {
    before: Traffic,
    journal: Journal,
}

impl Comparison {
    /// Everybody is served, and about as fast as before.
    fn add(&mut self, what: &str, traffic: Traffic) {
        let Traffic { looks, purchases, journal } = traffic;
        println!("F15 {what}: looks: {looks}; purchases: {purchases}");
        self.journal.extend(journal);
        for (before, during) in [(&self.before.looks, &looks), (&self.before.purchases, &purchases)] {
            assert!(during.served() >= 0.999, "{what}: {during}");
            let bound = before.percentile(99).max(QUICK) * SLOWER;
            assert!(during.percentile(99) <= bound, "{what}: {during}; before: {before}");
        }
    }
}

/// F15.
#[tokio::test]
async fn f15_nobody_notices_that_redis_is_flushed_killed_deaf_or_full() {
    let shop = Shop::open(&["postgres", "redis"], &[]).await;
    let mut server = Server::of(&shop).await;
    server.has_pages(&shop).await;
    let mut journal = Load::of(&shop, LASTS).await.journal;
    let mut before = Load::of(&shop, LASTS).await;
    println!("F15 before: looks: {}; purchases: {}", before.looks, before.purchases);
    journal.extend(std::mem::take(&mut before.journal));
    let mut seen = Comparison { before, journal };

    let load = Load::start(&shop).await;
    for _ in 0..LASTS.as_secs() {
        server.say::<()>("FLUSHALL").await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    seen.add("flushed each second", load.end().await);

    let load = Load::start(&shop).await;
    shop.servers.stop("redis", "KILL").await;
    tokio::time::sleep(LASTS).await;
    seen.add("killed", load.end().await);
    nobody_tries_passwords(&shop, "alan@example.com").await;
    let mut server = back(&shop).await;
    nobody_tries_passwords(&shop, "alan@example.com").await;

    let load = Load::start(&shop).await;
    server.say::<()>("CLIENT PAUSE 30000").await;
    tokio::time::sleep(LASTS).await;
    seen.add("deaf", load.end().await);
    shop.servers.stop("redis", "KILL").await;
    let mut server = back(&shop).await;

    let load = Load::start(&shop).await;
    server.say::<()>("CONFIG SET maxmemory-policy noeviction").await;
    server.say::<()>("CONFIG SET maxmemory 1mb").await;
    tokio::time::sleep(LASTS).await;
    seen.add("full", load.end().await);
    server.say::<()>("CONFIG SET maxmemory 0").await;
    server.say::<()>("FLUSHALL").await;
    server.has_pages(&shop).await;
    shop.owes_nobody_anything(seen.journal).await;
}

/// Starts Redis again and waits until the shop uses it.
async fn back(shop: &Shop) -> Server {
    shop.servers.again("redis").await;
    let since = std::time::Instant::now();
    let mut server = Server::of(shop).await;
    server.has_pages(shop).await;
    println!("F15: pages are shared again after {:?}", since.elapsed());
    server
}

/// Each process still counts for itself.
async fn nobody_tries_passwords(shop: &Shop, email: &str) {
    let guess = json!({"email": email, "password": PASSWORD});
    let mut tried = 0;
    loop {
        let answer = shop.guest.post("/sessions", &guess).await;
        if answer.status == 429 {
            return;
        }
        answer.refused(401, "invalid_credentials");
        tried += 1;
        assert!(tried <= LOGINS, "{tried} in a minute");
    }
}

/// F16: what Redis says is shown, and never charged.
#[tokio::test]
async fn f16_a_stale_price_in_redis_is_never_charged_and_stale_stock_never_sold() {
    let shop = Shop::open(&["postgres", "redis"], &[]).await;
    let counter = shop.town.counter(&shop.guest).await;
    let last = goods(&counter.owner, "Last one", 1000, 1).await;
    let mut server = Server::of(&shop).await;
    server.has_pages(&shop).await;
    let path = format!("/products/{}", last.slug);
    let shown = async || shop.guest.get(&path).await.expect(200)["variants"][0].clone();
    let is_kept = async |server: &mut Server| {
        let pages = memorize(server).await;
        pages.iter().any(|(_, page)| page.windows(last.sku.len()).any(|part| part == last.sku.as_bytes()))
    };
    assert_eq!((&shown().await["price"], &shown().await["available"]), (&eur(1000), &json!(1)));
    wait_for("it is kept", async || is_kept(&mut server).await).await;
    let lies = memorize(&mut server).await;

    // In truth it is dearer now.
    let dearer = json!({"variants": [{"sku": last.sku, "prices": [eur(1500)]}]});
    let path = format!("/admin/products/{}", last.product);
    let change = counter.owner.request(Method::PATCH, &path).header("if-match", "*");
    change.json(&dearer).send().await.expect(200);
    wait_for("the truth is shown", async || shown().await["price"] == eur(1500)).await;
    // The truth may come once more meanwhile: there are several words about one change.
    wait_for("the old price is shown", async || {
        lie(&mut server, &lies).await;
        shown().await["price"] == eur(1000)
    })
    .await;

    let cart = cart(&shop.guest, &[(&last, 1)]).await;
    let body = shop.town.checkout_of(&cart, "ada@example.com", "tok_ok");
    let order = check_out(&shop.guest, &body).await.expect(201);
    assert_eq!((&order["subtotal"], &order["total"]), (&eur(1500), &eur(1500 + 490)));
    assert_eq!(order["captured_total"], order["total"]);

    // In truth it is sold.
    wait_for("the truth is shown", async || shown().await["available"] == 0).await;
    wait_for("one is shown", async || {
        lie(&mut server, &lies).await;
        shown().await["available"] == 1
    })
    .await;
    let line = json!({"lines": [{"variant_id": last.variant, "quantity": 1}]});
    shop.guest.post("/carts", &line).await.refused(409, "out_of_stock");
}

/// Every page that Redis has, by its key.
async fn memorize(server: &mut Server) -> Vec<(String, Vec<u8>)> {
    let mut pages = Vec::new();
    for key in server.say::<Vec<String>>("KEYS *:page:*").await {
        let page = server.say(&format!("GET {key}")).await;
        pages.push((key, page));
    }
    pages
}

/// Redis has these pages again, has never heard of their changes, and lets everybody believe them.
async fn lie(server: &mut Server, pages: &[(String, Vec<u8>)]) {
    for key in server.say::<Vec<String>>("KEYS *:drop:*").await {
        server.say::<()>(&format!("DEL {key}")).await;
    }
    for (key, page) in pages {
        let mut command = redis::cmd("SET");
        command.arg(key).arg(page);
        let () = command.query_async(&mut server.0).await.unwrap();
    }
    let namespace = pages[0].0.split(":page:").next().unwrap();
    let mut command = redis::cmd("PUBLISH");
    command.arg(format!("{namespace}:said:")).arg(r#"["a liar","Reset"]"#);
    let heard: i64 = command.query_async(&mut server.0).await.unwrap();
    assert_eq!(heard, 1, "the shop listens");
}
