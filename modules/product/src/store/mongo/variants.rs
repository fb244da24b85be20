//! Variants as stock knows them: one document each, with its levels inside (`levels` belongs to `shelves`, the other
//! members to the catalogue's save). The document stays when a product gives its variant up, because stock, movements and
//! orders refer to it; only its SKU goes.
//!
//! `{_id, product_id, sku (absent: no longer sold), title, haystack, tracked, levels: [{location_id, on_hand, reserved,
//! available, updated_at}]}`

use std::collections::HashMap;

use contracts::product::{Product, ProductId, Variant, VariantId};
use mongodb::bson::{Document, doc};
use serde::Deserialize;
use shared::{
    Result,
    mongo::{Spec, Tx, index},
};

use super::{products::find_in, shelves::levels_validator, texts};
use crate::store::stock_title;

pub(super) const VARIANTS: &str = "variants";

pub(super) fn spec() -> Spec {
    let shape = doc! {"$jsonSchema": {
        "required": ["product_id", "title", "haystack", "tracked"],
        "properties": {
            "_id": {"bsonType": "string"},
            "product_id": {"bsonType": "string"},
            "sku": {"bsonType": "string"},
            "title": {"bsonType": "string"},
            "haystack": {"bsonType": "string"},
            "tracked": {"bsonType": "bool"},
        },
    }};
    let validator = Some(doc! {"$and": [shape, levels_validator()]});
    Spec { name: VARIANTS, indexes: vec![index(doc! {"product_id": 1})], validator }
}

/// Writes what stock must know of the variants of a product, where it is new.
pub(super) async fn save(tx: &mut Tx, product: &Product, before: Option<&Product>) -> Result<()> {
    let old: HashMap<VariantId, Document> =
        before.into_iter().flat_map(|b| b.variants.iter().map(|v| (v.id, described(b, v)))).collect();
    let variants = tx.collection(VARIANTS);
    let (mut new, mut kept) = (Vec::new(), Vec::new());
    for variant in &product.variants {
        let described = described(product, variant);
        match old.get(&variant.id) {
            None => new.push(begun(product.id, variant.id, described)),
            Some(before) if *before == described => {}
            Some(_) => {
                let row = doc! {"_id": variant.id.to_string()};
                variants.update_one(row, doc! {"$set": described}).session(tx.session()).await?;
            }
        }
        kept.push(variant.id);
    }
    if !new.is_empty() {
        variants.insert_many(new).session(tx.session()).await?;
    }
    let given_up: Vec<VariantId> = old.into_keys().filter(|id| !kept.contains(id)).collect();
    if !given_up.is_empty() {
        let (rows, no_sku) = (doc! {"_id": {"$in": texts(&given_up)}}, doc! {"$unset": {"sku": ""}});
        variants.update_many(rows, no_sku).session(tx.session()).await?;
    }
    Ok(())
}

fn described(product: &Product, variant: &Variant) -> Document {
    let title = stock_title(product, variant);
    let haystack = format!("{}\n{title}", variant.sku).to_lowercase();
    doc! {"sku": &variant.sku, "title": title, "haystack": haystack, "tracked": variant.tracked}
}

fn begun(product: ProductId, variant: VariantId, described: Document) -> Document {
    let mut row = doc! {"_id": variant.to_string(), "product_id": product.to_string(), "levels": []};
    row.extend(described);
    row
}

/// Whose they are, whether they are still sold or not.
pub(super) async fn owners(tx: &mut Tx, ids: &[VariantId]) -> Result<HashMap<VariantId, ProductId>> {
    #[derive(Deserialize)]
    struct Owned {
        #[serde(rename = "_id")]
        id: VariantId,
        product_id: ProductId,
    }
    let (rows, columns) = (doc! {"_id": {"$in": texts(ids)}}, doc! {"product_id": 1});
    let owned = find_in::<Owned>(tx, VARIANTS, rows, columns).await?;
    Ok(owned.into_iter().map(|row| (row.id, row.product_id)).collect())
}
