//! Collections.

use std::collections::{HashMap, HashSet};

use contracts::product::{CategoryChanged, Collection, CollectionId, ProductId};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{
    Error, Result, Time,
    db::{Conn, Tx},
    on,
};

use super::{MODULE, conflict, products::touch};
use crate::{
    schema::{collection_products, collections, products},
    store::Membership,
};

pub(super) async fn all(conn: &mut Conn) -> Result<Vec<Collection>> {
    let rows: Vec<(CollectionId, String, String, String)> =
        on!(conn, |c| collections::table.order((collections::title, collections::id)).load(c).await)?;
    let members: Vec<(CollectionId, ProductId)> = on!(conn, |c| collection_products::table
        .select((collection_products::collection_id, collection_products::product_id))
        .order((
            collection_products::collection_id,
            collection_products::position,
            collection_products::product_id
        ))
        .load(c)
        .await)?;
    let mut by_collection = HashMap::<CollectionId, Vec<ProductId>>::new();
    for (collection, product) in members {
        by_collection.entry(collection).or_default().push(product);
    }
    let collection = |(id, slug, title, description)| {
        let product_ids = by_collection.remove(&id).unwrap_or_default();
        Collection { id, slug, title, description, product_ids }
    };
    Ok(rows.into_iter().map(collection).collect())
}

pub(super) async fn by_slug(conn: &mut Conn, slugs: &[String]) -> Result<HashMap<String, CollectionId>> {
    let rows: Vec<(String, CollectionId)> = on!(conn, |c| collections::table
        .filter(collections::slug.eq_any(slugs))
        .select((collections::slug, collections::id))
        .load(c)
        .await)?;
    Ok(rows.into_iter().collect())
}

pub(super) async fn memberships(conn: &mut Conn, ids: &[ProductId]) -> Result<Vec<Membership>> {
    let rows: Vec<(ProductId, CollectionId, String)> = on!(conn, |c| collection_products::table
        .inner_join(collections::table)
        .filter(collection_products::product_id.eq_any(ids))
        .select((collection_products::product_id, collections::id, collections::slug))
        .order((collection_products::product_id, collections::id))
        .load(c)
        .await)?;
    let membership = |(product_id, collection_id, slug)| Membership { product_id, collection_id, slug };
    Ok(rows.into_iter().map(membership).collect())
}

pub(super) async fn save(tx: &mut Tx, collection: &Collection, new: bool, now: Time) -> Result<()> {
    let values = (
        collections::slug.eq(&collection.slug),
        collections::title.eq(&collection.title),
        collections::description.eq(&collection.description),
    );
    if new {
        let values = (collections::id.eq(collection.id), values);
        on!(tx, |c| diesel::insert_into(collections::table).values(values).execute(c).await)
            .map_err(conflict)?;
    } else {
        let there = collections::table.find(collection.id);
        let changed = on!(tx, |c| diesel::update(there).set(values).execute(c).await).map_err(conflict)?;
        if changed != 1 {
            return Err(CollectionId::not_found());
        }
    }
    check_products(tx, &collection.product_ids).await?;
    replace_members(tx, collection, now).await?;
    tx.emit(MODULE, collection.id, now.micros(), &CategoryChanged { slug: collection.slug.clone() }).await?;
    Ok(())
}

async fn check_products(conn: &mut Conn, ids: &[ProductId]) -> Result<()> {
    let known: Vec<ProductId> =
        on!(conn, |c| products::table.filter(products::id.eq_any(ids)).select(products::id).load(c).await)?;
    let known: HashSet<ProductId> = known.into_iter().collect();
    match ids.iter().position(|id| !known.contains(id)) {
        None => Ok(()),
        Some(i) => {
            Err(Error::invalid(format!("/product_ids/{i}"), "unknown_product", "there is no such product"))
        }
    }
}

async fn replace_members(conn: &mut Conn, collection: &Collection, now: Time) -> Result<()> {
    let old = members(conn, collection.id).await?;
    if old == collection.product_ids {
        // Its name may be new, and search knows it.
        return touch(conn, &old, now).await;
    }
    let rows = collection_products::table.filter(collection_products::collection_id.eq(collection.id));
    on!(conn, |c| diesel::delete(rows).execute(c).await)?;
    for (position, product) in (0_i64..).zip(&collection.product_ids) {
        on!(conn, |c| diesel::insert_into(collection_products::table)
            .values((
                collection_products::collection_id.eq(collection.id),
                collection_products::product_id.eq(product),
                collection_products::position.eq(position),
            ))
            .execute(c)
            .await)?;
    }
    touch(conn, &old, now).await?;
    touch(conn, &collection.product_ids, now).await
}

async fn members(conn: &mut Conn, id: CollectionId) -> QueryResult<Vec<ProductId>> {
    on!(conn, |c| collection_products::table
        .filter(collection_products::collection_id.eq(id))
        .select(collection_products::product_id)
        .order((collection_products::position, collection_products::product_id))
        .load(c)
        .await)
}

pub(super) async fn delete(tx: &mut Tx, id: CollectionId, now: Time) -> Result<()> {
    let slug: Option<String> =
        on!(tx, |c| collections::table.find(id).select(collections::slug).first(c).await.optional())?;
    let slug = slug.ok_or_else(CollectionId::not_found)?;
    let old = members(tx, id).await?;
    touch(tx, &old, now).await?;
    let rows = collection_products::table.filter(collection_products::collection_id.eq(id));
    on!(tx, |c| diesel::delete(rows).execute(c).await)?;
    on!(tx, |c| diesel::delete(collections::table.find(id)).execute(c).await)?;
    tx.emit(MODULE, id, now.micros(), &CategoryChanged { slug }).await?;
    Ok(())
}
