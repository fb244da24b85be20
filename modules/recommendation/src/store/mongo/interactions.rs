//! What was done.

use contracts::{
    customer::CustomerId,
    product::ProductId,
    recommendation::{Interaction, InteractionKind, Visitor, VisitorId},
};
use futures::TryStreamExt;
use mongodb::{
    Collection,
    bson::{Bson, doc},
    error::{Error as MongoError, ErrorKind},
};
use serde::{Deserialize, Serialize};
use shared::{
    Result, Time,
    mongo::{Mongo, Spec, Tx, to_document},
};

use super::by_time_and_person;
use crate::model::{InteractionId, interaction_id};

pub const COLLECTION: &str = "recommendation_interactions";

/// How many are written at once: others write in between.
const BATCH: usize = 1_000;
/// How many are read at once.
const PAGE: u32 = 20_000;
/// The server's code for what is there already.
const DUPLICATE_KEY: i32 = 11000;

pub fn spec() -> Spec {
    let validator = doc! {"$jsonSchema": {
        "required": ["product_id", "kind", "at"],
        "properties": {
            "_id": {"bsonType": "string"},
            "customer_id": {"bsonType": "string"},
            "visitor_id": {"bsonType": "string"},
            "product_id": {"bsonType": "string"},
            "kind": {"enum": ["view", "cart_add", "purchase"]},
            "at": {"bsonType": "long"},
        },
    }};
    Spec { name: COLLECTION, indexes: by_time_and_person(), validator: Some(validator) }
}

/// An interaction as it is kept; `at` in µs.
#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(rename = "_id")]
    id: InteractionId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer_id: Option<CustomerId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    visitor_id: Option<VisitorId>,
    product_id: ProductId,
    kind: InteractionKind,
    at: i64,
}

impl From<&Interaction> for Row {
    fn from(one: &Interaction) -> Self {
        Self {
            id: interaction_id(one),
            customer_id: one.visitor.customer_id,
            visitor_id: one.visitor.visitor_id,
            product_id: one.product_id,
            kind: one.kind,
            at: one.at.micros(),
        }
    }
}

impl From<Row> for Interaction {
    fn from(row: Row) -> Self {
        let visitor = Visitor { customer_id: row.customer_id, visitor_id: row.visitor_id };
        Self { visitor, product_id: row.product_id, kind: row.kind, at: Time::from_micros(row.at) }
    }
}

fn rows(mongo: &Mongo) -> Collection<Row> {
    mongo.collection(COLLECTION).clone_with_type()
}

/// Writes those that are not known, in no order; answers how many.
pub async fn add(mongo: &Mongo, all: &[Interaction]) -> Result<u32> {
    let (rows, mut new) = (rows(mongo), 0);
    for batch in all.chunks(BATCH) {
        let inserted = rows.insert_many(batch.iter().map(Row::from)).ordered(false).await;
        let known = match inserted {
            Ok(_) => 0,
            Err(error) => known(&error).ok_or(error)?,
        };
        new += batch.len().saturating_sub(known);
    }
    Ok(u32::try_from(new).unwrap_or(u32::MAX))
}

/// How many of a batch were there before; `None` if anything else went wrong.
fn known(error: &MongoError) -> Option<usize> {
    let ErrorKind::InsertMany(many) = &*error.kind else { return None };
    let errors = many.write_errors.as_deref().unwrap_or_default();
    let only = many.write_concern_error.is_none() && errors.iter().all(|error| error.code == DUPLICATE_KEY);
    only.then_some(errors.len())
}

/// Writes those that are not known. A duplicate would end the transaction: hence one upsert for each.
pub async fn insert(tx: &mut Tx, all: &[Interaction]) -> Result<()> {
    let interactions = tx.collection(COLLECTION);
    for one in all {
        let mut row = to_document(&Row::from(one))?;
        let id = row.remove("_id");
        interactions
            .update_one(doc! {"_id": id}, doc! {"$setOnInsert": row})
            .upsert(true)
            .session(tx.session())
            .await?;
    }
    Ok(())
}

/// Deletes these; answers those that were there.
pub async fn remove(tx: &mut Tx, all: &[Interaction]) -> Result<Vec<Interaction>> {
    let interactions = tx.collection(COLLECTION);
    let mut removed = Vec::new();
    for one in all {
        let this = doc! {"_id": interaction_id(one).to_string()};
        if interactions.delete_one(this).session(tx.session()).await?.deleted_count > 0 {
            removed.push(one.clone());
        }
    }
    Ok(removed)
}

/// The last ones, the oldest of them first.
pub async fn last(mongo: &Mongo, limit: u32) -> Result<Vec<Interaction>> {
    // To the server no limit is the same as a limit of 0.
    if limit == 0 {
        return Ok(Vec::new());
    }
    let latest = doc! {"at": -1, "_id": -1};
    let rows = rows(mongo);
    let found = rows.find(doc! {}).sort(latest).limit(i64::from(limit)).batch_size(PAGE.min(limit)).await?;
    let mut all: Vec<Interaction> = found.map_ok(Interaction::from).try_collect().await?;
    all.reverse();
    Ok(all)
}

/// The last ones of the customer and of the browser, in no order; what both did comes twice.
pub async fn of(mongo: &Mongo, visitor: Visitor, limit: u32) -> Result<Vec<Interaction>> {
    let customer = visitor.customer_id.map(|id| doc! {"customer_id": id.to_string()});
    let browser = visitor.visitor_id.map(|id| doc! {"visitor_id": id.to_string()});
    let mut all = Vec::new();
    for theirs in customer.into_iter().chain(browser) {
        let found = rows(mongo).find(theirs).sort(doc! {"at": -1}).limit(i64::from(limit)).await?;
        all.extend(found.map_ok(Interaction::from).try_collect::<Vec<_>>().await?);
    }
    Ok(all)
}

/// What the server counts as it writes: to count millions takes seconds, and a crash of the server puts it wrong by a
/// minute's worth at most.
pub async fn count(mongo: &Mongo) -> Result<u64> {
    Ok(mongo.collection(COLLECTION).estimated_document_count().await?)
}

/// What the customer was called before they said who they are.
pub async fn anonymous_past(tx: &mut Tx, customer: CustomerId) -> Result<Vec<String>> {
    let theirs = doc! {"customer_id": customer.to_string()};
    let interactions = tx.collection(COLLECTION);
    let past = interactions.distinct("visitor_id", theirs).session(tx.session()).await?;
    Ok(past.iter().filter_map(Bson::as_str).map(str::to_owned).collect())
}
