//! The stock ledger.

use contracts::{
    Actor,
    order::OrderId,
    product::{
        VariantId,
        stock::{LocationId, Movement, MovementId},
    },
};
use futures::TryStreamExt;
use mongodb::bson::{Document, doc};
use serde::{Deserialize, Serialize};
use shared::{
    Result, Time,
    mongo::{Mongo, Spec, Tx, from_document, index, to_document},
};

pub(in crate::store::mongo) const MOVEMENTS: &str = "movements";

/// Append only. For each level, the sum of its movements is what is on hand.
pub(super) fn spec() -> Spec {
    let validator = doc! {"$jsonSchema": {
        "required": ["variant_id", "location_id", "delta", "kind", "reason", "actor", "at"],
        "properties": {
            "variant_id": {"bsonType": "string"},
            "location_id": {"bsonType": "string"},
            "delta": {"bsonType": "long"},
            "kind": {"enum": ["initial", "adjustment", "sale", "restock"]},
            "reason": {"bsonType": "string"},
            "order_id": {"bsonType": "string"},
            "actor": {"bsonType": "string"},
            "at": {"bsonType": "long"},
        },
    }};
    let newest = index(doc! {"variant_id": 1, "at": -1, "_id": -1});
    Spec { name: MOVEMENTS, indexes: vec![newest], validator: Some(validator) }
}

/// A movement as it is kept; `at` in µs.
#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(rename = "_id")]
    id: MovementId,
    variant_id: VariantId,
    location_id: LocationId,
    delta: i64,
    kind: String,
    reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order_id: Option<OrderId>,
    actor: String,
    at: i64,
}

impl Row {
    fn movement(self) -> Movement {
        Movement {
            id: self.id,
            variant_id: self.variant_id,
            location_id: self.location_id,
            delta: self.delta,
            kind: self.kind,
            reason: self.reason,
            order_id: self.order_id,
            actor: Actor::from_column(&self.actor),
            at: Time::from_micros(self.at),
        }
    }
}

pub(super) async fn history(
    db: &Mongo,
    variant: VariantId,
    after: Option<(Time, MovementId)>,
    limit: u32,
) -> Result<Vec<Movement>> {
    let mut filter = doc! {"variant_id": variant.to_string()};
    if let Some((time, id)) = after {
        let time = time.micros();
        filter.insert("at", doc! {"$lte": time});
        filter.insert("$or", [doc! {"at": {"$lt": time}}, doc! {"_id": {"$lt": id.to_string()}}]);
    }
    let found =
        db.collection(MOVEMENTS).find(filter).sort(doc! {"at": -1, "_id": -1}).limit(limit.into()).await?;
    let rows: Vec<Document> = found.try_collect().await?;
    rows.into_iter().map(|row| Ok(from_document::<Row>(row)?.movement())).collect()
}

/// Writes a movement. False if one with this id is there: what it records has been done.
pub(super) async fn record(tx: &mut Tx, new: &Movement) -> Result<bool> {
    let mut row = to_document(&Row {
        id: new.id,
        variant_id: new.variant_id,
        location_id: new.location_id,
        delta: new.delta,
        kind: new.kind.clone(),
        reason: new.reason.clone(),
        order_id: new.order_id,
        actor: new.actor.to_column(),
        at: new.at.micros(),
    })?;
    let id = row.remove("_id");
    let written = tx
        .collection(MOVEMENTS)
        .update_one(doc! {"_id": id}, doc! {"$setOnInsert": row})
        .upsert(true)
        .session(tx.session())
        .await?;
    Ok(written.upserted_id.is_some())
}
