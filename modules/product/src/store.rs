//! What the module keeps, in words of its domain. Each writing method is one atomic unit: the change and its events.

mod mongo;
mod sqlite;

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use contracts::{
    Actor,
    metadata::{DefinitionChanged, MetafieldsChanged},
    order::OrderId,
    product::{
        Category, CategoryId, Collection, CollectionId, PriceList, PriceListId, Product, ProductId,
        ProductStatus, Variant, VariantId,
        stock::{Adjustment, Level, LevelFilter, Location, LocationId, Movement, MovementId},
    },
    review::AggregateChanged,
};
use shared::{Clock, Currency, Database, Error, Kind, Result, Time, events::EventId};

use crate::model::{fields::IndexedField, price::Offer};

pub use mongo::{KINDS, SCHEMA};

/// The three stores of one database.
pub struct Stores {
    pub catalogue: Arc<dyn Catalogue>,
    pub gallery: Arc<dyn Gallery>,
    pub shelves: Arc<dyn Shelves>,
}

/// The stores in a database of whichever family.
pub fn open(db: Database, clock: Arc<dyn Clock>) -> Stores {
    match db {
        Database::Sql(db) => Stores::of(Arc::new(sqlite::Sqlite::new(db, clock))),
        Database::Mongo(db) => Stores::of(Arc::new(mongo::MongoStore::new(db, clock))),
    }
}

impl Stores {
    fn of<S: Catalogue + Gallery + Shelves + 'static>(store: Arc<S>) -> Self {
        Self { catalogue: store.clone(), gallery: store.clone(), shelves: store }
    }
}

/// A product as it is kept. Its variants' `available` and its `collection_ids` are kept elsewhere and empty here.
#[derive(Clone, Debug)]
pub struct Record {
    pub product: Product,
    pub popularity: i64,
}

/// A product to be written.
#[derive(Clone, Debug)]
pub struct Save {
    pub product: Product,
    pub popularity: i64,
    /// What is there and must still be there in this version; `None` for a new product.
    pub before: Option<Product>,
    /// Units of new variants, for the default location.
    pub stock: Vec<(VariantId, i64)>,
    /// Collections to join, besides those it is in.
    pub collections: Vec<CollectionId>,
}

/// Which products staff want to see.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// In lower case.
    pub text: Option<String>,
    pub status: Option<ProductStatus>,
    /// Any of these.
    pub categories: Option<Vec<CategoryId>>,
}

/// What a product is part of.
#[derive(Clone, Debug)]
pub struct Membership {
    pub product_id: ProductId,
    pub collection_id: CollectionId,
    pub slug: String,
}

/// Products, categories, collections and price lists.
#[async_trait]
pub trait Catalogue: Send + Sync {
    /// In any order.
    async fn load(&self, ids: &[ProductId]) -> Result<Vec<Record>>;
    /// A former slug finds it too.
    async fn by_slug(&self, slug: &str) -> Result<Option<Record>>;
    /// In any order; former slugs do not count.
    async fn by_slugs(&self, slugs: &[String]) -> Result<Vec<Record>>;
    /// The products that sell these variants.
    async fn by_variants(&self, ids: &[VariantId]) -> Result<Vec<Record>>;
    /// Newest first, at most `limit`.
    async fn list(
        &self,
        listing: &Listing,
        after: Option<(Time, ProductId)>,
        limit: u32,
    ) -> Result<Vec<Record>>;
    /// By id.
    async fn export(&self, after: Option<ProductId>, limit: u32) -> Result<Vec<Record>>;
    /// Those of which something that search shows has changed at or after `from`, with when it last did: oldest change
    /// first, beginning after the position `after`.
    async fn touched(
        &self,
        from: Time,
        after: Option<(Time, ProductId)>,
        limit: u32,
    ) -> Result<Vec<(Time, Record)>>;
    /// Says `search.updated`.
    async fn announce_search(&self) -> Result<()>;
    /// Those of `base`, `base-2`, `base-3`, … that are in use.
    async fn slugs_like(&self, base: &str) -> Result<Vec<String>>;
    /// Who sells these.
    async fn sku_owners(&self, skus: &[String]) -> Result<HashMap<String, ProductId>>;
    /// All or none. `Conflict/slug_taken`, `Conflict/sku_taken`, `PreconditionFailed/version`.
    async fn save(&self, saves: Vec<Save>) -> Result<()>;
    /// Keeps what reviews say of a product, unless it is older than what is known.
    async fn rate(&self, event: EventId, sequence: i64, sums: AggregateChanged) -> Result<()>;
    async fn memberships(&self, ids: &[ProductId]) -> Result<Vec<Membership>>;
    /// What search takes of the custom fields of these products.
    async fn fields(&self, ids: &[ProductId]) -> Result<HashMap<ProductId, Vec<IndexedField>>>;
    /// A product's custom fields are different. Once per event.
    async fn take_values(&self, event: EventId, product: ProductId, changed: MetafieldsChanged)
    -> Result<()>;
    /// A custom field of products is different. Once per event.
    async fn take_definition(&self, event: EventId, changed: DefinitionChanged) -> Result<()>;

    async fn categories(&self) -> Result<Vec<Category>>;
    /// The category that had this slug before, unless another has taken it since.
    async fn former_category(&self, slug: &str) -> Result<Option<CategoryId>>;
    /// Each published product with each of its categories, products in a row.
    async fn placements(&self) -> Result<Vec<(ProductId, CategoryId)>>;
    /// Inserts version 1, replaces the version before any other, checking place and depth in the same unit.
    /// `Conflict/slug_taken`, `PreconditionFailed/version`, `Invalid/cycle`.
    async fn save_category(&self, category: Category) -> Result<()>;
    /// `Conflict/category_not_empty`.
    async fn delete_category(&self, id: CategoryId) -> Result<()>;

    /// By title, with their products.
    async fn collections(&self) -> Result<Vec<Collection>>;
    /// Those with these slugs, without their products.
    async fn collections_by_slug(&self, slugs: &[String]) -> Result<HashMap<String, CollectionId>>;
    /// `Conflict/slug_taken`, `Invalid` for an unknown product.
    async fn save_collection(&self, collection: Collection, new: bool) -> Result<()>;
    async fn delete_collection(&self, id: CollectionId) -> Result<()>;

    async fn price_lists(&self) -> Result<Vec<PriceList>>;
    /// `Invalid` for an unknown variant.
    async fn save_price_list(&self, list: PriceList, new: bool) -> Result<()>;
    async fn delete_price_list(&self, id: PriceListId) -> Result<()>;
    /// What price lists say about the variants of these products, whatever the date.
    async fn offers(&self, products: &[ProductId], currency: Option<Currency>) -> Result<Vec<Offer>>;
    /// Says that prices have changed if a list began or ended after `since` and not after `until`.
    async fn turn_prices(&self, since: Time, until: Time) -> Result<()>;
}

/// The smaller forms of a picture; without widths where there are none.
#[derive(Clone, Debug)]
pub struct Finished {
    pub file: String,
    pub widths: Vec<u32>,
    pub avif: bool,
    pub color: Option<String>,
}

/// Which pictures there are, and which are waiting for their smaller forms.
#[async_trait]
pub trait Gallery: Send + Sync {
    /// Those that are known stay as they are, the others become due.
    async fn add(&self, files: Vec<String>, due_at: Time) -> Result<()>;
    /// A new picture, or one of new content: it becomes due.
    async fn replace(&self, file: String, due_at: Time) -> Result<()>;
    async fn known(&self) -> Result<Vec<String>>;
    /// Some of those that are due, for this caller alone until `until`.
    async fn claim(&self, now: Time, until: Time, limit: i64) -> Result<Vec<String>>;
    /// Says `pictures.ready`. `until` is that of the claim.
    async fn finish(&self, until: Time, done: Vec<Finished>) -> Result<()>;
    /// Those of the files that are no longer waiting.
    async fn finished(&self, files: Vec<String>) -> Result<Vec<Finished>>;
}

/// Stock: levels, movements, reservations.
#[async_trait]
pub trait Shelves: Send + Sync {
    /// What can be sold of each tracked variant of these products; none is 0 or absent.
    async fn available(&self, products: &[ProductId]) -> Result<HashMap<VariantId, i64>>;
    async fn levels(
        &self,
        filter: &LevelFilter,
        after: Option<(VariantId, LocationId)>,
        limit: u32,
    ) -> Result<Vec<Level>>;
    /// Newest first.
    async fn movements(
        &self,
        variant: VariantId,
        after: Option<(Time, MovementId)>,
        limit: u32,
    ) -> Result<Vec<Movement>>;
    async fn adjust(&self, adjustment: Adjustment) -> Result<Level>;
    /// `lines` are sums, one per variant, in order.
    async fn reserve(&self, order: OrderId, lines: Vec<(VariantId, i64)>, expires_at: Time) -> Result<()>;
    async fn commit(&self, order: OrderId) -> Result<()>;
    async fn release(&self, order: OrderId) -> Result<()>;
    /// Releases it only if it is active and its time is over.
    async fn expire(&self, order: OrderId) -> Result<()>;
    /// Active reservations whose time is over, oldest first.
    async fn expired(&self, limit: u32) -> Result<Vec<OrderId>>;
    /// `lines` are sums, one per variant, in order.
    async fn restock(
        &self,
        id: MovementId,
        order: OrderId,
        lines: Vec<(VariantId, i64)>,
        actor: Actor,
    ) -> Result<()>;
    /// By priority.
    async fn locations(&self) -> Result<Vec<Location>>;
    async fn create_location(&self, location: Location) -> Result<()>;
}

/// As it stands in the database.
fn status(status: ProductStatus) -> &'static str {
    match status {
        ProductStatus::Draft => "draft",
        ProductStatus::Published => "published",
        ProductStatus::Archived => "archived",
    }
}

/// Everything staff may look for, in lower case.
fn haystack(product: &Product) -> String {
    let mut text = format!("{}\n{}", product.title, product.slug);
    for variant in &product.variants {
        text.push('\n');
        text.push_str(&variant.sku);
    }
    text.to_lowercase()
}

/// What staff see of a variant in a list of stock.
fn stock_title(product: &Product, variant: &Variant) -> String {
    if variant.options.is_empty() {
        return product.title.clone();
    }
    format!("{} – {}", product.title, variant.title)
}

fn taken(what: &'static str) -> Error {
    let (code, detail) = match what {
        "sku" => ("sku_taken", "another variant has this SKU"),
        _ => ("slug_taken", "this slug is taken"),
    };
    let mut error = Error::conflict(code, detail);
    error.fields = Error::invalid(format!("/{what}"), code, detail).fields;
    error
}

/// Somebody else was faster.
fn moved_on() -> Error {
    Error::new(Kind::PreconditionFailed, "version", "it has been changed since you read it")
}
