//! Collections: one document each, with its products in their order.

use std::collections::{HashMap, HashSet};

use contracts::product::{CategoryChanged, Collection, CollectionId, ProductId};
use futures::TryStreamExt;
use mongodb::bson::{Document, doc};
use serde::{Deserialize, Serialize};
use shared::{
    Error, Result, Time,
    mongo::{Mongo, Spec, Tx, from_document, index, shape, to_document, unique},
};

use super::{
    MODULE, conflict,
    products::{PRODUCTS, find_in, touch},
    texts,
};
use crate::store::Membership;

pub(super) const COLLECTIONS: &str = "collections";

pub(super) fn spec() -> Spec {
    let indexes = vec![
        unique("collections_slug", doc! {"slug": 1}, doc! {}),
        index(doc! {"title": 1, "_id": 1}),
        index(doc! {"product_ids": 1}),
    ];
    let properties = doc! {
        "_id": {"bsonType": "string"},
        "slug": {"bsonType": "string"},
        "title": {"bsonType": "string"},
        "description": {"bsonType": "string"},
        "product_ids": {"bsonType": "array", "items": {"bsonType": "string"}},
    };
    let required = ["slug", "title", "description", "product_ids"];
    Spec { name: COLLECTIONS, indexes, validator: shape(&required, properties) }
}

/// A collection as it is kept.
#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(rename = "_id")]
    id: CollectionId,
    slug: String,
    title: String,
    description: String,
    product_ids: Vec<ProductId>,
}

pub(super) async fn all(db: &Mongo) -> Result<Vec<Collection>> {
    let by_title = doc! {"title": 1, "_id": 1};
    let rows = db.collection(COLLECTIONS).clone_with_type::<Row>().find(doc! {}).sort(by_title).await?;
    let collection = |Row { id, slug, title, description, product_ids }| Collection {
        id,
        slug,
        title,
        description,
        product_ids,
    };
    Ok(rows.map_ok(collection).try_collect().await?)
}

/// A collection without what may be long.
#[derive(Deserialize)]
struct Named {
    #[serde(rename = "_id")]
    id: CollectionId,
    slug: String,
}

pub(super) async fn by_slug(db: &Mongo, slugs: &[String]) -> Result<HashMap<String, CollectionId>> {
    let all = db.collection(COLLECTIONS).clone_with_type::<Named>();
    let rows = all.find(doc! {"slug": {"$in": slugs}}).projection(doc! {"slug": 1}).await?;
    Ok(rows.map_ok(|row| (row.slug, row.id)).try_collect().await?)
}

pub(super) async fn memberships(db: &Mongo, ids: &[ProductId]) -> Result<Vec<Membership>> {
    #[derive(Deserialize)]
    struct Joined {
        #[serde(rename = "_id")]
        id: CollectionId,
        slug: String,
        members: Vec<ProductId>,
    }
    let ids = texts(ids);
    // The server sends those that were asked for only: a collection may have thousands.
    let members = doc! {"$setIntersection": ["$product_ids", {"$literal": &ids}]};
    let stages =
        [doc! {"$match": {"product_ids": {"$in": &ids}}}, doc! {"$project": {"slug": 1, "members": members}}];
    let rows: Vec<Document> = db.collection(COLLECTIONS).aggregate(stages).await?.try_collect().await?;
    let mut all = Vec::new();
    for row in rows {
        let Joined { id, slug, members } = from_document(row)?;
        let membership = |product_id| Membership { product_id, collection_id: id, slug: slug.clone() };
        all.extend(members.into_iter().map(membership));
    }
    all.sort_by_key(|membership| (membership.product_id, membership.collection_id));
    Ok(all)
}

pub(super) async fn slug(tx: &mut Tx, id: CollectionId) -> Result<String> {
    let (row, columns) = (doc! {"_id": id.to_string()}, doc! {"slug": 1});
    let found = find_in::<Named>(tx, COLLECTIONS, row, columns).await?.pop();
    Ok(found.ok_or_else(CollectionId::not_found)?.slug)
}

/// Puts a product at the end, unless it is in it.
pub(super) async fn join(tx: &mut Tx, collection: CollectionId, product: ProductId) -> Result<()> {
    let (row, joined) =
        (doc! {"_id": collection.to_string()}, doc! {"$addToSet": {"product_ids": product.to_string()}});
    let collections = tx.collection(COLLECTIONS);
    let updated = collections.update_one(row, joined).session(tx.session()).await?;
    if updated.matched_count == 1 { Ok(()) } else { Err(CollectionId::not_found()) }
}

pub(super) async fn save(tx: &mut Tx, collection: &Collection, new: bool, now: Time) -> Result<()> {
    let old = if new { insert(tx, collection).await? } else { replace(tx, collection).await? };
    check_products(tx, &collection.product_ids).await?;
    // Also without new members its name may be new, and search knows it.
    let both: HashSet<ProductId> = old.iter().chain(&collection.product_ids).copied().collect();
    touch(tx, &Vec::from_iter(both), now).await?;
    tx.emit(MODULE, collection.id, now.micros(), &CategoryChanged { slug: collection.slug.clone() }).await?;
    Ok(())
}

fn row(collection: &Collection) -> Result<Document> {
    let Collection { id, slug, title, description, product_ids } = collection.clone();
    to_document(&Row { id, slug, title, description, product_ids })
}

async fn insert(tx: &mut Tx, collection: &Collection) -> Result<Vec<ProductId>> {
    let collections = tx.collection(COLLECTIONS);
    collections.insert_one(row(collection)?).session(tx.session()).await.map_err(conflict)?;
    Ok(Vec::new())
}

/// Returns what was in it.
async fn replace(tx: &mut Tx, collection: &Collection) -> Result<Vec<ProductId>> {
    let there = doc! {"_id": collection.id.to_string()};
    let collections = tx.collection(COLLECTIONS).clone_with_type::<Row>();
    let values = doc! {"$set": row(collection)?};
    let before =
        collections.find_one_and_update(there, values).session(tx.session()).await.map_err(conflict)?;
    Ok(before.ok_or_else(CollectionId::not_found)?.product_ids)
}

async fn check_products(tx: &mut Tx, ids: &[ProductId]) -> Result<()> {
    #[derive(Deserialize)]
    struct Known {
        #[serde(rename = "_id")]
        id: ProductId,
    }
    let (rows, columns) = (doc! {"_id": {"$in": texts(ids)}}, doc! {"_id": 1});
    let known = find_in::<Known>(tx, PRODUCTS, rows, columns).await?;
    let known: HashSet<ProductId> = known.into_iter().map(|known| known.id).collect();
    match ids.iter().position(|id| !known.contains(id)) {
        None => Ok(()),
        Some(i) => {
            Err(Error::invalid(format!("/product_ids/{i}"), "unknown_product", "there is no such product"))
        }
    }
}

pub(super) async fn delete(tx: &mut Tx, id: CollectionId, now: Time) -> Result<()> {
    let collections = tx.collection(COLLECTIONS).clone_with_type::<Row>();
    let before = collections.find_one_and_delete(doc! {"_id": id.to_string()}).session(tx.session()).await?;
    let Row { slug, product_ids, .. } = before.ok_or_else(CollectionId::not_found)?;
    touch(tx, &product_ids, now).await?;
    tx.emit(MODULE, id, now.micros(), &CategoryChanged { slug }).await?;
    Ok(())
}
