//! A shop around the module: a database, a clock that is moved by hand, and doubles of what it calls.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use contracts::{
    Actor,
    customer::{Customer, CustomerId},
    order::{Order, OrderDelivered, OrderId},
    product::{Product, ProductId},
    review::{Aggregate, NewReview, QueueFilter, Review, ReviewFilter, ReviewId, Reviews},
};
use review::{Service, Settings};
use serde_json::{Value, json};
use shared::{
    Clock, Database, Error, PageRequest, Result, Time,
    db::Options,
    events::{Envelope, Event, EventId},
    rpc::{Method, Transport},
    time::ManualClock,
};

pub struct Shop {
    pub reviews: Arc<Service>,
    pub world: Arc<World>,
    pub clock: Arc<ManualClock>,
    pub db: Database,
    emitted: Arc<Mutex<Vec<Envelope>>>,
    _folder: tempfile::TempDir,
}

/// Moderation as it is by default.
pub async fn shop() -> Shop {
    shop_with(Settings::default()).await
}

pub async fn shop_with(settings: Settings) -> Shop {
    let folder = tempfile::tempdir().unwrap();
    let url = shared::testing::documents(folder.path(), "metadata").unwrap();
    let clock = ManualClock::at(now());
    let options = Options { clock: clock.clone(), ..Options::default() };
    let db = Database::open(&url, &options).await.unwrap();
    db.migrate(&[shared::events::MIGRATIONS, review::MIGRATIONS], &[shared::events::SCHEMA, review::SCHEMA])
        .await
        .unwrap();
    let emitted = Arc::new(Mutex::new(Vec::new()));
    let sink = emitted.clone();
    db.watch(Arc::new(move |events| sink.lock().unwrap().extend_from_slice(events)));
    let world = Arc::<World>::default();
    let products = Arc::new(contracts::product::Client(world.clone()));
    let customers = Arc::new(contracts::customer::Client(world.clone()));
    let reviews = Service::new(db.clone(), clock.clone(), products, customers, settings);
    Shop { reviews, world, clock, db, emitted, _folder: folder }
}

fn now() -> Time {
    Time::from_micros(1_800_000_000_000_000)
}

impl Shop {
    /// A customer's pending review of the product.
    pub async fn written(&self, product: ProductId, author: CustomerId, rating: u8) -> Review {
        self.reviews.create(product, content(rating), author).await.unwrap()
    }

    /// The same, approved.
    pub async fn public(&self, product: ProductId, author: CustomerId, rating: u8) -> Review {
        let review = self.written(product, author, rating).await;
        self.reviews.approve(review.id, None, staff()).await.unwrap().review
    }

    pub async fn aggregate(&self, product: ProductId) -> Aggregate {
        self.reviews.aggregate(product).await.unwrap()
    }

    /// The ids of the public ones, in order.
    pub async fn listed(&self, product: ProductId, filter: ReviewFilter) -> Vec<ReviewId> {
        let page = PageRequest { limit: 100, cursor: None };
        let found = self.reviews.list(product, filter, page).await.unwrap();
        found.data.iter().map(|review| review.id).collect()
    }

    /// Every review of the product in any status.
    pub async fn all(&self, product: ProductId) -> Vec<Review> {
        let filter = QueueFilter { product_id: Some(product), ..QueueFilter::default() };
        let page = PageRequest { limit: 100, cursor: None };
        let queue = self.reviews.queue(filter, page).await.unwrap();
        assert!(queue.next_cursor.is_none());
        queue.data.into_iter().map(|queued| queued.review).collect()
    }

    /// Tells the module.
    pub async fn hear(&self, event: &impl Event) {
        self.deliver(&self.envelope(event)).await;
    }

    pub async fn deliver(&self, envelope: &Envelope) {
        let ear = self.reviews.consumers().remove(0);
        assert!(ear.hears().kinds.contains(&envelope.kind.as_str()));
        ear.handle(envelope).await.unwrap();
    }

    pub fn envelope<E: Event>(&self, event: &E) -> Envelope {
        Envelope {
            id: EventId::new(),
            kind: E::TYPE.into(),
            version: E::VERSION,
            module: "test".into(),
            occurred_at: self.clock.now(),
            aggregate_id: "thing".into(),
            sequence: 1,
            traceparent: None,
            data: serde_json::to_value(event).unwrap(),
        }
    }

    /// The events of a kind so far.
    pub fn told<E: Event>(&self) -> Vec<(i64, E)> {
        let emitted = self.emitted.lock().unwrap();
        emitted.iter().filter(|e| e.is::<E>()).map(|e| (e.sequence, e.parse().unwrap())).collect()
    }
}

/// The catalogue and the accounts.
#[derive(Default)]
pub struct World {
    products: Mutex<HashMap<ProductId, Product>>,
    customers: Mutex<HashMap<CustomerId, Customer>>,
    pictures: Mutex<BTreeSet<String>>,
}

impl World {
    /// Something that is sold.
    pub fn sells(&self, title: &str) -> ProductId {
        self.product(title, "published")
    }

    pub fn product(&self, title: &str, status: &str) -> ProductId {
        let id = ProductId::new();
        let product = json!({
            "id": id, "slug": "x", "status": status, "title": title, "subtitle": null, "description": "",
            "brand": null, "category_ids": [], "collection_ids": [], "tags": [], "options": [], "attributes": {},
            "tax_class": "standard", "shipping_class": "parcel", "images": [], "variants": [], "seo_title": null,
            "seo_description": null, "rating": {"average": 0.0, "count": 0}, "metafields": {},
            "created_at": now(), "updated_at": now(), "published_at": null, "version": 1,
        });
        self.products.lock().unwrap().insert(id, serde_json::from_value(product).unwrap());
        id
    }

    /// Somebody whose address is not proven.
    pub fn person(&self, name: &str) -> CustomerId {
        self.customer(name, &format!("{}@example.com", CustomerId::new()), false)
    }

    pub fn customer(&self, name: &str, email: &str, email_verified: bool) -> CustomerId {
        let id = CustomerId::new();
        let email = email.parse().unwrap();
        let customer = Customer {
            id,
            email,
            name: name.into(),
            email_verified,
            group: None,
            created_at: now(),
            version: 1,
        };
        self.customers.lock().unwrap().insert(id, customer);
        id
    }

    pub fn shows(&self, picture: &str) {
        self.pictures.lock().unwrap().insert(picture.into());
    }
}

#[async_trait]
impl Transport for World {
    async fn call(&self, Method { service, name: method, .. }: Method, args: Vec<u8>) -> Result<Vec<u8>> {
        let args: Value = serde_json::from_slice(&args)?;
        let found = match (service, method) {
            ("product", "find") => {
                let id = serde_json::from_value(args[0].clone())?;
                self.products.lock().unwrap().get(&id).map(serde_json::to_value).transpose()?
            }
            ("product", "media") => {
                let known = self.pictures.lock().unwrap().contains(args[0].as_str().unwrap_or_default());
                known.then(|| json!({"content_type": "image/png", "content": ""}))
            }
            ("customer", "find") => {
                let id = serde_json::from_value(args[0].clone())?;
                self.customers.lock().unwrap().get(&id).map(serde_json::to_value).transpose()?
            }
            other => panic!("nobody expects {other:?}"),
        };
        Ok(serde_json::to_vec(&found.ok_or_else(|| Error::not_found("thing"))?)?)
    }
}

pub fn staff() -> Actor {
    Actor::Staff(CustomerId::derived("staff"))
}

pub fn content(rating: u8) -> NewReview {
    NewReview {
        rating,
        title: "As described".into(),
        body: "It does what it should, and it does it well.".into(),
        pictures: Vec::new(),
    }
}

/// A parcel with some of the order's products has arrived.
pub fn delivered(
    customer: Option<CustomerId>,
    email: &str,
    ordered: &[ProductId],
    arrived: &[ProductId],
) -> OrderDelivered {
    let id = OrderId::new();
    let order = order(id, customer, email, ordered);
    let sent = order.lines.iter().filter(|line| arrived.contains(&line.line.product_id));
    let lines: Vec<Value> = sent.map(|line| json!({"line_id": line.line.id, "quantity": 1})).collect();
    let shipment = json!({
        "id": contracts::shipping::ShipmentId::new(), "order_id": id, "status": "delivered", "carrier": null,
        "tracking_number": null, "tracking_url": null, "lines": lines, "events": [], "created_at": now(),
    });
    OrderDelivered { order, shipment: serde_json::from_value(shipment).unwrap() }
}

fn order(id: OrderId, customer: Option<CustomerId>, email: &str, ordered: &[ProductId]) -> Order {
    let eur = json!({"amount": 1000, "currency": "EUR"});
    let address = json!({"name": "Ada", "line1": "1", "city": "B", "postal_code": "1", "country": "DE"});
    let line = |product: &ProductId| {
        json!({
            "id": contracts::cart::LineId::new(), "variant_id": contracts::product::VariantId::new(),
            "product_id": product, "slug": "x", "sku": "X", "title": "X", "variant_title": "X", "image": null,
            "quantity": 1, "unit_price": eur, "subtotal": eur, "discount": eur, "tax": eur, "total": eur,
            "tax_rate_basis_points": 0, "weight_grams": 1, "shipped_quantity": 1, "refunded_quantity": 0,
        })
    };
    let lines: Vec<Value> = ordered.iter().map(line).collect();
    let order = json!({
        "id": id, "number": "B-1", "token": "t", "cart_id": contracts::cart::CartId::random(),
        "customer_id": customer, "email": email, "status": "completed", "payment_status": "captured",
        "fulfillment_status": "delivered", "currency": "EUR", "lines": lines, "shipping_address": address,
        "billing_address": address,
        "shipping": {"id": contracts::shipping::MethodId::new(), "name": "Parcel", "carrier": "x", "price": eur,
            "delivery": {"from": "2027-01-18", "to": "2027-01-20"}},
        "discounts": [], "subtotal": eur, "discount_total": eur, "shipping_total": eur, "tax_total": eur,
        "total": eur, "prices_include_tax": true, "tax_lines": [], "captured_total": eur, "refunded_total": eur,
        "payment": {"provider": "test", "status": "captured", "next_action": null, "decline_code": null},
        "shipments": [], "refunds": [], "timeline": [], "cancel_reason": null, "created_at": now(),
        "placed_at": now(), "updated_at": now(), "version": 5,
    });
    serde_json::from_value(order).unwrap()
}
