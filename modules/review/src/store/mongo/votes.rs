//! Votes and reports: a document an account, and a count that moves with the documents.

use contracts::{
    customer::CustomerId,
    product::ProductId,
    review::{Report, ReviewId},
};
use futures::TryStreamExt;
use mongodb::bson::{Document, doc};
use serde::{Deserialize, Serialize};
use shared::{
    Error, Result, Time,
    mongo::{Mongo, Spec, Tx, from_document, index, shape, to_document},
};

use super::reviews::{self as kept, REVIEWS};
use crate::model::StoredReview;

pub const VOTES: &str = "review_votes";
pub const REPORTS: &str = "review_reports";

pub fn specs() -> [Spec; 2] {
    let votes =
        vec![index(doc! {"customer_id": 1, "product_id": 1, "review_id": 1}), index(doc! {"review_id": 1})];
    let reports = vec![
        index(doc! {"review_id": 1, "created_at": -1, "customer_id": 1}),
        index(doc! {"customer_id": 1}),
    ];
    let id = doc! {"review_id": {"bsonType": "string"}, "customer_id": {"bsonType": "string"}};
    [
        Spec {
            name: VOTES,
            indexes: votes,
            validator: shape(&["review_id", "customer_id", "product_id"], id.clone()),
        },
        Spec {
            name: REPORTS,
            indexes: reports,
            validator: shape(&["review_id", "customer_id", "reason"], id),
        },
    ]
}

/// What somebody said against a review, as it is kept; the time in µs.
#[derive(Serialize, Deserialize)]
struct Row {
    review_id: ReviewId,
    customer_id: CustomerId,
    reason: String,
    created_at: i64,
}

fn id(review: ReviewId, customer: CustomerId) -> Document {
    doc! {"_id": format!("{review}/{customer}")}
}

pub async fn of_customer(db: &Mongo, product: ProductId, customer: CustomerId) -> Result<Vec<ReviewId>> {
    let theirs = doc! {"customer_id": customer.to_string(), "product_id": product.to_string()};
    let found = db.collection(VOTES).find(theirs).sort(doc! {"review_id": 1}).await?;
    let found: Vec<Document> = found.try_collect().await?;
    found.iter().map(review_of).collect()
}

fn review_of(document: &Document) -> Result<ReviewId> {
    document.get_str("review_id").map_err(Error::internal)?.parse().map_err(Error::internal)
}

pub async fn vote(tx: &mut Tx, id: ReviewId, voter: CustomerId) -> Result<StoredReview> {
    let review = public(tx, id).await?;
    review.votable_by(voter)?;
    if insert(tx, &review, voter).await? {
        count_vote(tx, &review, 1).await?;
    }
    public(tx, id).await
}

/// Writes a vote; false if it is there.
pub async fn insert(tx: &mut Tx, review: &StoredReview, voter: CustomerId) -> Result<bool> {
    let row = doc! {
        "review_id": review.id.to_string(),
        "customer_id": voter.to_string(),
        "product_id": review.product_id.to_string(),
    };
    let votes = tx.collection(VOTES);
    let change = doc! {"$setOnInsert": row};
    let written = votes.update_one(id(review.id, voter), change).upsert(true).session(tx.session()).await?;
    Ok(written.upserted_id.is_some())
}

pub async fn unvote(tx: &mut Tx, id: ReviewId, voter: CustomerId) -> Result<StoredReview> {
    let review = public(tx, id).await?;
    if take_back(tx, VOTES, id, voter).await? {
        count_vote(tx, &review, -1).await?;
    }
    public(tx, id).await
}

/// Takes back every vote and report of somebody.
pub async fn forget(tx: &mut Tx, customer: CustomerId) -> Result<()> {
    for id in theirs(tx, VOTES, customer).await? {
        if take_back(tx, VOTES, id, customer).await?
            && let Some(review) = kept::get_in(tx, id).await?
        {
            count_vote(tx, &review, -1).await?;
        }
    }
    for id in theirs(tx, REPORTS, customer).await? {
        if take_back(tx, REPORTS, id, customer).await? {
            count_report(tx, id, -1).await?;
        }
    }
    Ok(())
}

/// The reviews that somebody has voted for, or reported.
async fn theirs(tx: &mut Tx, collection: &str, customer: CustomerId) -> Result<Vec<ReviewId>> {
    let documents = tx.collection(collection);
    let filter = doc! {"customer_id": customer.to_string()};
    let mut found = documents.find(filter).session(tx.session()).await?;
    let found: Vec<Document> = found.stream(tx.session()).try_collect().await?;
    found.iter().map(review_of).collect()
}

pub async fn report(tx: &mut Tx, review: ReviewId, report: &Report) -> Result<()> {
    public(tx, review).await?;
    let row = to_document(&Row {
        review_id: review,
        customer_id: report.customer_id,
        reason: report.reason.clone(),
        created_at: report.created_at.micros(),
    })?;
    let reports = tx.collection(REPORTS);
    let change = doc! {"$setOnInsert": row};
    let written =
        reports.update_one(id(review, report.customer_id), change).upsert(true).session(tx.session()).await?;
    if written.upserted_id.is_some() { count_report(tx, review, 1).await } else { Ok(()) }
}

pub async fn reports(db: &Mongo, id: ReviewId) -> Result<Vec<Report>> {
    let newest = doc! {"created_at": -1, "customer_id": 1};
    let found = db.collection(REPORTS).find(doc! {"review_id": id.to_string()}).sort(newest).await?;
    let found: Vec<Document> = found.try_collect().await?;
    let report = |document| {
        let Row { customer_id, reason, created_at, .. } = from_document(document)?;
        Ok(Report { customer_id, reason, created_at: Time::from_micros(created_at) })
    };
    found.into_iter().map(report).collect()
}

/// Staff have decided: what was said is dealt with.
pub async fn dismiss(tx: &mut Tx, id: ReviewId) -> Result<()> {
    let none = doc! {"$set": {"reports": 0_i64}};
    tx.collection(REVIEWS).update_one(doc! {"_id": id.to_string()}, none).session(tx.session()).await?;
    delete_all(tx, REPORTS, id).await
}

/// Deletes what hangs on a review that is gone.
pub async fn delete_of(tx: &mut Tx, id: ReviewId) -> Result<()> {
    delete_all(tx, VOTES, id).await?;
    delete_all(tx, REPORTS, id).await
}

async fn delete_all(tx: &mut Tx, collection: &str, id: ReviewId) -> Result<()> {
    tx.collection(collection).delete_many(doc! {"review_id": id.to_string()}).session(tx.session()).await?;
    Ok(())
}

async fn public(tx: &mut Tx, id: ReviewId) -> Result<StoredReview> {
    kept::get_in(tx, id).await?.filter(StoredReview::is_public).ok_or_else(ReviewId::not_found)
}

async fn take_back(tx: &mut Tx, collection: &str, review: ReviewId, customer: CustomerId) -> Result<bool> {
    let deleted = tx.collection(collection).delete_one(id(review, customer)).session(tx.session()).await?;
    Ok(deleted.deleted_count == 1)
}

/// `NotFound`, which takes the vote back too, if the review has gone meanwhile.
async fn count_vote(tx: &mut Tx, review: &StoredReview, by: i64) -> Result<()> {
    count(tx, review.id, "helpful", by).await?;
    if review.is_public() { kept::changed(tx, review).await } else { Ok(()) }
}

async fn count_report(tx: &mut Tx, id: ReviewId, by: i64) -> Result<()> {
    count(tx, id, "reports", by).await
}

async fn count(tx: &mut Tx, id: ReviewId, what: &str, by: i64) -> Result<()> {
    let review = doc! {"_id": id.to_string()};
    let counted =
        tx.collection(REVIEWS).update_one(review, doc! {"$inc": {what: by}}).session(tx.session()).await?;
    if counted.matched_count == 0 { Err(ReviewId::not_found()) } else { Ok(()) }
}
