//! What the module keeps, on its way between databases.

use contracts::{
    customer::CustomerEntity,
    product::ProductEntity,
    recommendation::{ImpressionEntity, ModelEntity, ModelInfo, VisitorEntity},
};
use mongodb::bson::Document;
use serde_json::{Value, json};
use shared::{
    Result,
    transfer::{Form, KIND, Kind, Part, id, json, plain, rewritten, text, time},
};

use super::{impressions, interactions, models};
use crate::model::{InteractionEntity, Shown};

/// Parts of models at a time: each is a megabyte.
const PARTS: u32 = 16;

/// `recommendation_turns` stays behind: it only makes transactions meet, and is made anew.
pub const KINDS: &[Kind] = &[
    Kind {
        table: "recommendation_interactions",
        key: &[id::<InteractionEntity>("id").called("_id")],
        members: &[
            id::<CustomerEntity>("customer_id").optional(),
            id::<VisitorEntity>("visitor_id").optional(),
            id::<ProductEntity>("product_id"),
            plain("kind"),
            time("at"),
        ],
        collection: interactions::COLLECTION,
        ..KIND
    },
    Kind {
        table: "recommendation_impressions",
        key: &[id::<ImpressionEntity>("id").called("_id")],
        members: &[
            id::<CustomerEntity>("customer_id").optional(),
            id::<VisitorEntity>("visitor_id").optional(),
            time("at"),
        ],
        parts: &[Part {
            table: "recommendation_clicks",
            key: &["impression_id"],
            form: Form::Values("clicked", id::<ProductEntity>("product_id")),
            also: None,
        }],
        collection: impressions::COLLECTION,
        row: impression_row,
        document: impression_document,
        same: |row| rewritten::<Shown>(row, "document"),
        ..KIND
    },
    // The parts first: a model is there when its own row is.
    Kind {
        table: "recommendation_model_parts",
        key: &[id::<ModelEntity>("model_id"), plain("part")],
        collection: models::PARTS,
        row: part_row,
        document: part_document,
        batch: PARTS,
        ..KIND
    },
    Kind {
        table: "recommendation_models",
        key: &[id::<ModelEntity>("id").called("_id")],
        members: &[time("trained_at"), json::<ModelInfo>("document").called("model")],
        collection: models::MODELS,
        ..KIND
    },
];

fn impression_row(kind: &Kind, document: &Document) -> Result<Value> {
    let mut row = kind.row_of_members(document)?;
    let shown = impressions::shown(document.clone())?;
    row["document"] = json!(serde_json::to_string(&shown)?);
    Ok(row)
}

fn impression_document(kind: &Kind, row: &Value) -> Result<Document> {
    let mut document = impressions::document(serde_json::from_str(text(&row["document"])?)?)?;
    document.extend(kind.document_of_members(row)?);
    Ok(document)
}

fn part_row(kind: &Kind, document: &Document) -> Result<Value> {
    let mut row = kind.row_of_members(document)?;
    row["content"] = json!(models::part_text(document)?);
    Ok(row)
}

fn part_document(kind: &Kind, row: &Value) -> Result<Document> {
    let mut document = kind.document_of_members(row)?;
    document.insert("content", models::part_content(text(&row["content"])?)?);
    Ok(document)
}
