//! The catalogue: products, variants, categories, collections, prices, media, search.

mod category;
mod collection;
mod draft;
mod events;
mod import;
mod media;
mod price_list;
mod search;
pub mod stock;
mod view;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::{Currency, Id, Money, Page, PageRequest, Time, ids::Entity, port, values::Blob};

pub(crate) use category::present;
pub use category::{Category, CategoryNode, CategoryPatch, CategoryRef, NewCategory};
pub use collection::{Collection, NewCollection};
pub use draft::{NewProduct, NewVariant, ProductPatch};
pub use events::{CategoryChanged, PicturesReady, PricesChanged, ProductChanged, SearchUpdated};
pub use import::{ImportOutcome, ImportProduct, ImportResult};
pub use media::{Image, MediaFile, NewImage};
pub use price_list::{ListPrice, NewPriceList, PriceList};
pub use search::{FacetValue, PriceRange, SearchQuery, SearchResult, Sort, SuggestedProduct, Suggestions};
pub use view::{ProductCard, ProductView, QuantityPrice, Quote, QuoteLine, VariantView};

/// Names a product.
pub enum ProductEntity {}
impl Entity for ProductEntity {
    const PREFIX: &'static str = "prod";
    const NOUN: &'static str = "product";
}
/// A product's id.
pub type ProductId = Id<ProductEntity>;

/// Names a variant.
pub enum VariantEntity {}
impl Entity for VariantEntity {
    const PREFIX: &'static str = "var";
    const NOUN: &'static str = "variant";
}
/// A variant's id: the thing that is sold.
pub type VariantId = Id<VariantEntity>;

/// Names a category.
pub enum CategoryEntity {}
impl Entity for CategoryEntity {
    const PREFIX: &'static str = "cat";
    const NOUN: &'static str = "category";
}
/// A category's id.
pub type CategoryId = Id<CategoryEntity>;

/// Names a collection.
pub enum CollectionEntity {}
impl Entity for CollectionEntity {
    const PREFIX: &'static str = "col";
    const NOUN: &'static str = "collection";
}
/// A collection's id.
pub type CollectionId = Id<CollectionEntity>;

/// Names a price list.
pub enum PriceListEntity {}
impl Entity for PriceListEntity {
    const PREFIX: &'static str = "plist";
    const NOUN: &'static str = "price list";
}
/// A price list's id.
pub type PriceListId = Id<PriceListEntity>;

port! {
    /// The catalogue.
    pub trait Products as "product" repeats [search, suggest, view, views, quote, categories, category, collections, media, find, list, import, export, price_lists, store_media] {
        /// Published products that match: one page, with facets over all that match (not only the page).
        /// `Invalid` for values that cannot be, `Malformed/invalid_cursor` for a cursor of another search.
        async fn search(&self, query: SearchQuery) -> SearchResult;
        /// Completions for a half-typed search: products, categories and terms.
        async fn suggest(&self, text: String, limit: u32) -> Suggestions;
        /// A published product by id or slug; a former slug finds it too (compare `slug` and redirect).
        async fn view(&self, key: String, context: PriceContext) -> ProductView;
        /// Published products in the order asked for; unknown ones are left out.
        async fn views(&self, ids: Vec<ProductId>, context: PriceContext) -> Vec<ProductView>;
        /// What each variant costs now and what a cart needs to know of it; unknown and unpublished ones are left out.
        async fn quote(&self, lines: Vec<QuoteLine>, context: PriceContext) -> Vec<Quote>;
        /// The whole tree, roots first, siblings by position.
        async fn categories(&self) -> Vec<CategoryNode>;
        /// By id or slug; a former slug finds it too (compare `slug` and redirect).
        async fn category(&self, key: String) -> Category;
        async fn collections(&self) -> Vec<Collection>;
        /// A picture by file name.
        async fn media(&self, file: String) -> MediaFile;

        /// `Conflict/sku_taken`, `Conflict/slug_taken`, `Invalid` with pointers into the request.
        async fn create(&self, new: NewProduct) -> Product;
        /// Any status.
        async fn find(&self, id: ProductId) -> Product;
        /// Newest first, any status.
        async fn list(&self, filter: ProductFilter, page: PageRequest) -> Page<Product>;
        /// `version` is the one the caller has seen; `PreconditionFailed/version` if it has moved on.
        /// A changed slug keeps the old one as a redirect.
        async fn update(&self, id: ProductId, patch: ProductPatch, version: Option<i64>) -> Product;
        /// Archives it: orders keep referring to it. Idempotent.
        async fn delete(&self, id: ProductId) -> ();
        /// Creates or updates by slug, each product for itself; the same import twice changes nothing.
        /// `dry_run` only says what would happen.
        async fn import(&self, products: Vec<ImportProduct>, dry_run: bool) -> Vec<ImportOutcome>;
        /// All products in the order of their ids, after `after`, at most `limit` (1..=1000).
        async fn export(&self, after: Option<ProductId>, limit: u32) -> Vec<Product>;

        async fn create_category(&self, new: NewCategory) -> Category;
        /// `Invalid/cycle` when it would become its own ancestor. `version` as in `update`.
        /// A changed slug keeps the old one as a redirect.
        async fn update_category(&self, id: CategoryId, patch: CategoryPatch, version: Option<i64>) -> Category;
        /// `Conflict/category_not_empty` while it has children.
        async fn delete_category(&self, id: CategoryId) -> ();
        async fn create_collection(&self, new: NewCollection) -> Collection;
        async fn update_collection(&self, id: CollectionId, new: NewCollection) -> Collection;
        async fn delete_collection(&self, id: CollectionId) -> ();
        async fn price_lists(&self) -> Vec<PriceList>;
        async fn create_price_list(&self, new: NewPriceList) -> PriceList;
        async fn update_price_list(&self, id: PriceListId, new: NewPriceList) -> PriceList;
        async fn delete_price_list(&self, id: PriceListId) -> ();
        /// Adds a picture, upright and without EXIF: a JPEG, PNG, WebP or GIF by content, at most 8 MiB and 50 million
        /// pixels. `Invalid`: `media_type`, `too_large`, `too_many_pixels`, `broken`. Its smaller forms follow.
        async fn add_image(&self, id: ProductId, image: NewImage) -> Product;
        async fn remove_image(&self, id: ProductId, file: String) -> Product;
        /// Stores a picture that an import names, without EXIF. Idempotent by content and name.
        async fn store_media(&self, file: String, content: Blob) -> ();
    }
}

/// Which price applies: the currency, and the customer's group.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PriceContext {
    pub currency: Currency,
    #[serde(default)]
    pub group: Option<String>,
}

/// Whether shoppers see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProductStatus {
    Draft,
    Published,
    Archived,
}

/// A product as staff see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Product {
    pub id: ProductId,
    pub slug: String,
    pub status: ProductStatus,
    pub title: String,
    pub subtitle: Option<String>,
    /// Sanitised HTML, or plain text with blank lines between paragraphs.
    pub description: String,
    pub brand: Option<String>,
    pub category_ids: Vec<CategoryId>,
    pub collection_ids: Vec<CollectionId>,
    pub tags: Vec<String>,
    pub options: Vec<ProductOption>,
    /// Facts such as `material: Stoneware`; filterable as `attr.<name>`.
    pub attributes: BTreeMap<String, String>,
    /// `standard`, `reduced`, `zero`: which tax rate applies.
    pub tax_class: String,
    /// `parcel`, `bulky`: which shipping methods apply.
    pub shipping_class: String,
    pub images: Vec<Image>,
    pub variants: Vec<Variant>,
    pub seo_title: Option<String>,
    pub seo_description: Option<String>,
    pub rating: Rating,
    /// Custom fields that shoppers may see, by `namespace.key`.
    #[schema(value_type = Object)]
    pub metafields: BTreeMap<String, serde_json::Value>,
    pub created_at: Time,
    pub updated_at: Time,
    pub published_at: Option<Time>,
    pub version: i64,
}

/// A dimension in which variants differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductOption {
    /// `Colour`.
    pub name: String,
    pub values: Vec<OptionValue>,
}

/// One choice. In requests a plain string stands for a value that is its own label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(from = "OptionValueInput")]
pub struct OptionValue {
    /// `terracotta`.
    pub value: String,
    /// `Terracotta`.
    pub label: String,
    /// `#c4532d`.
    pub swatch: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OptionValueInput {
    Text(String),
    Full {
        value: String,
        #[serde(default)]
        label: Option<String>,
        #[serde(default)]
        swatch: Option<String>,
    },
}

impl From<OptionValueInput> for OptionValue {
    fn from(input: OptionValueInput) -> Self {
        match input {
            OptionValueInput::Text(value) => Self { label: value.clone(), value, swatch: None },
            OptionValueInput::Full { value, label, swatch } => {
                Self { label: label.unwrap_or_else(|| value.clone()), value, swatch }
            }
        }
    }
}

/// What is sold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Variant {
    pub id: VariantId,
    pub sku: String,
    /// `Terracotta / Large`; the product's title where there are no options.
    pub title: String,
    /// Option name to value.
    pub options: BTreeMap<String, String>,
    /// One per currency.
    pub prices: Vec<Money>,
    /// Former prices, one per currency.
    pub compare_at_prices: Vec<Money>,
    pub barcode: Option<String>,
    pub weight_grams: i64,
    /// False: always in stock (services, downloads).
    pub tracked: bool,
    /// Units that can be sold now.
    pub available: i64,
}

/// Stars from reviews.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Rating {
    /// 0 (none) to 5.
    pub average: f64,
    pub count: u32,
}

/// Which products staff want to see.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ProductFilter {
    /// A part of title, slug or SKU.
    pub q: Option<String>,
    pub status: Option<ProductStatus>,
    pub category_id: Option<CategoryId>,
}
