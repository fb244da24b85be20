//! Reviews: every change of one goes through this file, and takes sums and events with it.

use contracts::{
    customer::CustomerId,
    product::ProductId,
    review::{Aggregate, QueueFilter, ReviewApproved, ReviewChanged, ReviewFilter, ReviewId, ReviewSort},
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{
    Error, Result, Time,
    db::{Conn, Tx, on},
};

use super::{MODULE, aggregates, purchases, votes};
use crate::{
    model::{self, Settings, StoredReview},
    schema::reviews,
    store::{Position, Saved, status},
};

type Columns = (reviews::document, reviews::helpful, reviews::reports);
const COLUMNS: Columns = (reviews::document, reviews::helpful, reviews::reports);
type Row = (String, i64, i64);

fn review((document, helpful, reports): Row) -> Result<StoredReview> {
    Ok(StoredReview { helpful, reports, ..serde_json::from_str(&document)? })
}

fn all(rows: Vec<Row>) -> Result<Vec<StoredReview>> {
    rows.into_iter().map(review).collect()
}

pub async fn get(conn: &mut Conn, id: ReviewId) -> Result<Option<StoredReview>> {
    let row: Option<Row> = on!(conn, |c| reviews::table.find(id).select(COLUMNS).first(c).await.optional())?;
    row.map(review).transpose()
}

pub async fn own(conn: &mut Conn, product: ProductId, customer: CustomerId) -> Result<Option<StoredReview>> {
    let row: Option<Row> = on!(conn, |c| reviews::table
        .filter(reviews::product_id.eq(product).and(reviews::customer_id.eq(customer)))
        .select(COLUMNS)
        .first(c)
        .await
        .optional())?;
    row.map(review).transpose()
}

pub async fn of_product(
    conn: &mut Conn,
    product: ProductId,
    filter: ReviewFilter,
    after: Option<Position>,
    limit: i64,
) -> Result<Vec<StoredReview>> {
    all(on!(conn, |c| {
        let mut query = reviews::table
            .filter(reviews::product_id.eq(product).and(reviews::status.eq("approved")))
            .select(COLUMNS)
            .limit(limit)
            .into_boxed();
        if let Some(rating) = filter.rating {
            query = query.filter(reviews::rating.eq(i64::from(rating)));
        }
        if let Some((key, time, id)) = after {
            let later = reviews::created_at.lt(time).or(reviews::created_at.eq(time).and(reviews::id.lt(id)));
            query = match filter.sort {
                ReviewSort::Newest => query.filter(later),
                ReviewSort::Helpful => {
                    query.filter(reviews::helpful.lt(key).or(reviews::helpful.eq(key).and(later)))
                }
                ReviewSort::Highest => {
                    query.filter(reviews::rating.lt(key).or(reviews::rating.eq(key).and(later)))
                }
                ReviewSort::Lowest => {
                    query.filter(reviews::rating.gt(key).or(reviews::rating.eq(key).and(later)))
                }
            };
        }
        query = match filter.sort {
            ReviewSort::Newest => query,
            ReviewSort::Helpful => query.order(reviews::helpful.desc()),
            ReviewSort::Highest => query.order(reviews::rating.desc()),
            ReviewSort::Lowest => query.order(reviews::rating.asc()),
        };
        query.then_order_by((reviews::created_at.desc(), reviews::id.desc())).load(c).await
    })?)
}

pub async fn of_customer(
    conn: &mut Conn,
    customer: CustomerId,
    after: Option<(Time, ReviewId)>,
    limit: i64,
) -> Result<Vec<StoredReview>> {
    all(on!(conn, |c| {
        let mut query = reviews::table.filter(reviews::customer_id.eq(customer)).select(COLUMNS).into_boxed();
        if let Some((time, id)) = after {
            let same_time = reviews::created_at.eq(time).and(reviews::id.lt(id));
            query = query.filter(reviews::created_at.lt(time).or(same_time));
        }
        query.order((reviews::created_at.desc(), reviews::id.desc())).limit(limit).load(c).await
    })?)
}

pub async fn queue(
    conn: &mut Conn,
    filter: QueueFilter,
    after: Option<(Time, ReviewId)>,
    limit: i64,
) -> Result<Vec<StoredReview>> {
    all(on!(conn, |c| {
        let mut query = reviews::table.select(COLUMNS).into_boxed();
        if let Some(wanted) = filter.status {
            query = query.filter(reviews::status.eq(status(wanted)));
        }
        if let Some(product) = filter.product_id {
            query = query.filter(reviews::product_id.eq(product));
        }
        if filter.reported {
            query = query.filter(reviews::reports.gt(0));
        }
        if let Some((time, id)) = after {
            let same_time = reviews::updated_at.eq(time).and(reviews::id.lt(id));
            query = query.filter(reviews::updated_at.lt(time).or(same_time));
        }
        query.order((reviews::updated_at.desc(), reviews::id.desc())).limit(limit).load(c).await
    })?)
}

pub async fn written(conn: &mut Conn, customer: CustomerId, since: Time, but: ReviewId) -> Result<i64> {
    Ok(on!(conn, |c| reviews::table
        .filter(reviews::customer_id.eq(customer))
        .filter(reviews::created_at.ge(since).and(reviews::id.ne(but)))
        .count()
        .get_result(c)
        .await)?)
}

/// Takes a new review in; see [`crate::store::Store::insert`].
pub async fn admit(
    tx: &mut Tx,
    review: &mut StoredReview,
    buyer: Option<&str>,
    settings: &Settings,
) -> Result<()> {
    if let Some(customer) = review.customer_id {
        if let Some(buyer) = buyer {
            purchases::adopt(tx, customer, buyer).await?;
        }
        let now = review.created_at;
        let today = written(tx, customer, now.before(model::RATE_PERIOD), review.id).await?;
        review.verified = purchases::exist(tx, customer, review.product_id).await?;
        review.judge(settings, today, now);
        if !insert(tx, review).await? {
            let there = own(tx, review.product_id, customer).await?.map(|there| there.id.to_string());
            let detail = "you have reviewed this product already; change that review";
            return Err(Error::conflict("review_exists", detail).with("review_id", there));
        }
    }
    settle(tx, None, Some(review)).await
}

/// Writes a new row; false if there is one with that id or of that author and product.
pub async fn insert(conn: &mut Conn, review: &StoredReview) -> Result<bool> {
    let document = serde_json::to_string(review)?;
    let inserted = on!(conn, |c| diesel::insert_into(reviews::table)
        .values((
            reviews::id.eq(review.id),
            reviews::product_id.eq(review.product_id),
            reviews::customer_id.eq(review.customer_id),
            reviews::status.eq(status(review.status)),
            reviews::rating.eq(i64::from(review.content.rating)),
            reviews::helpful.eq(review.helpful),
            reviews::reports.eq(review.reports),
            reviews::version.eq(review.version),
            reviews::created_at.eq(review.created_at),
            reviews::updated_at.eq(review.updated_at),
            reviews::document.eq(&document),
        ))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    Ok(inserted == 1)
}

/// Replaces the review if it still has the version it had before.
pub async fn replace(tx: &mut Tx, before: &StoredReview, after: &StoredReview) -> Result<Saved> {
    let document = serde_json::to_string(after)?;
    let row = reviews::table.find(before.id).filter(reviews::version.eq(before.version));
    let written = on!(tx, |c| diesel::update(row)
        .set((
            reviews::customer_id.eq(after.customer_id),
            reviews::status.eq(status(after.status)),
            reviews::rating.eq(i64::from(after.content.rating)),
            reviews::version.eq(after.version),
            reviews::updated_at.eq(after.updated_at),
            reviews::document.eq(&document),
        ))
        .execute(c)
        .await)?;
    if written == 0 {
        return Ok(Saved::Raced);
    }
    settle(tx, Some(before), Some(after)).await?;
    Ok(Saved::Yes)
}

/// As [`replace`], for a transaction with several: a race rolls all of it back, and its event comes again.
pub async fn replace_or_roll_back(tx: &mut Tx, before: &StoredReview, after: &StoredReview) -> Result<()> {
    match replace(tx, before, after).await? {
        Saved::Yes => Ok(()),
        Saved::Raced => Err(Error::unavailable("the review is being changed by somebody else")),
    }
}

/// Deletes the review with all that hangs on it, if it still has that version.
pub async fn delete(tx: &mut Tx, before: &StoredReview) -> Result<Saved> {
    let row = reviews::table.find(before.id).filter(reviews::version.eq(before.version));
    if on!(tx, |c| diesel::delete(row).execute(c).await)? == 0 {
        return Ok(Saved::Raced);
    }
    votes::delete_of(tx, before.id).await?;
    settle(tx, Some(before), None).await?;
    Ok(Saved::Yes)
}

/// Moves the sums with the review, and tells whoever shows them.
async fn settle(tx: &mut Tx, before: Option<&StoredReview>, after: Option<&StoredReview>) -> Result<()> {
    let Some(review) = after.or(before) else { return Ok(()) };
    let stars = model::moved(before, after);
    let mut aggregate = None;
    if stars != [0; 5] {
        aggregate = Some(aggregates::add(tx, review.product_id, stars).await?);
    }
    let is_public = |review: Option<&StoredReview>| review.is_some_and(StoredReview::is_public);
    if is_public(before) || is_public(after) {
        changed(tx, review).await?;
    }
    if let (false, true, Some(aggregate)) = (is_public(before), is_public(after), aggregate) {
        approved(tx, review, aggregate).await?;
    }
    Ok(())
}

/// Says that what shoppers see of the review is different.
pub async fn changed(tx: &mut Tx, review: &StoredReview) -> Result<()> {
    let event = ReviewChanged { review_id: review.id, product_id: review.product_id };
    tx.emit(MODULE, review.id, review.version, &event).await?;
    Ok(())
}

async fn approved(tx: &mut Tx, review: &StoredReview, aggregate: Aggregate) -> Result<()> {
    let event = ReviewApproved { review: review.clone().view(), aggregate };
    tx.emit(MODULE, review.id, review.version, &event).await?;
    Ok(())
}
