//! Writing products: the document, its variants, first stock, categories, collections, the old slug and the event.

use std::collections::{BTreeSet, HashMap, HashSet};

use contracts::{
    Actor,
    product::{
        CategoryChanged, CollectionId, Product, ProductChanged, ProductId, ProductStatus, Variant, VariantId,
        stock::{LocationId, MovementId},
    },
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{
    Result, Time,
    db::{Conn, Tx},
    on,
};

use super::{
    MODULE, conflict, levels, moved_on,
    movements::{self, NewMovement},
};
use crate::{
    schema::{
        collection_products, collections, product_categories, product_touches, products, slug_redirects,
        variants,
    },
    store::{Save, haystack, status, stock_title},
};

/// Writes one product. `place` tells it from the others of one transaction, where order matters.
pub(super) async fn save(tx: &mut Tx, save: &Save, place: usize, now: Time) -> Result<()> {
    let product = &save.product;
    write(tx, save).await?;
    touched(tx, product.id, now).await?;
    save_variants(tx, product, save.before.as_ref()).await?;
    first_stock(tx, &save.stock, now).await?;
    save_categories(tx, product, save.before.as_ref()).await?;
    let position = now.micros().saturating_add(i64::try_from(place).unwrap_or(0));
    for collection in &save.collections {
        join(tx, *collection, product.id, position).await?;
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
        let slug: String = on!(tx, |c| collections::table.find(id).select(collections::slug).first(c).await)?;
        tx.emit(MODULE, id, now.micros(), &CategoryChanged { slug }).await?;
    }
    Ok(())
}

async fn write(tx: &mut Tx, save: &Save) -> Result<()> {
    let product = &save.product;
    let data = serde_json::to_string(product)?;
    let values = (
        products::slug.eq(&product.slug),
        products::status.eq(status(product.status)),
        products::version.eq(product.version),
        products::popularity.eq(save.popularity),
        products::haystack.eq(haystack(product)),
        products::data.eq(data),
    );
    let Some(before) = &save.before else {
        let values = ((products::id.eq(product.id), products::created_at.eq(product.created_at)), values);
        on!(tx, |c| diesel::insert_into(products::table).values(values).execute(c).await)
            .map_err(conflict)?;
        return forget_redirect(tx, &product.slug).await;
    };
    let row = products::table.filter(products::id.eq(product.id).and(products::version.eq(before.version)));
    let changed = on!(tx, |c| diesel::update(row).set(values).execute(c).await).map_err(conflict)?;
    if changed != 1 {
        return Err(moved_on());
    }
    if before.slug != product.slug {
        forget_redirect(tx, &product.slug).await?;
        remember_redirect(tx, &before.slug, product.id).await?;
    }
    Ok(())
}

async fn touched(conn: &mut Conn, id: ProductId, now: Time) -> Result<()> {
    on!(conn, |c| diesel::insert_into(product_touches::table)
        .values((product_touches::product_id.eq(id), product_touches::touched_at.eq(now)))
        .on_conflict(product_touches::product_id)
        .do_update()
        .set(product_touches::touched_at.eq(now))
        .execute(c)
        .await)?;
    Ok(())
}

/// A slug in use leads to its product, whoever had it before.
async fn forget_redirect(conn: &mut Conn, slug: &str) -> Result<()> {
    on!(conn, |c| diesel::delete(slug_redirects::table.find(slug)).execute(c).await)?;
    Ok(())
}

async fn remember_redirect(conn: &mut Conn, slug: &str, id: ProductId) -> Result<()> {
    on!(conn, |c| diesel::insert_into(slug_redirects::table)
        .values((slug_redirects::slug.eq(slug), slug_redirects::product_id.eq(id)))
        .on_conflict(slug_redirects::slug)
        .do_update()
        .set(slug_redirects::product_id.eq(id))
        .execute(c)
        .await)?;
    Ok(())
}

async fn save_variants(conn: &mut Conn, product: &Product, before: Option<&Product>) -> Result<()> {
    let old: HashMap<VariantId, &Variant> =
        before.map(|b| b.variants.iter().map(|v| (v.id, v)).collect()).unwrap_or_default();
    let kept: HashSet<VariantId> = product.variants.iter().map(|v| v.id).collect();
    let name = |product: &Product, v: &Variant| stock_title(product, v);
    let same = |v: &Variant| {
        old.get(&v.id)
            .zip(before)
            .is_some_and(|(o, b)| o.sku == v.sku && o.tracked == v.tracked && name(b, o) == name(product, v))
    };
    // First all give up their SKUs: two variants may have swapped theirs.
    for v in old
        .values()
        .filter(|o| !kept.contains(&o.id) || product.variants.iter().any(|v| v.id == o.id && v.sku != o.sku))
    {
        let row = variants::table.find(v.id);
        on!(conn, |c| diesel::update(row).set(variants::sku.eq(None::<String>)).execute(c).await)?;
    }
    for v in product.variants.iter().filter(|v| !same(v)) {
        let title = name(product, v);
        let values = (
            variants::sku.eq(&v.sku),
            variants::haystack.eq(format!("{}\n{title}", v.sku).to_lowercase()),
            variants::title.eq(title),
            variants::tracked.eq(v.tracked),
        );
        if old.contains_key(&v.id) {
            on!(conn, |c| diesel::update(variants::table.find(v.id)).set(values).execute(c).await)
                .map_err(conflict)?;
        } else {
            let values = (variants::id.eq(v.id), variants::product_id.eq(product.id), values);
            on!(conn, |c| diesel::insert_into(variants::table).values(values).execute(c).await)
                .map_err(conflict)?;
        }
    }
    Ok(())
}

async fn first_stock(conn: &mut Conn, stock: &[(VariantId, i64)], now: Time) -> Result<()> {
    if stock.is_empty() {
        return Ok(());
    }
    let location: LocationId = levels::default_location(conn).await?;
    for &(variant, units) in stock {
        levels::put(conn, variant, location, units, now).await?;
        let movement = NewMovement {
            id: MovementId::new(),
            variant_id: variant,
            location_id: location,
            delta: units,
            kind: "initial".into(),
            reason: "first stock".into(),
            order_id: None,
            actor: Actor::System.to_column(),
            at: now,
        };
        movements::record(conn, &movement).await?;
    }
    Ok(())
}

async fn save_categories(conn: &mut Conn, product: &Product, before: Option<&Product>) -> Result<()> {
    let published = product.status == ProductStatus::Published;
    if let Some(before) = before {
        if before.category_ids == product.category_ids && before.status == product.status {
            return Ok(());
        }
        let rows = product_categories::table.filter(product_categories::product_id.eq(product.id));
        on!(conn, |c| diesel::delete(rows).execute(c).await)?;
    }
    for category in &product.category_ids {
        on!(conn, |c| diesel::insert_into(product_categories::table)
            .values((
                product_categories::category_id.eq(category),
                product_categories::product_id.eq(product.id),
                product_categories::published.eq(published),
            ))
            .execute(c)
            .await)?;
    }
    Ok(())
}

async fn join(conn: &mut Conn, collection: CollectionId, product: ProductId, position: i64) -> Result<()> {
    on!(conn, |c| diesel::insert_into(collection_products::table)
        .values((
            collection_products::collection_id.eq(collection),
            collection_products::product_id.eq(product),
            collection_products::position.eq(position),
        ))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    Ok(())
}
