//! What was shown, and what of it was clicked.

use std::collections::HashSet;

use contracts::{
    customer::CustomerId,
    product::ProductId,
    recommendation::{ImpressionId, VisitorId},
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{
    Result, Time,
    db::{Conn, Tx, on},
};

use crate::{
    learn::Features,
    model::Shown,
    schema::{recommendation_clicks as clicks, recommendation_impressions as impressions},
};

pub async fn insert(tx: &mut Tx, shown: &Shown) -> Result<()> {
    let document = serde_json::to_string(shown)?;
    let impression = &shown.impression;
    on!(tx, |c| diesel::insert_into(impressions::table)
        .values((
            impressions::id.eq(impression.id),
            impressions::customer_id.eq(impression.visitor.customer_id),
            impressions::visitor_id.eq(impression.visitor.visitor_id),
            impressions::at.eq(impression.at),
            impressions::document.eq(&document),
        ))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    Ok(())
}

pub async fn click(tx: &mut Tx, impression: ImpressionId, product: ProductId) -> Result<()> {
    let document: Option<String> = on!(tx, |c| impressions::table
        .find(impression)
        .select(impressions::document)
        .first(c)
        .await
        .optional())?;
    let Some(document) = document else { return Ok(()) };
    let shown: Shown = serde_json::from_str(&document)?;
    if shown.impression.shown.contains(&product) {
        on!(tx, |c| diesel::insert_into(clicks::table)
            .values((clicks::impression_id.eq(impression), clicks::product_id.eq(product)))
            .on_conflict_do_nothing()
            .execute(c)
            .await)?;
    }
    Ok(())
}

/// Products of the last lists, the oldest first.
pub async fn clicks(conn: &mut Conn, lists: u32) -> Result<Vec<(Features, bool)>> {
    let mut documents: Vec<(ImpressionId, String)> = on!(conn, |c| impressions::table
        .order((impressions::at.desc(), impressions::id.desc()))
        .limit(i64::from(lists))
        .select((impressions::id, impressions::document))
        .load(c)
        .await)?;
    documents.reverse();
    let clicked: Vec<(ImpressionId, ProductId)> = on!(conn, |c| clicks::table
        .inner_join(impressions::table.on(impressions::id.eq(clicks::impression_id)))
        .order((impressions::at.desc(), impressions::id.desc()))
        .limit(50 * i64::from(lists))
        .select((clicks::impression_id, clicks::product_id))
        .load(c)
        .await)?;
    let clicked: HashSet<(ImpressionId, ProductId)> = clicked.into_iter().collect();
    let mut all = Vec::new();
    for (id, document) in documents {
        let Shown { impression, features } = serde_json::from_str(&document)?;
        let shown = impression.shown.into_iter().zip(features);
        all.extend(shown.map(|(product, features)| (features, clicked.contains(&(id, product)))));
    }
    Ok(all)
}

pub async fn forget_customer(tx: &mut Tx, customer: CustomerId) -> Result<()> {
    let theirs: Vec<ImpressionId> = on!(tx, |c| impressions::table
        .filter(impressions::customer_id.eq(customer))
        .select(impressions::id)
        .load(c)
        .await)?;
    delete(tx, theirs).await.map(|_| ())
}

pub async fn forget_visitor(tx: &mut Tx, visitor: VisitorId) -> Result<()> {
    let theirs: Vec<ImpressionId> = on!(tx, |c| impressions::table
        .filter(impressions::visitor_id.eq(visitor))
        .select(impressions::id)
        .load(c)
        .await)?;
    delete(tx, theirs).await.map(|_| ())
}

/// Deletes at most `limit` from before then; answers how many.
pub async fn prune(tx: &mut Tx, before: Time, limit: i64) -> Result<usize> {
    let old: Vec<ImpressionId> = on!(tx, |c| impressions::table
        .filter(impressions::at.lt(before))
        .order(impressions::at)
        .limit(limit)
        .select(impressions::id)
        .load(c)
        .await)?;
    delete(tx, old).await
}

async fn delete(tx: &mut Tx, ids: Vec<ImpressionId>) -> Result<usize> {
    let mut gone = 0;
    for ids in ids.chunks(500) {
        let clicked = clicks::table.filter(clicks::impression_id.eq_any(ids));
        on!(tx, |c| diesel::delete(clicked).execute(c).await)?;
        let shown = impressions::table.filter(impressions::id.eq_any(ids));
        gone += on!(tx, |c| diesel::delete(shown).execute(c).await)?;
    }
    Ok(gone)
}
