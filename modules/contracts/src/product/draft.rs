//! What staff want a product to be.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::Money;

use super::{CategoryId, Image, ProductOption, ProductStatus, VariantId};

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
