//! What the module keeps, on its way between databases.

use contracts::{customer::CustomerEntity, order::OrderEntity, product::ProductEntity, review::ReviewEntity};
use mongodb::bson::Document;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::{
    Result,
    transfer::{KIND, Kind, id, plain, rewritten, time},
};

use super::{
    aggregates::SUMS,
    purchases::PURCHASES,
    reviews::{self, REVIEWS},
    votes::{REPORTS, VOTES},
};
use crate::{model::StoredReview, store::status};

/// `review_turns` stays behind: it holds something for as long as a transaction runs, and the tables have none.
pub const KINDS: &[Kind] = &[
    Kind {
        table: "reviews",
        key: &[id::<ReviewEntity>("id").called("_id")],
        collection: REVIEWS,
        row: |_, document| review_row(document),
        document: |_, row| review_document(row),
        same: |row| rewritten::<StoredReview>(row, "document"),
        ..KIND
    },
    Kind {
        table: "review_votes",
        key: &[id::<ReviewEntity>("review_id"), id::<CustomerEntity>("customer_id")],
        members: &[id::<ProductEntity>("product_id")],
        collection: VOTES,
        ..KIND
    },
    Kind {
        table: "review_reports",
        key: &[id::<ReviewEntity>("review_id"), id::<CustomerEntity>("customer_id")],
        members: &[plain("reason"), time("created_at")],
        collection: REPORTS,
        ..KIND
    },
    Kind {
        table: "review_aggregates",
        key: &[id::<ProductEntity>("product_id").called("_id")],
        members: &[
            plain("version"),
            plain("one"),
            plain("two"),
            plain("three"),
            plain("four"),
            plain("five"),
        ],
        collection: SUMS,
        ..KIND
    },
    Kind {
        table: "review_purchases",
        key: &[id::<OrderEntity>("order_id"), id::<ProductEntity>("product_id")],
        members: &[id::<CustomerEntity>("customer_id").optional(), plain("buyer")],
        collection: PURCHASES,
        ..KIND
    },
];

fn review_row(document: &Document) -> Result<Value> {
    let review = reviews::review(document.clone())?;
    Ok(json!({
        "id": review.id.uuid(),
        "product_id": review.product_id.uuid(),
        "customer_id": review.customer_id.map(|id| id.uuid()),
        "status": status(review.status),
        "rating": review.content.rating,
        "helpful": review.helpful,
        "reports": review.reports,
        "version": review.version,
        "created_at": review.created_at,
        "updated_at": review.updated_at,
        "document": serde_json::to_string(&review)?,
    }))
}

fn review_document(row: &Value) -> Result<Document> {
    #[derive(Deserialize)]
    struct Row {
        document: String,
        helpful: i64,
        reports: i64,
    }
    let Row { document, helpful, reports } = Row::deserialize(row)?;
    reviews::document(&StoredReview { helpful, reports, ..serde_json::from_str(&document)? })
}
