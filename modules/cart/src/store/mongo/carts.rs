//! Carts: one document each.

use std::time::Duration;

use contracts::{
    cart::{CartCompleted, CartId, Destination},
    customer::CustomerId,
    order::OrderId,
};
use futures::TryStreamExt;
use mongodb::{
    bson::{DateTime, Document, doc},
    error::Error as MongoError,
    options::ReadConcern,
};
use serde::{Deserialize, Serialize};
use shared::{
    Currency, Error, Result, Time,
    mongo::{Mongo, Spec, Tx, duplicate, from_document, index, shape, to_document, unique},
};

use crate::{
    model::{self, Changed, StoredCart, StoredLine},
    store::Saved,
};

pub const CARTS: &str = "carts";

/// A net beneath the sweeper, should it not run: the server deletes a cart without an owner so long after its last
/// change. The store does not know how long carts may be idle, so this is longer than any shop would set it.
const NET: Duration = Duration::from_secs(365 * 24 * 3_600);

/// Rolls a transaction back because somebody else was faster; never leaves this file.
const RACED: &str = "raced";

pub fn spec() -> Spec {
    // A customer has one current cart, however many logins and tabs race.
    let current = unique("carts_current", doc! {"customer_id": 1}, doc! {"is_current": true});
    // A customer's, or nobody's in the order the sweeper takes them.
    let owner = index(doc! {"customer_id": 1, "updated_at": 1});
    let mut net = index(doc! {"idle_since": 1});
    net.options.get_or_insert_default().expire_after = Some(NET);
    let required = ["version", "customer_id", "is_current", "lines", "codes", "updated_at"];
    let properties = doc! {
        "_id": {"bsonType": "string"},
        "version": {"bsonType": "long", "minimum": 1},
        "customer_id": {"bsonType": ["string", "null"]},
        "is_current": {"bsonType": "bool"},
        "lines": {"bsonType": "array", "items": {
            "required": ["id", "variant_id", "quantity"],
            "properties": {"quantity": {"bsonType": "long", "minimum": 1}},
        }},
        "codes": {"bsonType": "array"},
        "updated_at": {"bsonType": "long"},
        "idle_since": {"bsonType": "date"},
    };
    Spec { name: CARTS, indexes: vec![current, owner, net], validator: shape(&required, properties) }
}

/// A cart as it is kept; the time in µs.
#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(rename = "_id")]
    id: CartId,
    version: i64,
    currency: Currency,
    customer_id: Option<CustomerId>,
    is_current: bool,
    lines: Vec<StoredLine>,
    codes: Vec<String>,
    destination: Option<Destination>,
    order_id: Option<OrderId>,
    merged_into: Option<CartId>,
    updated_at: i64,
}

impl From<StoredCart> for Row {
    fn from(cart: StoredCart) -> Self {
        Self {
            id: cart.id,
            version: cart.version,
            currency: cart.currency,
            customer_id: cart.customer_id,
            is_current: cart.is_current,
            lines: cart.lines,
            codes: cart.codes,
            destination: cart.destination,
            order_id: cart.order_id,
            merged_into: cart.merged_into,
            updated_at: cart.updated_at.micros(),
        }
    }
}

impl From<Row> for StoredCart {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            version: row.version,
            currency: row.currency,
            customer_id: row.customer_id,
            is_current: row.is_current,
            lines: row.lines,
            codes: row.codes,
            destination: row.destination,
            order_id: row.order_id,
            merged_into: row.merged_into,
            updated_at: Time::from_micros(row.updated_at),
        }
    }
}

/// Writes all of a cart. Without an owner it is idle from now on: by the server's clock, because the server judges it.
/// One with an owner never is, so the server must not find a date in it.
fn written(cart: StoredCart) -> Result<Document> {
    let is_owned = cart.customer_id.is_some();
    let mut row = to_document(&Row::from(cart))?;
    row.remove("_id");
    Ok(match is_owned {
        true => doc! {"$set": row, "$unset": {"idle_since": ""}},
        false => doc! {"$set": row, "$currentDate": {"idle_since": true}},
    })
}

/// All of a cart, as it is kept. How long one without an owner has been idle is not known to whoever moves it: the
/// server's net begins anew, and the sweeper goes by `updated_at`.
pub fn document(cart: StoredCart) -> Result<Document> {
    let is_owned = cart.customer_id.is_some();
    let mut row = to_document(&Row::from(cart))?;
    if !is_owned {
        row.insert("idle_since", DateTime::now());
    }
    Ok(row)
}

pub fn cart(document: Document) -> Result<StoredCart> {
    from_document::<Row>(document).map(StoredCart::from)
}

fn read(found: Option<Document>) -> Result<Option<StoredCart>> {
    found.map(cart).transpose()
}

fn by_id(id: CartId) -> Document {
    doc! {"_id": id.to_string()}
}

fn at_version(id: CartId, version: i64) -> Document {
    doc! {"_id": id.to_string(), "version": version}
}

fn current_of(customer: CustomerId) -> Document {
    doc! {"customer_id": customer.to_string(), "is_current": true}
}

pub async fn find(db: &Mongo, id: CartId) -> Result<Option<StoredCart>> {
    read(db.collection(CARTS).find_one(by_id(id)).await?)
}

/// A read with majority concern does not see a write that waits for its majority, so the conditional write that follows
/// would fail for as long as somebody else writes one change after the other. This one waits for that majority.
pub async fn find_newest(db: &Mongo, id: CartId) -> Result<Option<StoredCart>> {
    read(db.collection(CARTS).find_one(by_id(id)).read_concern(ReadConcern::linearizable()).await?)
}

pub async fn current(db: &Mongo, customer: CustomerId) -> Result<Option<StoredCart>> {
    read(db.collection(CARTS).find_one(current_of(customer)).await?)
}

pub async fn insert_new(db: &Mongo, cart: StoredCart) -> Result<()> {
    let further = StoredCart { is_current: false, ..cart.clone() };
    match insert(db, cart).await {
        // There is a current one already.
        Err(error) if error.code == RACED => insert(db, further).await,
        result => result,
    }
}

/// An upsert, because only an update can ask the server for its time.
async fn insert(db: &Mongo, cart: StoredCart) -> Result<()> {
    // No cart has version 0: if the id is taken, this fails.
    let new = at_version(cart.id, 0);
    db.collection(CARTS).update_one(new, written(cart)?).upsert(true).await.map_err(raced)?;
    Ok(())
}

pub async fn save(db: &Mongo, cart: StoredCart, expected: i64) -> Result<Saved> {
    let seen = at_version(cart.id, expected);
    match db.collection(CARTS).update_one(seen, written(cart)?).await.map_err(raced) {
        Ok(update) if update.matched_count == 1 => Ok(Saved::Yes),
        Ok(_) => Ok(Saved::Raced),
        Err(error) if error.code == RACED => Ok(Saved::Raced),
        Err(error) => Err(error),
    }
}

async fn find_in(tx: &mut Tx, filter: Document) -> Result<Option<StoredCart>> {
    let carts = tx.collection(CARTS);
    read(carts.find_one(filter).session(tx.session()).await?)
}

/// As [`save`], for a transaction: a race rolls all of it back.
async fn save_or_roll_back(tx: &mut Tx, cart: StoredCart, expected: i64) -> Result<()> {
    let (carts, seen) = (tx.collection(CARTS), at_version(cart.id, expected));
    let update = carts.update_one(seen, written(cart)?).session(tx.session()).await.map_err(raced)?;
    if update.matched_count == 1 { Ok(()) } else { Err(lost_race()) }
}

pub async fn merge(db: &Mongo, from: CartId, customer: CustomerId, now: Time) -> Result<Option<StoredCart>> {
    let merged = db.transaction(async move |tx| merge_in(tx, from, customer, now).await).await;
    match merged {
        Err(error) if error.code == RACED => Ok(None),
        result => result.map(Some),
    }
}

async fn merge_in(tx: &mut Tx, from: CartId, customer: CustomerId, now: Time) -> Result<StoredCart> {
    let mut from = find_in(tx, by_id(from)).await?.ok_or_else(CartId::not_found)?;
    if let Some(target) = from.merged_into {
        let target = find_in(tx, by_id(target)).await?.ok_or_else(CartId::not_found)?;
        target.open_to(Some(customer))?;
        return Ok(target);
    }
    let mut current = find_in(tx, current_of(customer)).await?;
    let versions = (from.version, current.as_ref().map(|cart| cart.version));
    if model::merge(&mut from, current.as_mut(), customer, now)? == Changed::No {
        return Ok(from);
    }
    save_or_roll_back(tx, from.clone(), versions.0).await?;
    let (Some(current), Some(version)) = (current, versions.1) else {
        return Ok(from);
    };
    save_or_roll_back(tx, current.clone(), version).await?;
    Ok(current)
}

pub async fn complete(db: &Mongo, id: CartId, order_id: OrderId, now: Time) -> Result<Saved> {
    let completed = db.transaction(async move |tx| complete_in(tx, id, order_id, now).await).await;
    match completed {
        Err(error) if error.code == RACED => Ok(Saved::Raced),
        result => result.map(|()| Saved::Yes),
    }
}

async fn complete_in(tx: &mut Tx, id: CartId, order_id: OrderId, now: Time) -> Result<()> {
    let mut cart = find_in(tx, by_id(id)).await?.ok_or_else(CartId::not_found)?;
    let before = cart.version;
    if cart.complete(order_id, now)? == Changed::No {
        return Ok(());
    }
    let version = cart.version;
    save_or_roll_back(tx, cart, before).await?;
    tx.emit("cart", id, version, &CartCompleted { cart_id: id, order_id }).await?;
    Ok(())
}

pub async fn delete_idle(db: &Mongo, limit: Time, batch: i64) -> Result<usize> {
    let mut idle = doc! {"customer_id": null, "updated_at": {"$lt": limit.micros()}};
    let oldest = doc! {"updated_at": 1};
    let found =
        db.collection(CARTS).find(idle.clone()).projection(doc! {"_id": 1}).sort(oldest).limit(batch).await?;
    let found: Vec<Document> = found.try_collect().await?;
    let ids: Vec<_> = found.iter().filter_map(|cart| cart.get("_id")).collect();
    if ids.is_empty() {
        return Ok(0);
    }
    // The conditions once more: somebody may have changed one since. Each cart is deleted for itself, so that no
    // shopper waits for the others.
    idle.insert("_id", doc! {"$in": ids});
    let deleted = db.collection(CARTS).delete_many(idle).await?;
    Ok(usize::try_from(deleted.deleted_count).unwrap_or(usize::MAX))
}

pub async fn delete_of(db: &Mongo, customer: CustomerId) -> Result<()> {
    let theirs = doc! {"customer_id": customer.to_string()};
    db.transaction(async move |tx| {
        let carts = tx.collection(CARTS);
        carts.delete_many(theirs.clone()).session(tx.session()).await?;
        Ok(())
    })
    .await
}

/// A customer has one current cart: who breaks that rule came second.
fn raced(error: MongoError) -> Error {
    let second = duplicate(&error).is_some_and(|message| message.contains("carts_current"));
    if second { lost_race() } else { error.into() }
}

fn lost_race() -> Error {
    Error::conflict(RACED, "somebody else changed the cart")
}
