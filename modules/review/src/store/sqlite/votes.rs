//! Votes and reports: a row an account, and a count that moves with the rows.

use contracts::{
    customer::CustomerId,
    product::ProductId,
    review::{Report, ReviewId},
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{
    Result, Time,
    db::{Conn, Tx, on},
};

use super::reviews as kept;
use crate::{
    model::StoredReview,
    schema::{review_reports, review_votes, reviews},
};

pub async fn of_customer(conn: &mut Conn, product: ProductId, customer: CustomerId) -> Result<Vec<ReviewId>> {
    Ok(on!(conn, |c| review_votes::table
        .filter(review_votes::customer_id.eq(customer).and(review_votes::product_id.eq(product)))
        .order(review_votes::review_id)
        .select(review_votes::review_id)
        .load(c)
        .await)?)
}

pub async fn vote(tx: &mut Tx, id: ReviewId, voter: CustomerId) -> Result<StoredReview> {
    let review = public(tx, id).await?;
    review.votable_by(voter)?;
    if insert(tx, &review, voter).await? {
        count_vote(tx, &review, 1).await?;
    }
    public(tx, id).await
}

/// Writes the row of a vote; false if it is there.
pub async fn insert(conn: &mut Conn, review: &StoredReview, voter: CustomerId) -> Result<bool> {
    let inserted = on!(conn, |c| diesel::insert_into(review_votes::table)
        .values((
            review_votes::review_id.eq(review.id),
            review_votes::customer_id.eq(voter),
            review_votes::product_id.eq(review.product_id),
        ))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    Ok(inserted == 1)
}

pub async fn unvote(tx: &mut Tx, id: ReviewId, voter: CustomerId) -> Result<StoredReview> {
    let review = public(tx, id).await?;
    if take_back(tx, id, voter).await? {
        count_vote(tx, &review, -1).await?;
    }
    public(tx, id).await
}

/// Takes back every vote and report of somebody.
pub async fn forget(tx: &mut Tx, customer: CustomerId) -> Result<()> {
    let voted: Vec<ReviewId> = on!(tx, |c| review_votes::table
        .filter(review_votes::customer_id.eq(customer))
        .select(review_votes::review_id)
        .load(c)
        .await)?;
    for id in voted {
        if take_back(tx, id, customer).await?
            && let Some(review) = kept::get(tx, id).await?
        {
            count_vote(tx, &review, -1).await?;
        }
    }
    let reported: Vec<ReviewId> = on!(tx, |c| review_reports::table
        .filter(review_reports::customer_id.eq(customer))
        .select(review_reports::review_id)
        .load(c)
        .await)?;
    for id in reported {
        let row = review_reports::table.find((id, customer));
        if on!(tx, |c| diesel::delete(row).execute(c).await)? == 1 {
            count_report(tx, id, -1).await?;
        }
    }
    Ok(())
}

pub async fn report(tx: &mut Tx, id: ReviewId, report: &Report) -> Result<()> {
    public(tx, id).await?;
    let inserted = on!(tx, |c| diesel::insert_into(review_reports::table)
        .values((
            review_reports::review_id.eq(id),
            review_reports::customer_id.eq(report.customer_id),
            review_reports::reason.eq(&report.reason),
            review_reports::created_at.eq(report.created_at),
        ))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    if inserted == 1 { count_report(tx, id, 1).await } else { Ok(()) }
}

pub async fn reports(conn: &mut Conn, id: ReviewId) -> Result<Vec<Report>> {
    let rows: Vec<(CustomerId, String, Time)> = on!(conn, |c| review_reports::table
        .filter(review_reports::review_id.eq(id))
        .order((review_reports::created_at.desc(), review_reports::customer_id))
        .select((review_reports::customer_id, review_reports::reason, review_reports::created_at))
        .load(c)
        .await)?;
    let report = |(customer_id, reason, created_at)| Report { customer_id, reason, created_at };
    Ok(rows.into_iter().map(report).collect())
}

/// Staff have decided: what was said is dealt with.
pub async fn dismiss(tx: &mut Tx, id: ReviewId) -> Result<()> {
    on!(tx, |c| diesel::update(reviews::table.find(id)).set(reviews::reports.eq(0)).execute(c).await)?;
    delete_reports(tx, id).await
}

/// Deletes what hangs on a review that is gone.
pub async fn delete_of(tx: &mut Tx, id: ReviewId) -> Result<()> {
    let votes = review_votes::table.filter(review_votes::review_id.eq(id));
    on!(tx, |c| diesel::delete(votes).execute(c).await)?;
    delete_reports(tx, id).await
}

async fn delete_reports(tx: &mut Tx, id: ReviewId) -> Result<()> {
    let reports = review_reports::table.filter(review_reports::review_id.eq(id));
    on!(tx, |c| diesel::delete(reports).execute(c).await)?;
    Ok(())
}

async fn public(tx: &mut Tx, id: ReviewId) -> Result<StoredReview> {
    kept::get(tx, id).await?.filter(StoredReview::is_public).ok_or_else(ReviewId::not_found)
}

async fn take_back(tx: &mut Tx, id: ReviewId, voter: CustomerId) -> Result<bool> {
    let row = review_votes::table.find((id, voter));
    Ok(on!(tx, |c| diesel::delete(row).execute(c).await)? == 1)
}

/// `NotFound`, which takes the vote's row back too, if the review has gone meanwhile.
async fn count_vote(tx: &mut Tx, review: &StoredReview, by: i64) -> Result<()> {
    let row = reviews::table.find(review.id);
    let counted =
        on!(tx, |c| diesel::update(row).set(reviews::helpful.eq(reviews::helpful + by)).execute(c).await)?;
    if counted == 0 {
        return Err(ReviewId::not_found());
    }
    if review.is_public() { kept::changed(tx, review).await } else { Ok(()) }
}

async fn count_report(tx: &mut Tx, id: ReviewId, by: i64) -> Result<()> {
    let row = reviews::table.find(id);
    let counted =
        on!(tx, |c| diesel::update(row).set(reviews::reports.eq(reviews::reports + by)).execute(c).await)?;
    if counted == 0 { Err(ReviewId::not_found()) } else { Ok(()) }
}
