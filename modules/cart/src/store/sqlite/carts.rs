//! Carts.

use contracts::{
    cart::{CartCompleted, CartId},
    customer::CustomerId,
    order::OrderId,
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{
    Error, Result, Time,
    db::{Conn, Db, on},
};

use super::is_unique_violation;
use crate::{
    model::{self, Changed, StoredCart},
    schema::carts,
    store::Saved,
};

/// Rolls a transaction back because somebody else was faster; never leaves this file.
const RACED: &str = "raced";

pub async fn find(conn: &mut Conn, id: CartId) -> Result<Option<StoredCart>> {
    let row: Option<String> =
        on!(conn, |c| carts::table.find(id).select(carts::document).first(c).await.optional())?;
    row.map(|json| Ok(serde_json::from_str(&json)?)).transpose()
}

pub async fn current(conn: &mut Conn, customer: CustomerId) -> Result<Option<StoredCart>> {
    let row: Option<String> = on!(conn, |c| carts::table
        .filter(carts::customer_id.eq(customer))
        .filter(carts::is_current)
        .select(carts::document)
        .first(c)
        .await
        .optional())?;
    row.map(|json| Ok(serde_json::from_str(&json)?)).transpose()
}

pub async fn insert_new(db: &Db, cart: StoredCart) -> Result<()> {
    let further = StoredCart { is_current: false, ..cart.clone() };
    let inserted = db.transaction(async move |tx| insert(tx, &cart).await).await;
    match inserted {
        // There is a current one already.
        Err(error) if error.code == RACED => db.transaction(async move |tx| insert(tx, &further).await).await,
        result => result,
    }
}

async fn insert(conn: &mut Conn, cart: &StoredCart) -> Result<()> {
    let document = serde_json::to_string(cart)?;
    on!(conn, |c| diesel::insert_into(carts::table)
        .values((
            carts::id.eq(cart.id),
            carts::version.eq(cart.version),
            carts::customer_id.eq(cart.customer_id),
            carts::is_current.eq(cart.is_current),
            carts::document.eq(&document),
            carts::updated_at.eq(cart.updated_at),
        ))
        .execute(c)
        .await)
    .map(|_| ())
    .map_err(raced)
}

pub async fn save(conn: &mut Conn, cart: &StoredCart, expected: i64) -> Result<Saved> {
    let document = serde_json::to_string(cart)?;
    let rows = on!(conn, |c| diesel::update(carts::table.find(cart.id).filter(carts::version.eq(expected)))
        .set((
            carts::version.eq(cart.version),
            carts::customer_id.eq(cart.customer_id),
            carts::is_current.eq(cart.is_current),
            carts::document.eq(&document),
            carts::updated_at.eq(cart.updated_at),
        ))
        .execute(c)
        .await)
    .map_err(raced)?;
    Ok(if rows == 1 { Saved::Yes } else { Saved::Raced })
}

/// As [`save`], for a transaction with several: a race rolls all of it back.
async fn save_or_roll_back(conn: &mut Conn, cart: &StoredCart, expected: i64) -> Result<()> {
    match save(conn, cart, expected).await? {
        Saved::Yes => Ok(()),
        Saved::Raced => Err(lost_race()),
    }
}

pub async fn merge(db: &Db, from: CartId, customer: CustomerId, now: Time) -> Result<Option<StoredCart>> {
    let merged = db.transaction(async move |tx| merge_in(tx, from, customer, now).await).await;
    match merged {
        Err(error) if error.code == RACED => Ok(None),
        result => result.map(Some),
    }
}

async fn merge_in(conn: &mut Conn, from: CartId, customer: CustomerId, now: Time) -> Result<StoredCart> {
    let mut from = find(conn, from).await?.ok_or_else(CartId::not_found)?;
    if let Some(target) = from.merged_into {
        let target = find(conn, target).await?.ok_or_else(CartId::not_found)?;
        target.open_to(Some(customer))?;
        return Ok(target);
    }
    let mut current = current(conn, customer).await?;
    let versions = (from.version, current.as_ref().map(|cart| cart.version));
    if model::merge(&mut from, current.as_mut(), customer, now)? == Changed::No {
        return Ok(from);
    }
    save_or_roll_back(conn, &from, versions.0).await?;
    let (Some(current), Some(version)) = (current, versions.1) else {
        return Ok(from);
    };
    save_or_roll_back(conn, &current, version).await?;
    Ok(current)
}

pub async fn complete(db: &Db, id: CartId, order_id: OrderId, now: Time) -> Result<Saved> {
    db.transaction(async move |tx| {
        let mut cart = find(tx, id).await?.ok_or_else(CartId::not_found)?;
        let version = cart.version;
        if cart.complete(order_id, now)? == Changed::No {
            return Ok(Saved::Yes);
        }
        if save(tx, &cart, version).await? == Saved::Raced {
            return Ok(Saved::Raced);
        }
        tx.emit("cart", id, cart.version, &CartCompleted { cart_id: id, order_id }).await?;
        Ok(Saved::Yes)
    })
    .await
}

pub async fn delete_idle(db: &Db, limit: Time, batch: i64) -> Result<usize> {
    db.transaction(async move |tx| {
        let ids: Vec<CartId> = on!(tx, |c| carts::table
            .filter(carts::customer_id.is_null())
            .filter(carts::updated_at.lt(limit))
            .order(carts::updated_at)
            .limit(batch)
            .select(carts::id)
            .load(c)
            .await)?;
        // The conditions once more: on PostgreSQL somebody may have changed one since.
        Ok(on!(tx, |c| diesel::delete(
            carts::table
                .filter(carts::id.eq_any(&ids))
                .filter(carts::customer_id.is_null())
                .filter(carts::updated_at.lt(limit))
        )
        .execute(c)
        .await)?)
    })
    .await
}

pub async fn delete_of(conn: &mut Conn, customer: CustomerId) -> Result<()> {
    on!(conn, |c| diesel::delete(carts::table.filter(carts::customer_id.eq(customer))).execute(c).await)?;
    Ok(())
}

/// A customer has one current cart: who breaks that rule came second.
fn raced(error: diesel::result::Error) -> Error {
    if is_unique_violation(&error) { lost_race() } else { error.into() }
}

fn lost_race() -> Error {
    Error::conflict(RACED, "somebody else changed the cart")
}
