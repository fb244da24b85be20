mod catalogue;
mod fields;
mod import;
mod indexes;
mod pictures;
mod prices;
mod stock;
mod writes;

use contracts::product::{ProductEntity, stock::Stock};
use serde_json::{Value, json};
use shared::{Currency, Id, db::Options, events, time::ManualClock};
use tempfile::TempDir;

use super::*;

/// A service on its own database, with a clock that stands still.
struct Shop {
    service: Arc<Service>,
    clock: Arc<ManualClock>,
    db: Database,
    url: String,
    dir: TempDir,
}

impl Shop {
    async fn open() -> Self {
        Self::open_with(None).await
    }

    /// The search index is in memory, or in this folder.
    async fn open_with(search: Option<&str>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = shared::testing::documents(dir.path(), "products").unwrap();
        Self::start(dir, url, search).await
    }

    /// The shop after its process has ended and another has begun.
    async fn restarted(self, search: Option<&str>) -> Self {
        let Self { service, db, url, dir, .. } = self;
        drop((service, db));
        Self::start(dir, url, search).await
    }

    async fn start(dir: TempDir, url: String, search: Option<&str>) -> Self {
        let clock = ManualClock::at(Time::from_micros(1_800_000_000_000_000));
        let options = Options { clock: clock.clone(), ..Options::default() };
        let db = Database::open(&url, &options).await.unwrap();
        db.migrate(&[events::MIGRATIONS, crate::MIGRATIONS], &[events::SCHEMA, crate::SCHEMA]).await.unwrap();
        let settings = Settings {
            media_dir: dir.path().join("media"),
            search_dir: search.map(|name| dir.path().join(name)),
            currencies: vec![Currency::EUR, usd()],
            ..Settings::default()
        };
        let service = Service::new(db.clone(), clock.clone(), settings).await.unwrap();
        Self { service, clock, db, url, dir }
    }

    fn products(&self) -> &dyn Products {
        &*self.service
    }

    fn stock(&self) -> &dyn Stock {
        &*self.service
    }

    async fn create(&self, new: Value) -> Product {
        self.products().create(parse(new)).await.unwrap()
    }

    /// A published product of one variant with so many units, and that variant.
    async fn simple(&self, sku: &str, units: i64) -> (Product, VariantId) {
        let product = self.create(simple(sku, units)).await;
        let variant = product.variants[0].id;
        (product, variant)
    }

    async fn available(&self, product: ProductId) -> i64 {
        self.products().find(product).await.unwrap().variants[0].available
    }

    fn tick(&self) {
        self.clock.advance(std::time::Duration::from_secs(1));
    }
}

fn parse<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn simple(sku: &str, units: i64) -> Value {
    json!({
        "title": format!("Thing {sku}"),
        "status": "published",
        "variants": [{"sku": sku, "prices": [{"amount": 1000, "currency": "EUR"}], "stock": units}],
    })
}

fn usd() -> Currency {
    "USD".parse().unwrap()
}

fn euros() -> PriceContext {
    PriceContext { currency: Currency::EUR, group: None }
}

fn query(q: &str) -> SearchQuery {
    parse(json!({
        "q": q, "category": [], "collection": [], "tag": [], "brand": [], "options": {}, "attributes": {},
        "min_price": null, "max_price": null, "in_stock": null, "sort": "relevance",
        "context": {"currency": "EUR"}, "facets": true, "page": {"limit": 20, "cursor": null},
    }))
}

fn unknown() -> ProductId {
    Id::<ProductEntity>::new()
}
