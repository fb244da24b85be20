//! A shop around the module: a database, a clock that is moved by hand, and doubles of what it calls.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use cart::{Service, Settings};
use contracts::{
    cart::{
        Cart, CartId, Carts, Destination, NewCart, NewLine, NewPromotion, NewTaxRate, PromotionKind, Viewer,
    },
    customer::CustomerId,
    product::{PriceContext, ProductId, Quote, QuoteLine, VariantId},
    shipping::{DeliveryWindow, MethodId, RateRequest, ShippingOption},
};
use shared::{
    Currency, Database, Error, Money, Result, Time,
    db::Options,
    events::{Envelope, Event, EventId},
    rpc::{Method, Transport},
    time::ManualClock,
};

pub struct Shop {
    pub carts: Arc<Service>,
    pub catalogue: Arc<Catalogue>,
    pub carriers: Arc<Carriers>,
    pub clock: Arc<ManualClock>,
    pub emitted: Arc<Mutex<Vec<Envelope>>>,
    pub db: Database,
    _folder: tempfile::TempDir,
}

pub async fn shop() -> Shop {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = shared::testing::documents(folder.path(), "metadata").expect("a database");
    let db = Database::open(&url, &Options::default()).await.expect("a database");
    db.migrate(&[shared::events::MIGRATIONS, cart::MIGRATIONS], &[shared::events::SCHEMA, cart::SCHEMA])
        .await
        .expect("tables");
    let emitted = Arc::new(Mutex::new(Vec::new()));
    let sink = emitted.clone();
    db.watch(Arc::new(move |events| sink.lock().expect("no panic").extend_from_slice(events)));
    let clock = ManualClock::at(Time::new("2026-11-23T12:00:00Z".parse().expect("a time")));
    let (catalogue, carriers) = (Arc::<Catalogue>::default(), Arc::<Carriers>::default());
    let carts = service(&db, &clock, &catalogue, &carriers).await;
    Shop { carts, catalogue, carriers, clock, emitted, db, _folder: folder }
}

async fn service(
    db: &Database,
    clock: &Arc<ManualClock>,
    catalogue: &Arc<Catalogue>,
    carriers: &Arc<Carriers>,
) -> Arc<Service> {
    let settings =
        Settings { currencies: vec![Currency::EUR, "USD".parse().expect("dollars")], ..Settings::default() };
    Service::new(
        db.clone(),
        clock.clone(),
        Arc::new(contracts::product::Client(catalogue.clone())),
        Arc::new(contracts::shipping::Client(carriers.clone())),
        settings,
    )
    .await
    .expect("a service")
}

impl Shop {
    /// The same shop in another process.
    pub async fn other_instance(&self) -> Arc<Service> {
        service(&self.db, &self.clock, &self.catalogue, &self.carriers).await
    }

    /// A cart of nobody with these lines.
    pub async fn cart_of(&self, lines: &[(VariantId, i64)]) -> Cart {
        self.carts.create(new_cart(lines), guest()).await.expect("a cart")
    }

    pub async fn view(&self, id: CartId) -> Cart {
        self.carts.view(id, guest()).await.expect("a cart")
    }

    /// What the customer module says now.
    pub fn says<E: Event>(&self, customer: CustomerId, event: E) -> Envelope {
        Envelope {
            id: EventId::new(),
            kind: E::TYPE.into(),
            version: E::VERSION,
            module: "customer".into(),
            occurred_at: shared::Clock::now(&*self.clock),
            aggregate_id: customer.to_string(),
            sequence: 1,
            traceparent: None,
            data: serde_json::to_value(event).expect("an event"),
        }
    }

    /// How many events of a kind there were.
    pub fn told(&self, kind: &str) -> usize {
        self.emitted.lock().expect("no panic").iter().filter(|event| event.kind == kind).count()
    }
}

pub fn guest() -> Viewer {
    Viewer::default()
}

pub fn account(id: CustomerId) -> Viewer {
    Viewer { customer_id: Some(id), group: None }
}

pub fn new_cart(lines: &[(VariantId, i64)]) -> NewCart {
    let line = |(variant_id, quantity): &(VariantId, i64)| line(*variant_id, *quantity);
    NewCart { currency: None, lines: lines.iter().map(line).collect() }
}

pub fn line(variant_id: VariantId, quantity: i64) -> NewLine {
    NewLine { variant_id, quantity }
}

pub fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

pub fn quantities(cart: &Cart) -> Vec<(VariantId, i64)> {
    cart.lines.iter().map(|line| (line.variant_id, line.quantity)).collect()
}

pub fn destination(country: &str) -> Destination {
    Destination {
        country: country.parse().expect("a country"),
        region: None,
        postal_code: Some("10115".into()),
    }
}

pub fn terms(kind: PromotionKind, value: i64) -> NewPromotion {
    serde_json::from_value(serde_json::json!({"kind": kind, "value": value, "currency": "EUR"}))
        .expect("terms")
}

pub fn percent(code: &str, value: i64) -> NewPromotion {
    NewPromotion { code: Some(code.into()), ..terms(PromotionKind::Percentage, value) }
}

pub fn rate(country: &str, class: &str, rate_basis_points: i64, included: bool) -> NewTaxRate {
    NewTaxRate {
        country: country.parse().expect("a country"),
        region: None,
        tax_class: class.into(),
        name: format!("{country} {class}"),
        rate_basis_points,
        included,
    }
}

/// Knows `quote` only.
#[derive(Default)]
pub struct Catalogue {
    quotes: Mutex<HashMap<VariantId, Quote>>,
    group_prices: Mutex<HashMap<(VariantId, String), Money>>,
    calls: Mutex<usize>,
}

impl Catalogue {
    /// A variant of a new product that costs `amount` euro cents; 1,000 units are there.
    pub fn sells(&self, amount: i64) -> VariantId {
        let variant_id = VariantId::new();
        let quote = Quote {
            variant_id,
            product_id: ProductId::new(),
            slug: "thing".into(),
            sku: variant_id.to_string(),
            title: "Thing".into(),
            variant_title: String::new(),
            image: None,
            unit_price: eur(amount),
            compare_at_price: None,
            weight_grams: 250,
            tax_class: "standard".into(),
            shipping_class: "parcel".into(),
            category_ids: Vec::new(),
            collection_ids: Vec::new(),
            available: 1_000,
        };
        self.quotes.lock().expect("no panic").insert(variant_id, quote);
        variant_id
    }

    pub fn change(&self, variant_id: VariantId, change: impl FnOnce(&mut Quote)) {
        change(self.quotes.lock().expect("no panic").get_mut(&variant_id).expect("it is sold"));
    }

    /// What a group pays.
    pub fn sells_to(&self, group: &str, variant_id: VariantId, amount: i64) {
        let mut prices = self.group_prices.lock().expect("no panic");
        prices.insert((variant_id, group.to_owned()), eur(amount));
    }

    pub fn remove(&self, variant_id: VariantId) {
        self.quotes.lock().expect("no panic").remove(&variant_id);
    }

    /// How often it was asked.
    pub fn calls(&self) -> usize {
        *self.calls.lock().expect("no panic")
    }
}

#[async_trait]
impl Transport for Catalogue {
    async fn call(&self, Method { name: method, .. }: Method, args: Vec<u8>) -> Result<Vec<u8>> {
        if method != "quote" {
            return Err(Error::unavailable("the double knows quotes only"));
        }
        *self.calls.lock().expect("no panic") += 1;
        let (lines, context): (Vec<QuoteLine>, PriceContext) = serde_json::from_slice(&args)?;
        let quotes = self.quotes.lock().expect("no panic");
        let found = lines.iter().filter_map(|line| quotes.get(&line.variant_id));
        let mut priced: Vec<Quote> =
            found.filter(|q| q.unit_price.currency == context.currency).cloned().collect();
        let prices = self.group_prices.lock().expect("no panic");
        for quote in &mut priced {
            let special =
                context.group.as_ref().and_then(|group| prices.get(&(quote.variant_id, group.clone())));
            quote.unit_price = special.copied().unwrap_or(quote.unit_price);
        }
        Ok(serde_json::to_vec(&priced)?)
    }
}

/// Knows `options` only: the same for every country but the United States, where nothing is sent.
#[derive(Default)]
pub struct Carriers {
    pub options: Mutex<Vec<ShippingOption>>,
    pub asked: Mutex<Vec<RateRequest>>,
}

impl Carriers {
    /// A way to send that costs `amount` euro cents.
    pub fn offer(&self, name: &str, amount: i64) -> MethodId {
        let id = MethodId::new();
        let delivery = DeliveryWindow { from: "2026-11-24".into(), to: "2026-11-25".into() };
        let option =
            ShippingOption { id, name: name.into(), carrier: "DHL".into(), price: eur(amount), delivery };
        self.options.lock().expect("no panic").push(option);
        id
    }
}

#[async_trait]
impl Transport for Carriers {
    async fn call(&self, Method { name: method, .. }: Method, args: Vec<u8>) -> Result<Vec<u8>> {
        if method != "options" {
            return Err(Error::unavailable("the double knows options only"));
        }
        let (request,): (RateRequest,) = serde_json::from_slice(&args)?;
        let nowhere = request.destination.country.code() == "US";
        self.asked.lock().expect("no panic").push(request);
        let options = self.options.lock().expect("no panic");
        Ok(serde_json::to_vec(if nowhere { &[][..] } else { &options[..] })?)
    }
}
