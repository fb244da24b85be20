//! Products as shoppers and carts see them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::{Money, Time};

use super::{
    CategoryId, CategoryRef, CollectionId, Image, OptionValue, ProductId, ProductOption, Rating, VariantId,
};

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
