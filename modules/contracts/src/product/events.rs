//! What the catalogue says when something has changed.

use serde::{Deserialize, Serialize};
use shared::events::Event;

use super::ProductId;

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
