//! What was bought and delivered, and the mark that it gives to reviews.

use std::{collections::BTreeSet, time::Duration};

use contracts::{customer::CustomerId, product::ProductId};
use data_encoding::HEXLOWER;
use futures::TryStreamExt;
use mongodb::bson::{DateTime, Document, doc};
use sha2::{Digest, Sha256};
use shared::{
    Error, Result, Time,
    mongo::{Spec, Tx, index, partial, shape},
};

use super::reviews;
use crate::{model::Settings, store::Bought};

pub const PURCHASES: &str = "review_purchases";
/// A document for a customer and a product while something is done that reads the purchase and writes the review, or
/// the other way round: both write it, so that they cannot pass each other unseen.
const TURNS: &str = "review_turns";

pub fn specs() -> [Spec; 2] {
    let has_account = doc! {"customer_id": {"$exists": true}};
    let of_customer = partial(doc! {"customer_id": 1, "product_id": 1}, has_account);
    let by_buyer = index(doc! {"buyer": 1, "customer_id": 1});
    let properties = doc! {"product_id": {"bsonType": "string"}, "buyer": {"bsonType": "string"}};
    let validator = shape(&["order_id", "product_id", "buyer"], properties);
    let mut old = index(doc! {"at": 1});
    old.options.get_or_insert_default().expire_after = Some(Duration::from_secs(24 * 3_600));
    [
        Spec { name: PURCHASES, indexes: vec![of_customer, by_buyer], validator },
        Spec { name: TURNS, indexes: vec![old], validator: None },
    ]
}

/// Waits for others who do something with the customer's purchase and review of the product.
pub async fn take_turn(tx: &mut Tx, customer: CustomerId, product: ProductId) -> Result<()> {
    let turn =
        doc! {"$inc": {"taken": 1_i64}, "$set": {"at": DateTime::from_millis(tx.now().micros() / 1_000)}};
    // A hash: it outlives the customer, and is not to say who it was.
    let id = doc! {"_id": HEXLOWER.encode(&Sha256::digest(format!("{product}/{customer}")))};
    tx.collection(TURNS).update_one(id, turn).upsert(true).session(tx.session()).await?;
    Ok(())
}

pub async fn exist(tx: &mut Tx, customer: CustomerId, product: ProductId) -> Result<bool> {
    let bought = doc! {"customer_id": customer.to_string(), "product_id": product.to_string()};
    Ok(tx.collection(PURCHASES).find_one(bought).session(tx.session()).await?.is_some())
}

/// Writes down those that are not there yet.
pub async fn insert(tx: &mut Tx, bought: &[Bought]) -> Result<()> {
    for purchase in bought {
        let mut row = doc! {
            "order_id": purchase.order.to_string(),
            "product_id": purchase.product.to_string(),
            "buyer": &purchase.buyer,
        };
        if let Some(customer) = purchase.customer {
            row.insert("customer_id", customer.to_string());
        }
        let id = doc! {"_id": format!("{}/{}", purchase.order, purchase.product)};
        let purchases = tx.collection(PURCHASES);
        purchases.update_one(id, doc! {"$setOnInsert": row}).upsert(true).session(tx.session()).await?;
    }
    Ok(())
}

pub async fn delivered(tx: &mut Tx, bought: &[Bought], settings: &Settings, now: Time) -> Result<()> {
    insert(tx, bought).await?;
    for purchase in bought {
        if let Some(customer) = purchase.customer {
            verify(tx, customer, purchase.product, settings, now).await?;
        }
    }
    Ok(())
}

/// What a guest has bought with the address becomes the customer's.
pub async fn adopt(tx: &mut Tx, customer: CustomerId, buyer: &str) -> Result<()> {
    let guests = doc! {"buyer": buyer, "customer_id": {"$exists": false}};
    let theirs = doc! {"$set": {"customer_id": customer.to_string()}};
    tx.collection(PURCHASES).update_many(guests, theirs).session(tx.session()).await?;
    Ok(())
}

/// Verifies what the customer has written about anything they bought with the address.
pub async fn verify_all(
    tx: &mut Tx,
    customer: CustomerId,
    buyer: &str,
    settings: &Settings,
    now: Time,
) -> Result<()> {
    let theirs = doc! {"buyer": buyer, "customer_id": customer.to_string()};
    let purchases = tx.collection(PURCHASES);
    let mut found = purchases.find(theirs).session(tx.session()).await?;
    let found: Vec<Document> = found.stream(tx.session()).try_collect().await?;
    let product =
        |row: &Document| row.get_str("product_id").map_err(Error::internal)?.parse().map_err(Error::internal);
    for product in found.iter().map(product).collect::<Result<BTreeSet<ProductId>>>()? {
        verify(tx, customer, product, settings, now).await?;
    }
    Ok(())
}

async fn verify(
    tx: &mut Tx,
    customer: CustomerId,
    product: ProductId,
    settings: &Settings,
    now: Time,
) -> Result<()> {
    take_turn(tx, customer, product).await?;
    let found = reviews::own_in(tx, product, customer).await?;
    let Some(before) = found.filter(|review| !review.verified) else { return Ok(()) };
    let mut after = before.clone();
    after.verify(settings, now);
    reviews::replace_or_roll_back(tx, &before, &after).await
}

pub async fn forget(tx: &mut Tx, customer: CustomerId) -> Result<()> {
    let theirs = doc! {"customer_id": customer.to_string()};
    tx.collection(PURCHASES).delete_many(theirs).session(tx.session()).await?;
    Ok(())
}
