//! Searches: what is asked, and what is found.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::{Money, PageRequest};

use super::{CategoryRef, PriceContext, ProductCard, ProductId};

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
