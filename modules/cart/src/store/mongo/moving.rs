//! What the module keeps, on its way between databases.

use contracts::{
    cart::{CartEntity, NewPromotion, NewTaxRate, PromotionEntity},
    order::OrderEntity,
};
use mongodb::bson::Document;
use serde_json::{Value, json};
use shared::{
    Error, Result,
    transfer::{Form, KIND, Kind, Part, id, json, part_rows, plain, rewritten, text, time},
};

use super::{
    carts, claims,
    promotions::PROMOTIONS,
    taxes::{self, TAX_RATES},
};
use crate::model::StoredCart;

pub const KINDS: &[Kind] = &[
    Kind {
        table: "carts",
        key: &[id::<CartEntity>("id").called("_id")],
        collection: carts::CARTS,
        row: |_, document| cart_row(document),
        document: |_, row| carts::document(serde_json::from_str(text(&row["document"])?)?),
        same: |row| rewritten::<StoredCart>(row, "document"),
        ..KIND
    },
    Kind {
        table: "promotions",
        key: &[id::<PromotionEntity>("id").called("_id")],
        members: &[
            plain("code_key").optional(),
            plain("version"),
            plain("used"),
            json::<NewPromotion>("document").called("terms"),
            time("created_at"),
        ],
        collection: PROMOTIONS,
        row: promotion_row,
        ..KIND
    },
    Kind {
        table: "promotion_claims",
        key: &[id::<OrderEntity>("order_id").called("_id")],
        members: &[plain("released"), time("created_at")],
        collection: claims::CLAIMS,
        ..KIND
    },
    Kind {
        table: "promotion_uses",
        key: &[id::<OrderEntity>("order_id"), id::<PromotionEntity>("promotion_id")],
        members: &[plain("customer")],
        collection: claims::USES,
        ..KIND
    },
    // A row a rate, and a document a country.
    Kind {
        table: "tax_rates",
        key: &[plain("country").called("_id")],
        parts: &[Part { table: "tax_rates", key: &["country"], form: Form::Other, also: None }],
        grouped: true,
        collection: TAX_RATES,
        row: |_, document| {
            let code = document.get_str("_id").map_err(Error::internal)?;
            Ok(json!({"country": code, "tax_rates": taxes::rows(document.clone())?}))
        },
        document: |_, row| taxes::document(text(&row["country"])?, part_rows(row, "tax_rates")?),
        same: |country| {
            let mut rates = country["tax_rates"].as_array_mut().into_iter().flatten();
            rates.try_for_each(|row| rewritten::<NewTaxRate>(row, "document"))
        },
        ..KIND
    },
];

fn cart_row(document: &Document) -> Result<Value> {
    let cart = carts::cart(document.clone())?;
    Ok(json!({
        "id": cart.id.uuid(),
        "version": cart.version,
        "customer_id": cart.customer_id.map(|id| id.uuid()),
        "is_current": cart.is_current,
        "document": serde_json::to_string(&cart)?,
        "updated_at": cart.updated_at,
    }))
}

/// The limit is one of the terms; the table has it once more for its conditional writes.
fn promotion_row(kind: &Kind, document: &Document) -> Result<Value> {
    let mut row = kind.row_of_members(document)?;
    let terms: NewPromotion = serde_json::from_str(text(&row["document"])?)?;
    row["usage_limit"] = json!(terms.usage_limit);
    Ok(row)
}
