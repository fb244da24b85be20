//! Price lists.

use std::collections::{HashMap, HashSet};

use contracts::product::{ListPrice, PriceList, PriceListId, PricesChanged, ProductId, VariantId};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{
    Currency, Error, Result, Time,
    db::{Conn, Tx},
    on,
};

use super::MODULE;
use crate::{
    model::price::Offer,
    schema::{list_prices, price_lists, product_touches, variants},
};

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = price_lists, treat_none_as_null = true)]
struct Row {
    id: PriceListId,
    name: String,
    currency: String,
    customer_group: Option<String>,
    starts_at: Option<Time>,
    ends_at: Option<Time>,
}

/// What we wrote ourselves can be read.
fn currency(code: &str) -> Result<Currency> {
    code.parse().map_err(Error::internal)
}

pub(super) async fn all(conn: &mut Conn) -> Result<Vec<PriceList>> {
    let rows: Vec<Row> =
        on!(conn, |c| price_lists::table.order((price_lists::name, price_lists::id)).load(c).await)?;
    let prices: Vec<(PriceListId, VariantId, i64, i64)> = on!(conn, |c| list_prices::table
        .order((list_prices::list_id, list_prices::variant_id, list_prices::min_quantity))
        .load(c)
        .await)?;
    let mut by_list = HashMap::<PriceListId, Vec<ListPrice>>::new();
    for (list, variant_id, min_quantity, amount) in prices {
        by_list.entry(list).or_default().push(ListPrice { variant_id, min_quantity, amount });
    }
    let list = |row: Row| {
        Ok(PriceList {
            id: row.id,
            name: row.name,
            currency: currency(&row.currency)?,
            group: row.customer_group,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            prices: by_list.remove(&row.id).unwrap_or_default(),
        })
    };
    rows.into_iter().map(list).collect()
}

pub(super) async fn save(tx: &mut Tx, list: &PriceList, new: bool, now: Time) -> Result<()> {
    check_variants(tx, list).await?;
    let row = Row {
        id: list.id,
        name: list.name.clone(),
        currency: list.currency.to_string(),
        customer_group: list.group.clone(),
        starts_at: list.starts_at,
        ends_at: list.ends_at,
    };
    if new {
        on!(tx, |c| diesel::insert_into(price_lists::table).values(&row).execute(c).await)?;
    } else {
        let there = price_lists::table.find(list.id);
        let changed = on!(tx, |c| diesel::update(there).set(&row).execute(c).await)?;
        if changed != 1 {
            return Err(PriceListId::not_found());
        }
        touch(tx, list.id, now).await?;
        clear(tx, list.id).await?;
    }
    for price in &list.prices {
        insert(tx, list.id, price).await?;
    }
    touch(tx, list.id, now).await?;
    tx.emit(MODULE, list.id, now.micros(), &PricesChanged {}).await?;
    Ok(())
}

async fn check_variants(conn: &mut Conn, list: &PriceList) -> Result<()> {
    let ids: Vec<VariantId> = list.prices.iter().map(|price| price.variant_id).collect();
    let known: Vec<VariantId> =
        on!(conn, |c| variants::table.filter(variants::id.eq_any(&ids)).select(variants::id).load(c).await)?;
    let known: HashSet<VariantId> = known.into_iter().collect();
    match ids.iter().position(|id| !known.contains(id)) {
        None => Ok(()),
        Some(i) => {
            let pointer = format!("/prices/{i}/variant_id");
            Err(Error::invalid(pointer, "unknown_variant", "there is no such variant"))
        }
    }
}

async fn insert(conn: &mut Conn, list: PriceListId, price: &ListPrice) -> Result<()> {
    on!(conn, |c| diesel::insert_into(list_prices::table)
        .values((
            list_prices::list_id.eq(list),
            list_prices::variant_id.eq(price.variant_id),
            list_prices::min_quantity.eq(price.min_quantity),
            list_prices::amount.eq(price.amount),
        ))
        .execute(c)
        .await)?;
    Ok(())
}

async fn clear(conn: &mut Conn, id: PriceListId) -> Result<()> {
    let rows = list_prices::table.filter(list_prices::list_id.eq(id));
    on!(conn, |c| diesel::delete(rows).execute(c).await)?;
    Ok(())
}

pub(super) async fn delete(tx: &mut Tx, id: PriceListId, now: Time) -> Result<()> {
    touch(tx, id, now).await?;
    clear(tx, id).await?;
    let gone = on!(tx, |c| diesel::delete(price_lists::table.find(id)).execute(c).await)?;
    if gone != 1 {
        return Err(PriceListId::not_found());
    }
    tx.emit(MODULE, id, now.micros(), &PricesChanged {}).await?;
    Ok(())
}

/// Tells search that what it shows of the products in this list is old.
async fn touch(conn: &mut Conn, id: PriceListId, now: Time) -> Result<()> {
    on!(conn, |c| {
        let priced = list_prices::table
            .inner_join(variants::table)
            .filter(list_prices::list_id.eq(id))
            .select(variants::product_id);
        diesel::update(product_touches::table.filter(product_touches::product_id.eq_any(priced)))
            .set(product_touches::touched_at.eq(now))
            .execute(c)
            .await
    })?;
    Ok(())
}

type OfferRow = (VariantId, String, Option<String>, Option<Time>, Option<Time>, i64, i64);

pub(super) async fn offers(
    conn: &mut Conn,
    products: &[ProductId],
    wanted: Option<Currency>,
) -> Result<Vec<Offer>> {
    let rows: Vec<OfferRow> = on!(conn, |c| {
        let mut query = variants::table
            .inner_join(list_prices::table.inner_join(price_lists::table))
            .filter(variants::product_id.eq_any(products))
            .select((
                variants::id,
                price_lists::currency,
                price_lists::customer_group,
                price_lists::starts_at,
                price_lists::ends_at,
                list_prices::min_quantity,
                list_prices::amount,
            ))
            .into_boxed();
        if let Some(wanted) = wanted {
            query = query.filter(price_lists::currency.eq(wanted.code()));
        }
        query.load(c).await
    })?;
    let offer = |(variant_id, code, group, starts_at, ends_at, min_quantity, amount): OfferRow| {
        let currency = currency(&code)?;
        Ok(Offer { variant_id, currency, group, starts_at, ends_at, min_quantity, amount })
    };
    rows.into_iter().map(offer).collect()
}

/// The lists that began or ended after `since` and not after `until`.
pub(super) async fn turned(conn: &mut Conn, since: Time, until: Time) -> Result<Vec<PriceListId>> {
    let began = price_lists::starts_at.gt(since).and(price_lists::starts_at.le(until));
    let ended = price_lists::ends_at.gt(since).and(price_lists::ends_at.le(until));
    Ok(on!(conn, |c| price_lists::table.filter(began.or(ended)).select(price_lists::id).load(c).await)?)
}

pub(super) async fn turn(tx: &mut Tx, since: Time, until: Time, now: Time) -> Result<()> {
    for id in turned(tx, since, until).await? {
        touch(tx, id, now).await?;
        tx.emit(MODULE, id, now.micros(), &PricesChanged {}).await?;
    }
    Ok(())
}
