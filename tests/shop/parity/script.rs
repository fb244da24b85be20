//! A shop's life, made from a seed: what is asked depends on the seed and on earlier answers, never on the time.
//!
//! A day has a morning for staff, hours for shoppers, and an evening in which parcels leave and money goes back. Between
//! them the script waits until nothing happens by itself any more, and while something may still happen to a thing (an
//! order that its bank is about to confirm, a cart whose order has just been placed) the script leaves it alone.

use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use reqwest::Method;
use serde_json::{Value, json};

use super::names::Names;
use crate::{
    client::{Answer, Client},
    harness::{OWNER, PASSWORD, Shop, address, eur, list, log_in, text},
};

/// How long it may take until nothing happens by itself any more.
const PATIENCE: Duration = Duration::from_secs(60);
/// So many looks in a row must see nothing: what a consumer has just taken from its queue is in no queue.
const LOOKS: usize = 3;
/// Operations of a day.
const DAY: usize = 80;

/// What the script knows of the shop, and what it has heard.
pub struct Script<'a> {
    pub(super) shop: &'a Shop,
    pub(super) names: Names,
    /// One line for each operation: what was asked, and how it ended.
    pub(super) outcomes: Vec<String>,
    pub(super) owner: Client,
    pub(super) support: Client,
    pub(super) day: usize,
    /// As they were last answered.
    pub(super) products: Vec<Value>,
    pub(super) promotions: Vec<Value>,
    pub(super) definitions: Vec<Value>,
    pub(super) pages: Vec<Value>,
    pub(super) price_lists: Vec<Value>,
    pub(super) categories: Vec<String>,
    pub(super) collections: Vec<String>,
    /// A second place where stock lies.
    pub(super) location: String,
    /// The country and the id of each way to send something.
    pub(super) methods: Vec<(&'static str, String)>,
    pub(super) settings_version: i64,
    /// What carries custom fields: kind, id, version.
    pub(super) fields: Vec<(&'static str, String, i64)>,
    pub(super) people: Vec<Person>,
    pub(super) carts: Vec<Basket>,
    pub(super) orders: Vec<Bought>,
    /// Orders whose shopper has not answered yet, and where the answer goes.
    pub(super) waiting: Vec<(String, String)>,
    pub(super) reviews: Vec<Opinion>,
    rng: StdRng,
}

/// Somebody with an account.
pub struct Person {
    pub id: String,
    pub email: String,
    /// Signed in, and on which day.
    pub client: Option<(usize, Client)>,
    pub verified: bool,
    pub erased: bool,
    pub addresses: Vec<String>,
}

/// A cart that somebody fills.
#[derive(Clone)]
pub struct Basket {
    pub id: String,
    pub owner: Option<usize>,
    pub currency: &'static str,
    pub lines: Vec<String>,
    /// An order has taken it or is about to: nobody knows until everything is quiet.
    pub busy: bool,
}

/// An order that was answered.
#[derive(Clone)]
pub struct Bought {
    pub id: String,
    pub token: String,
    /// The id and the quantity of each line.
    pub lines: Vec<(String, i64)>,
    pub total: Value,
    pub shipments: Vec<String>,
    /// The day on which something was done to it.
    pub touched: usize,
    /// Cancelled, or refused to be changed.
    pub ended: bool,
}

/// A review.
#[derive(Clone)]
pub struct Opinion {
    pub id: String,
    pub author: usize,
    pub version: i64,
}

impl<'a> Script<'a> {
    /// Opens the shop for more than Germany, and for its first days.
    pub async fn begin(shop: &'a Shop, seed: u64) -> Self {
        let mut script = Self {
            shop,
            names: Names::default(),
            outcomes: Vec::new(),
            owner: shop.owner.clone(),
            support: shop.staff("support").await,
            day: 0,
            products: Vec::new(),
            promotions: Vec::new(),
            definitions: Vec::new(),
            pages: Vec::new(),
            price_lists: Vec::new(),
            categories: Vec::new(),
            collections: Vec::new(),
            location: String::new(),
            methods: vec![("DE", shop.method.clone())],
            settings_version: 0,
            fields: Vec::new(),
            people: Vec::new(),
            carts: Vec::new(),
            orders: Vec::new(),
            waiting: Vec::new(),
            reviews: Vec::new(),
            rng: StdRng::seed_from_u64(seed),
        };
        script.open().await;
        script
    }

    /// Zones, taxes, a second place for stock, and the first of everything.
    async fn open(&mut self) {
        for (country, price, tax, included) in [("AT", 990, 2000, true), ("US", 1990, 825, false)] {
            let dollars = json!({"price": {"amount": price + 200, "currency": "USD"}});
            let method = json!({"name": "Abroad", "carrier": "UPS", "tiers": [{"price": eur(price)}, dollars],
                "free_above": [eur(20_000)], "min_days": 3, "max_days": 8});
            let zone = json!({"name": country, "countries": [country], "methods": [method]});
            let zone = self.staff(Method::POST, "/admin/shipping_zones", zone).await.expect(201);
            self.methods.push((country, text(&zone["methods"][0]["id"])));
            let rate = json!({"country": country, "tax_class": "standard", "name": "Tax",
                "rate_basis_points": tax, "included": included});
            self.staff(Method::POST, "/admin/tax_rates", rate).await.expect(201);
        }
        let attic = json!({"name": "Attic", "priority": 5});
        let attic = self.staff(Method::POST, "/admin/inventory/locations", attic).await.expect(201);
        self.location = text(&attic["id"]);
        for _ in 0..4 {
            self.register().await;
        }
        for _ in 0..8 {
            self.make_product().await;
        }
        self.make_category().await;
        for _ in 0..4 {
            self.make_promotion().await;
        }
        self.define().await;
    }

    /// Lives so many operations, and comes to rest.
    pub async fn live(&mut self, operations: usize) {
        while self.outcomes.len() < operations {
            self.day += 1;
            let (email, password) = OWNER;
            self.owner = log_in(&self.shop.guest, email, password).await;
            self.support = log_in(&self.shop.guest, "support@example.com", PASSWORD).await;
            let hour = |part: usize, at: usize| (at + DAY * part / 100).min(operations);
            let dawn = self.outcomes.len();
            self.morning(hour(20, dawn)).await;
            self.settle().await;
            self.hours(hour(65, dawn)).await;
            self.answer_banks().await;
            self.settle().await;
            self.close_carts().await;
            self.look_round().await;
            self.erase_somebody().await;
            self.evening(hour(100, dawn)).await;
            self.settle().await;
        }
    }

    /// Waits until nothing happens by itself any more.
    pub async fn settle(&self) {
        let (began, mut quiet) = (Instant::now(), 0);
        while quiet < LOOKS {
            quiet = if self.is_quiet().await { quiet + 1 } else { 0 };
            assert!(began.elapsed() < PATIENCE, "not quiet within {PATIENCE:?} on day {}", self.day);
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// No order is on its way, no goods are held, and every event was heard.
    async fn is_quiet(&self) -> bool {
        let report = self.owner.get("/admin/system").await.expect(200);
        let members = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let told = members(&report["outboxes"]).iter().all(|outbox| outbox["unpublished"] == 0);
        let queues = members(&report["processes"])
            .iter()
            .flat_map(|process| members(&process["queues"]))
            .collect::<Vec<_>>();
        if !told || queues.iter().any(|queue| queue["waiting"] != 0) {
            return false;
        }
        let pending = self.owner.get("/admin/orders?status=pending&limit=1").await.expect(200);
        list(&pending).is_empty()
    }

    /// Asks the API for something, and notes how that ended. A body of `null` is none.
    pub(super) async fn ask(
        &mut self,
        who: &Client,
        method: Method,
        path: &str,
        body: Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = who.request(method.clone(), path);
        if !body.is_null() {
            request = request.json(&body);
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = request.send().await;
        let path = self.names.text(shown(path));
        self.note(&format!("{method} {path}"), &answer);
        answer
    }

    /// How an operation ended: its status, what was refused, and the sum and state of what it is about.
    pub(super) fn note(&mut self, what: &str, answer: &Answer) {
        self.names.learn(&answer.body);
        let body = &answer.body;
        let mut line = format!("{} {what}: {}", self.outcomes.len() + 1, answer.status);
        // How often an order was written depends on who was faster, its checkout or the news of its payment.
        let version = if body["fulfillment_status"].is_null() { &body["version"] } else { &Value::Null };
        for said in [&body["code"], &body["status"], &body["total"]["amount"], version] {
            // A problem says its status again.
            if !said.is_null() && *said != json!(answer.status) {
                line += &format!(" {said}");
            }
        }
        self.outcomes.push(line);
    }

    /// Adds something to the last outcome.
    pub(super) fn remark(&mut self, said: &Value) {
        let said = self.names.canonical(said);
        if let Some(last) = self.outcomes.last_mut() {
            *last += &format!(" {said}");
        }
    }

    /// Asks as somebody who may do everything.
    pub(super) async fn staff(&mut self, method: Method, path: &str, body: Value) -> Answer {
        let owner = self.owner.clone();
        self.ask(&owner, method, path, body, &[]).await
    }

    /// The same, having seen a version: now and then one that is past.
    pub(super) async fn staff_having_seen(
        &mut self,
        method: Method,
        path: &str,
        body: Value,
        version: i64,
    ) -> Answer {
        let seen = if self.chance(8) { version - 1 } else { version };
        let owner = self.owner.clone();
        self.ask(&owner, method, path, body, &[("if-match", &format!("\"{seen}\""))]).await
    }

    /// The same as one of the shoppers; `None` is a guest.
    pub(super) async fn shopper(
        &mut self,
        who: Option<usize>,
        method: Method,
        path: &str,
        body: Value,
    ) -> Answer {
        let who = self.client_of(who).await;
        self.ask(&who, method, path, body, &[]).await
    }

    /// Everybody signs in anew each day: an access token does not live long, and says in which group one is.
    pub(super) async fn client_of(&mut self, who: Option<usize>) -> Client {
        let Some(who) = who else { return self.shop.guest.clone() };
        let person = &mut self.people[who];
        match &person.client {
            Some((day, client)) if *day == self.day || person.erased => client.clone(),
            _ => {
                let client = log_in(&self.shop.guest, &person.email, PASSWORD).await;
                person.client = Some((self.day, client.clone()));
                client
            }
        }
    }

    /// A number below `count`, if there is one.
    pub(super) fn one_of(&mut self, count: usize) -> Option<usize> {
        (count > 0).then(|| self.rng.random_range(0..count))
    }

    pub(super) fn between(&mut self, least: i64, most: i64) -> i64 {
        self.rng.random_range(least..=most)
    }

    pub(super) fn chance(&mut self, percent: i64) -> bool {
        self.between(1, 100) <= percent
    }

    /// One of these, the heavier the likelier.
    pub(super) fn choose(&mut self, weights: &[(i64, &'static str)]) -> &'static str {
        let mut left = self.between(1, weights.iter().map(|(weight, _)| weight).sum());
        for (weight, what) in weights {
            left -= weight;
            if left <= 0 {
                return what;
            }
        }
        unreachable!("the weights were added up")
    }

    /// Somebody who has an account still.
    pub(super) fn somebody(&mut self) -> Option<usize> {
        let here: Vec<usize> = (0..self.people.len()).filter(|who| !self.people[*who].erased).collect();
        self.one_of(here.len()).map(|i| here[i])
    }

    /// A variant that is or was for sale, and its product; the first ones sell best.
    pub(super) fn some_variant(&mut self) -> (usize, Value) {
        let most = if self.chance(50) { self.products.len().min(5) } else { self.products.len() };
        let mut product = self.one_of(most).expect("the first day begins with products");
        if self.products[product]["status"] != "published" && self.chance(90) {
            let published = (0..self.products.len()).filter(|i| self.products[*i]["status"] == "published");
            let published: Vec<usize> = published.collect();
            product = self.one_of(published.len()).map_or(product, |i| published[i]);
        }
        let variants = self.products[product]["variants"].as_array().unwrap().clone();
        let variant = self.one_of(variants.len()).expect("a product has a variant");
        (product, variants[variant].clone())
    }

    pub(super) fn some_address(&mut self, country: &str) -> Value {
        let mut address = address(country);
        address["line1"] = format!("Hauptstr. {}", self.between(1, 99)).into();
        address
    }

    /// A key that nobody else has and that is the same in every run.
    pub(super) fn key(&self) -> String {
        format!("operation-{}", self.outcomes.len() + 1)
    }
}

/// A path without what is secret in it.
fn shown(path: &str) -> &str {
    let path = path.split("?token=").next().unwrap_or(path);
    match path.strip_prefix("/email_verifications/") {
        Some(_) => "/email_verifications/…",
        None => path,
    }
}
