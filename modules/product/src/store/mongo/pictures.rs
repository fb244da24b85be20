//! Which pictures there are, and their smaller forms.

use contracts::product::PicturesReady;
use futures::TryStreamExt;
use mongodb::bson::{Document, doc};
use serde::Deserialize;
use shared::{
    Result, Time,
    mongo::{Mongo, Spec, Tx, partial, shape},
};

use super::MODULE;
use crate::store::Finished;

pub(super) const PICTURES: &str = "pictures";

/// A picture that has failed so often, or has taken the process down with it, is let be.
const MAX_TRIES: i64 = 5;

/// `due_at` is absent where the smaller forms are made, or cannot be.
pub(super) fn spec() -> Spec {
    let due = partial(doc! {"due_at": 1, "tries": 1}, doc! {"due_at": {"$exists": true}});
    let properties = doc! {
        "_id": {"bsonType": "string"},
        "due_at": {"bsonType": "long"},
        "tries": {"bsonType": "long", "minimum": 0},
        "widths": {"bsonType": "array"},
        "avif": {"bsonType": "bool"},
        "color": {"bsonType": ["string", "null"]},
    };
    let required = ["tries", "widths", "avif", "color"];
    Spec { name: PICTURES, indexes: vec![due], validator: shape(&required, properties) }
}

fn fresh(due_at: Time) -> Document {
    doc! {"due_at": due_at.micros(), "tries": 0_i64, "widths": [], "avif": false, "color": null}
}

pub(super) async fn add(tx: &mut Tx, files: &[String], due_at: Time) -> Result<()> {
    let pictures = tx.collection(PICTURES);
    for file in files {
        let new = doc! {"$setOnInsert": fresh(due_at)};
        pictures.update_one(doc! {"_id": file}, new).upsert(true).session(tx.session()).await?;
    }
    Ok(())
}

pub(super) async fn replace(db: &Mongo, file: &str, due_at: Time) -> Result<()> {
    let new = doc! {"$set": fresh(due_at)};
    db.collection(PICTURES).update_one(doc! {"_id": file}, new).upsert(true).await?;
    Ok(())
}

/// A picture by name.
#[derive(Deserialize)]
struct Named {
    #[serde(rename = "_id")]
    file: String,
}

pub(super) async fn known(db: &Mongo) -> Result<Vec<String>> {
    let all = db.collection(PICTURES).clone_with_type::<Named>();
    let rows = all.find(doc! {}).projection(doc! {"_id": 1}).sort(doc! {"_id": 1}).await?;
    Ok(rows.map_ok(|row| row.file).try_collect().await?)
}

/// Each is claimed for itself: who asks at the same time gets the next.
pub(super) async fn claim(db: &Mongo, now: Time, until: Time, limit: i64) -> Result<Vec<String>> {
    let pictures = db.collection(PICTURES).clone_with_type::<Named>();
    let mut claimed = Vec::new();
    for _ in 0..limit {
        let due = doc! {"due_at": {"$lte": now.micros()}, "tries": {"$lt": MAX_TRIES}};
        let taken = doc! {"$set": {"due_at": until.micros()}, "$inc": {"tries": 1_i64}};
        let found = pictures
            .find_one_and_update(due, taken)
            .sort(doc! {"due_at": 1})
            .projection(doc! {"_id": 1})
            .await?;
        match found {
            Some(Named { file }) => claimed.push(file),
            None => break,
        }
    }
    Ok(claimed)
}

pub(super) async fn finish(tx: &mut Tx, until: Time, done: &[Finished]) -> Result<()> {
    let pictures = tx.collection(PICTURES);
    for picture in done {
        let widths: Vec<i64> = picture.widths.iter().copied().map(i64::from).collect();
        // One whose content has been replaced in the meantime is due again.
        let row = doc! {"_id": &picture.file, "due_at": until.micros()};
        let values = doc! {"widths": widths, "avif": picture.avif, "color": &picture.color};
        let made = doc! {"$set": values, "$unset": {"due_at": ""}};
        pictures.update_one(row, made).session(tx.session()).await?;
    }
    let files = done.iter().map(|picture| picture.file.clone()).collect();
    tx.emit(MODULE, "pictures", until.micros(), &PicturesReady { files }).await?;
    Ok(())
}

pub(super) async fn finished(db: &Mongo, files: &[String]) -> Result<Vec<Finished>> {
    #[derive(Deserialize)]
    struct Made {
        #[serde(rename = "_id")]
        file: String,
        widths: Vec<u32>,
        avif: bool,
        color: Option<String>,
    }
    let made = doc! {"_id": {"$in": files}, "due_at": {"$exists": false}};
    let rows = db.collection(PICTURES).clone_with_type::<Made>().find(made).await?;
    let picture = |Made { file, widths, avif, color }| Finished { file, widths, avif, color };
    Ok(rows.map_ok(picture).try_collect().await?)
}
