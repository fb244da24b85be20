//! The sums over public reviews, moved by arithmetic in the transaction that moves a review.

use std::collections::BTreeSet;

use contracts::{
    product::ProductId,
    review::{Aggregate, AggregateChanged},
};
use futures::TryStreamExt;
use mongodb::{
    bson::{Bson, Document, doc},
    options::ReturnDocument,
};
use serde::{Deserialize, Serialize};
use shared::{
    Error, Result,
    mongo::{Mongo, Spec, Tx, from_document, shape},
};

use super::{MODULE, reviews::REVIEWS};

pub const SUMS: &str = "review_aggregates";

/// The members that hold how many 1, 2, 3, 4 and 5 stars there are.
const STARS: [&str; 5] = ["one", "two", "three", "four", "five"];

pub fn spec() -> Spec {
    let mut properties = doc! {"version": {"bsonType": "long", "minimum": 1}};
    for stars in STARS {
        properties.insert(stars, doc! {"bsonType": "long", "minimum": 0});
    }
    let required = ["version", "one", "two", "three", "four", "five"];
    Spec { name: SUMS, indexes: Vec::new(), validator: shape(&required, properties) }
}

/// A product's sums as they are kept. `version` orders the events that tell of them.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Row {
    version: i64,
    one: i64,
    two: i64,
    three: i64,
    four: i64,
    five: i64,
}

impl Row {
    fn stars(self) -> [i64; 5] {
        [self.one, self.two, self.three, self.four, self.five]
    }
}

/// How many 1, 2, 3, 4 and 5 stars there are.
pub async fn stars(db: &Mongo, product: ProductId) -> Result<[i64; 5]> {
    let found = db.collection(SUMS).find_one(doc! {"_id": product.to_string()}).await?;
    Ok(found.map(from_document::<Row>).transpose()?.map(Row::stars).unwrap_or_default())
}

/// Adds to the stars and tells of it.
pub async fn add(tx: &mut Tx, product: ProductId, stars: [i64; 5]) -> Result<Aggregate> {
    let row = moved(tx, product, stars).await?;
    announce(tx, product, row).await
}

/// Adds to the stars, makes the document if need be, and holds it until the end of the transaction.
async fn moved(tx: &mut Tx, product: ProductId, stars: [i64; 5]) -> Result<Row> {
    let mut by = doc! {"version": 1_i64};
    by.extend(STARS.iter().zip(stars).map(|(name, stars)| ((*name).to_owned(), Bson::Int64(stars))));
    let sums = tx.collection(SUMS);
    let after = sums
        .find_one_and_update(doc! {"_id": product.to_string()}, doc! {"$inc": by})
        .upsert(true)
        .return_document(ReturnDocument::After)
        .session(tx.session())
        .await?;
    from_document(after.ok_or_else(|| Error::internal("an upsert left nothing"))?)
}

/// Counts anew; true if that made a difference.
pub async fn recount(tx: &mut Tx, product: ProductId) -> Result<bool> {
    // Whoever changes a review of the product now conflicts with this: what is counted is what is there.
    let before = moved(tx, product, [0; 5]).await?;
    let reviews = tx.collection(REVIEWS);
    let public = doc! {"$match": {"product_id": product.to_string(), "status": "approved"}};
    let by_rating = doc! {"$group": {"_id": "$rating", "count": {"$sum": 1_i64}}};
    let mut found = reviews.aggregate([public, by_rating]).session(tx.session()).await?;
    let groups: Vec<Document> = found.stream(tx.session()).try_collect().await?;
    let mut counted = [0; 5];
    for group in groups {
        let rating = group.get_i64("_id").map_err(Error::internal)?;
        if let Some(place) = usize::try_from(rating - 1).ok().and_then(|index| counted.get_mut(index)) {
            *place = group.get_i64("count").map_err(Error::internal)?;
        }
    }
    if counted == before.stars() {
        return Ok(false);
    }
    let mut right = doc! {};
    right.extend(STARS.iter().zip(counted).map(|(name, stars)| ((*name).to_owned(), Bson::Int64(stars))));
    let id = doc! {"_id": product.to_string()};
    tx.collection(SUMS).update_one(id, doc! {"$set": right}).session(tx.session()).await?;
    let [one, two, three, four, five] = counted;
    announce(tx, product, Row { version: before.version, one, two, three, four, five }).await?;
    Ok(true)
}

/// Every product with sums, and every one with a review.
pub async fn products(db: &Mongo) -> Result<Vec<ProductId>> {
    let summed = db.collection(SUMS).find(doc! {}).sort(doc! {"_id": 1}).projection(doc! {"_id": 1}).await?;
    let summed: Vec<Document> = summed.try_collect().await?;
    let reviewed = db.collection(REVIEWS).distinct("product_id", doc! {}).await?;
    let ids = summed.iter().filter_map(|sums| sums.get("_id")).chain(&reviewed);
    let id = |id: &Bson| id.as_str().unwrap_or_default().parse::<ProductId>().map_err(Error::internal);
    let all = ids.map(id).collect::<Result<BTreeSet<_>>>()?;
    Ok(all.into_iter().collect())
}

async fn announce(tx: &mut Tx, product: ProductId, row: Row) -> Result<Aggregate> {
    let aggregate = Aggregate::of(row.stars());
    let Aggregate { average, count, histogram } = aggregate;
    let changed = AggregateChanged { product_id: product, average, count, histogram };
    tx.emit(MODULE, product, row.version, &changed).await?;
    Ok(aggregate)
}
