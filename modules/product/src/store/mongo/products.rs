//! Products: one document each, with its variants, options and pictures, and what it is found by.

use std::collections::{BTreeMap, HashMap, HashSet};

use contracts::product::{Product, ProductId, Rating, VariantId};
use futures::TryStreamExt;
use mongodb::{
    Collection,
    bson::{Document, doc},
};
use serde::{Deserialize, de::DeserializeOwned};
use shared::{
    Result, Time,
    mongo::{Mongo, Spec, Tx, index, shape, to_document, unique},
};

use super::{
    names::{escape, unescape},
    texts,
};
use crate::store::{Listing, Record, haystack, status};

pub(super) const PRODUCTS: &str = "products";

/// Former slugs: a document each.
pub(super) const REDIRECTS: &str = "slug_redirects";

pub(super) fn specs() -> Vec<Spec> {
    let indexes = vec![
        unique("products_slug", doc! {"slug": 1}, doc! {}),
        unique("products_sku", doc! {"data.variants.sku": 1}, doc! {}),
        index(doc! {"data.variants.id": 1}),
        index(doc! {"created_at": -1, "_id": -1}),
        index(doc! {"status": 1, "created_at": -1, "_id": -1}),
        index(doc! {"category_ids": 1, "created_at": -1, "_id": -1}),
        index(doc! {"touched_at": 1, "_id": 1}),
    ];
    let required = [
        "slug",
        "status",
        "version",
        "created_at",
        "popularity",
        "haystack",
        "category_ids",
        "touched_at",
        "rating",
        "data",
    ];
    let properties = doc! {
        "_id": {"bsonType": "string"},
        "slug": {"bsonType": "string"},
        "status": {"enum": ["draft", "published", "archived"]},
        "version": {"bsonType": "long", "minimum": 1},
        "created_at": {"bsonType": "long"},
        "popularity": {"bsonType": "long"},
        "haystack": {"bsonType": "string"},
        "category_ids": {"bsonType": "array", "items": {"bsonType": "string"}},
        "touched_at": {"bsonType": "long"},
        "rating": {"bsonType": "object", "required": ["average", "count", "sequence"], "properties": {
            "average": {"bsonType": "double", "minimum": 0, "maximum": 5},
            "count": {"bsonType": "long", "minimum": 0},
            "sequence": {"bsonType": "long"},
        }},
        "data": {"bsonType": "object", "required": ["variants"], "properties": {
            "variants": {"bsonType": "array", "minItems": 1, "items": {
                "required": ["id", "sku"],
                "properties": {"id": {"bsonType": "string"}, "sku": {"bsonType": "string"}},
            }},
        }},
    };
    let redirect = doc! {"_id": {"bsonType": "string"}, "product_id": {"bsonType": "string"}};
    vec![
        Spec { name: PRODUCTS, indexes, validator: shape(&required, properties) },
        Spec { name: REDIRECTS, indexes: Vec::new(), validator: shape(&["product_id"], redirect) },
    ]
}

/// What a save writes of a product. Its rating, its categories and when it was touched are written for themselves.
pub(super) fn written(product: &Product, popularity: i64) -> Result<Document> {
    let mut data = product.clone();
    with_names(&mut data, escape);
    Ok(doc! {
        "slug": &product.slug,
        "status": status(product.status),
        "version": product.version,
        "popularity": popularity,
        "haystack": haystack(product),
        "data": to_document(&data)?,
    })
}

/// A product as it is read.
#[derive(Deserialize)]
struct Row {
    data: Product,
    popularity: i64,
    rating: Sums,
    touched_at: i64,
}

#[derive(Deserialize)]
struct Sums {
    average: f64,
    count: i64,
}

impl From<Row> for Record {
    fn from(row: Row) -> Self {
        let Row { data: mut product, popularity, rating: Sums { average, count }, .. } = row;
        product.rating = Rating { average, count: u32::try_from(count).unwrap_or(u32::MAX) };
        with_names(&mut product, unescape);
        Self { product, popularity }
    }
}

/// Changes what is named by staff, where the names become those of members.
pub(super) fn with_names(product: &mut Product, change: fn(&mut BTreeMap<String, String>)) {
    change(&mut product.attributes);
    product.variants.iter_mut().for_each(|variant| change(&mut variant.options));
    product.images.iter_mut().for_each(|image| change(&mut image.options));
}

fn columns() -> Document {
    doc! {"data": 1, "popularity": 1, "rating": 1, "touched_at": 1}
}

fn products<T: Send + Sync>(db: &Mongo) -> Collection<T> {
    db.collection(PRODUCTS).clone_with_type()
}

async fn find(db: &Mongo, filter: Document) -> Result<Vec<Record>> {
    let rows = products::<Row>(db).find(filter).projection(columns()).await?;
    Ok(rows.map_ok(Record::from).try_collect().await?)
}

pub(super) async fn load(db: &Mongo, ids: &[ProductId]) -> Result<Vec<Record>> {
    find(db, doc! {"_id": {"$in": texts(ids)}}).await
}

pub(super) async fn by_slug(db: &Mongo, slug: &str) -> Result<Option<Record>> {
    #[derive(Deserialize)]
    struct Redirect {
        product_id: ProductId,
    }
    let found = find(db, doc! {"slug": slug}).await?.pop();
    if found.is_some() {
        return Ok(found);
    }
    let redirects = db.collection(REDIRECTS).clone_with_type::<Redirect>();
    let Some(redirect) = redirects.find_one(doc! {"_id": slug}).await? else { return Ok(None) };
    Ok(load(db, &[redirect.product_id]).await?.pop())
}

pub(super) async fn by_slugs(db: &Mongo, slugs: &[String]) -> Result<Vec<Record>> {
    find(db, doc! {"slug": {"$in": slugs}}).await
}

pub(super) async fn by_variants(db: &Mongo, ids: &[VariantId]) -> Result<Vec<Record>> {
    find(db, doc! {"data.variants.id": {"$in": texts(ids)}}).await
}

pub(super) async fn list(
    db: &Mongo,
    listing: &Listing,
    after: Option<(Time, ProductId)>,
    limit: u32,
) -> Result<Vec<Record>> {
    let mut filter = Document::new();
    if let Some(wanted) = listing.status {
        filter.insert("status", status(wanted));
    }
    if let Some(text) = &listing.text {
        filter.extend(contains("haystack", text));
    }
    if let Some(categories) = &listing.categories {
        filter.insert("category_ids", doc! {"$in": texts(categories)});
    }
    if let Some((time, id)) = after {
        // The first condition alone is what the index can jump to.
        filter.insert("created_at", doc! {"$lte": time.micros()});
        let earlier = doc! {"created_at": {"$lt": time.micros()}};
        filter.insert("$or", [earlier, doc! {"_id": {"$lt": id.to_string()}}]);
    }
    let newest = doc! {"created_at": -1, "_id": -1};
    let rows =
        products::<Row>(db).find(filter).projection(columns()).sort(newest).limit(limit.into()).await?;
    Ok(rows.map_ok(Record::from).try_collect().await?)
}

/// A filter for texts that have `text` in them; `field` is kept in lower case.
pub(super) fn contains(field: &str, text: &str) -> Document {
    let place = doc! {"$indexOfBytes": [format!("${field}"), {"$literal": text.to_lowercase()}]};
    doc! {"$expr": {"$gte": [place, 0]}}
}

pub(super) async fn export(db: &Mongo, after: Option<ProductId>, limit: u32) -> Result<Vec<Record>> {
    let filter = after.map(|after| doc! {"_id": {"$gt": after.to_string()}}).unwrap_or_default();
    let by_id = doc! {"_id": 1};
    let rows = products::<Row>(db).find(filter).projection(columns()).sort(by_id).limit(limit.into()).await?;
    Ok(rows.map_ok(Record::from).try_collect().await?)
}

pub(super) async fn touched(
    db: &Mongo,
    from: Time,
    after: Option<(Time, ProductId)>,
    limit: u32,
) -> Result<Vec<(Time, Record)>> {
    let mut filter = doc! {"touched_at": {"$gte": from.micros()}};
    if let Some((time, id)) = after {
        filter.insert("touched_at", doc! {"$gte": from.max(time).micros()});
        let later = doc! {"touched_at": {"$gt": time.micros()}};
        filter.insert("$or", [later, doc! {"_id": {"$gt": id.to_string()}}]);
    }
    let oldest = doc! {"touched_at": 1, "_id": 1};
    let rows =
        products::<Row>(db).find(filter).projection(columns()).sort(oldest).limit(limit.into()).await?;
    Ok(rows.map_ok(|row| (Time::from_micros(row.touched_at), Record::from(row))).try_collect().await?)
}

/// Tells search that what it shows of these products is old.
pub(super) async fn touch(tx: &mut Tx, ids: &[ProductId], now: Time) -> Result<()> {
    touch_where(tx, doc! {"_id": {"$in": texts(ids)}}, now).await
}

/// As [`touch`].
pub(super) async fn touch_where(tx: &mut Tx, filter: Document, now: Time) -> Result<()> {
    let (products, touched) = (tx.collection(PRODUCTS), doc! {"$set": {"touched_at": now.micros()}});
    products.update_many(filter, touched).session(tx.session()).await?;
    Ok(())
}

pub(super) async fn slugs_like(db: &Mongo, base: &str) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Named {
        slug: String,
    }
    // `.` follows `-` in ASCII, so that this range of the index is what begins with `base-`.
    let numbered = doc! {"slug": {"$gte": format!("{base}-"), "$lt": format!("{base}.")}};
    let filter = doc! {"$or": [{"slug": base}, numbered]};
    let names = products::<Named>(db).find(filter).projection(doc! {"_id": 0, "slug": 1}).await?;
    Ok(names.map_ok(|named| named.slug).try_collect().await?)
}

pub(super) async fn sku_owners(db: &Mongo, skus: &[String]) -> Result<HashMap<String, ProductId>> {
    #[derive(Deserialize)]
    struct Owner {
        #[serde(rename = "_id")]
        id: ProductId,
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        variants: Vec<Sold>,
    }
    #[derive(Deserialize)]
    struct Sold {
        sku: String,
    }
    let wanted: HashSet<&String> = skus.iter().collect();
    let mut owners = HashMap::new();
    // A command has at most 16 MiB.
    for skus in skus.chunks(10_000) {
        let filter = doc! {"data.variants.sku": {"$in": skus}};
        let found = products::<Owner>(db).find(filter).projection(doc! {"data.variants.sku": 1}).await?;
        let found: Vec<Owner> = found.try_collect().await?;
        for Owner { id, data } in found {
            let sold = data.variants.into_iter().map(|sold| sold.sku);
            owners.extend(sold.filter(|sku| wanted.contains(sku)).map(|sku| (sku, id)));
        }
    }
    Ok(owners)
}

/// What is read in a transaction.
pub(super) async fn find_in<T>(
    tx: &mut Tx,
    collection: &str,
    filter: Document,
    projection: Document,
) -> Result<Vec<T>>
where
    T: DeserializeOwned + Send + Sync,
{
    let collection = tx.collection(collection).clone_with_type::<T>();
    let mut found = collection.find(filter).projection(projection).session(tx.session()).await?;
    Ok(found.stream(tx.session()).try_collect().await?)
}

/// As [`find_in`]: all that there are, by id.
pub(super) async fn all_in<T>(tx: &mut Tx, collection: &str, projection: Document) -> Result<Vec<T>>
where
    T: DeserializeOwned + Send + Sync,
{
    let collection = tx.collection(collection).clone_with_type::<T>();
    let all = collection.find(doc! {}).projection(projection).sort(doc! {"_id": 1});
    let mut found = all.session(tx.session()).await?;
    Ok(found.stream(tx.session()).try_collect().await?)
}
