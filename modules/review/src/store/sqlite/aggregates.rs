//! The sums over public reviews, moved by arithmetic in the transaction that moves a review.

use std::collections::BTreeSet;

use contracts::{
    product::ProductId,
    review::{Aggregate, AggregateChanged},
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{
    Result,
    db::{Conn, Tx, on},
};

use super::MODULE;
use crate::schema::{review_aggregates as sums, reviews};

type Columns = (sums::one, sums::two, sums::three, sums::four, sums::five);
const STARS: Columns = (sums::one, sums::two, sums::three, sums::four, sums::five);

/// How many 1, 2, 3, 4 and 5 stars there are.
pub async fn stars(conn: &mut Conn, product: ProductId) -> Result<[i64; 5]> {
    let row: Option<(i64, i64, i64, i64, i64)> =
        on!(conn, |c| sums::table.find(product).select(STARS).first(c).await.optional())?;
    Ok(row.map(Into::into).unwrap_or_default())
}

/// Adds to the stars and tells of it.
pub async fn add(tx: &mut Tx, product: ProductId, stars: [i64; 5]) -> Result<Aggregate> {
    lock(tx, product).await?;
    let [one, two, three, four, five] = stars;
    let changes = (
        sums::one.eq(sums::one + one),
        sums::two.eq(sums::two + two),
        sums::three.eq(sums::three + three),
        sums::four.eq(sums::four + four),
        sums::five.eq(sums::five + five),
    );
    on!(tx, |c| diesel::update(sums::table.find(product)).set(changes).execute(c).await)?;
    announce(tx, product).await
}

/// Counts anew; true if that made a difference.
pub async fn recount(tx: &mut Tx, product: ProductId) -> Result<bool> {
    // Whoever changes a review of the product now waits, or has been waited for: what is counted is what is there.
    lock(tx, product).await?;
    let counts: Vec<(i64, i64)> = on!(tx, |c| reviews::table
        .filter(reviews::product_id.eq(product).and(reviews::status.eq("approved")))
        .group_by(reviews::rating)
        .select((reviews::rating, diesel::dsl::count_star()))
        .load(c)
        .await)?;
    let mut counted = [0; 5];
    for (rating, count) in counts {
        if let Some(place) = usize::try_from(rating - 1).ok().and_then(|index| counted.get_mut(index)) {
            *place = count;
        }
    }
    if counted == stars(tx, product).await? {
        return Ok(false);
    }
    let [one, two, three, four, five] = counted;
    let right = (
        sums::one.eq(one),
        sums::two.eq(two),
        sums::three.eq(three),
        sums::four.eq(four),
        sums::five.eq(five),
    );
    on!(tx, |c| diesel::update(sums::table.find(product)).set(right).execute(c).await)?;
    announce(tx, product).await?;
    Ok(true)
}

/// Every product with sums, and every one with a review.
pub async fn products(conn: &mut Conn) -> Result<Vec<ProductId>> {
    let mut all: BTreeSet<ProductId> = BTreeSet::new();
    let summed: Vec<ProductId> = on!(conn, |c| sums::table.select(sums::product_id).load(c).await)?;
    let reviewed: Vec<ProductId> =
        on!(conn, |c| reviews::table.select(reviews::product_id).distinct().load(c).await)?;
    all.extend(summed.into_iter().chain(reviewed));
    Ok(all.into_iter().collect())
}

/// Makes sure that there is a row, and holds it until the end of the transaction. Its version grows.
async fn lock(tx: &mut Tx, product: ProductId) -> Result<()> {
    let none = (sums::one.eq(0), sums::two.eq(0), sums::three.eq(0), sums::four.eq(0), sums::five.eq(0));
    on!(tx, |c| diesel::insert_into(sums::table)
        .values((sums::product_id.eq(product), sums::version.eq(0), none))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    let row = sums::table.find(product);
    on!(tx, |c| diesel::update(row).set(sums::version.eq(sums::version + 1)).execute(c).await)?;
    Ok(())
}

async fn announce(tx: &mut Tx, product: ProductId) -> Result<Aggregate> {
    let version: i64 = on!(tx, |c| sums::table.find(product).select(sums::version).first(c).await)?;
    let aggregate = Aggregate::of(stars(tx, product).await?);
    let Aggregate { average, count, histogram } = aggregate;
    let changed = AggregateChanged { product_id: product, average, count, histogram };
    tx.emit(MODULE, product, version, &changed).await?;
    Ok(aggregate)
}
