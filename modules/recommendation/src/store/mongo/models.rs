//! Trained models. No document is larger than 16 MB, so that a model's content is in parts.

use contracts::recommendation::{ModelId, ModelInfo};
use data_encoding::BASE64;
use futures::TryStreamExt;
use mongodb::bson::{Binary, Document, doc, spec::BinarySubtype};
use serde::{Deserialize, Serialize};
use shared::{
    Error, Result,
    mongo::{Mongo, Spec, Tx, from_document, index, to_document, unique},
};

use crate::store::PART;

pub const MODELS: &str = "recommendation_models";
pub const PARTS: &str = "recommendation_model_parts";
/// One document; whoever saves a model changes it, so that models are saved one after the other.
const TURNS: &str = "recommendation_turns";

pub fn specs() -> [Spec; 3] {
    let model = doc! {"$jsonSchema": {
        "required": ["trained_at", "model"],
        "properties": {
            "_id": {"bsonType": "string"},
            "trained_at": {"bsonType": "long"},
            "model": {"bsonType": "object"},
        },
    }};
    let part = doc! {"$jsonSchema": {
        "required": ["model_id", "part", "content"],
        "properties": {
            "_id": {"bsonType": "string"},
            "model_id": {"bsonType": "string"},
            "part": {"bsonType": "long", "minimum": 0},
            "content": {"bsonType": "binData"},
        },
    }};
    let ordered = unique("recommendation_model_parts_order", doc! {"model_id": 1, "part": 1}, doc! {});
    [
        Spec {
            name: MODELS,
            indexes: vec![index(doc! {"trained_at": -1, "_id": -1})],
            validator: Some(model),
        },
        Spec { name: PARTS, indexes: vec![ordered], validator: Some(part) },
        Spec { name: TURNS, indexes: Vec::new(), validator: None },
    ]
}

/// A model as it is kept; `trained_at` in µs.
#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(rename = "_id")]
    id: ModelId,
    trained_at: i64,
    model: ModelInfo,
}

#[derive(Deserialize)]
struct Part {
    content: Binary,
}

fn binary(bytes: Vec<u8>) -> Binary {
    Binary { subtype: BinarySubtype::Generic, bytes }
}

/// A part's content as the table has it.
pub fn part_text(part: &Document) -> Result<String> {
    Ok(BASE64.encode(part.get_binary_generic("content").map_err(Error::internal)?))
}

/// The same as it is kept here.
pub fn part_content(text: &str) -> Result<Binary> {
    Ok(binary(BASE64.decode(text.as_bytes()).map_err(Error::internal)?))
}

pub async fn insert_parts(mongo: &Mongo, model: ModelId, content: &[u8]) -> Result<()> {
    for (number, part) in (0_i64..).zip(content.chunks(PART)) {
        let content = binary(part.to_vec());
        let part = doc! {
            "_id": format!("{model}/{number}"), "model_id": model.to_string(), "part": number, "content": content,
        };
        mongo.collection(PARTS).insert_one(part).await?;
    }
    Ok(())
}

pub async fn insert(tx: &mut Tx, model: &ModelInfo) -> Result<()> {
    let turns = tx.collection(TURNS);
    let turn = doc! {"$inc": {"models": 1_i64}};
    turns.update_one(doc! {"_id": "model"}, turn).upsert(true).session(tx.session()).await?;
    let row = Row { id: model.id, trained_at: model.trained_at.micros(), model: model.clone() };
    tx.collection(MODELS).insert_one(to_document(&row)?).session(tx.session()).await?;
    Ok(())
}

/// Deletes all but the newest, and the parts of those that were never finished.
pub async fn keep(tx: &mut Tx, count: usize) -> Result<()> {
    let models = tx.collection(MODELS);
    let mut found = models.find(doc! {}).sort(newest_first()).session(tx.session()).await?;
    let rows: Vec<Document> = found.stream(tx.session()).try_collect().await?;
    let rows: Vec<Row> = rows.into_iter().map(from_document).collect::<Result<_>>()?;
    // With fewer of them, what is not finished may still become one of those to keep.
    let Some(kept) = rows.get(..count) else { return Ok(()) };
    let Some(oldest) = kept.iter().map(|row| row.id).min() else { return Ok(()) };
    let old: Vec<String> = rows[count..].iter().map(|row| row.id.to_string()).collect();
    models.delete_many(doc! {"_id": {"$in": &old}}).session(tx.session()).await?;
    // Ids are in the order of training: whoever is still writing one that is older than these would not keep it.
    let parts = doc! {"$or": [{"model_id": {"$in": old}}, {"model_id": {"$lt": oldest.to_string()}}]};
    tx.collection(PARTS).delete_many(parts).session(tx.session()).await?;
    Ok(())
}

fn newest_first() -> Document {
    doc! {"trained_at": -1, "_id": -1}
}

/// Newest first.
pub async fn list(mongo: &Mongo) -> Result<Vec<ModelInfo>> {
    let models = mongo.collection(MODELS).clone_with_type::<Row>();
    let found = models.find(doc! {}).sort(newest_first()).await?;
    Ok(found.map_ok(|row| row.model).try_collect().await?)
}

pub async fn newest(mongo: &Mongo) -> Result<Option<(ModelInfo, Vec<u8>)>> {
    let mut newest = list(mongo).await?.into_iter().next();
    while let Some(model) = newest {
        let content = content(mongo, model.id).await?;
        newest = list(mongo).await?.into_iter().next();
        // Others may have come meanwhile, and some of this one's parts gone.
        if newest.as_ref().is_some_and(|newest| newest.id == model.id) {
            return Ok(Some((model, content)));
        }
    }
    Ok(None)
}

async fn content(mongo: &Mongo, model: ModelId) -> Result<Vec<u8>> {
    let parts = mongo.collection(PARTS).clone_with_type::<Part>();
    let mut found = parts.find(doc! {"model_id": model.to_string()}).sort(doc! {"part": 1}).await?;
    let mut content = Vec::new();
    while let Some(part) = found.try_next().await? {
        content.extend_from_slice(&part.content.bytes);
    }
    Ok(content)
}
