//! Writing products: the document, its variants, first stock, categories, collections, the old slug and the event.

use std::collections::BTreeSet;

use contracts::product::{CategoryChanged, CollectionId, Product, ProductChanged, ProductId, ProductStatus};
use mongodb::bson::{Document, doc};
use shared::{Result, Time, mongo::Tx};

use super::{
    MODULE, categories, collections, conflict,
    products::{PRODUCTS, REDIRECTS, written},
    shelves, variants,
};
use crate::store::{Save, moved_on};

/// Writes one product.
pub(super) async fn save(tx: &mut Tx, save: &Save, now: Time) -> Result<()> {
    let product = &save.product;
    match &save.before {
        None => insert(tx, save, now).await?,
        Some(before) => update(tx, save, before, now).await?,
    }
    variants::save(tx, product, save.before.as_ref()).await?;
    shelves::stock_new(tx, &save.stock, now).await?;
    for collection in &save.collections {
        collections::join(tx, *collection, product.id).await?;
    }
    let published = product.status == ProductStatus::Published;
    let event = ProductChanged { product_id: product.id, slug: product.slug.clone(), published };
    tx.emit(MODULE, product.id, product.version, &event).await?;
    Ok(())
}

/// A collection that products have joined has changed too.
pub(super) async fn announce_collections(tx: &mut Tx, saves: &[Save], now: Time) -> Result<()> {
    let joined: BTreeSet<CollectionId> =
        saves.iter().flat_map(|save| save.collections.iter().copied()).collect();
    for id in joined {
        let slug = collections::slug(tx, id).await?;
        tx.emit(MODULE, id, now.micros(), &CategoryChanged { slug }).await?;
    }
    Ok(())
}

async fn insert(tx: &mut Tx, save: &Save, now: Time) -> Result<()> {
    let product = &save.product;
    let mut row = doc! {
        "_id": product.id.to_string(),
        "created_at": product.created_at.micros(),
        "rating": {"average": 0.0, "count": 0_i64, "sequence": 0_i64},
        "touched_at": now.micros(),
        "category_ids": categories::place(tx, product).await?,
    };
    row.extend(written(product, save.popularity)?);
    let products = tx.collection(PRODUCTS);
    products.insert_one(row).session(tx.session()).await.map_err(conflict)?;
    forget_redirect(tx, &product.slug).await
}

async fn update(tx: &mut Tx, save: &Save, before: &Product, now: Time) -> Result<()> {
    let product = &save.product;
    let mut values: Document = written(product, save.popularity)?;
    values.insert("touched_at", now.micros());
    if before.category_ids != product.category_ids || before.status != product.status {
        values.insert("category_ids", categories::place(tx, product).await?);
    }
    let seen = doc! {"_id": product.id.to_string(), "version": before.version};
    let products = tx.collection(PRODUCTS);
    let updated =
        products.update_one(seen, doc! {"$set": values}).session(tx.session()).await.map_err(conflict)?;
    if updated.matched_count != 1 {
        return Err(moved_on());
    }
    if before.slug != product.slug {
        forget_redirect(tx, &product.slug).await?;
        remember_redirect(tx, &before.slug, product.id).await?;
    }
    Ok(())
}

/// A slug in use leads to its product, whoever had it before.
async fn forget_redirect(tx: &mut Tx, slug: &str) -> Result<()> {
    let redirects = tx.collection(REDIRECTS);
    redirects.delete_one(doc! {"_id": slug}).session(tx.session()).await?;
    Ok(())
}

async fn remember_redirect(tx: &mut Tx, slug: &str, id: ProductId) -> Result<()> {
    let leads_here = doc! {"$set": {"product_id": id.to_string()}};
    let redirects = tx.collection(REDIRECTS);
    redirects.update_one(doc! {"_id": slug}, leads_here).upsert(true).session(tx.session()).await?;
    Ok(())
}
