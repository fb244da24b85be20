//! What was done.

use contracts::{
    customer::CustomerId,
    product::ProductId,
    recommendation::{Interaction, InteractionKind, Visitor, VisitorId},
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{
    Error, Result, Time,
    db::{Conn, Tx, on},
};

use crate::{
    model::{InteractionId, interaction_id},
    schema::recommendation_interactions as interactions,
};

/// How many are read at once.
const BATCH: i64 = 20_000;

type Row = (InteractionId, Option<CustomerId>, Option<VisitorId>, ProductId, String, Time);

fn interaction((_, customer_id, visitor_id, product_id, kind, at): Row) -> Result<Interaction> {
    let kind = match kind.as_str() {
        "view" => InteractionKind::View,
        "cart_add" => InteractionKind::CartAdd,
        "purchase" => InteractionKind::Purchase,
        other => return Err(Error::internal(format!("no such kind of interaction: {other}"))),
    };
    Ok(Interaction { visitor: Visitor { customer_id, visitor_id }, product_id, kind, at })
}

fn kind(kind: InteractionKind) -> &'static str {
    match kind {
        InteractionKind::View => "view",
        InteractionKind::CartAdd => "cart_add",
        InteractionKind::Purchase => "purchase",
    }
}

/// Writes those that are not known; answers how many.
pub async fn insert(tx: &mut Tx, all: &[Interaction]) -> Result<u32> {
    let mut new = 0;
    for one in all {
        let inserted = on!(tx, |c| diesel::insert_into(interactions::table)
            .values((
                interactions::id.eq(interaction_id(one)),
                interactions::customer_id.eq(one.visitor.customer_id),
                interactions::visitor_id.eq(one.visitor.visitor_id),
                interactions::product_id.eq(one.product_id),
                interactions::kind.eq(kind(one.kind)),
                interactions::at.eq(one.at),
            ))
            .on_conflict_do_nothing()
            .execute(c)
            .await)?;
        new += u32::from(inserted == 1);
    }
    Ok(new)
}

/// Deletes these; answers those that were there.
pub async fn remove(tx: &mut Tx, all: &[Interaction]) -> Result<Vec<Interaction>> {
    let mut removed = Vec::new();
    for one in all {
        let this = interactions::table.find(interaction_id(one));
        if on!(tx, |c| diesel::delete(this).execute(c).await)? > 0 {
            removed.push(one.clone());
        }
    }
    Ok(removed)
}

/// The last ones, the oldest of them first.
pub async fn last(conn: &mut Conn, limit: u32) -> Result<Vec<Interaction>> {
    let (mut all, mut before) = (Vec::new(), None::<(Time, InteractionId)>);
    while all.len() < limit as usize {
        let batch = BATCH.min(i64::from(limit) - all.len() as i64);
        let rows: Vec<Row> = match before {
            None => on!(conn, |c| interactions::table
                .order((interactions::at.desc(), interactions::id.desc()))
                .limit(batch)
                .load(c)
                .await)?,
            Some((at, id)) => on!(conn, |c| interactions::table
                .filter(interactions::at.lt(at).or(interactions::at.eq(at).and(interactions::id.lt(id))))
                .order((interactions::at.desc(), interactions::id.desc()))
                .limit(batch)
                .load(c)
                .await)?,
        };
        let Some(last) = rows.last() else { break };
        before = Some((last.5, last.0));
        for row in rows {
            all.push(interaction(row)?);
        }
    }
    all.reverse();
    Ok(all)
}

/// The last ones of the customer and of the browser, in no order; what both did comes twice.
pub async fn of(conn: &mut Conn, visitor: Visitor, limit: u32) -> Result<Vec<Interaction>> {
    let mut rows: Vec<Row> = Vec::new();
    if let Some(customer) = visitor.customer_id {
        let theirs = interactions::table.filter(interactions::customer_id.eq(customer));
        let last = theirs.order(interactions::at.desc()).limit(limit.into());
        rows.extend(on!(conn, |c| last.load::<Row>(c).await)?);
    }
    if let Some(visitor) = visitor.visitor_id {
        let theirs = interactions::table.filter(interactions::visitor_id.eq(visitor));
        let last = theirs.order(interactions::at.desc()).limit(limit.into());
        rows.extend(on!(conn, |c| last.load::<Row>(c).await)?);
    }
    rows.into_iter().map(interaction).collect()
}

pub async fn count(conn: &mut Conn) -> Result<u64> {
    let count: i64 = on!(conn, |c| interactions::table.count().get_result(c).await)?;
    Ok(count.unsigned_abs())
}

/// What the customer was called before they said who they are.
pub async fn anonymous_past(tx: &mut Tx, customer: CustomerId) -> Result<Vec<VisitorId>> {
    let past: Vec<Option<VisitorId>> = on!(tx, |c| interactions::table
        .filter(interactions::customer_id.eq(customer).and(interactions::visitor_id.is_not_null()))
        .select(interactions::visitor_id)
        .distinct()
        .load(c)
        .await)?;
    Ok(past.into_iter().flatten().collect())
}

pub async fn forget_customer(tx: &mut Tx, customer: CustomerId) -> Result<()> {
    let theirs = interactions::table.filter(interactions::customer_id.eq(customer));
    on!(tx, |c| diesel::delete(theirs).execute(c).await)?;
    Ok(())
}

pub async fn forget_visitor(tx: &mut Tx, visitor: VisitorId) -> Result<()> {
    let theirs = interactions::table.filter(interactions::visitor_id.eq(visitor));
    on!(tx, |c| diesel::delete(theirs).execute(c).await)?;
    Ok(())
}

/// Deletes at most `limit` from before then; answers how many.
pub async fn prune(tx: &mut Tx, before: Time, limit: i64) -> Result<usize> {
    let old: Vec<InteractionId> = on!(tx, |c| interactions::table
        .filter(interactions::at.lt(before))
        .order(interactions::at)
        .limit(limit)
        .select(interactions::id)
        .load(c)
        .await)?;
    let old = interactions::table.filter(interactions::id.eq_any(old));
    Ok(on!(tx, |c| diesel::delete(old).execute(c).await)?)
}
