//! The versions of the shop's settings: a document a version, never changed. Its id decides who writes the next one.

use contracts::metadata::settings::SettingsChanged;
use futures::TryStreamExt;
use mongodb::bson::{Document, doc};
use serde::{Deserialize, Serialize};
use shared::{
    Result,
    mongo::{Mongo, Spec, Tx, from_document, shape, to_document},
};

use super::MODULE;
use crate::{model::settings::Version, store::Saved};

pub const VERSIONS: &str = "shop_settings";

pub fn spec() -> Spec {
    let properties = doc! {"_id": {"bsonType": "string"}, "document": {"bsonType": "string"}};
    Spec { name: VERSIONS, indexes: Vec::new(), validator: shape(&["document"], properties) }
}

#[derive(Serialize, Deserialize)]
struct Row {
    /// Of fixed width, so that ids sort like versions.
    #[serde(rename = "_id")]
    id: String,
    /// JSON: what was changed may be anything.
    document: String,
}

fn id(version: i64) -> String {
    format!("{version:019}")
}

fn read(document: Document) -> Result<Version> {
    Ok(serde_json::from_str(&from_document::<Row>(document)?.document)?)
}

pub async fn history(db: &Mongo, before: Option<i64>, limit: i64) -> Result<Vec<Version>> {
    let earlier = doc! {"_id": {"$lt": id(before.unwrap_or(i64::MAX))}};
    let found = db.collection(VERSIONS).find(earlier).sort(doc! {"_id": -1}).limit(limit).await?;
    let found: Vec<Document> = found.try_collect().await?;
    found.into_iter().map(read).collect()
}

pub async fn at(db: &Mongo, version: i64) -> Result<Option<Version>> {
    db.collection(VERSIONS).find_one(doc! {"_id": id(version)}).await?.map(read).transpose()
}

pub async fn add(tx: &mut Tx, version: &Version) -> Result<Saved> {
    let number = version.change.version;
    let versions = tx.collection(VERSIONS);
    // Of two that insert it at once one is run again, and finds it.
    if versions.find_one(doc! {"_id": id(number)}).session(tx.session()).await?.is_some() {
        return Ok(Saved::Raced);
    }
    let row = to_document(&Row { id: id(number), document: serde_json::to_string(version)? })?;
    versions.insert_one(row).session(tx.session()).await?;
    tx.emit(MODULE, "settings", number, &SettingsChanged { version: number }).await?;
    Ok(Saved::Yes)
}
