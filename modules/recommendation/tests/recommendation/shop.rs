//! A shop around the module: a database, a clock that is moved by hand, and a double of the catalogue.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use contracts::{
    customer::CustomerId,
    order::{Order, OrderCancelled, OrderId, OrderPlaced, OrderStatus},
    product::{CategoryId, Product, ProductId, VariantId},
    recommendation::{
        Context, Interaction, InteractionKind, Reason, Recommendations, Recommended, Visitor, VisitorId,
    },
};
use recommendation::{Service, Settings};
use serde_json::{Value, json};
use shared::{
    Clock, Database, Error, Result, Time,
    db::Options,
    events::{Envelope, Event, EventId},
    rpc::{Method, Transport},
    time::ManualClock,
};

pub struct Shop {
    pub service: Arc<Service>,
    pub world: Arc<World>,
    pub clock: Arc<ManualClock>,
    pub db: Database,
    settings: Settings,
    _folder: tempfile::TempDir,
}

pub async fn shop() -> Shop {
    shop_with(Settings { threads: 1, ..Settings::default() }).await
}

pub async fn shop_with(settings: Settings) -> Shop {
    let folder = tempfile::tempdir().unwrap();
    let url = shared::testing::documents(folder.path(), "metadata").unwrap();
    let clock = ManualClock::at(Time::from_micros(1_800_000_000_000_000));
    let options = Options { clock: clock.clone(), ..Options::default() };
    let db = Database::open(&url, &options).await.unwrap();
    db.migrate(
        &[shared::events::MIGRATIONS, recommendation::MIGRATIONS],
        &[shared::events::SCHEMA, recommendation::SCHEMA],
    )
    .await
    .unwrap();
    let world = Arc::<World>::default();
    let service = start(&db, &clock, &world, &settings).await;
    Shop { service, world, clock, db, settings, _folder: folder }
}

async fn start(
    db: &Database,
    clock: &Arc<ManualClock>,
    world: &Arc<World>,
    settings: &Settings,
) -> Arc<Service> {
    let products = Arc::new(contracts::product::Client(world.clone()));
    Service::new(db.clone(), clock.clone(), products, settings.clone()).await.unwrap()
}

impl Shop {
    /// The process ends in order, and another takes up its work.
    pub async fn restart(&mut self) {
        self.service.flush().await.unwrap();
        self.service = start(&self.db, &self.clock, &self.world, &self.settings).await;
        // What the first worker does, which may find nobody there.
        drop(self.service.open().await);
    }

    /// Two tastes of ten products each in a category of their own, and sixty people who have bought of theirs.
    pub async fn two_tastes(&self) -> [Vec<ProductId>; 2] {
        let tastes = ["lamps", "mugs"].map(|name| {
            let category = CategoryId::derived(name);
            (0..10).map(|n| self.world.sells(&format!("{name} {n}"), Some(category))).collect::<Vec<_>>()
        });
        self.service.open().await.unwrap();
        let mut past = Vec::new();
        for person in 0..60_usize {
            let visitor = customer(&format!("{person}"));
            for n in 0..4 {
                let product_id = tastes[person % 2][(person / 2 + n * n) % 10];
                let at = self.clock.now().before(Duration::from_secs(86_400 * (person as u64 + 1)));
                past.push(Interaction { visitor, product_id, kind: InteractionKind::Purchase, at });
            }
        }
        self.service.import(past).await.unwrap();
        self.trained().await;
        tastes
    }

    /// Waits for the training that follows an import.
    pub async fn trained(&self) {
        let wait = async {
            loop {
                let status = self.service.status().await.unwrap();
                if status.new_interactions == 0 && status.model.is_some() {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("it is trained in time");
    }

    pub async fn view(&self, visitor: Visitor, product: ProductId) {
        self.record(visitor, product, InteractionKind::View).await;
    }

    /// Each thing happens a second after the one before.
    pub async fn record(&self, visitor: Visitor, product_id: ProductId, kind: InteractionKind) {
        self.clock.advance(Duration::from_secs(1));
        let at = self.clock.now();
        self.service.record(Interaction { visitor, product_id, kind, at }).await.unwrap();
    }

    pub async fn hear<E: Event>(&self, event: &E) -> Envelope {
        let envelope = Envelope {
            id: EventId::new(),
            kind: E::TYPE.into(),
            version: E::VERSION,
            module: "test".into(),
            occurred_at: self.clock.now(),
            aggregate_id: "thing".into(),
            sequence: 1,
            traceparent: None,
            data: serde_json::to_value(event).unwrap(),
        };
        self.deliver(&envelope).await;
        envelope
    }

    pub async fn deliver(&self, envelope: &Envelope) {
        let ear = self.service.consumers().remove(0);
        assert!(ear.hears().kinds.contains(&envelope.kind.as_str()));
        ear.handle(envelope).await.unwrap();
    }
}

pub fn customer(name: &str) -> Visitor {
    Visitor { customer_id: Some(CustomerId::derived(name)), visitor_id: None }
}

pub fn anonymous(name: &str) -> Visitor {
    Visitor { customer_id: None, visitor_id: Some(VisitorId::derived(name)) }
}

pub fn some(limit: u32) -> Context {
    Context { limit, ..Context::default() }
}

pub fn ids(answer: &[Recommended]) -> Vec<ProductId> {
    answer.iter().map(|one| one.product_id).collect()
}

pub fn is_best_seller(one: &Recommended) -> bool {
    matches!(one.reason, Reason::BestSeller { .. })
}

/// The catalogue.
#[derive(Default)]
pub struct World {
    products: Mutex<BTreeMap<ProductId, Product>>,
    /// Nobody answers.
    pub is_away: AtomicBool,
}

impl World {
    /// Something that is published and in stock.
    pub fn sells(&self, title: &str, category: Option<CategoryId>) -> ProductId {
        let id = ProductId::derived(title);
        let categories: Vec<CategoryId> = category.into_iter().collect();
        let time = Time::from_micros(1_700_000_000_000_000);
        let variant = json!({
            "id": VariantId::derived(title), "sku": title, "title": title, "options": {},
            "prices": [{"amount": 1000, "currency": "EUR"}], "compare_at_prices": [], "barcode": null,
            "weight_grams": 1, "tracked": true, "available": 5,
        });
        let product = json!({
            "id": id, "slug": title, "status": "published", "title": title, "subtitle": null, "description": "",
            "brand": null, "category_ids": categories, "collection_ids": [], "tags": [], "options": [],
            "attributes": {"kind": title.split(' ').next()}, "tax_class": "standard", "shipping_class": "parcel",
            "images": [], "variants": [variant], "seo_title": null, "seo_description": null,
            "rating": {"average": 0.0, "count": 0}, "metafields": {}, "created_at": time, "updated_at": time,
            "published_at": time, "version": 1,
        });
        self.products.lock().unwrap().insert(id, serde_json::from_value(product).unwrap());
        id
    }

    pub fn change(&self, id: ProductId, change: impl FnOnce(&mut Product)) -> VariantId {
        let mut products = self.products.lock().unwrap();
        let product = products.get_mut(&id).unwrap();
        change(product);
        product.variants[0].id
    }
}

#[async_trait]
impl Transport for World {
    async fn call(&self, Method { service, name: method, .. }: Method, args: Vec<u8>) -> Result<Vec<u8>> {
        if self.is_away.load(Ordering::Relaxed) {
            return Err(Error::unavailable("the products cannot be reached"));
        }
        let args: Value = serde_json::from_slice(&args)?;
        let products = self.products.lock().unwrap();
        let answer = match (service, method) {
            ("product", "find") => {
                let found = products.get(&serde_json::from_value(args[0].clone())?);
                serde_json::to_vec(found.ok_or_else(|| Error::not_found("product"))?)?
            }
            ("product", "export") => {
                let after: Option<ProductId> = serde_json::from_value(args[0].clone())?;
                let limit = args[1].as_u64().unwrap() as usize;
                let rest = products.values().filter(|product| Some(product.id) > after);
                serde_json::to_vec(&rest.take(limit).collect::<Vec<_>>())?
            }
            other => panic!("nobody expects {other:?}"),
        };
        Ok(answer)
    }
}

/// An order with these products.
pub fn placed(customer: Option<CustomerId>, products: &[ProductId]) -> OrderPlaced {
    let eur = json!({"amount": 1000, "currency": "EUR"});
    let address = json!({"name": "Ada", "line1": "1", "city": "B", "postal_code": "1", "country": "DE"});
    let time = Time::from_micros(1_800_000_000_000_000);
    let line = |product: &ProductId| {
        json!({
            "id": contracts::cart::LineId::new(), "variant_id": VariantId::new(), "product_id": product,
            "slug": "x", "sku": "X", "title": "X", "variant_title": "X", "image": null, "quantity": 1,
            "unit_price": eur, "subtotal": eur, "discount": eur, "tax": eur, "total": eur,
            "tax_rate_basis_points": 0, "weight_grams": 1, "shipped_quantity": 0, "refunded_quantity": 0,
        })
    };
    let lines: Vec<Value> = products.iter().map(line).collect();
    let order = json!({
        "id": OrderId::new(), "number": "B-1", "token": "t", "cart_id": contracts::cart::CartId::random(),
        "customer_id": customer, "email": "ada@example.com", "status": "placed", "payment_status": "captured",
        "fulfillment_status": "unfulfilled", "currency": "EUR", "lines": lines, "shipping_address": address,
        "billing_address": address,
        "shipping": {"id": contracts::shipping::MethodId::new(), "name": "Parcel", "carrier": "x", "price": eur,
            "delivery": {"from": "2027-01-18", "to": "2027-01-20"}},
        "discounts": [], "subtotal": eur, "discount_total": eur, "shipping_total": eur, "tax_total": eur,
        "total": eur, "prices_include_tax": true, "tax_lines": [], "captured_total": eur, "refunded_total": eur,
        "payment": {"provider": "test", "status": "captured", "next_action": null, "decline_code": null},
        "shipments": [], "refunds": [], "timeline": [], "cancel_reason": null, "created_at": time,
        "placed_at": time, "updated_at": time, "version": 5,
    });
    let order: Order = serde_json::from_value(order).unwrap();
    OrderPlaced { order }
}

/// The end of an order that was placed.
pub fn cancelled(placed: &OrderPlaced) -> OrderCancelled {
    let order = Order { status: OrderStatus::Cancelled, ..placed.order.clone() };
    OrderCancelled { order, tell_shopper: true }
}
