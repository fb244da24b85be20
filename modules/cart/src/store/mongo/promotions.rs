//! Promotions: one document each, with the count of its uses.

use contracts::cart::{NewPromotion, Promotion, PromotionChanged, PromotionId};
use futures::TryStreamExt;
use mongodb::{
    bson::{Document, doc},
    error::Error as MongoError,
    options::ReturnDocument,
};
use serde::{Deserialize, Serialize};
use shared::{
    Error, Kind, Page, PageRequest, Result, Time,
    mongo::{Mongo, Spec, Tx, duplicate, from_document, shape, to_document, unique},
};

use crate::model::code_key;

pub const PROMOTIONS: &str = "promotions";

/// The list a cursor belongs to.
const LIST: &str = "promotions";

pub fn spec() -> Spec {
    let code = unique("promotions_code", doc! {"code_key": 1}, doc! {"code_key": {"$exists": true}});
    let required = ["version", "used", "created_at", "terms"];
    let properties = doc! {
        "_id": {"bsonType": "string"},
        "code_key": {"bsonType": "string"},
        "version": {"bsonType": "long", "minimum": 1},
        "used": {"bsonType": "long", "minimum": 0},
        "created_at": {"bsonType": "long"},
        "terms": {"bsonType": "object", "properties": {
            "usage_limit": {"bsonType": ["long", "null"], "minimum": 1},
            "usage_limit_per_customer": {"bsonType": ["long", "null"], "minimum": 1},
        }},
    };
    Spec { name: PROMOTIONS, indexes: vec![code], validator: shape(&required, properties) }
}

/// A promotion as it is kept; the time in µs.
#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(rename = "_id")]
    id: PromotionId,
    /// Absent without a code: the unique index is about codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code_key: Option<String>,
    version: i64,
    used: i64,
    created_at: i64,
    terms: NewPromotion,
}

impl Row {
    fn new(promotion: Promotion) -> Self {
        Self {
            id: promotion.id,
            code_key: promotion.terms.code.as_deref().map(code_key),
            version: promotion.version,
            used: promotion.used,
            created_at: promotion.created_at.micros(),
            terms: promotion.terms,
        }
    }

    fn promotion(self) -> Promotion {
        Promotion {
            id: self.id,
            terms: self.terms,
            used: self.used,
            created_at: Time::from_micros(self.created_at),
            version: self.version,
        }
    }
}

fn read(document: Document) -> Result<Promotion> {
    Ok(from_document::<Row>(document)?.promotion())
}

fn by_id(id: PromotionId) -> Document {
    doc! {"_id": id.to_string()}
}

pub async fn all(db: &Mongo) -> Result<Vec<Promotion>> {
    let found = db.collection(PROMOTIONS).find(doc! {}).sort(doc! {"_id": 1}).await?;
    let found: Vec<Document> = found.try_collect().await?;
    found.into_iter().map(read).collect()
}

pub async fn page(db: &Mongo, page: &PageRequest) -> Result<Page<Promotion>> {
    let after: Option<PromotionId> = page.position(LIST)?;
    let filter = after.map(|id| doc! {"_id": {"$lt": id.to_string()}}).unwrap_or_default();
    let limit = i64::from(page.limit) + 1;
    let found = db.collection(PROMOTIONS).find(filter).sort(doc! {"_id": -1}).limit(limit).await?;
    let found: Vec<Document> = found.try_collect().await?;
    let promotions = found.into_iter().map(read).collect::<Result<_>>()?;
    Ok(Page::cut(promotions, page.limit, LIST, |promotion: &Promotion| promotion.id))
}

pub async fn find(db: &Mongo, id: PromotionId) -> Result<Option<Promotion>> {
    db.collection(PROMOTIONS).find_one(by_id(id)).await?.map(read).transpose()
}

pub async fn find_in(tx: &mut Tx, id: PromotionId) -> Result<Option<Promotion>> {
    let promotions = tx.collection(PROMOTIONS);
    promotions.find_one(by_id(id)).session(tx.session()).await?.map(read).transpose()
}

pub async fn insert(tx: &mut Tx, promotion: &Promotion) -> Result<()> {
    let (promotions, row) = (tx.collection(PROMOTIONS), to_document(&Row::new(promotion.clone()))?);
    promotions.insert_one(row).session(tx.session()).await.map_err(code_taken)?;
    announce(tx, promotion.id, promotion.version).await
}

pub async fn update(
    tx: &mut Tx,
    id: PromotionId,
    terms: &NewPromotion,
    expected: Option<i64>,
) -> Result<Promotion> {
    let before = find_in(tx, id).await?.ok_or_else(PromotionId::not_found)?;
    if expected.is_some_and(|version| version != before.version) {
        return Err(moved_on());
    }
    let seen = doc! {"_id": id.to_string(), "version": before.version};
    let promotion = Promotion { terms: terms.clone(), version: before.version + 1, ..before };
    // `used` is not written: it belongs to the claims.
    let mut update = doc! {"$set": {"version": promotion.version, "terms": to_document(terms)?}};
    match terms.code.as_deref() {
        Some(code) => {
            update.get_document_mut("$set").map_err(Error::internal)?.insert("code_key", code_key(code))
        }
        None => update.insert("$unset", doc! {"code_key": ""}),
    };
    let promotions = tx.collection(PROMOTIONS);
    let updated = promotions.update_one(seen, update).session(tx.session()).await.map_err(code_taken)?;
    if updated.matched_count != 1 {
        return Err(moved_on());
    }
    announce(tx, id, promotion.version).await?;
    Ok(promotion)
}

pub async fn delete(tx: &mut Tx, id: PromotionId) -> Result<()> {
    let promotions = tx.collection(PROMOTIONS);
    let before = promotions.find_one_and_delete(by_id(id)).session(tx.session()).await?;
    let before = before.map(read).transpose()?.ok_or_else(PromotionId::not_found)?;
    announce(tx, id, before.version + 1).await
}

/// Counts one use. None if it is used up, or gone.
pub async fn count_use(tx: &mut Tx, id: PromotionId) -> Result<Option<Promotion>> {
    let limit = doc! {"$ifNull": ["$terms.usage_limit", i64::MAX]};
    let free = doc! {"_id": id.to_string(), "$expr": {"$lt": ["$used", limit]}};
    let promotions = tx.collection(PROMOTIONS);
    let counted = promotions
        .find_one_and_update(free, doc! {"$inc": {"used": 1_i64}})
        .return_document(ReturnDocument::After)
        .session(tx.session())
        .await?;
    counted.map(read).transpose()
}

/// Counts one use less, if the promotion is still there.
pub async fn give_back(tx: &mut Tx, id: PromotionId) -> Result<()> {
    let used = doc! {"_id": id.to_string(), "used": {"$gt": 0}};
    let promotions = tx.collection(PROMOTIONS);
    promotions.update_one(used, doc! {"$inc": {"used": -1_i64}}).session(tx.session()).await?;
    Ok(())
}

async fn announce(tx: &mut Tx, id: PromotionId, version: i64) -> Result<()> {
    tx.emit("cart", id, version, &PromotionChanged { promotion_id: Some(id) }).await?;
    Ok(())
}

fn code_taken(error: MongoError) -> Error {
    if duplicate(&error).is_some_and(|message| message.contains("promotions_code")) {
        return Error::conflict("code_taken", "another promotion has this code");
    }
    error.into()
}

fn moved_on() -> Error {
    Error::new(Kind::PreconditionFailed, "version", "somebody else has changed the promotion meanwhile")
}
