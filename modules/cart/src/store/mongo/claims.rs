//! Uses of promotions: counted by conditional writes, with one document for each order and promotion.

use std::collections::HashMap;

use contracts::{
    cart::{Promotion, PromotionId},
    order::OrderId,
};
use futures::TryStreamExt;
use mongodb::bson::{Document, doc};
use serde::Deserialize;
use shared::{
    Error, Result, Time,
    mongo::{Mongo, Spec, Tx, from_document, index, shape},
};

use super::promotions;
use crate::model::exhausted;

/// One document an order: claimed, then released for good.
pub const CLAIMS: &str = "promotion_claims";
/// One document for each order and promotion, while the order holds it.
pub const USES: &str = "promotion_uses";

pub fn specs() -> [Spec; 2] {
    let text = || doc! {"bsonType": "string"};
    let claim = doc! {"_id": text(), "released": {"bsonType": "bool"}, "created_at": {"bsonType": "long"}};
    let claims =
        Spec { name: CLAIMS, indexes: Vec::new(), validator: shape(&["released", "created_at"], claim) };
    // The customer is the SHA-256 of the e-mail address: it is counted by, never read.
    let indexes = vec![index(doc! {"order_id": 1}), index(doc! {"promotion_id": 1, "customer": 1})];
    let required = ["order_id", "promotion_id", "customer"];
    let use_ = doc! {"_id": text(), "order_id": text(), "promotion_id": text(), "customer": text()};
    [claims, Spec { name: USES, indexes, validator: shape(&required, use_) }]
}

pub async fn claim(
    tx: &mut Tx,
    order: OrderId,
    promotions: &[PromotionId],
    customer: &str,
    now: Time,
) -> Result<()> {
    match mark(tx, order, doc! {"$setOnInsert": {"released": false, "created_at": now.micros()}}).await? {
        Mark::New => {}
        Mark::Claimed => return Ok(()),
        Mark::Released => {
            return Err(Error::conflict("claim_released", "the order has given its discounts back"));
        }
    }
    // Sorted, so that of two orders with the same promotions the second gives way at the first of them.
    let mut ids = promotions.to_vec();
    ids.sort();
    ids.dedup();
    for id in ids {
        use_once(tx, id, order, customer).await?;
    }
    Ok(())
}

/// Counts first. Two orders that use a promotion write its document, so one of them starts anew when the other has
/// committed: that the count by customer cannot be overtaken, not even without a limit for all, rests on it.
async fn use_once(tx: &mut Tx, id: PromotionId, order: OrderId, customer: &str) -> Result<()> {
    let Some(promotion) = promotions::count_use(tx, id).await? else {
        let promotion = promotions::find_in(tx, id).await?.ok_or_else(gone)?;
        return Err(exhausted(&promotion));
    };
    if is_used_up_for(tx, &promotion, customer).await? {
        return Err(exhausted(&promotion));
    }
    let (order, id) = (order.to_string(), id.to_string());
    let held =
        doc! {"_id": format!("{order}/{id}"), "order_id": order, "promotion_id": id, "customer": customer};
    let uses = tx.collection(USES);
    uses.insert_one(held).session(tx.session()).await?;
    Ok(())
}

async fn is_used_up_for(tx: &mut Tx, promotion: &Promotion, customer: &str) -> Result<bool> {
    let Some(limit) = promotion.terms.usage_limit_per_customer else { return Ok(false) };
    let theirs = doc! {"promotion_id": promotion.id.to_string(), "customer": customer};
    let uses = tx.collection(USES);
    let count = uses.count_documents(theirs).session(tx.session()).await?;
    Ok(i64::try_from(count).unwrap_or(i64::MAX) >= limit)
}

pub async fn release(tx: &mut Tx, order: OrderId, now: Time) -> Result<()> {
    let released = doc! {"$set": {"released": true}, "$setOnInsert": {"created_at": now.micros()}};
    // A release that comes before its claim leaves a mark, so that the claim finds it.
    if mark(tx, order, released).await? != Mark::Claimed {
        return Ok(());
    }
    for id in uses_by(tx, order).await? {
        promotions::give_back(tx, id).await?;
    }
    let uses = tx.collection(USES);
    uses.delete_many(doc! {"order_id": order.to_string()}).session(tx.session()).await?;
    Ok(())
}

/// What an order had done before.
#[derive(PartialEq)]
enum Mark {
    New,
    Claimed,
    Released,
}

/// Updates the order's document, or makes it, and tells what it was before.
async fn mark(tx: &mut Tx, order: OrderId, update: Document) -> Result<Mark> {
    let claims = tx.collection(CLAIMS);
    let before = claims
        .find_one_and_update(doc! {"_id": order.to_string()}, update)
        .upsert(true)
        .session(tx.session())
        .await?;
    let Some(before) = before else { return Ok(Mark::New) };
    let is_released = before.get_bool("released").map_err(Error::internal)?;
    Ok(if is_released { Mark::Released } else { Mark::Claimed })
}

#[derive(Deserialize)]
struct Held {
    promotion_id: PromotionId,
}

async fn uses_by(tx: &mut Tx, order: OrderId) -> Result<Vec<PromotionId>> {
    let uses = tx.collection(USES);
    let mut found = uses.find(doc! {"order_id": order.to_string()}).session(tx.session()).await?;
    let found: Vec<Document> = found.stream(tx.session()).try_collect().await?;
    let ids = found.into_iter().map(|held| Ok(from_document::<Held>(held)?.promotion_id));
    let mut ids = ids.collect::<Result<Vec<_>>>()?;
    ids.sort();
    Ok(ids)
}

#[derive(Deserialize)]
struct Count {
    #[serde(rename = "_id")]
    id: PromotionId,
    count: i64,
}

pub async fn uses_of(db: &Mongo, promotions: &[PromotionId], customer: &str) -> Result<Vec<i64>> {
    let ids: Vec<_> = promotions.iter().map(ToString::to_string).collect();
    let found = db
        .collection(USES)
        .aggregate([
            doc! {"$match": {"promotion_id": {"$in": ids}, "customer": customer}},
            doc! {"$group": {"_id": "$promotion_id", "count": {"$sum": 1_i64}}},
        ])
        .await?;
    let found: Vec<Document> = found.try_collect().await?;
    let counts = found.into_iter().map(from_document::<Count>);
    let counts: HashMap<_, _> =
        counts.map(|count| count.map(|count| (count.id, count.count))).collect::<Result<_>>()?;
    Ok(promotions.iter().map(|id| counts.get(id).copied().unwrap_or(0)).collect())
}

fn gone() -> Error {
    Error::conflict("coupon_exhausted", "this discount does not exist any more")
}
