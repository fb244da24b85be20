//! The catalogue: products, variants, categories, collections, prices, media, search.

pub mod stock;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::{Currency, Id, Money, Page, PageRequest, Time, events::Event, ids::Entity, port, values::Blob};

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

/// A picture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Served at `/media/<file>`.
    pub file: String,
    #[serde(default)]
    pub alt: String,
    /// Pixels; 0 where unknown.
    #[serde(default)]
    pub width: u32,
    #[serde(default)]
    pub height: u32,
    /// Shows the variants with these options: `{"Colour": "terracotta"}`; empty: all.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    /// The widths of its smaller forms, each a file of its own: see [`Image::form`]. Empty: not made yet, or it is small.
    /// This and what follows is the shop's to say: what a request says of it is not heard.
    #[serde(default)]
    pub widths: Vec<u32>,
    /// Whether each width is there as AVIF too. WebP always is.
    #[serde(default)]
    pub avif: bool,
    /// Its average colour, `#rrggbb`, to show until it is loaded.
    #[serde(default)]
    pub color: Option<String>,
}

impl Image {
    /// The file of a smaller form, served at `/media/<file>`: `mug-jpg-480.webp` of `mug.jpg`. `extension` is `webp` or
    /// `avif`.
    pub fn form(file: &str, width: u32, extension: &str) -> String {
        format!("{}-{width}.{extension}", file.replace('.', "-"))
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

/// A product as shoppers see it, priced for one context.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ProductView {
    pub id: ProductId,
    pub slug: String,
    pub title: String,
    pub subtitle: Option<String>,
    pub description: String,
    pub brand: Option<String>,
    /// From the root down, one path per category.
    pub categories: Vec<CategoryRef>,
    pub tags: Vec<String>,
    pub options: Vec<ProductOption>,
    pub attributes: BTreeMap<String, String>,
    pub images: Vec<Image>,
    pub variants: Vec<VariantView>,
    pub rating: Rating,
    #[schema(value_type = Object)]
    pub metafields: BTreeMap<String, serde_json::Value>,
    pub seo_title: Option<String>,
    pub seo_description: Option<String>,
    pub published_at: Option<Time>,
    pub updated_at: Time,
}

impl ProductView {
    /// As it stands in a list; `None` if it has no price in the currency.
    pub fn card(&self) -> Option<ProductCard> {
        let cheapest = self.variants.iter().min_by_key(|variant| variant.price.amount)?;
        let dearest = self.variants.iter().max_by_key(|variant| variant.price.amount)?;
        Some(ProductCard {
            id: self.id,
            slug: self.slug.clone(),
            title: self.title.clone(),
            subtitle: self.subtitle.clone(),
            brand: self.brand.clone(),
            image: self.images.first().cloned(),
            hover_image: self.images.get(1).cloned(),
            price: cheapest.price,
            price_max: (dearest.price != cheapest.price).then_some(dearest.price),
            compare_at_price: cheapest.compare_at_price,
            in_stock: self.variants.iter().any(|variant| variant.in_stock),
            rating: self.rating,
            swatches: self.options.first().map(|option| option.values.clone()).unwrap_or_default(),
            variant_id: if self.variants.len() == 1 { Some(cheapest.id) } else { None },
        })
    }
}

/// A variant as shoppers see it. One without a price in the currency is not shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct VariantView {
    pub id: VariantId,
    pub sku: String,
    pub title: String,
    pub options: BTreeMap<String, String>,
    pub price: Money,
    pub compare_at_price: Option<Money>,
    /// Lower unit prices from a quantity on, ascending.
    pub quantity_prices: Vec<QuantityPrice>,
    pub available: i64,
    pub in_stock: bool,
    /// The file of its picture.
    pub image: Option<String>,
    pub weight_grams: i64,
}

/// A unit price from a quantity on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct QuantityPrice {
    pub min_quantity: i64,
    pub price: Money,
}

/// A category by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CategoryRef {
    pub id: CategoryId,
    pub slug: String,
    pub title: String,
}

/// A product in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ProductCard {
    pub id: ProductId,
    pub slug: String,
    pub title: String,
    pub subtitle: Option<String>,
    pub brand: Option<String>,
    pub image: Option<Image>,
    /// A second picture for hovering.
    pub hover_image: Option<Image>,
    /// The lowest of its variants.
    pub price: Money,
    /// The highest, when it differs.
    pub price_max: Option<Money>,
    pub compare_at_price: Option<Money>,
    pub in_stock: bool,
    pub rating: Rating,
    /// The first option's values, for swatches.
    pub swatches: Vec<OptionValue>,
    /// The one variant, when there is only one: it can be bought from the list.
    pub variant_id: Option<VariantId>,
}

/// What to look for. Filters combine with AND across names, OR within one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SearchQuery {
    pub q: Option<String>,
    /// Ids or slugs; a product in a descendant counts.
    pub category: Vec<String>,
    /// Ids or slugs.
    pub collection: Vec<String>,
    pub tag: Vec<String>,
    pub brand: Vec<String>,
    /// Option name (any case) to wanted values.
    pub options: BTreeMap<String, Vec<String>>,
    pub attributes: BTreeMap<String, Vec<String>>,
    /// Minor units of `context.currency`.
    pub min_price: Option<i64>,
    pub max_price: Option<i64>,
    pub in_stock: Option<bool>,
    /// 1..=5: at least so many stars on average.
    #[serde(default)]
    pub min_rating: Option<u8>,
    pub sort: Sort,
    pub context: PriceContext,
    /// False: `facets` and `price` stay empty, which is cheaper.
    pub facets: bool,
    pub page: PageRequest,
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Sort {
    /// Best match; best sellers where there is no text.
    #[default]
    #[serde(rename = "relevance")]
    Relevance,
    #[serde(rename = "newest")]
    Newest,
    #[serde(rename = "price")]
    PriceAscending,
    #[serde(rename = "-price")]
    PriceDescending,
    #[serde(rename = "rating")]
    Rating,
    #[serde(rename = "popular")]
    Popular,
}

/// One page of what was found.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SearchResult {
    pub data: Vec<ProductCard>,
    pub next_cursor: Option<String>,
    /// How many match in all: the search index knows it for nothing.
    pub total: u64,
    /// `category`, `brand`, `tag`, `option.<name>`, `attr.<name>`, `in_stock`: values by count. The count is the number
    /// of hits after clicking the value. An attribute that is not filtered by is left out when it has more than 30
    /// values, or none that two of the products share: nothing can be narrowed by it.
    pub facets: BTreeMap<String, Vec<FacetValue>>,
    pub price: Option<PriceRange>,
}

/// A value to filter by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FacetValue {
    pub value: String,
    pub label: String,
    pub count: u64,
}

/// The cheapest and the dearest of all that match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PriceRange {
    pub min: Money,
    pub max: Money,
}

/// Completions.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Suggestions {
    pub products: Vec<SuggestedProduct>,
    pub categories: Vec<CategoryRef>,
    /// Words that occur in titles, brands and tags.
    pub terms: Vec<String>,
}

/// A product to jump to.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SuggestedProduct {
    pub id: ProductId,
    pub slug: String,
    pub title: String,
    pub image: Option<String>,
}

/// Wants a price.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QuoteLine {
    pub variant_id: VariantId,
    /// Quantity prices depend on it.
    pub quantity: i64,
}

/// What a cart needs to know of a variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quote {
    pub variant_id: VariantId,
    pub product_id: ProductId,
    pub slug: String,
    pub sku: String,
    pub title: String,
    pub variant_title: String,
    pub image: Option<String>,
    pub unit_price: Money,
    pub compare_at_price: Option<Money>,
    pub weight_grams: i64,
    pub tax_class: String,
    pub shipping_class: String,
    /// Its categories and all their ancestors.
    pub category_ids: Vec<CategoryId>,
    pub collection_ids: Vec<CollectionId>,
    /// A hint: only a reservation decides.
    pub available: i64,
}

/// A place in the tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Category {
    pub id: CategoryId,
    pub slug: String,
    pub title: String,
    pub description: String,
    pub parent_id: Option<CategoryId>,
    pub position: i32,
    pub image: Option<Image>,
    pub version: i64,
}

/// A category with what is below it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CategoryNode {
    #[serde(flatten)]
    pub category: Category,
    /// Published products in it and below.
    pub product_count: u64,
    #[schema(no_recursion)]
    pub children: Vec<CategoryNode>,
}

/// Wants a category.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCategory {
    pub title: String,
    /// Made from the title when absent.
    pub slug: Option<String>,
    #[serde(default)]
    pub description: String,
    pub parent_id: Option<CategoryId>,
    #[serde(default)]
    pub position: i32,
    pub image: Option<Image>,
}

/// What to change; absent members stay.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CategoryPatch {
    pub title: Option<String>,
    pub slug: Option<String>,
    pub description: Option<String>,
    /// `null` makes it a root.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub parent_id: Option<Option<CategoryId>>,
    pub position: Option<i32>,
    pub image: Option<Image>,
}

/// Tells `null` from absent.
pub(crate) fn present<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(
    d: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(d).map(Some)
}

/// A hand-picked set, across categories.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Collection {
    pub id: CollectionId,
    pub slug: String,
    pub title: String,
    pub description: String,
    pub product_ids: Vec<ProductId>,
}

/// Wants a collection.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCollection {
    pub title: String,
    pub slug: Option<String>,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub product_ids: Vec<ProductId>,
}

/// Prices for a group of customers or for quantities. The price of a variant is, of all that apply to currency, group,
/// quantity and date, the one of a list with a group before one without, then the lowest; else the variant's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PriceList {
    pub id: PriceListId,
    pub name: String,
    pub currency: Currency,
    /// Only for customers of this group.
    pub group: Option<String>,
    pub starts_at: Option<Time>,
    pub ends_at: Option<Time>,
    pub prices: Vec<ListPrice>,
}

/// Wants a price list.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPriceList {
    pub name: String,
    pub currency: Currency,
    pub group: Option<String>,
    pub starts_at: Option<Time>,
    pub ends_at: Option<Time>,
    pub prices: Vec<ListPrice>,
}

/// A unit price in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListPrice {
    pub variant_id: VariantId,
    /// From this quantity on.
    #[serde(default = "one")]
    pub min_quantity: i64,
    /// Minor units of the list's currency.
    pub amount: i64,
}

fn one() -> i64 {
    1
}

/// Wants a product.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProduct {
    pub title: String,
    /// Made from the title when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    #[serde(default)]
    pub subtitle: Option<String>,
    #[serde(default)]
    pub description: String,
    #[serde(default = "draft")]
    pub status: ProductStatus,
    #[serde(default)]
    pub brand: Option<String>,
    #[serde(default)]
    pub category_ids: Vec<CategoryId>,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub options: Vec<ProductOption>,
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    #[serde(default = "standard")]
    pub tax_class: String,
    #[serde(default = "parcel")]
    pub shipping_class: String,
    #[serde(default)]
    pub images: Vec<Image>,
    /// At least one, at most 250.
    pub variants: Vec<NewVariant>,
    #[serde(default)]
    pub seo_title: Option<String>,
    #[serde(default)]
    pub seo_description: Option<String>,
}

fn draft() -> ProductStatus {
    ProductStatus::Draft
}
fn standard() -> String {
    "standard".into()
}
fn parcel() -> String {
    "parcel".into()
}

/// Wants a variant.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVariant {
    /// Present in a patch: the variant that stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<VariantId>,
    /// Unique in the shop.
    pub sku: String,
    /// Option name to one of its values; one for each option.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    /// At least one, one per currency, none negative.
    pub prices: Vec<Money>,
    #[serde(default)]
    pub compare_at_prices: Vec<Money>,
    #[serde(default)]
    pub barcode: Option<String>,
    /// Units on hand at the default location, for a new variant only.
    #[serde(default)]
    pub stock: Option<i64>,
    #[serde(default)]
    pub weight_grams: i64,
    #[serde(default = "yes")]
    pub tracked: bool,
}

fn yes() -> bool {
    true
}

/// What to change; absent members stay. `variants` replaces the list: those with a known id or SKU are kept and changed,
/// the others are added, the missing ones are removed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductPatch {
    pub title: Option<String>,
    pub slug: Option<String>,
    pub subtitle: Option<String>,
    pub description: Option<String>,
    pub status: Option<ProductStatus>,
    pub brand: Option<String>,
    pub category_ids: Option<Vec<CategoryId>>,
    pub tags: Option<Vec<String>>,
    pub options: Option<Vec<ProductOption>>,
    pub attributes: Option<BTreeMap<String, String>>,
    pub tax_class: Option<String>,
    pub shipping_class: Option<String>,
    pub images: Option<Vec<Image>>,
    pub variants: Option<Vec<NewVariant>>,
    pub seo_title: Option<String>,
    pub seo_description: Option<String>,
}

/// Which products staff want to see.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ProductFilter {
    /// A part of title, slug or SKU.
    pub q: Option<String>,
    pub status: Option<ProductStatus>,
    pub category_id: Option<CategoryId>,
}

/// A product from outside, by slug.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportProduct {
    /// `slug` is required here: it is the handle.
    pub product: NewProduct,
    /// Category titles from the root down; missing ones are made.
    pub category_paths: Vec<Vec<String>>,
    /// Collection titles; missing ones are made.
    pub collections: Vec<String>,
    /// Demo data: how well it sells, for `sort=popular`. 0 leaves what is known.
    pub popularity: i64,
}

/// What became of one product of an import.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImportOutcome {
    pub slug: String,
    pub result: ImportResult,
    pub product_id: Option<ProductId>,
}

/// See [`ImportOutcome`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum ImportResult {
    Created,
    Updated,
    Unchanged,
    /// `code` and `pointer` as in a problem document.
    Failed {
        code: String,
        pointer: String,
        detail: String,
    },
}

/// Wants to be a picture of a product.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewImage {
    pub content: Blob,
    pub alt: String,
    pub options: BTreeMap<String, String>,
}

/// A picture's bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MediaFile {
    pub content_type: String,
    pub content: Blob,
}

/// A product is new, different or gone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProductChanged {
    pub product_id: ProductId,
    pub slug: String,
    /// False when shoppers cannot see it any more.
    pub published: bool,
}
impl Event for ProductChanged {
    const TYPE: &'static str = "product.changed";
}

/// A category or collection is new, different or gone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CategoryChanged {
    pub slug: String,
}
impl Event for CategoryChanged {
    const TYPE: &'static str = "category.changed";
}

/// A price list is new, different or gone: any price may differ.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PricesChanged {}
impl Event for PricesChanged {
    const TYPE: &'static str = "prices.changed";
}

/// The search index has caught up with what changed before: lists, facets and suggestions may differ.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SearchUpdated {}
impl Event for SearchUpdated {
    const TYPE: &'static str = "search.updated";
}

/// Smaller forms of these pictures are there: what shows them may say so.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PicturesReady {
    pub files: Vec<String>,
}
impl Event for PicturesReady {
    const TYPE: &'static str = "pictures.ready";
}
