//! Reading products.

use std::collections::HashMap;

use contracts::product::{Product, ProductId, Rating, VariantId};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{Result, Time, db::Conn, on};

use crate::{
    schema::{product_categories, product_touches, products, slug_redirects, variants},
    store::{Listing, Record, status},
};

type Columns = (products::data, products::popularity, products::rating_average, products::rating_count);
const COLUMNS: Columns =
    (products::data, products::popularity, products::rating_average, products::rating_count);
type Row = (String, i64, f64, i64);

fn record((data, popularity, average, count): Row) -> Result<Record> {
    let rating = Rating { average, count: u32::try_from(count).unwrap_or(u32::MAX) };
    Ok(Record { product: Product { rating, ..serde_json::from_str(&data)? }, popularity })
}

fn records(rows: Vec<Row>) -> Result<Vec<Record>> {
    rows.into_iter().map(record).collect()
}

pub(super) async fn load(conn: &mut Conn, ids: &[ProductId]) -> Result<Vec<Record>> {
    records(on!(conn, |c| products::table.filter(products::id.eq_any(ids)).select(COLUMNS).load(c).await)?)
}

pub(super) async fn by_slugs(conn: &mut Conn, slugs: &[String]) -> Result<Vec<Record>> {
    records(on!(conn, |c| products::table
        .filter(products::slug.eq_any(slugs))
        .select(COLUMNS)
        .load(c)
        .await)?)
}

pub(super) async fn redirect(conn: &mut Conn, slug: &str) -> QueryResult<Option<ProductId>> {
    on!(conn, |c| slug_redirects::table
        .find(slug)
        .select(slug_redirects::product_id)
        .first(c)
        .await
        .optional())
}

pub(super) async fn by_variants(conn: &mut Conn, ids: &[VariantId]) -> Result<Vec<Record>> {
    records(on!(conn, |c| {
        // A removed variant leads to no product.
        let owners = variants::table
            .filter(variants::id.eq_any(ids).and(variants::sku.is_not_null()))
            .select(variants::product_id);
        products::table.filter(products::id.eq_any(owners)).select(COLUMNS).load(c).await
    })?)
}

pub(super) async fn list(
    conn: &mut Conn,
    listing: &Listing,
    after: Option<(Time, ProductId)>,
    limit: u32,
) -> Result<Vec<Record>> {
    let rows = on!(conn, |c| {
        let mut query = products::table.select(COLUMNS).into_boxed();
        if let Some(wanted) = listing.status {
            query = query.filter(products::status.eq(status(wanted)));
        }
        if let Some(text) = &listing.text {
            query = query.filter(products::haystack.like(contains(text)).escape('\\'));
        }
        if let Some(categories) = &listing.categories {
            // Not `in (select …)`: that reads the whole category before the first row.
            let membership = product_categories::table
                .filter(product_categories::product_id.eq(products::id))
                .filter(product_categories::category_id.eq_any(categories));
            query = query.filter(diesel::dsl::exists(membership));
        }
        if let Some((time, id)) = after {
            // The first condition alone is what the index can jump to.
            query = query.filter(
                products::created_at.le(time).and(products::created_at.lt(time).or(products::id.lt(id))),
            );
        }
        query.order((products::created_at.desc(), products::id.desc())).limit(limit.into()).load(c).await
    })?;
    records(rows)
}

/// A pattern for texts that have `text` in them.
pub(super) fn contains(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern + "%"
}

pub(super) async fn export(conn: &mut Conn, after: Option<ProductId>, limit: u32) -> Result<Vec<Record>> {
    let rows = on!(conn, |c| {
        let mut query = products::table.select(COLUMNS).into_boxed();
        if let Some(after) = after {
            query = query.filter(products::id.gt(after));
        }
        query.order(products::id).limit(limit.into()).load(c).await
    })?;
    records(rows)
}

pub(super) async fn touched(
    conn: &mut Conn,
    from: Time,
    after: Option<(Time, ProductId)>,
    limit: u32,
) -> Result<Vec<(Time, Record)>> {
    use product_touches::{product_id, touched_at};
    let rows: Vec<(Time, Row)> = on!(conn, |c| {
        let mut query = product_touches::table
            .inner_join(products::table)
            .filter(touched_at.ge(from))
            .select((touched_at, COLUMNS))
            .into_boxed();
        if let Some((time, id)) = after {
            query = query.filter(touched_at.ge(time).and(touched_at.gt(time).or(product_id.gt(id))));
        }
        query.order((touched_at, product_id)).limit(limit.into()).load(c).await
    })?;
    rows.into_iter().map(|(time, row)| Ok((time, record(row)?))).collect()
}

/// Tells search that what it shows of these products is old.
pub(super) async fn touch(conn: &mut Conn, ids: &[ProductId], now: Time) -> Result<()> {
    let rows = product_touches::table.filter(product_touches::product_id.eq_any(ids));
    on!(conn, |c| diesel::update(rows).set(product_touches::touched_at.eq(now)).execute(c).await)?;
    Ok(())
}

pub(super) async fn slugs_like(conn: &mut Conn, base: &str) -> Result<Vec<String>> {
    // `.` follows `-` in ASCII, so that this range of the index is what begins with `base-`.
    let (from, to) = (format!("{base}-"), format!("{base}."));
    let numbered = products::slug.ge(from).and(products::slug.lt(to));
    Ok(on!(conn, |c| products::table
        .filter(products::slug.eq(base).or(numbered))
        .select(products::slug)
        .load(c)
        .await)?)
}

pub(super) async fn sku_owners(conn: &mut Conn, skus: &[String]) -> Result<HashMap<String, ProductId>> {
    let mut owners = HashMap::new();
    // A statement of SQLite has at most 32,766 parameters.
    for skus in skus.chunks(10_000) {
        let rows: Vec<(Option<String>, ProductId)> = on!(conn, |c| variants::table
            .filter(variants::sku.eq_any(skus))
            .select((variants::sku, variants::product_id))
            .load(c)
            .await)?;
        owners.extend(rows.into_iter().filter_map(|(sku, product)| Some((sku?, product))));
    }
    Ok(owners)
}
