//! What the metadata module says of products. Each write takes what is newer than what is there.
//!
//! Its events are kept as JSON text: a custom field's value is any JSON, and BSON has another idea of large numbers and of
//! members such as `$oid`.

use std::{collections::HashMap, fmt::Display};

use contracts::{
    metadata::{Definition, DefinitionChanged, DefinitionId, MetafieldsChanged},
    product::ProductId,
};
use futures::TryStreamExt;
use mongodb::bson::doc;
use serde::{Deserialize, Serialize};
use shared::{
    Result, Time,
    mongo::{Mongo, Spec, Tx, shape},
};

use super::{
    products::{all_in, touch},
    texts,
};
use crate::model::fields::{IndexedField, indexed};

pub(super) const FIELDS: &str = "product_fields";
pub(super) const DEFINITIONS: &str = "field_definitions";

/// How many products are named in one command: it has at most 16 MiB.
const CHUNK: usize = 10_000;

pub(super) fn specs() -> Vec<Spec> {
    let spec = |name| {
        let properties = doc! {
            "_id": {"bsonType": "string"},
            "version": {"bsonType": "long"},
            "data": {"bsonType": "string"},
        };
        Spec { name, indexes: Vec::new(), validator: shape(&["version", "data"], properties) }
    };
    vec![spec(FIELDS), spec(DEFINITIONS)]
}

/// Of these products, by product.
pub(super) async fn load(db: &Mongo, ids: &[ProductId]) -> Result<HashMap<ProductId, Vec<IndexedField>>> {
    #[derive(Deserialize)]
    struct OfProduct {
        #[serde(rename = "_id")]
        id: ProductId,
        data: String,
    }
    let of_these = db.collection(FIELDS).clone_with_type::<OfProduct>();
    let rows: Vec<OfProduct> = of_these.find(doc! {"_id": {"$in": texts(ids)}}).await?.try_collect().await?;
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let known = definitions(db).await?;
    let mut all = HashMap::new();
    for OfProduct { id, data } in rows {
        let changed: MetafieldsChanged = serde_json::from_str(&data)?;
        all.insert(id, indexed(&changed.values, &known));
    }
    Ok(all)
}

async fn definitions(db: &Mongo) -> Result<HashMap<DefinitionId, Definition>> {
    #[derive(Deserialize)]
    struct Said {
        data: String,
    }
    let all = db.collection(DEFINITIONS).clone_with_type::<Said>();
    let known: Vec<Said> = all.find(doc! {}).sort(doc! {"_id": 1}).await?.try_collect().await?;
    let mut by_id = HashMap::new();
    for Said { data } in known {
        let DefinitionChanged { definition, deleted } = serde_json::from_str(&data)?;
        if !deleted {
            by_id.insert(definition.id, definition);
        }
    }
    Ok(by_id)
}

pub(super) async fn take_values(
    tx: &mut Tx,
    product: ProductId,
    changed: &MetafieldsChanged,
    now: Time,
) -> Result<()> {
    take(tx, FIELDS, product, changed.version, changed).await?;
    touch(tx, &[product], now).await
}

/// Every product with custom fields is indexed again: definitions change seldom.
pub(super) async fn take_definition(tx: &mut Tx, changed: &DefinitionChanged, now: Time) -> Result<()> {
    #[derive(Deserialize)]
    struct WithFields {
        #[serde(rename = "_id")]
        id: ProductId,
    }
    let Definition { id, version, .. } = changed.definition;
    take(tx, DEFINITIONS, id, version, changed).await?;
    let with_fields = all_in::<WithFields>(tx, FIELDS, doc! {"_id": 1}).await?;
    let products: Vec<ProductId> = with_fields.into_iter().map(|row| row.id).collect();
    for products in products.chunks(CHUNK) {
        touch(tx, products, now).await?;
    }
    Ok(())
}

async fn take(
    tx: &mut Tx,
    collection: &str,
    id: impl Display,
    version: i64,
    said: &impl Serialize,
) -> Result<()> {
    let (all, id, data) = (tx.collection(collection), id.to_string(), serde_json::to_string(said)?);
    let first = doc! {"$setOnInsert": {"version": 0_i64, "data": &data}};
    all.update_one(doc! {"_id": &id}, first).upsert(true).session(tx.session()).await?;
    let older = doc! {"_id": &id, "version": {"$lt": version}};
    let newer = doc! {"$set": {"version": version, "data": &data}};
    all.update_one(older, newer).session(tx.session()).await?;
    Ok(())
}
