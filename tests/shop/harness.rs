//! A whole shop on a port of its own, with everything in one temporary folder.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use bodega::{App, Settings, settings::MODULES};
use contracts::customer::NewStaff;
use serde_json::{Value, json};
use shared::testing;
use tokio::sync::oneshot;

use crate::client::Client;

/// How long anything that happens by itself may take.
const PATIENCE: Duration = Duration::from_secs(15);

pub const OWNER: (&str, &str) = ("owner@example.com", "bodega-owner");
/// The password of everybody a test makes up.
pub const PASSWORD: &str = "correct horse battery";

/// How the modules of the shop reach each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    InProcess,
    /// Every call is serialised and deserialised, as between processes.
    Loopback,
    /// Every module for itself, with a real broker between them (`BODEGA_TEST_RABBITMQ_URL`).
    #[cfg(feature = "distributed")]
    Split,
}

/// A running shop with an owner, a German shipping zone and German taxes.
pub struct Shop {
    pub app: Arc<App>,
    /// Nobody in particular.
    pub guest: Client,
    pub owner: Client,
    /// The German shipping method, at 4.90 EUR.
    pub method: String,
    _running: Running,
    _folder: tempfile::TempDir,
}

/// The thread that a shop runs on.
pub struct Running(Option<(oneshot::Sender<()>, JoinHandle<()>)>);

/// Something to buy.
#[derive(Clone, Debug)]
pub struct Goods {
    pub product: String,
    pub slug: String,
    pub variant: String,
    pub sku: String,
}

/// What is there of a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stock {
    pub on_hand: i64,
    pub reserved: i64,
}

impl Shop {
    /// Starts an empty shop with these settings, and opens it for business.
    pub async fn start(shape: Shape, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (app, address, running) = run(self::settings(folder.path(), shape, settings).await).await;
        let (email, password) = OWNER;
        let owner = NewStaff {
            email: email.parse().unwrap(),
            name: Some("Olga Owner".into()),
            role: "owner".into(),
            password: Some(password.into()),
        };
        app.ports.customers.add_staff(owner).await.unwrap();
        let guest = Client::new(format!("http://{address}"));
        let owner = log_in(&guest, email, password).await;
        let method = zone(&owner, "Germany", &["DE"], 490).await;
        tax(&owner, "DE", 1900, true).await;
        Self { app, guest, owner, method, _running: running, _folder: folder }
    }

    /// Something at 25.00 EUR of which there are `stock`.
    pub async fn buyable(&self, stock: i64) -> Goods {
        self.goods("Mug", 2500, stock).await
    }

    /// A published product with one variant.
    pub async fn goods(&self, title: &str, price: i64, stock: i64) -> Goods {
        goods(&self.owner, title, price, stock).await
    }

    /// A published product as given; its first variant is what `Goods` names.
    pub async fn product(&self, product: Value) -> Goods {
        offer(&self.owner, product).await
    }

    /// Somebody with an account, signed in.
    pub async fn customer(&self, email: &str) -> Client {
        let new = json!({"email": email, "password": PASSWORD, "name": "Carla Customer"});
        self.guest.post("/customers", &new).await.expect(201);
        log_in(&self.guest, email, PASSWORD).await
    }

    /// Somebody who works here, signed in.
    pub async fn staff(&self, role: &str) -> Client {
        let email = format!("{role}@example.com");
        let new = json!({"email": email, "role": role, "password": PASSWORD});
        self.owner.post("/admin/staff", &new).await.expect(201);
        log_in(&self.guest, &email, PASSWORD).await
    }

    /// What `who` would send to buy `units` of it.
    pub async fn order_for(&self, who: &Client, goods: &Goods, units: i64, token: &str) -> Value {
        let cart = cart(who, &[(goods, units)]).await;
        self.checkout_of(&cart, token)
    }

    /// What buys this cart.
    pub fn checkout_of(&self, cart: &Value, token: &str) -> Value {
        json!({
            "cart_id": cart["id"],
            "email": "ada@example.com",
            "shipping_address": address("DE"),
            "shipping_option_id": self.method,
            "payment": {"provider": "test", "token": token},
        })
    }

    /// A guest's placed order.
    pub async fn buy(&self, goods: &Goods, units: i64) -> Value {
        self.buy_as(&self.guest, goods, units).await
    }

    /// Somebody's placed order.
    pub async fn buy_as(&self, who: &Client, goods: &Goods, units: i64) -> Value {
        let body = self.order_for(who, goods, units, "tok_ok").await;
        let order = check_out(who, &body).await.expect(201);
        assert_eq!(order["status"], "placed", "{order}");
        order
    }

    /// An order as staff see it now.
    pub async fn order(&self, id: &Value) -> Value {
        self.owner.get(&format!("/admin/orders/{}", text(id))).await.expect(200)
    }

    /// Every order of a status.
    pub async fn orders(&self, status: &str) -> Vec<Value> {
        all(&self.owner, &format!("/admin/orders?status={status}")).await
    }

    /// Waits until an order has this status.
    pub async fn order_becomes(&self, id: &Value, status: &str) -> Value {
        eventually(&format!("order {id} becomes {status}"), async || {
            let order = self.order(id).await;
            (order["status"] == status).then_some(order)
        })
        .await
    }

    /// What is there; also checks that it is what the movements say.
    pub async fn stock(&self, goods: &Goods) -> Stock {
        let levels = all(&self.owner, &format!("/admin/inventory/levels?variant_id={}", goods.variant)).await;
        let sum = |member: &str| levels.iter().map(|level| number(&level[member])).sum();
        let stock = Stock { on_hand: sum("on_hand"), reserved: sum("reserved") };
        let moves =
            all(&self.owner, &format!("/admin/inventory/movements?variant_id={}", goods.variant)).await;
        let moved: i64 = moves.iter().map(|movement| number(&movement["delta"])).sum();
        assert_eq!(moved, stock.on_hand, "{moves:?}");
        assert!(0 <= stock.reserved && stock.reserved <= stock.on_hand, "{stock:?}");
        assert_eq!(sum("available"), stock.on_hand - stock.reserved, "{levels:?}");
        stock
    }

    /// The mails of a kind that somebody got so far.
    pub async fn mails(&self, to: &str, template: &str) -> Vec<Value> {
        let page =
            self.guest.root(reqwest::Method::GET, &format!("/dev/mail.json?limit=100&to={to}")).send().await;
        let mails = list(&page.expect(200));
        mails.into_iter().filter(|mail| mail["template"] == template).collect()
    }

    /// Waits for a mail of a kind and returns the newest.
    pub async fn mail(&self, to: &str, template: &str) -> Value {
        let what = format!("{to} gets {template}");
        eventually(&what, async || self.mails(to, template).await.into_iter().next()).await
    }
}

impl Drop for Running {
    /// Stops it as SIGTERM would, and waits until everything is over.
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.0.take() {
            stop.send(()).ok();
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the shop panicked");
        }
    }
}

/// What a shop in `folder` runs with.
pub async fn settings(folder: &Path, shape: Shape, more: &[(&str, &str)]) -> Settings {
    let transport = if shape == Shape::Loopback { "loopback" } else { "in_process" };
    // Whoever has others in mind names them: none is made on a server for nobody.
    let databases = match more.iter().any(|(key, _)| *key == "database.products") {
        true => Vec::new(),
        false => testing::databases(folder).await.unwrap().to_vec(),
    };
    let mut all = vec![
        ("data_dir", folder.to_str().unwrap()),
        ("demo", "false"),
        ("server.listen", "127.0.0.1:0"),
        ("server.workers", "2"),
        ("server.shutdown_seconds", "2"),
        ("modules.transport", transport),
    ];
    all.extend(databases.iter().map(|(key, url)| (*key, url.as_str())));
    let redis = testing::redis();
    if let Some(url) = &redis {
        // Nobody else's folder has this name.
        let namespace = folder.file_name().unwrap().to_str().unwrap();
        all.extend([("cache.url", url.as_str()), ("cache.namespace", namespace)]);
    }
    #[cfg(feature = "distributed")]
    let broker = testing::rabbitmq();
    #[cfg(feature = "distributed")]
    if shape == Shape::Split {
        let url = broker.as_deref().expect("a broker is named: rules! looks for it");
        let namespace = folder.file_name().unwrap().to_str().unwrap();
        let secret = ("secret_key", "the key that all processes of this shop have");
        all.extend([("broker.url", url), ("broker.namespace", namespace), secret]);
    }
    all.extend(more);
    Settings::with(&all).unwrap()
}

/// The settings of each process of the shop: one, or as many as may be.
fn processes(settings: Settings) -> Vec<Settings> {
    if !settings.is_shared() {
        return vec![settings];
    }
    // Modules that share an embedded database share a process.
    let mut groups: Vec<Vec<String>> = vec![vec!["gateway".into(), "web".into()]];
    for (database, url) in settings.databases() {
        let tenants = MODULES.iter().filter(|module| module.database == Some(database));
        let tenants = tenants.map(|module| module.name.to_owned());
        if url.starts_with("sqlite:") {
            groups.push(tenants.collect());
        } else {
            groups.extend(tenants.map(|module| vec![module]));
        }
    }
    let process = |group| Settings { instance: fresh(), ..settings.clone().hosting(group).unwrap() };
    groups.into_iter().map(process).collect()
}

/// Waits until a shop of several processes is there as a whole.
async fn complete(app: &App) {
    if app.settings.is_shared() {
        wait_for("every process answers", async || {
            let report = app.system().report().await.unwrap();
            report.modules.iter().all(|module| module.place != "missing")
        })
        .await;
    }
}

/// The shop gets a thread, as its process would be: a test that panics can still stop it and wait for its end.
pub async fn run(settings: Settings) -> (Arc<App>, SocketAddr, Running) {
    let (started, wait) = mpsc::channel();
    let (stop, stopped) = oneshot::channel();
    let thread = std::thread::spawn(move || {
        actix_rt::System::new().block_on(async move {
            let databases = settings.databases();
            let mut apps = Vec::new();
            for settings in processes(settings) {
                let app = Arc::new(App::build(settings).await.unwrap());
                app.start().await.unwrap();
                apps.push(app);
            }
            let app = apps[0].clone();
            complete(&app).await;
            let (server, addresses) = app.serve().unwrap();
            let handle = server.handle();
            let running = actix_rt::spawn(server);
            started.send((app.clone(), addresses[0])).unwrap();
            stopped.await.ok();
            handle.stop(true).await;
            running.await.unwrap().unwrap();
            for app in apps {
                app.stop().await;
            }
            for (_, url) in databases {
                testing::discard(&url).await.unwrap();
            }
        });
    });
    let ready = tokio::task::spawn_blocking(move || wait.recv()).await.unwrap();
    let (app, address) = ready.expect("the shop starts");
    (app, address, Running(Some((stop, thread))))
}

/// Signs in.
pub async fn log_in(client: &Client, email: &str, password: &str) -> Client {
    let tokens = client.post("/sessions", &json!({"email": email, "password": password})).await.expect(201);
    client.with_token(tokens["access_token"].as_str().unwrap())
}

/// A published product with one variant.
pub async fn goods(owner: &Client, title: &str, price: i64, stock: i64) -> Goods {
    let sku = format!("SKU-{}", fresh());
    offer(owner, json!({"title": title, "variants": [variant(&sku, price, stock)]})).await
}

/// A published product as given.
async fn offer(owner: &Client, mut product: Value) -> Goods {
    if product["status"].is_null() {
        product["status"] = "published".into();
    }
    let product = owner.post("/admin/products", &product).await.expect(201);
    Goods {
        product: text(&product["id"]),
        slug: text(&product["slug"]),
        variant: text(&product["variants"][0]["id"]),
        sku: text(&product["variants"][0]["sku"]),
    }
}

/// A shipping zone with one method; returns the method's id.
pub async fn zone(owner: &Client, name: &str, countries: &[&str], price: i64) -> String {
    let tiers = json!([{"price": eur(price)}]);
    let method = json!({"name": "Standard", "carrier": "DHL", "tiers": tiers, "min_days": 1, "max_days": 3});
    let zone = json!({"name": name, "countries": countries, "methods": [method]});
    let zone = owner.post("/admin/shipping_zones", &zone).await.expect(201);
    text(&zone["methods"][0]["id"])
}

/// A tax of the standard class.
pub async fn tax(owner: &Client, country: &str, basis_points: i64, included: bool) {
    let rate = json!({"country": country, "tax_class": "standard", "name": "Tax",
        "rate_basis_points": basis_points, "included": included});
    owner.post("/admin/tax_rates", &rate).await.expect(201);
}

/// A cart with these units of these goods.
pub async fn cart(who: &Client, wanted: &[(&Goods, i64)]) -> Value {
    let line = |(goods, quantity): &(&Goods, i64)| json!({"variant_id": goods.variant, "quantity": quantity});
    let lines: Vec<Value> = wanted.iter().map(line).collect();
    who.post("/carts", &json!({"lines": lines})).await.expect(201)
}

/// Checks out with a key of its own.
pub async fn check_out(who: &Client, body: &Value) -> crate::client::Answer {
    who.post_once("/checkout", body, &fresh()).await
}

/// Every item of a list, page by page.
pub async fn all(who: &Client, path: &str) -> Vec<Value> {
    let join = if path.contains('?') { '&' } else { '?' };
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = who.get(&format!("{path}{join}limit=100{cursor}")).await.expect(200);
        items.extend(list(&page));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

/// Waits for something that happens by itself.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until something is true by itself.
pub async fn wait_for(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    eventually(what, async || holds().await.then_some(())).await;
}

pub fn variant(sku: &str, price: i64, stock: i64) -> Value {
    json!({"sku": sku, "prices": [eur(price)], "stock": stock, "weight_grams": 300})
}

pub fn address(country: &str) -> Value {
    json!({"name": "Ada Lovelace", "line1": "Hauptstr. 1", "city": "Berlin", "postal_code": "10115", "country": country})
}

pub fn eur(amount: i64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

/// A text that nobody else has: a key, a part of a SKU.
pub fn fresh() -> String {
    shared::telemetry::trace_id()
}

#[track_caller]
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

#[track_caller]
pub fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("no number: {value}"))
}

#[track_caller]
pub fn list(page: &Value) -> Vec<Value> {
    page["data"].as_array().unwrap_or_else(|| panic!("no list: {page}")).clone()
}

/// The sums of a cart or an order add up, whatever they are.
#[track_caller]
pub fn adds_up(priced: &Value) {
    let sum = |member: &str| number(&priced[member]["amount"]);
    let tax = if priced["prices_include_tax"] == true { 0 } else { sum("tax_total") };
    let total = sum("subtotal") - sum("discount_total") + sum("shipping_total") + tax;
    assert_eq!(sum("total"), total, "{priced}");
    assert!(sum("total") >= 0 && sum("discount_total") >= 0, "{priced}");
    let lines = priced["lines"].as_array().unwrap();
    let subtotal: i64 =
        lines.iter().map(|l| number(&l["unit_price"]["amount"]) * number(&l["quantity"])).sum();
    assert_eq!(sum("subtotal"), subtotal, "{priced}");
}
