//! Content pages: one document each, with every slug that it has or had. A unique index decides who gets a slug.

use contracts::metadata::content::{ContentChanged, ContentPage, PageFilter, PageId, PageKind};
use futures::TryStreamExt;
use mongodb::{
    bson::{Document, doc},
    error::Error as MongoError,
};
use serde::{Deserialize, Serialize};
use shared::{
    Error, Result, Time,
    mongo::{Mongo, Spec, Tx, duplicate, from_document, index, shape, to_document, unique},
};

use super::MODULE;
use crate::{
    model::pages::{haystack, kind as kind_column, status as status_column},
    store::{Listed, Place, Saved},
};

pub const PAGES: &str = "content_pages";

pub fn spec() -> Spec {
    let indexes = vec![
        unique("content_pages_slugs", doc! {"slugs": 1}, doc! {}),
        index(doc! {"kind": 1, "status": 1, "published_at": 1, "_id": 1}),
        index(doc! {"kind": 1, "status": 1, "title": 1, "_id": 1}),
        index(doc! {"created_at": 1, "_id": 1}),
    ];
    let properties = doc! {
        "kind": {"enum": ["page", "journal", "block"]},
        "status": {"enum": ["draft", "published"]},
        "slugs": {"bsonType": "array", "minItems": 1},
        "created_at": {"bsonType": "long"},
        "published_at": {"bsonType": ["long", "null"]},
        "version": {"bsonType": "long", "minimum": 1},
        "page": {"bsonType": "object"},
    };
    let required = ["kind", "status", "title", "haystack", "slugs", "created_at", "version", "page"];
    Spec { name: PAGES, indexes, validator: shape(&required, properties) }
}

/// A page with what it is found and sorted by; times in µs.
#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(rename = "_id")]
    id: PageId,
    kind: String,
    status: String,
    title: String,
    haystack: String,
    published_at: Option<i64>,
    created_at: i64,
    version: i64,
    page: ContentPage,
}

impl Row {
    /// Without its slugs: those are only ever added.
    fn new(page: &ContentPage, title: &str) -> Self {
        Self {
            id: page.id,
            kind: kind_column(page.kind).to_owned(),
            status: status_column(page.status).to_owned(),
            title: title.to_owned(),
            haystack: haystack(page),
            published_at: page.published_at.map(Time::micros),
            created_at: page.created_at.micros(),
            version: page.version,
            page: page.clone(),
        }
    }
}

fn listed(document: Document) -> Result<Listed> {
    let row: Row = from_document(document)?;
    Ok(Listed { page: row.page, title: row.title })
}

pub async fn find(db: &Mongo, by: Document) -> Result<Option<ContentPage>> {
    let found = db.collection(PAGES).find_one(by).await?;
    found.map(|document| Ok(listed(document)?.page)).transpose()
}

pub async fn published(
    db: &Mongo,
    kind: PageKind,
    now: Time,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<Listed>> {
    let mut filter = doc! {
        "kind": kind_column(kind), "status": "published",
        "published_at": {"$lte": now.micros(), "$ne": null},
    };
    let (member, order) = match kind {
        PageKind::Journal => ("published_at", -1),
        PageKind::Page | PageKind::Block => ("title", 1),
    };
    if let Some((time, title, id)) = after {
        let (at, beyond) = match kind {
            PageKind::Journal => (mongodb::bson::Bson::from(time.micros()), "$lt"),
            PageKind::Page | PageKind::Block => (title.into(), "$gt"),
        };
        let later = doc! {member: {beyond: at.clone()}};
        let same = doc! {member: at, "_id": {beyond: id.to_string()}};
        filter.insert("$or", vec![later, same]);
    }
    let pages = db.collection(PAGES);
    let found = pages.find(filter).sort(doc! {member: order, "_id": order}).limit(limit).await?;
    let found: Vec<Document> = found.try_collect().await?;
    found.into_iter().map(listed).collect()
}

pub async fn list(
    db: &Mongo,
    filter: &PageFilter,
    after: Option<(Time, PageId)>,
    limit: i64,
) -> Result<Vec<ContentPage>> {
    let mut wanted = Document::new();
    if let Some(text) = filter.q.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        wanted.insert("$expr", containing(text));
    }
    if let Some(kind) = filter.kind {
        wanted.insert("kind", kind_column(kind));
    }
    if let Some(status) = filter.status {
        wanted.insert("status", status_column(status));
    }
    if let Some((time, id)) = after {
        let (at, id) = (time.micros(), id.to_string());
        wanted.insert(
            "$or",
            vec![doc! {"created_at": {"$lt": at}}, doc! {"created_at": at, "_id": {"$lt": id}}],
        );
    }
    let newest = doc! {"created_at": -1, "_id": -1};
    let found = db.collection(PAGES).find(wanted).sort(newest).limit(limit).await?;
    let found: Vec<Document> = found.try_collect().await?;
    found.into_iter().map(|document| Ok(listed(document)?.page)).collect()
}

/// No pattern: one cannot have a NUL in it, and a text may.
fn containing(text: &str) -> Document {
    let place = doc! {"$indexOfBytes": ["$haystack", {"$literal": text.to_lowercase()}]};
    doc! {"$gte": [place, 0]}
}

pub async fn insert(tx: &mut Tx, page: &ContentPage, title: &str) -> Result<()> {
    let mut row = to_document(&Row::new(page, title))?;
    row.insert("slugs", vec![&page.slug]);
    tx.collection(PAGES).insert_one(row).session(tx.session()).await.map_err(|error| taken(error, page))?;
    announce(tx, page).await
}

/// Replaces the page if it still has the version it had before.
pub async fn replace(tx: &mut Tx, before: &ContentPage, after: &ContentPage, title: &str) -> Result<Saved> {
    let mut row = to_document(&Row::new(after, title))?;
    row.remove("_id");
    let seen = doc! {"_id": before.id.to_string(), "version": before.version};
    let change = doc! {"$set": row, "$addToSet": {"slugs": &after.slug}};
    let pages = tx.collection(PAGES);
    let written =
        pages.update_one(seen, change).session(tx.session()).await.map_err(|error| taken(error, after))?;
    if written.matched_count == 0 {
        return Ok(Saved::Raced);
    }
    announce(tx, after).await?;
    Ok(Saved::Yes)
}

/// Frees its slugs too.
pub async fn delete(tx: &mut Tx, page: &ContentPage) -> Result<()> {
    let id = doc! {"_id": page.id.to_string()};
    if tx.collection(PAGES).delete_one(id).session(tx.session()).await?.deleted_count == 0 {
        return Ok(());
    }
    announce(tx, &ContentPage { version: page.version + 1, ..page.clone() }).await
}

/// `Conflict/slug_taken` if it is or was another page's.
fn taken(error: MongoError, page: &ContentPage) -> Error {
    if duplicate(&error).is_none() {
        return error.into();
    }
    let mut error = Error::conflict("slug_taken", format!("the slug {:?} is taken", page.slug));
    error.fields.extend(Error::invalid("/slug", "slug_taken", "is taken").fields);
    error
}

async fn announce(tx: &mut Tx, page: &ContentPage) -> Result<()> {
    let event = ContentChanged { page_id: page.id, kind: page.kind, slug: page.slug.clone() };
    tx.emit(MODULE, page.id, page.version, &event).await?;
    Ok(())
}
