//! What the module keeps, on its way between databases.
//!
//! `category_tree` stays behind, and so does the `placed` of categories: they only make transactions meet, and are made anew.
//! `placements` is written with the products that it is about.

mod catalogue;
mod prices;

use contracts::{
    metadata::DefinitionEntity,
    order::OrderEntity,
    product::{
        CategoryEntity, CollectionEntity, PriceListEntity, ProductEntity, VariantEntity,
        stock::{LocationEntity, LocationId, MovementEntity},
    },
};
use mongodb::bson::{Bson, Document};
use serde_json::{Value, json};
use shared::{
    Error, Result,
    transfer::{Form, KIND, Kind, Member, Part, id, list, plain, text, time},
};

use super::{
    categories::{CATEGORIES, CATEGORY_REDIRECTS, PLACEMENTS},
    collections::COLLECTIONS,
    fields::{DEFINITIONS, FIELDS},
    pictures::PICTURES,
    prices::{LIST_PRICES, PRICE_LISTS},
    products::{PRODUCTS, REDIRECTS},
    shelves::{LOCATIONS, MAIN, MOVEMENTS, RESERVATIONS},
    variants::VARIANTS,
};

/// Price lists at a time: one may have a price for everything.
const LISTS: u32 = 10;

const WHAT_IS_SAID: &[Member] = &[plain("version"), plain("data")];

pub const KINDS: &[Kind] = &[
    Kind {
        table: "categories",
        key: &[id::<CategoryEntity>("id").called("_id")],
        members: &[
            plain("slug"),
            plain("title"),
            plain("description"),
            id::<CategoryEntity>("parent_id"),
            plain("position"),
            plain("version"),
        ],
        collection: CATEGORIES,
        row: catalogue::category_row,
        document: catalogue::category_document,
        same: catalogue::category_rewritten,
        // All at once: a category may be older than the one above it.
        batch: u32::MAX,
        ..KIND
    },
    Kind {
        table: "category_redirects",
        key: &[plain("slug").called("_id")],
        members: &[id::<CategoryEntity>("category_id")],
        collection: CATEGORY_REDIRECTS,
        ..KIND
    },
    Kind {
        table: "products",
        key: &[id::<ProductEntity>("id").called("_id")],
        members: &[
            plain("slug"),
            plain("status"),
            plain("version"),
            time("created_at"),
            plain("popularity"),
            plain("haystack"),
        ],
        parts: &[
            Part { table: "product_touches", key: &["product_id"], form: Form::Other, also: None },
            Part { table: "product_categories", key: &["product_id"], form: Form::Other, also: None },
        ],
        collection: PRODUCTS,
        beside: &[(PLACEMENTS, "_id")],
        row: catalogue::product_row,
        document: catalogue::product_document,
        same: catalogue::product_rewritten,
        ..KIND
    },
    Kind {
        table: "slug_redirects",
        key: &[plain("slug").called("_id")],
        members: &[id::<ProductEntity>("product_id")],
        collection: REDIRECTS,
        ..KIND
    },
    Kind {
        table: "collections",
        key: &[id::<CollectionEntity>("id").called("_id")],
        members: &[plain("slug"), plain("title"), plain("description")],
        parts: &[Part {
            table: "collection_products",
            key: &["collection_id"],
            form: Form::Ordered("product_ids", id::<ProductEntity>("product_id")),
            also: None,
        }],
        collection: COLLECTIONS,
        ..KIND
    },
    Kind {
        table: "locations",
        key: &[id::<LocationEntity>("id").called("_id")],
        members: &[plain("name"), plain("priority")],
        collection: LOCATIONS,
        first: Some(main_location),
        ..KIND
    },
    Kind {
        table: "variants",
        key: &[id::<VariantEntity>("id").called("_id")],
        members: &[
            id::<ProductEntity>("product_id"),
            plain("sku").optional(),
            plain("title"),
            plain("haystack"),
            plain("tracked"),
        ],
        parts: &[Part {
            table: "levels",
            key: &["variant_id"],
            form: Form::Documents(
                "levels",
                &[
                    id::<LocationEntity>("location_id"),
                    plain("on_hand"),
                    plain("reserved"),
                    time("updated_at"),
                ],
            ),
            also: None,
        }],
        collection: VARIANTS,
        document: variant_document,
        ..KIND
    },
    Kind {
        table: "movements",
        key: &[id::<MovementEntity>("id").called("_id")],
        members: &[
            id::<VariantEntity>("variant_id"),
            id::<LocationEntity>("location_id"),
            plain("delta"),
            plain("kind"),
            plain("reason"),
            id::<OrderEntity>("order_id").optional(),
            plain("actor"),
            time("at"),
        ],
        collection: MOVEMENTS,
        ..KIND
    },
    Kind {
        table: "reservations",
        key: &[id::<OrderEntity>("order_id").called("_id")],
        members: &[plain("state"), time("expires_at"), time("updated_at")],
        parts: &[Part {
            table: "reservation_lines",
            key: &["order_id"],
            form: Form::Documents(
                "lines",
                &[id::<VariantEntity>("variant_id"), id::<LocationEntity>("location_id"), plain("quantity")],
            ),
            also: None,
        }],
        collection: RESERVATIONS,
        ..KIND
    },
    Kind {
        table: "price_lists",
        key: &[id::<PriceListEntity>("id").called("_id")],
        members: &[
            plain("name"),
            plain("currency"),
            plain("customer_group").called("group"),
            time("starts_at"),
            time("ends_at"),
        ],
        parts: &[Part {
            table: "list_prices",
            key: &["list_id"],
            form: Form::Other,
            // The documents are kept by product.
            also: Some(("product_id", "(select v.product_id from variants v where v.id = variant_id)")),
        }],
        collection: PRICE_LISTS,
        beside: &[(LIST_PRICES, "list_id")],
        row: prices::row,
        document: prices::document,
        batch: LISTS,
        ..KIND
    },
    Kind {
        table: "field_definitions",
        key: &[id::<DefinitionEntity>("id").called("_id")],
        members: WHAT_IS_SAID,
        collection: DEFINITIONS,
        ..KIND
    },
    Kind {
        table: "product_fields",
        key: &[id::<ProductEntity>("product_id").called("_id")],
        members: WHAT_IS_SAID,
        collection: FIELDS,
        ..KIND
    },
    Kind {
        table: "pictures",
        key: &[plain("file").called("_id")],
        members: &[time("due_at").optional(), plain("tries"), plain("avif"), plain("color")],
        collection: PICTURES,
        row: picture_row,
        document: picture_document,
        ..KIND
    },
];

/// A new database has no place before its first use, where the tables begin with one.
fn main_location() -> Value {
    let id = MAIN.parse::<LocationId>().expect("it is an id");
    json!({"id": id.uuid(), "name": "Main", "priority": 0})
}

/// The tables do not keep what is available.
fn variant_document(kind: &Kind, row: &Value) -> Result<Document> {
    let mut document = kind.document_of_members(row)?;
    for level in document.get_array_mut("levels").map_err(Error::internal)? {
        let Bson::Document(level) = level else { continue };
        let [on_hand, reserved] = ["on_hand", "reserved"].map(|units| level.get_i64(units));
        level.insert("available", on_hand.map_err(Error::internal)? - reserved.map_err(Error::internal)?);
    }
    Ok(document)
}

fn picture_row(kind: &Kind, document: &Document) -> Result<Value> {
    let mut row = kind.row_of_members(document)?;
    let width = |width: &Bson| width.as_i64().or(width.as_i32().map(i64::from));
    let widths = list(document, "widths")?.iter().filter_map(width);
    row["widths"] = json!(widths.map(|width| width.to_string()).collect::<Vec<_>>().join(","));
    Ok(row)
}

fn picture_document(kind: &Kind, row: &Value) -> Result<Document> {
    let mut document = kind.document_of_members(row)?;
    let widths = text(&row["widths"])?.split(',').filter_map(|width| width.parse::<i64>().ok());
    document.insert("widths", widths.collect::<Vec<_>>());
    Ok(document)
}
