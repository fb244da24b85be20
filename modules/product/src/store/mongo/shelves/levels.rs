//! How much of a variant is where: the levels in its document, sorted by location.

use std::collections::HashMap;

use contracts::product::{
    ProductId, VariantId,
    stock::{Level, LevelFilter, LocationId},
};
use futures::TryStreamExt;
use mongodb::{
    bson::{Document, doc},
    options::Hint,
};
use serde::{Deserialize, Serialize};
use shared::{
    Error, Result, Time,
    mongo::{Mongo, Tx, from_document, to_document},
};

use crate::store::mongo::{products::contains, texts, variants::VARIANTS};

/// What the server refuses to write as a variant's `levels`, whatever a program does.
pub(in crate::store::mongo) fn validator() -> Document {
    let units = || doc! {"bsonType": "long", "minimum": 0};
    let level = doc! {
        "bsonType": "object",
        "required": ["location_id", "on_hand", "reserved", "available", "updated_at"],
        "properties": {
            "location_id": {"bsonType": "string"},
            "on_hand": units(), "reserved": units(), "available": units(),
            "updated_at": {"bsonType": "long"},
        },
    };
    let adds_up = doc! {"$eq": ["$$level.on_hand", {"$add": ["$$level.reserved", "$$level.available"]}]};
    let all = doc! {"$map": {"input": "$levels", "as": "level", "in": adds_up}};
    let schema =
        doc! {"required": ["levels"], "properties": {"levels": {"bsonType": "array", "items": level}}};
    doc! {"$jsonSchema": schema, "$expr": {"$allElementsTrue": [all]}}
}

/// A variant as stock knows it.
#[derive(Deserialize)]
pub(super) struct Variant {
    #[serde(rename = "_id")]
    id: VariantId,
    pub product_id: ProductId,
    /// None once it has been removed from its product.
    #[serde(default)]
    pub sku: Option<String>,
    title: String,
    pub tracked: bool,
    levels: Vec<Place>,
}

/// Units at a location; time in µs. `available` is `on_hand - reserved`: who changes a level names in the filter what
/// must be there.
#[derive(Clone, Serialize, Deserialize)]
struct Place {
    location_id: LocationId,
    on_hand: i64,
    reserved: i64,
    available: i64,
    updated_at: i64,
}

impl Variant {
    /// What can be sold of it, wherever it is.
    pub fn available(&self) -> i64 {
        self.levels.iter().map(|place| place.available).sum()
    }

    /// What is available where, in the order of these locations.
    pub fn places(&self, order: &[LocationId]) -> Vec<(LocationId, i64)> {
        let mut places: Vec<_> =
            self.levels.iter().map(|place| (place.location_id, place.available)).collect();
        places.sort_by_key(|place| order.iter().position(|id| *id == place.0));
        places
    }

    /// How much of it is at a location.
    pub fn at(self, location: LocationId) -> Option<Level> {
        let place = self.levels.iter().find(|place| place.location_id == location)?.clone();
        Some(level(self.id, self.product_id, self.sku, self.title, place))
    }
}

fn level(
    variant_id: VariantId,
    product_id: ProductId,
    sku: Option<String>,
    title: String,
    place: Place,
) -> Level {
    Level {
        variant_id,
        product_id,
        sku: sku.unwrap_or_default(),
        title,
        location_id: place.location_id,
        on_hand: place.on_hand,
        reserved: place.reserved,
        available: place.available,
        updated_at: Time::from_micros(place.updated_at),
    }
}

pub(super) async fn variants(tx: &mut Tx, ids: &[VariantId]) -> Result<HashMap<VariantId, Variant>> {
    let variants = tx.collection(VARIANTS);
    let mut found = variants.find(doc! {"_id": {"$in": texts(ids)}}).session(tx.session()).await?;
    let rows: Vec<Document> = found.stream(tx.session()).try_collect().await?;
    let rows = rows.into_iter().map(from_document::<Variant>);
    rows.map(|row| row.map(|variant| (variant.id, variant))).collect()
}

pub(super) async fn available(db: &Mongo, products: &[ProductId]) -> Result<HashMap<VariantId, i64>> {
    let found = db.collection(VARIANTS).find(doc! {"product_id": {"$in": texts(products)}}).await?;
    let rows: Vec<Document> = found.try_collect().await?;
    let mut sums = HashMap::new();
    for row in rows {
        let variant: Variant = from_document(row)?;
        if !variant.levels.is_empty() {
            sums.insert(variant.id, variant.available());
        }
    }
    Ok(sums)
}

/// Levels of what is sold, by variant and location, after a position.
pub(super) async fn list(
    db: &Mongo,
    filter: &LevelFilter,
    after: Option<(VariantId, LocationId)>,
    limit: u32,
) -> Result<Vec<Level>> {
    #[derive(Deserialize)]
    struct Listed {
        #[serde(rename = "_id")]
        id: VariantId,
        product_id: ProductId,
        sku: Option<String>,
        title: String,
        levels: Place,
    }
    let (variants, mut levels) = wanted(filter);
    let mut from = doc! {};
    if let Some((variant, location)) = after {
        let (variant, location) = (variant.to_string(), location.to_string());
        from = doc! {"_id": {"$gte": &variant}};
        levels
            .insert("$or", [doc! {"_id": {"$gt": variant}}, doc! {"levels.location_id": {"$gt": location}}]);
    }
    let stages = [
        doc! {"$match": {"$and": [variants, from]}},
        doc! {"$sort": {"_id": 1}},
        doc! {"$unwind": "$levels"},
        doc! {"$match": levels},
        doc! {"$limit": i64::from(limit)},
    ];
    let by_id = Hint::Keys(doc! {"_id": 1});
    let found: Vec<Document> =
        db.collection(VARIANTS).aggregate(stages).hint(by_id).await?.try_collect().await?;
    let listed = found.into_iter().map(from_document::<Listed>);
    listed.map(|row| row.map(|row| level(row.id, row.product_id, row.sku, row.title, row.levels))).collect()
}

/// What is asked of a variant, and of each of its levels.
fn wanted(filter: &LevelFilter) -> (Document, Document) {
    let (mut variant, mut level) = (doc! {"sku": {"$exists": true}}, doc! {});
    if !filter.variant_ids.is_empty() {
        variant.insert("_id", doc! {"$in": texts(&filter.variant_ids)});
    }
    if let Some(text) = &filter.q {
        variant.extend(contains("haystack", text));
    }
    if let Some(location) = filter.location_id {
        variant.insert("levels.location_id", location.to_string());
        level.insert("levels.location_id", location.to_string());
    }
    if let Some(below) = filter.below {
        variant.insert("levels.available", doc! {"$lt": below});
        level.insert("levels.available", doc! {"$lt": below});
    }
    (variant, level)
}

/// Adds units to a level, or begins it. `units` must be positive.
pub(super) async fn put(
    tx: &mut Tx,
    variant: VariantId,
    location: LocationId,
    units: i64,
    now: Time,
) -> Result<()> {
    if change(tx, Change { variant, location, on_hand: units, reserved: 0 }, now).await? {
        return Ok(());
    }
    let place = Place {
        location_id: location,
        on_hand: units,
        reserved: 0,
        available: units,
        updated_at: now.micros(),
    };
    let begin = doc! {"$push": {"levels": {"$each": [to_document(&place)?], "$sort": {"location_id": 1}}}};
    let variants = tx.collection(VARIANTS);
    let begun = variants.update_one(doc! {"_id": variant.to_string()}, begin).session(tx.session()).await?;
    match begun.matched_count {
        1 => Ok(()),
        _ => Err(Error::internal(format!("units of {variant}, which is not there"))),
    }
}

/// What happens to one level.
#[derive(Clone, Copy)]
pub(super) struct Change {
    pub variant: VariantId,
    pub location: LocationId,
    pub on_hand: i64,
    pub reserved: i64,
}

/// Changes a level that is there. False if it has not so many units to give: the one statement that decides, so that
/// nobody takes or claims what is not there.
pub(super) async fn change(tx: &mut Tx, change: Change, now: Time) -> Result<bool> {
    let Change { variant, location, on_hand, reserved } = change;
    let available = on_hand - reserved;
    let enough = doc! {
        "location_id": location.to_string(),
        "available": {"$gte": -available},
        "reserved": {"$gte": -reserved},
    };
    let changed = doc! {
        "$inc": {"levels.$.on_hand": on_hand, "levels.$.reserved": reserved, "levels.$.available": available},
        "$set": {"levels.$.updated_at": now.micros()},
    };
    let variants = tx.collection(VARIANTS);
    let filter = doc! {"_id": variant.to_string(), "levels": {"$elemMatch": enough}};
    let done = variants.update_one(filter, changed).session(tx.session()).await?;
    Ok(done.matched_count == 1)
}
