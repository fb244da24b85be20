//! Products that come from outside.

use serde::{Deserialize, Serialize};

use super::{NewProduct, ProductId};

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
