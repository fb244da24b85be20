//! Where stock lies.

use contracts::product::stock::{Location, LocationId};
use futures::TryStreamExt;
use mongodb::bson::{Document, doc};
use serde::{Deserialize, Serialize};
use shared::{
    Error, Result,
    mongo::{Mongo, Spec, Tx, from_document, index, to_document},
};

pub(in crate::store::mongo) const LOCATIONS: &str = "locations";

/// The place that every shop begins with: the id that the SQL migration gives it.
pub(in crate::store::mongo) const MAIN: &str = "loc_06db000001o010000000000004";

pub(super) fn spec() -> Spec {
    let validator = doc! {"$jsonSchema": {
        "required": ["name", "priority"],
        "properties": {"name": {"bsonType": "string"}, "priority": {"bsonType": "long"}},
    }};
    Spec { name: LOCATIONS, indexes: vec![index(doc! {"priority": 1, "_id": 1})], validator: Some(validator) }
}

#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(rename = "_id")]
    id: LocationId,
    name: String,
    priority: i64,
}

/// As [`all`].
pub(super) async fn list(db: &Mongo) -> Result<Vec<Location>> {
    let found = db.collection(LOCATIONS).find(doc! {}).sort(doc! {"priority": 1, "_id": 1}).await?;
    let rows: Vec<Document> = found.try_collect().await?;
    if rows.is_empty() {
        return db.transaction(async |tx| all(tx).await).await;
    }
    rows.into_iter().map(location).collect()
}

/// All, in the order in which orders take from them. The first is where stock goes that names no place.
pub(super) async fn all(tx: &mut Tx) -> Result<Vec<Location>> {
    let locations = tx.collection(LOCATIONS);
    let mut found =
        locations.find(doc! {}).sort(doc! {"priority": 1, "_id": 1}).session(tx.session()).await?;
    let rows: Vec<Document> = found.stream(tx.session()).try_collect().await?;
    if rows.is_empty() {
        return Ok(vec![begin(tx).await?]);
    }
    rows.into_iter().map(location).collect()
}

fn location(row: Document) -> Result<Location> {
    let Row { id, name, priority } = from_document(row)?;
    Ok(Location { id, name, priority: i32::try_from(priority).map_err(Error::internal)? })
}

/// A new database has no place; its first use makes one.
async fn begin(tx: &mut Tx) -> Result<Location> {
    let id = MAIN.parse().map_err(Error::internal)?;
    let main = Location { id, name: "Main".into(), priority: 0 };
    let locations = tx.collection(LOCATIONS);
    locations
        .update_one(
            doc! {"_id": MAIN},
            doc! {"$setOnInsert": {"name": &main.name, "priority": i64::from(main.priority)}},
        )
        .upsert(true)
        .session(tx.session())
        .await?;
    Ok(main)
}

pub(super) async fn insert(tx: &mut Tx, new: &Location) -> Result<()> {
    all(tx).await?;
    let row = Row { id: new.id, name: new.name.clone(), priority: new.priority.into() };
    tx.collection(LOCATIONS).insert_one(to_document(&row)?).session(tx.session()).await?;
    Ok(())
}

/// `wanted`, or where stock goes that names no place.
pub(super) async fn pick(tx: &mut Tx, wanted: Option<LocationId>) -> Result<LocationId> {
    let all = all(tx).await?;
    let found = match wanted {
        Some(id) => all.iter().find(|location| location.id == id),
        None => all.first(),
    };
    found
        .map(|location| location.id)
        .ok_or_else(|| Error::invalid("/location_id", "unknown_location", "there is no such location"))
}
