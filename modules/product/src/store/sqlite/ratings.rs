//! What reviews say of products.

use contracts::{
    product::{ProductChanged, ProductId, ProductStatus},
    review::AggregateChanged,
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{Result, Time, db::Tx, on};

use super::{
    MODULE,
    products::{load, touch},
};
use crate::schema::products;

/// Keeps the sums if they are newer than those that are there, and says that the product looks different.
pub(super) async fn rate(tx: &mut Tx, sums: &AggregateChanged, sequence: i64, now: Time) -> Result<()> {
    let id = sums.product_id;
    if !write(tx, id, sums, sequence).await? {
        return Ok(());
    }
    touch(tx, &[id], now).await?;
    if let Some(record) = load(tx, &[id]).await?.pop() {
        let product = record.product;
        let published = product.status == ProductStatus::Published;
        let event = ProductChanged { product_id: id, slug: product.slug, published };
        tx.emit(MODULE, id, product.version, &event).await?;
    }
    Ok(())
}

async fn write(tx: &mut Tx, id: ProductId, sums: &AggregateChanged, sequence: i64) -> Result<bool> {
    let older = products::table.filter(products::id.eq(id).and(products::rating_sequence.lt(sequence)));
    let changed = on!(tx, |c| diesel::update(older)
        .set((
            products::rating_average.eq(sums.average),
            products::rating_count.eq(sums.count),
            products::rating_sequence.eq(sequence),
        ))
        .execute(c)
        .await)?;
    Ok(changed == 1)
}
