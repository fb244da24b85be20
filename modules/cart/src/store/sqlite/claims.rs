//! Uses of promotions: counted by conditional writes, one row for each order.

use contracts::{
    cart::{Promotion, PromotionId},
    order::OrderId,
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{
    Error, Result, Time,
    db::{Conn, Tx, on},
};

use super::promotions as repo;
use crate::{
    model::exhausted,
    schema::{promotion_claims, promotion_uses, promotions},
};

pub async fn claim(
    tx: &mut Tx,
    order: OrderId,
    promotions: &[PromotionId],
    customer: &str,
    now: Time,
) -> Result<()> {
    if !insert_claim(tx, order, false, now).await? {
        return match is_released(tx, order).await? {
            true => Err(Error::conflict("claim_released", "the order has given its discounts back")),
            false => Ok(()),
        };
    }
    // Sorted, so that two orders never wait for each other.
    let mut ids = promotions.to_vec();
    ids.sort();
    ids.dedup();
    for id in ids {
        use_once(tx, id, order, customer).await?;
    }
    Ok(())
}

/// Counts first: the written row is locked until the end, so that the count by customer cannot be overtaken.
async fn use_once(conn: &mut Conn, id: PromotionId, order: OrderId, customer: &str) -> Result<()> {
    let counted = count_use(conn, id).await?;
    let promotion = repo::find(conn, id).await?.ok_or_else(gone)?;
    if !counted || is_used_up_for(conn, &promotion, customer).await? {
        return Err(exhausted(&promotion));
    }
    insert_use(conn, id, order, customer).await?;
    Ok(())
}

async fn is_used_up_for(conn: &mut Conn, promotion: &Promotion, customer: &str) -> Result<bool> {
    match promotion.terms.usage_limit_per_customer {
        Some(limit) => Ok(uses_of(conn, promotion.id, customer).await? >= limit),
        None => Ok(false),
    }
}

pub async fn release(tx: &mut Tx, order: OrderId, now: Time) -> Result<()> {
    // A release that comes before its claim leaves a mark, so that the claim finds it.
    if insert_claim(tx, order, true, now).await? || !mark_released(tx, order).await? {
        return Ok(());
    }
    for id in uses_by(tx, order).await? {
        give_back(tx, id).await?;
    }
    delete_uses(tx, order).await?;
    Ok(())
}

/// False if the order has one already.
async fn insert_claim(conn: &mut Conn, order: OrderId, released: bool, now: Time) -> QueryResult<bool> {
    on!(conn, |c| diesel::insert_into(promotion_claims::table)
        .values((
            promotion_claims::order_id.eq(order),
            promotion_claims::released.eq(released),
            promotion_claims::created_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(c)
        .await)
    .map(|rows| rows == 1)
}

async fn is_released(conn: &mut Conn, order: OrderId) -> QueryResult<bool> {
    on!(conn, |c| promotion_claims::table.find(order).select(promotion_claims::released).first(c).await)
}

/// False if it was released before.
async fn mark_released(conn: &mut Conn, order: OrderId) -> QueryResult<bool> {
    on!(conn, |c| diesel::update(
        promotion_claims::table.find(order).filter(promotion_claims::released.eq(false))
    )
    .set(promotion_claims::released.eq(true))
    .execute(c)
    .await)
    .map(|rows| rows == 1)
}

/// False if it is used up, or gone.
async fn count_use(conn: &mut Conn, id: PromotionId) -> QueryResult<bool> {
    on!(conn, |c| diesel::update(
        promotions::table.find(id).filter(
            promotions::usage_limit
                .is_null()
                .or(promotions::used.nullable().lt(promotions::usage_limit))
                .assume_not_null()
        )
    )
    .set(promotions::used.eq(promotions::used + 1))
    .execute(c)
    .await)
    .map(|rows| rows == 1)
}

async fn give_back(conn: &mut Conn, id: PromotionId) -> QueryResult<usize> {
    on!(conn, |c| diesel::update(promotions::table.find(id).filter(promotions::used.gt(0)))
        .set(promotions::used.eq(promotions::used - 1))
        .execute(c)
        .await)
}

async fn insert_use(conn: &mut Conn, id: PromotionId, order: OrderId, customer: &str) -> QueryResult<usize> {
    on!(conn, |c| diesel::insert_into(promotion_uses::table)
        .values((
            promotion_uses::promotion_id.eq(id),
            promotion_uses::order_id.eq(order),
            promotion_uses::customer.eq(customer),
        ))
        .execute(c)
        .await)
}

pub async fn uses_of(conn: &mut Conn, id: PromotionId, customer: &str) -> QueryResult<i64> {
    on!(conn, |c| promotion_uses::table
        .filter(promotion_uses::promotion_id.eq(id))
        .filter(promotion_uses::customer.eq(customer))
        .count()
        .get_result(c)
        .await)
}

async fn uses_by(conn: &mut Conn, order: OrderId) -> QueryResult<Vec<PromotionId>> {
    on!(conn, |c| promotion_uses::table
        .filter(promotion_uses::order_id.eq(order))
        .select(promotion_uses::promotion_id)
        .order(promotion_uses::promotion_id)
        .load(c)
        .await)
}

async fn delete_uses(conn: &mut Conn, order: OrderId) -> QueryResult<usize> {
    on!(conn, |c| diesel::delete(promotion_uses::table.filter(promotion_uses::order_id.eq(order)))
        .execute(c)
        .await)
}

fn gone() -> Error {
    Error::conflict("coupon_exhausted", "this discount does not exist any more")
}
