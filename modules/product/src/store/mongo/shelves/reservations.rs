//! Claims on stock, one per order, with their lines inside.

use std::collections::BTreeMap;

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
    Error, Result, Time,
    mongo::{Mongo, Spec, Tx, from_document, partial, to_document},
};

use super::{
    announce,
    levels::{self, Change, change},
    locations,
    movements::record,
};
use crate::model::shelf::take;

pub(in crate::store::mongo) const RESERVATIONS: &str = "reservations";

const ACTIVE: &str = "active";
const COMMITTED: &str = "committed";
const RELEASED: &str = "released";

pub(super) fn spec() -> Spec {
    let line = doc! {
        "bsonType": "object",
        "required": ["variant_id", "location_id", "quantity"],
        "properties": {
            "variant_id": {"bsonType": "string"},
            "location_id": {"bsonType": "string"},
            "quantity": {"bsonType": "long", "minimum": 1},
        },
    };
    let validator = doc! {"$jsonSchema": {
        "required": ["state", "expires_at", "updated_at", "lines"],
        "properties": {
            "state": {"enum": [ACTIVE, COMMITTED, RELEASED]},
            "expires_at": {"bsonType": "long"},
            "updated_at": {"bsonType": "long"},
            "lines": {"bsonType": "array", "items": line},
        },
    }};
    let over = partial(doc! {"expires_at": 1, "_id": 1}, doc! {"state": ACTIVE});
    Spec { name: RESERVATIONS, indexes: vec![over], validator: Some(validator) }
}

/// A reservation as it is kept; times in µs.
#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(rename = "_id")]
    order_id: OrderId,
    state: String,
    expires_at: i64,
    updated_at: i64,
    lines: Vec<Line>,
}

/// Units of a variant that an order has a claim on, or had.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Line {
    pub variant_id: VariantId,
    pub location_id: LocationId,
    pub quantity: i64,
}

pub(super) async fn reserve(
    tx: &mut Tx,
    order: OrderId,
    lines: &[(VariantId, i64)],
    expires_at: Time,
    now: Time,
) -> Result<()> {
    if find(tx, order).await?.is_some_and(|there| there.state != RELEASED) {
        return Ok(());
    }
    let lines = hold(tx, order, lines, now).await?;
    let state = ACTIVE.into();
    let row =
        Row { order_id: order, state, expires_at: expires_at.micros(), updated_at: now.micros(), lines };
    let mut row = to_document(&row)?;
    let id = row.remove("_id");
    tx.collection(RESERVATIONS)
        .update_one(doc! {"_id": id}, doc! {"$set": row})
        .upsert(true)
        .session(tx.session())
        .await?;
    Ok(())
}

/// Takes all lines or fails with what is there.
async fn hold(tx: &mut Tx, order: OrderId, lines: &[(VariantId, i64)], now: Time) -> Result<Vec<Line>> {
    let plan = plan(tx, lines).await?;
    let mut deltas = BTreeMap::new();
    for &Line { variant_id, location_id, quantity } in &plan {
        let claim = Change { variant: variant_id, location: location_id, on_hand: 0, reserved: quantity };
        if !change(tx, claim, now).await? {
            return Err(Error::internal(format!("there was enough of {variant_id}, and is not any more")));
        }
        *deltas.entry(variant_id).or_default() -= quantity;
    }
    announce(tx, order, &deltas, now).await?;
    Ok(plan)
}

/// What to take from where. `Conflict/out_of_stock` names every variant of which there is not enough.
async fn plan(tx: &mut Tx, lines: &[(VariantId, i64)]) -> Result<Vec<Line>> {
    let ids: Vec<VariantId> = lines.iter().map(|line| line.0).collect();
    let known = levels::variants(tx, &ids).await?;
    let order: Vec<LocationId> = locations::all(tx).await?.iter().map(|location| location.id).collect();
    let (mut plan, mut missing) = (Vec::new(), Vec::new());
    for &(variant_id, requested) in lines {
        let sold = known.get(&variant_id).filter(|variant| variant.sku.is_some());
        if sold.is_some_and(|variant| !variant.tracked) {
            continue;
        }
        let there = sold.map_or_else(Vec::new, |variant| variant.places(&order));
        let Some(parts) = take(&there, requested) else {
            let available: i64 = there.iter().map(|(_, units)| units).sum();
            missing.push(serde_json::json!({
                "variant_id": variant_id, "requested": requested, "available": available,
            }));
            continue;
        };
        let line = |(location_id, quantity)| Line { variant_id, location_id, quantity };
        plan.extend(parts.into_iter().map(line));
    }
    if missing.is_empty() {
        return Ok(plan);
    }
    Err(Error::conflict("out_of_stock", "there is not enough of it in stock").with("available", missing))
}

pub(super) async fn commit(tx: &mut Tx, order: OrderId, now: Time) -> Result<()> {
    let there = find(tx, order).await?.ok_or_else(|| Error::not_found("reservation"))?;
    let lines = match there.state.as_str() {
        COMMITTED => return Ok(()),
        RELEASED => take_anew(tx, order, &there.lines, now).await?,
        _ => there.lines,
    };
    for line in &lines {
        give_up(tx, line, line.quantity, now).await?;
        let (variant_id, location_id) = (line.variant_id, line.location_id);
        let sale = Movement {
            id: MovementId::derived(&format!("sale:{order}:{variant_id}:{location_id}")),
            variant_id,
            location_id,
            delta: -line.quantity,
            kind: "sale".into(),
            reason: String::new(),
            order_id: Some(order),
            actor: Actor::System,
            at: now,
        };
        record(tx, &sale).await?;
    }
    set(tx, order, COMMITTED, &lines, now).await
}

/// The sweeper was faster than the payment: take the goods again if they are still there.
async fn take_anew(tx: &mut Tx, order: OrderId, lines: &[Line], now: Time) -> Result<Vec<Line>> {
    let mut sums = BTreeMap::<VariantId, i64>::new();
    for line in lines {
        *sums.entry(line.variant_id).or_default() += line.quantity;
    }
    let sums: Vec<(VariantId, i64)> = sums.into_iter().collect();
    hold(tx, order, &sums, now).await.map_err(|error| match error.code.as_ref() {
        "out_of_stock" => {
            let mut expired =
                Error::conflict("reservation_expired", "the reservation expired and the goods are gone");
            expired.extra = error.extra;
            expired
        }
        _ => error,
    })
}

pub(super) async fn release(tx: &mut Tx, order: OrderId, now: Time) -> Result<()> {
    match find(tx, order).await? {
        Some(there) if there.state == ACTIVE => give_back(tx, &there, now).await,
        _ => Ok(()),
    }
}

pub(super) async fn expire(tx: &mut Tx, order: OrderId, now: Time) -> Result<()> {
    match find(tx, order).await? {
        Some(there) if there.state == ACTIVE && there.expires_at <= now.micros() => {
            give_back(tx, &there, now).await
        }
        _ => Ok(()),
    }
}

async fn give_back(tx: &mut Tx, there: &Row, now: Time) -> Result<()> {
    let mut deltas = BTreeMap::<VariantId, i64>::new();
    for line in &there.lines {
        give_up(tx, line, 0, now).await?;
        *deltas.entry(line.variant_id).or_default() += line.quantity;
    }
    announce(tx, there.order_id, &deltas, now).await?;
    set(tx, there.order_id, RELEASED, &there.lines, now).await
}

pub(super) async fn expired(db: &Mongo, now: Time, limit: u32) -> Result<Vec<OrderId>> {
    let over = doc! {"state": ACTIVE, "expires_at": {"$lte": now.micros()}};
    let oldest = doc! {"expires_at": 1, "_id": 1};
    let found = db.collection(RESERVATIONS).find(over).sort(oldest).limit(limit.into()).await?;
    let rows: Vec<Document> = found.try_collect().await?;
    rows.into_iter().map(|row| Ok(from_document::<Row>(row)?.order_id)).collect()
}

/// What an order has taken, or had.
pub(super) async fn lines(tx: &mut Tx, order: OrderId) -> Result<Vec<Line>> {
    Ok(find(tx, order).await?.map_or_else(Vec::new, |there| there.lines))
}

async fn find(tx: &mut Tx, order: OrderId) -> Result<Option<Row>> {
    let reservations = tx.collection(RESERVATIONS);
    let found = reservations.find_one(doc! {"_id": order.to_string()}).session(tx.session()).await?;
    found.map(from_document).transpose()
}

/// Of those who change a reservation at once one succeeds; the others run again and find what it has left.
async fn set(tx: &mut Tx, order: OrderId, state: &str, lines: &[Line], now: Time) -> Result<()> {
    let lines = lines.iter().map(to_document).collect::<Result<Vec<_>>>()?;
    let set = doc! {"$set": {"state": state, "lines": lines, "updated_at": now.micros()}};
    let reservations = tx.collection(RESERVATIONS);
    reservations.update_one(doc! {"_id": order.to_string()}, set).session(tx.session()).await?;
    Ok(())
}

/// Gives up a claim and takes `sold` of its units away.
async fn give_up(tx: &mut Tx, line: &Line, sold: i64, now: Time) -> Result<()> {
    let &Line { variant_id, location_id, quantity } = line;
    let given = Change { variant: variant_id, location: location_id, on_hand: -sold, reserved: -quantity };
    match change(tx, given, now).await? {
        true => Ok(()),
        false => Err(Error::internal(format!("a reservation of {variant_id} is not on its level"))),
    }
}
