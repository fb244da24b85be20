//! Collections: sets that are picked by hand.

use serde::{Deserialize, Serialize};

use super::{CollectionId, ProductId};

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
