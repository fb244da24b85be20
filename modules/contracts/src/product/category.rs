//! Categories: a tree, and what staff want of it.

use serde::{Deserialize, Serialize};

use super::{CategoryId, Image};

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

/// A category by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CategoryRef {
    pub id: CategoryId,
    pub slug: String,
    pub title: String,
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
