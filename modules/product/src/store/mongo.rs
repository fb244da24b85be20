//! The store in MongoDB.

use shared::mongo::{Schema, Spec};

/// The module's collections.
pub const SCHEMA: Schema = Schema { module: "product", collections };

fn collections() -> Vec<Spec> {
    Vec::new()
}
