//! Price lists: the tables have a row a price, the collections a document for each list and product.

use std::collections::BTreeMap;

use contracts::product::{PriceListId, ProductId, VariantEntity};
use mongodb::bson::{Bson, Document, doc};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::{
    Error, Result,
    mongo::from_document,
    transfer::{Kind, list, parsed, part_rows},
};

use crate::store::mongo::prices::LIST_PRICES;

pub fn row(kind: &Kind, document: &Document) -> Result<Value> {
    #[derive(Deserialize)]
    struct OfProduct {
        product_id: ProductId,
        prices: Vec<contracts::product::ListPrice>,
    }
    let mut row = kind.row_of_members(document)?;
    let mut rows = Vec::new();
    for one in list(document, LIST_PRICES)? {
        let Bson::Document(one) = one else { continue };
        let OfProduct { product_id, prices } = from_document(one.clone())?;
        rows.extend(prices.into_iter().map(|price| {
            json!({
                "variant_id": price.variant_id.uuid(),
                "min_quantity": price.min_quantity,
                "amount": price.amount,
                "product_id": product_id.uuid(),
            })
        }));
    }
    row[LIST_PRICES] = Value::Array(rows);
    Ok(row)
}

pub fn document(kind: &Kind, row: &Value) -> Result<Document> {
    let mut document = kind.document_of_members(row)?;
    let list_id: PriceListId = parsed(&row["id"])?;
    let mut by_product = BTreeMap::<ProductId, Vec<Document>>::new();
    for price in part_rows(row, LIST_PRICES)? {
        let units = |name: &str| {
            price[name].as_i64().ok_or_else(|| Error::internal(format!("a price without {name}")))
        };
        let one = doc! {
            "variant_id": parsed::<VariantEntity>(&price["variant_id"])?.to_string(),
            "min_quantity": units("min_quantity")?,
            "amount": units("amount")?,
        };
        by_product.entry(parsed(&price["product_id"])?).or_default().push(one);
    }
    let mut beside = Vec::new();
    for (product, prices) in by_product {
        let mut one = document.clone();
        one.remove("name");
        one.extend(doc! {
            "_id": format!("{list_id}/{product}"),
            "list_id": list_id.to_string(),
            "product_id": product.to_string(),
            "prices": prices,
        });
        beside.push(one);
    }
    document.insert(LIST_PRICES, beside);
    Ok(document)
}
