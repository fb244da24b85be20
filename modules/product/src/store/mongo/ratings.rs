//! What reviews say of products.

use contracts::{
    product::{ProductChanged, ProductStatus},
    review::AggregateChanged,
};
use mongodb::bson::doc;
use serde::Deserialize;
use shared::{Result, Time, mongo::Tx};

use super::{MODULE, products::PRODUCTS};

/// What the event says of the product.
#[derive(Deserialize)]
struct Named {
    slug: String,
    status: ProductStatus,
    version: i64,
}

/// Keeps the sums if they are newer than those that are there, and says that the product looks different.
pub(super) async fn rate(tx: &mut Tx, sums: &AggregateChanged, sequence: i64, now: Time) -> Result<()> {
    let id = sums.product_id;
    let older = doc! {"_id": id.to_string(), "rating.sequence": {"$lt": sequence}};
    let rating = doc! {"average": sums.average, "count": sums.count, "sequence": sequence};
    let values = doc! {"$set": {"rating": rating, "touched_at": now.micros()}};
    let products = tx.collection(PRODUCTS).clone_with_type::<Named>();
    let rated = products
        .find_one_and_update(older, values)
        .projection(doc! {"slug": 1, "status": 1, "version": 1})
        .session(tx.session())
        .await?;
    if let Some(Named { slug, status, version }) = rated {
        let published = status == ProductStatus::Published;
        tx.emit(MODULE, id, version, &ProductChanged { product_id: id, slug, published }).await?;
    }
    Ok(())
}
