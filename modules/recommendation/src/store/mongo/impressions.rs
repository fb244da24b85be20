//! What was shown, and what of it was clicked: one document, as clicks are nothing without their list.

use std::collections::HashSet;

use contracts::{
    customer::CustomerId,
    product::ProductId,
    recommendation::{Impression, ImpressionId, Surface, Visitor, VisitorId},
};
use futures::TryStreamExt;
use mongodb::bson::{Document, doc};
use serde::{Deserialize, Serialize};
use shared::{
    Result, Time,
    mongo::{Mongo, Spec, duplicate, from_document, to_document},
};

use super::by_time_and_person;
use crate::{learn::Features, model::Shown};

pub const COLLECTION: &str = "recommendation_impressions";

pub fn spec() -> Spec {
    let validator = doc! {"$jsonSchema": {
        "required": ["surface", "shown", "at", "features", "clicked"],
        "properties": {
            "_id": {"bsonType": "string"},
            "customer_id": {"bsonType": "string"},
            "visitor_id": {"bsonType": "string"},
            "surface": {"bsonType": "string"},
            "product_id": {"bsonType": "string"},
            "shown": {"bsonType": "array", "items": {"bsonType": "string"}},
            "at": {"bsonType": "long"},
            "features": {"bsonType": "array", "items": {"bsonType": "object"}},
            "clicked": {"bsonType": "array", "items": {"bsonType": "string"}, "uniqueItems": true},
        },
    }};
    Spec { name: COLLECTION, indexes: by_time_and_person(), validator: Some(validator) }
}

/// A list as it is kept; `at` in µs.
#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(rename = "_id")]
    id: ImpressionId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer_id: Option<CustomerId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    visitor_id: Option<VisitorId>,
    surface: Surface,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    product_id: Option<ProductId>,
    shown: Vec<ProductId>,
    at: i64,
    /// What was known of each product then.
    features: Vec<Features>,
    clicked: Vec<ProductId>,
}

/// What is learned of a list.
#[derive(Deserialize)]
struct Lesson {
    shown: Vec<ProductId>,
    features: Vec<Features>,
    clicked: HashSet<ProductId>,
}

/// The list in a document, without its clicks.
pub fn shown(document: Document) -> Result<Shown> {
    let row: Row = from_document(document)?;
    let impression = Impression {
        id: row.id,
        visitor: Visitor { customer_id: row.customer_id, visitor_id: row.visitor_id },
        surface: row.surface,
        product_id: row.product_id,
        shown: row.shown,
        at: Time::from_micros(row.at),
    };
    Ok(Shown { impression, features: row.features })
}

/// The document of a list that nobody has clicked on.
pub fn document(Shown { impression, features }: Shown) -> Result<Document> {
    to_document(&Row {
        id: impression.id,
        customer_id: impression.visitor.customer_id,
        visitor_id: impression.visitor.visitor_id,
        surface: impression.surface,
        product_id: impression.product_id,
        shown: impression.shown,
        at: impression.at.micros(),
        features,
        clicked: Vec::new(),
    })
}

pub async fn insert(mongo: &Mongo, shown: Shown) -> Result<()> {
    match mongo.collection(COLLECTION).insert_one(document(shown)?).await {
        Err(error) if duplicate(&error).is_some() => Ok(()),
        inserted => Ok(inserted.map(|_| ())?),
    }
}

pub async fn click(mongo: &Mongo, impression: ImpressionId, product: ProductId) -> Result<()> {
    let product = product.to_string();
    let shown = doc! {"_id": impression.to_string(), "shown": &product};
    mongo.collection(COLLECTION).update_one(shown, doc! {"$addToSet": {"clicked": product}}).await?;
    Ok(())
}

/// Products of the last lists, the oldest first.
pub async fn clicks(mongo: &Mongo, lists: u32) -> Result<Vec<(Features, bool)>> {
    // To the server no limit is the same as a limit of 0.
    if lists == 0 {
        return Ok(Vec::new());
    }
    let lessons = mongo.collection(COLLECTION).clone_with_type::<Lesson>();
    let found = lessons
        .find(doc! {})
        .sort(doc! {"at": -1, "_id": -1})
        .limit(i64::from(lists))
        .projection(doc! {"_id": 0, "shown": 1, "features": 1, "clicked": 1});
    let lists: Vec<Lesson> = found.await?.try_collect().await?;
    let lists = lists.into_iter().rev();
    Ok(lists
        .flat_map(|Lesson { shown, features, clicked }| {
            let shown = shown.into_iter().zip(features);
            shown.map(move |(product, features)| (features, clicked.contains(&product)))
        })
        .collect())
}
