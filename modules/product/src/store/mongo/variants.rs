//! Variants as stock knows them: one document each, with its levels inside (`levels` belongs to `shelves`, the other
//! members to the catalogue's save). The document stays when a product gives its variant up, because stock, movements and
//! orders refer to it; only its SKU goes.
//!
//! `{_id, product_id, sku (absent: no longer sold), title, haystack, tracked, levels: [{location_id, on_hand, reserved,
//! updated_at}]}`

use mongodb::bson::doc;
use shared::mongo::{Spec, index};

pub(super) const VARIANTS: &str = "variants";

pub(super) fn spec() -> Spec {
    Spec { name: VARIANTS, indexes: vec![index(doc! {"product_id": 1})], validator: None }
}
