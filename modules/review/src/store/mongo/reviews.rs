//! Reviews: every change of one goes through this file, and takes sums and events with it.

use contracts::{
    customer::CustomerId,
    product::ProductId,
    review::{Aggregate, QueueFilter, ReviewApproved, ReviewChanged, ReviewFilter, ReviewId, ReviewSort},
};
use futures::TryStreamExt;
use mongodb::bson::{Bson, Document, doc};
use serde::{Deserialize, Serialize};
use shared::{
    Error, Result, Time,
    mongo::{Mongo, Spec, Tx, from_document, index, partial, shape, to_document, unique},
};

use super::{MODULE, aggregates, purchases, votes};
use crate::{
    model::{self, Settings, StoredReview},
    store::{Position, Saved, status},
};

pub const REVIEWS: &str = "reviews";

pub fn spec() -> Spec {
    let has_author = doc! {"customer_id": {"$exists": true}};
    let of_customer = partial(doc! {"customer_id": 1, "created_at": 1, "_id": 1}, has_author.clone());
    let reported = partial(doc! {"updated_at": 1, "_id": 1, "reports": 1}, doc! {"reports": {"$gt": 0}});
    let indexes = vec![
        unique("reviews_one_each", doc! {"product_id": 1, "customer_id": 1}, has_author),
        index(doc! {"product_id": 1, "status": 1, "created_at": 1, "_id": 1}),
        index(doc! {"product_id": 1, "status": 1, "helpful": 1, "created_at": 1, "_id": 1}),
        index(doc! {"product_id": 1, "status": 1, "rating": 1, "created_at": 1, "_id": 1}),
        index(doc! {"product_id": 1, "status": 1, "rating": 1, "created_at": -1, "_id": -1}),
        index(doc! {"product_id": 1, "updated_at": 1, "_id": 1}),
        index(doc! {"status": 1, "updated_at": 1, "_id": 1}),
        index(doc! {"updated_at": 1, "_id": 1}),
        of_customer,
        reported,
    ];
    let properties = doc! {
        "status": {"enum": ["pending", "approved", "rejected"]},
        "rating": {"bsonType": "long", "minimum": 1, "maximum": 5},
        "helpful": {"bsonType": "long", "minimum": 0},
        "reports": {"bsonType": "long", "minimum": 0},
        "version": {"bsonType": "long", "minimum": 1},
        "created_at": {"bsonType": "long"},
        "updated_at": {"bsonType": "long"},
        "review": {"bsonType": "object"},
    };
    let required = [
        "product_id",
        "status",
        "rating",
        "helpful",
        "reports",
        "version",
        "created_at",
        "updated_at",
        "review",
    ];
    Spec { name: REVIEWS, indexes, validator: shape(&required, properties) }
}

/// What a review is found and sorted by, beside itself; times in µs. The two counts are not in here: they move by
/// themselves.
#[derive(Serialize, Deserialize)]
struct Row {
    product_id: ProductId,
    /// Absent once the author is erased: only the stars stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer_id: Option<CustomerId>,
    status: String,
    rating: i64,
    version: i64,
    created_at: i64,
    updated_at: i64,
    review: StoredReview,
}

impl Row {
    fn new(review: &StoredReview) -> Self {
        Self {
            product_id: review.product_id,
            customer_id: review.customer_id,
            status: status(review.status).to_owned(),
            rating: i64::from(review.content.rating),
            version: review.version,
            created_at: review.created_at.micros(),
            updated_at: review.updated_at.micros(),
            review: review.clone(),
        }
    }
}

/// A review with its counts.
pub fn review(document: Document) -> Result<StoredReview> {
    let helpful = document.get_i64("helpful").map_err(Error::internal)?;
    let reports = document.get_i64("reports").map_err(Error::internal)?;
    Ok(StoredReview { helpful, reports, ..from_document::<Row>(document)?.review })
}

async fn find(db: &Mongo, by: Document) -> Result<Option<StoredReview>> {
    db.collection(REVIEWS).find_one(by).await?.map(review).transpose()
}

async fn find_in(tx: &mut Tx, by: Document) -> Result<Option<StoredReview>> {
    tx.collection(REVIEWS).find_one(by).session(tx.session()).await?.map(review).transpose()
}

fn theirs(product: ProductId, customer: CustomerId) -> Document {
    doc! {"product_id": product.to_string(), "customer_id": customer.to_string()}
}

pub async fn get(db: &Mongo, id: ReviewId) -> Result<Option<StoredReview>> {
    find(db, doc! {"_id": id.to_string()}).await
}

/// The same in a transaction.
pub async fn get_in(tx: &mut Tx, id: ReviewId) -> Result<Option<StoredReview>> {
    find_in(tx, doc! {"_id": id.to_string()}).await
}

pub async fn own(db: &Mongo, product: ProductId, customer: CustomerId) -> Result<Option<StoredReview>> {
    find(db, theirs(product, customer)).await
}

/// The same in a transaction.
pub async fn own_in(tx: &mut Tx, product: ProductId, customer: CustomerId) -> Result<Option<StoredReview>> {
    find_in(tx, theirs(product, customer)).await
}

async fn all(db: &Mongo, filter: Document, order: Document, limit: i64) -> Result<Vec<StoredReview>> {
    let found = db.collection(REVIEWS).find(filter).sort(order).limit(limit).await?;
    let found: Vec<Document> = found.try_collect().await?;
    found.into_iter().map(review).collect()
}

/// Those that come after, where the later of two comes first.
fn before(member: &str, at: Time, id: ReviewId) -> Vec<Document> {
    let (at, id) = (at.micros(), id.to_string());
    vec![doc! {member: {"$lt": at}}, doc! {member: at, "_id": {"$lt": id}}]
}

pub async fn of_product(
    db: &Mongo,
    product: ProductId,
    filter: ReviewFilter,
    after: Option<Position>,
    limit: i64,
) -> Result<Vec<StoredReview>> {
    let mut wanted = doc! {"product_id": product.to_string(), "status": "approved"};
    if let Some(rating) = filter.rating {
        wanted.insert("rating", i64::from(rating));
    }
    let by = match filter.sort {
        ReviewSort::Newest => None,
        ReviewSort::Helpful => Some(("helpful", -1, "$lt")),
        ReviewSort::Highest => Some(("rating", -1, "$lt")),
        ReviewSort::Lowest => Some(("rating", 1, "$gt")),
    };
    if let Some((key, time, id)) = after {
        let mut later = before("created_at", time, id);
        if let Some((member, _, beyond)) = by {
            for one in &mut later {
                one.insert(member, key);
            }
            later.insert(0, doc! {member: {beyond: key}});
        }
        wanted.insert("$and", vec![doc! {"$or": later}]);
    }
    let mut order = doc! {};
    if let Some((member, direction, _)) = by {
        order.insert(member, direction);
    }
    order.extend([("created_at".to_owned(), Bson::Int32(-1)), ("_id".to_owned(), Bson::Int32(-1))]);
    all(db, wanted, order, limit).await
}

pub async fn of_customer(
    db: &Mongo,
    customer: CustomerId,
    after: Option<(Time, ReviewId)>,
    limit: i64,
) -> Result<Vec<StoredReview>> {
    let mut wanted = doc! {"customer_id": customer.to_string()};
    if let Some((time, id)) = after {
        wanted.insert("$or", before("created_at", time, id));
    }
    all(db, wanted, doc! {"created_at": -1, "_id": -1}, limit).await
}

/// Some of somebody's, for a transaction that changes them.
pub async fn some_of(tx: &mut Tx, customer: CustomerId, limit: i64) -> Result<Vec<StoredReview>> {
    let reviews = tx.collection(REVIEWS);
    let theirs = doc! {"customer_id": customer.to_string()};
    let mut found = reviews.find(theirs).limit(limit).session(tx.session()).await?;
    let found: Vec<Document> = found.stream(tx.session()).try_collect().await?;
    found.into_iter().map(review).collect()
}

pub async fn queue(
    db: &Mongo,
    filter: QueueFilter,
    after: Option<(Time, ReviewId)>,
    limit: i64,
) -> Result<Vec<StoredReview>> {
    let mut wanted = doc! {};
    if let Some(only) = filter.status {
        wanted.insert("status", status(only));
    }
    if let Some(product) = filter.product_id {
        wanted.insert("product_id", product.to_string());
    }
    if filter.reported {
        wanted.insert("reports", doc! {"$gt": 0});
    }
    if let Some((time, id)) = after {
        wanted.insert("$or", before("updated_at", time, id));
    }
    all(db, wanted, doc! {"updated_at": -1, "_id": -1}, limit).await
}

fn lately(customer: CustomerId, since: Time, but: ReviewId) -> Document {
    doc! {
        "customer_id": customer.to_string(),
        "created_at": {"$gte": since.micros()},
        "_id": {"$ne": but.to_string()},
    }
}

pub async fn written(db: &Mongo, customer: CustomerId, since: Time, but: ReviewId) -> Result<i64> {
    let count = db.collection(REVIEWS).count_documents(lately(customer, since, but)).await?;
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Takes a new review in; see [`crate::store::Store::insert`].
pub async fn admit(
    tx: &mut Tx,
    review: &mut StoredReview,
    buyer: Option<&str>,
    settings: &Settings,
) -> Result<()> {
    if let Some(customer) = review.customer_id {
        purchases::take_turn(tx, customer, review.product_id).await?;
        if let Some(buyer) = buyer {
            purchases::adopt(tx, customer, buyer).await?;
        }
        let now = review.created_at;
        let recent = lately(customer, now.before(model::RATE_PERIOD), review.id);
        let today = tx.collection(REVIEWS).count_documents(recent).session(tx.session()).await?;
        review.verified = purchases::exist(tx, customer, review.product_id).await?;
        review.judge(settings, i64::try_from(today).unwrap_or(i64::MAX), now);
        if !insert(tx, review).await? {
            let there = own_in(tx, review.product_id, customer).await?.map(|there| there.id.to_string());
            let detail = "you have reviewed this product already; change that review";
            return Err(Error::conflict("review_exists", detail).with("review_id", there));
        }
    }
    settle(tx, None, Some(review)).await
}

/// All of a review, as it is kept.
pub fn document(review: &StoredReview) -> Result<Document> {
    let mut row = to_document(&Row::new(review))?;
    row.insert("_id", review.id.to_string());
    row.insert("helpful", review.helpful);
    row.insert("reports", review.reports);
    Ok(row)
}

/// Writes a new one; false if there is one with that id or of that author and product.
pub async fn insert(tx: &mut Tx, review: &StoredReview) -> Result<bool> {
    let mut there = get_in(tx, review.id).await?;
    if let (None, Some(customer)) = (&there, review.customer_id) {
        there = own_in(tx, review.product_id, customer).await?;
    }
    if there.is_some() {
        return Ok(false);
    }
    tx.collection(REVIEWS).insert_one(document(review)?).session(tx.session()).await?;
    Ok(true)
}

/// Replaces the review if it still has the version it had before.
pub async fn replace(tx: &mut Tx, before: &StoredReview, after: &StoredReview) -> Result<Saved> {
    let seen = doc! {"_id": before.id.to_string(), "version": before.version};
    let mut change = doc! {"$set": to_document(&Row::new(after))?};
    if after.customer_id.is_none() {
        change.insert("$unset", doc! {"customer_id": ""});
    }
    let reviews = tx.collection(REVIEWS);
    if reviews.update_one(seen, change).session(tx.session()).await?.matched_count == 0 {
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
    let seen = doc! {"_id": before.id.to_string(), "version": before.version};
    if tx.collection(REVIEWS).delete_one(seen).session(tx.session()).await?.deleted_count == 0 {
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
