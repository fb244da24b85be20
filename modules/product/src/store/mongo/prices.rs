//! Price lists: a document for each list, and one for all that it says of one product, with the terms of the list in it, so
//! that what a product costs is one query.

use std::collections::{BTreeMap, HashMap};

use contracts::product::{ListPrice, PriceList, PriceListId, PricesChanged, ProductId};
use futures::TryStreamExt;
use mongodb::bson::{Document, doc};
use serde::{Deserialize, Serialize};
use shared::{
    Currency, Error, Result, Time,
    mongo::{Mongo, Spec, Tx, index, shape, to_document},
};

use super::{
    MODULE,
    products::{find_in, touch},
    texts, variants,
};
use crate::model::price::Offer;

pub(super) const PRICE_LISTS: &str = "price_lists";
pub(super) const LIST_PRICES: &str = "list_prices";

pub(super) fn specs() -> Vec<Spec> {
    let terms = doc! {
        "_id": {"bsonType": "string"},
        "currency": {"bsonType": "string"},
        "group": {"bsonType": ["string", "null"]},
        "starts_at": {"bsonType": ["long", "null"]},
        "ends_at": {"bsonType": ["long", "null"]},
    };
    let price = doc! {
        "bsonType": "object",
        "required": ["variant_id", "min_quantity", "amount"],
        "properties": {
            "variant_id": {"bsonType": "string"},
            "min_quantity": {"bsonType": "long", "minimum": 1},
            "amount": {"bsonType": "long", "minimum": 0},
        },
    };
    let (mut list, mut of_product) = (terms.clone(), terms);
    list.insert("name", doc! {"bsonType": "string"});
    of_product.insert("prices", doc! {"bsonType": "array", "minItems": 1, "items": price});
    vec![
        Spec {
            name: PRICE_LISTS,
            indexes: vec![
                index(doc! {"name": 1, "_id": 1}),
                index(doc! {"starts_at": 1}),
                index(doc! {"ends_at": 1}),
            ],
            validator: shape(&["name", "currency"], list),
        },
        Spec {
            name: LIST_PRICES,
            indexes: vec![index(doc! {"list_id": 1}), index(doc! {"product_id": 1, "currency": 1})],
            validator: shape(&["list_id", "product_id", "currency", "prices"], of_product),
        },
    ]
}

/// To whom and when a list applies; times in µs.
#[derive(Clone, Serialize, Deserialize)]
struct Terms {
    currency: Currency,
    group: Option<String>,
    starts_at: Option<i64>,
    ends_at: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct ListRow {
    #[serde(rename = "_id")]
    id: PriceListId,
    name: String,
    #[serde(flatten)]
    terms: Terms,
}

#[derive(Serialize, Deserialize)]
struct PricesRow {
    #[serde(rename = "_id")]
    id: String,
    list_id: PriceListId,
    product_id: ProductId,
    #[serde(flatten)]
    terms: Terms,
    prices: Vec<ListPrice>,
}

pub(super) async fn all(db: &Mongo) -> Result<Vec<PriceList>> {
    let lists = db.collection(PRICE_LISTS).clone_with_type::<ListRow>();
    let lists: Vec<ListRow> =
        lists.find(doc! {}).sort(doc! {"name": 1, "_id": 1}).await?.try_collect().await?;
    let prices = db.collection(LIST_PRICES).clone_with_type::<PricesRow>();
    let rows: Vec<PricesRow> = prices.find(doc! {}).sort(doc! {"list_id": 1}).await?.try_collect().await?;
    let mut by_list = HashMap::<PriceListId, Vec<ListPrice>>::new();
    for row in rows {
        by_list.entry(row.list_id).or_default().extend(row.prices);
    }
    let list = |ListRow { id, name, terms }: ListRow| {
        let Terms { currency, group, starts_at, ends_at } = terms;
        let mut prices = by_list.remove(&id).unwrap_or_default();
        prices.sort_by_key(|price| (price.variant_id, price.min_quantity));
        let (starts_at, ends_at) = (starts_at.map(Time::from_micros), ends_at.map(Time::from_micros));
        PriceList { id, name, currency, group, starts_at, ends_at, prices }
    };
    Ok(lists.into_iter().map(list).collect())
}

pub(super) async fn save(tx: &mut Tx, list: &PriceList, new: bool, now: Time) -> Result<()> {
    let prices = by_product(tx, list).await?;
    let terms = Terms {
        currency: list.currency,
        group: list.group.clone(),
        starts_at: list.starts_at.map(Time::micros),
        ends_at: list.ends_at.map(Time::micros),
    };
    let row = to_document(&ListRow { id: list.id, name: list.name.clone(), terms: terms.clone() })?;
    let lists = tx.collection(PRICE_LISTS);
    if new {
        lists.insert_one(row).session(tx.session()).await?;
    } else {
        let updated = lists.replace_one(doc! {"_id": list.id.to_string()}, row).session(tx.session()).await?;
        if updated.matched_count != 1 {
            return Err(PriceListId::not_found());
        }
        touch_priced(tx, list.id, now).await?;
        clear(tx, list.id).await?;
    }
    let products: Vec<ProductId> = prices.keys().copied().collect();
    insert(tx, list.id, &terms, prices).await?;
    touch(tx, &products, now).await?;
    tx.emit(MODULE, list.id, now.micros(), &PricesChanged {}).await?;
    Ok(())
}

async fn insert(
    tx: &mut Tx,
    list_id: PriceListId,
    terms: &Terms,
    prices: BTreeMap<ProductId, Vec<ListPrice>>,
) -> Result<()> {
    let row = |(product_id, prices)| {
        let id = format!("{list_id}/{product_id}");
        to_document(&PricesRow { id, list_id, product_id, terms: terms.clone(), prices })
    };
    let rows: Vec<Document> = prices.into_iter().map(row).collect::<Result<_>>()?;
    if !rows.is_empty() {
        let prices = tx.collection(LIST_PRICES);
        prices.insert_many(rows).session(tx.session()).await?;
    }
    Ok(())
}

async fn by_product(tx: &mut Tx, list: &PriceList) -> Result<BTreeMap<ProductId, Vec<ListPrice>>> {
    let ids: Vec<_> = list.prices.iter().map(|price| price.variant_id).collect();
    let owners = variants::owners(tx, &ids).await?;
    let mut prices = BTreeMap::<ProductId, Vec<ListPrice>>::new();
    for (i, price) in list.prices.iter().enumerate() {
        let owner = owners.get(&price.variant_id).ok_or_else(|| {
            let pointer = format!("/prices/{i}/variant_id");
            Error::invalid(pointer, "unknown_variant", "there is no such variant")
        })?;
        prices.entry(*owner).or_default().push(price.clone());
    }
    Ok(prices)
}

async fn clear(tx: &mut Tx, id: PriceListId) -> Result<()> {
    let prices = tx.collection(LIST_PRICES);
    prices.delete_many(doc! {"list_id": id.to_string()}).session(tx.session()).await?;
    Ok(())
}

pub(super) async fn delete(tx: &mut Tx, id: PriceListId, now: Time) -> Result<()> {
    touch_priced(tx, id, now).await?;
    clear(tx, id).await?;
    let lists = tx.collection(PRICE_LISTS);
    let gone = lists.delete_one(doc! {"_id": id.to_string()}).session(tx.session()).await?;
    if gone.deleted_count != 1 {
        return Err(PriceListId::not_found());
    }
    tx.emit(MODULE, id, now.micros(), &PricesChanged {}).await?;
    Ok(())
}

/// Tells search that what it shows of the products in this list is old.
async fn touch_priced(tx: &mut Tx, id: PriceListId, now: Time) -> Result<()> {
    #[derive(Deserialize)]
    struct Priced {
        product_id: ProductId,
    }
    let (rows, columns) = (doc! {"list_id": id.to_string()}, doc! {"_id": 0, "product_id": 1});
    let priced = find_in::<Priced>(tx, LIST_PRICES, rows, columns).await?;
    let products: Vec<ProductId> = priced.into_iter().map(|row| row.product_id).collect();
    touch(tx, &products, now).await
}

pub(super) async fn offers(
    db: &Mongo,
    products: &[ProductId],
    wanted: Option<Currency>,
) -> Result<Vec<Offer>> {
    let mut filter = doc! {"product_id": {"$in": texts(products)}};
    if let Some(wanted) = wanted {
        filter.insert("currency", wanted.code());
    }
    let prices = db.collection(LIST_PRICES).clone_with_type::<PricesRow>();
    let rows: Vec<PricesRow> = prices.find(filter).await?.try_collect().await?;
    Ok(rows.into_iter().flat_map(offers_of).collect())
}

fn offers_of(row: PricesRow) -> impl Iterator<Item = Offer> {
    let Terms { currency, group, starts_at, ends_at } = row.terms;
    let (starts_at, ends_at) = (starts_at.map(Time::from_micros), ends_at.map(Time::from_micros));
    row.prices.into_iter().map(move |ListPrice { variant_id, min_quantity, amount }| Offer {
        variant_id,
        currency,
        group: group.clone(),
        starts_at,
        ends_at,
        min_quantity,
        amount,
    })
}

/// The lists that began or ended after `since` and not after `until`.
fn turned(since: Time, until: Time) -> Document {
    let between = doc! {"$gt": since.micros(), "$lte": until.micros()};
    doc! {"$or": [{"starts_at": &between}, {"ends_at": &between}]}
}

pub(super) async fn has_turned(db: &Mongo, since: Time, until: Time) -> Result<bool> {
    Ok(db.collection(PRICE_LISTS).find_one(turned(since, until)).await?.is_some())
}

pub(super) async fn turn(tx: &mut Tx, since: Time, until: Time, now: Time) -> Result<()> {
    for list in find_in::<ListRow>(tx, PRICE_LISTS, turned(since, until), doc! {}).await? {
        touch_priced(tx, list.id, now).await?;
        tx.emit(MODULE, list.id, now.micros(), &PricesChanged {}).await?;
    }
    Ok(())
}
