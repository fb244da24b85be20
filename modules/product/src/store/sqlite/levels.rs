//! How much of a variant is where.

use std::collections::HashMap;

use contracts::product::{
    ProductId, VariantId,
    stock::{Level, LevelFilter, LocationId},
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{Error, Result, Time, db::Conn, on};

use super::products::contains;
use crate::schema::{levels, locations, variants};

type LevelRow = (VariantId, ProductId, Option<String>, String, LocationId, i64, i64, Time);

fn level(
    (variant_id, product_id, sku, title, location_id, on_hand, reserved, updated_at): LevelRow,
) -> Level {
    let (sku, available) = (sku.unwrap_or_default(), on_hand - reserved);
    Level { variant_id, product_id, sku, title, location_id, on_hand, reserved, available, updated_at }
}

const LEVEL: (
    levels::variant_id,
    variants::product_id,
    variants::sku,
    variants::title,
    levels::location_id,
    levels::on_hand,
    levels::reserved,
    levels::updated_at,
) = (
    levels::variant_id,
    variants::product_id,
    variants::sku,
    variants::title,
    levels::location_id,
    levels::on_hand,
    levels::reserved,
    levels::updated_at,
);

pub(super) async fn available(conn: &mut Conn, products: &[ProductId]) -> Result<HashMap<VariantId, i64>> {
    let rows: Vec<(VariantId, i64, i64)> = on!(conn, |c| levels::table
        .inner_join(variants::table)
        .filter(variants::product_id.eq_any(products))
        .select((levels::variant_id, levels::on_hand, levels::reserved))
        .load(c)
        .await)?;
    let mut sums = HashMap::new();
    for (variant, on_hand, reserved) in rows {
        *sums.entry(variant).or_default() += on_hand - reserved;
    }
    Ok(sums)
}

pub(super) async fn find(conn: &mut Conn, variant: VariantId, location: LocationId) -> Result<Level> {
    let row: LevelRow = on!(conn, |c| levels::table
        .inner_join(variants::table)
        .filter(levels::variant_id.eq(variant).and(levels::location_id.eq(location)))
        .select(LEVEL)
        .first(c)
        .await)?;
    Ok(level(row))
}

pub(super) async fn list(
    conn: &mut Conn,
    filter: &LevelFilter,
    after: Option<(VariantId, LocationId)>,
    limit: u32,
) -> Result<Vec<Level>> {
    let rows: Vec<LevelRow> = on!(conn, |c| {
        let mut query = levels::table
            .inner_join(variants::table)
            .select(LEVEL)
            .filter(variants::sku.is_not_null())
            .into_boxed();
        if !filter.variant_ids.is_empty() {
            query = query.filter(levels::variant_id.eq_any(&filter.variant_ids));
        }
        if let Some(location) = filter.location_id {
            query = query.filter(levels::location_id.eq(location));
        }
        if let Some(below) = filter.below {
            query = query.filter((levels::on_hand - levels::reserved).lt(below));
        }
        if let Some(text) = &filter.q {
            query = query.filter(variants::haystack.like(contains(text)).escape('\\'));
        }
        if let Some((variant, location)) = after {
            let later = levels::variant_id.gt(variant).or(levels::location_id.gt(location));
            query = query.filter(levels::variant_id.ge(variant).and(later));
        }
        query.order((levels::variant_id, levels::location_id)).limit(limit.into()).load(c).await
    })?;
    Ok(rows.into_iter().map(level).collect())
}

/// Where stock goes that names no place.
pub(super) async fn default_location(conn: &mut Conn) -> QueryResult<LocationId> {
    on!(conn, |c| locations::table
        .order((locations::priority, locations::id))
        .select(locations::id)
        .first(c)
        .await)
}

/// Adds units to a level, or begins it. `units` must be positive.
pub(super) async fn put(
    conn: &mut Conn,
    variant: VariantId,
    location: LocationId,
    units: i64,
    now: Time,
) -> QueryResult<usize> {
    on!(conn, |c| diesel::insert_into(levels::table)
        .values((
            levels::variant_id.eq(variant),
            levels::location_id.eq(location),
            levels::on_hand.eq(units),
            levels::reserved.eq(0_i64),
            levels::updated_at.eq(now),
        ))
        .on_conflict((levels::variant_id, levels::location_id))
        .do_update()
        .set((levels::on_hand.eq(levels::on_hand + units), levels::updated_at.eq(now)))
        .execute(c)
        .await)
}

/// What is known of a variant that is to be taken or put.
pub(super) struct Item {
    pub product_id: ProductId,
    pub tracked: bool,
    /// False once it has been removed from its product.
    pub sold: bool,
}

pub(super) async fn items(conn: &mut Conn, ids: &[VariantId]) -> QueryResult<HashMap<VariantId, Item>> {
    let rows: Vec<(VariantId, ProductId, bool, Option<String>)> = on!(conn, |c| variants::table
        .filter(variants::id.eq_any(ids))
        .select((variants::id, variants::product_id, variants::tracked, variants::sku))
        .load(c)
        .await)?;
    let item = |(id, product_id, tracked, sku): (_, _, _, Option<String>)| {
        (id, Item { product_id, tracked, sold: sku.is_some() })
    };
    Ok(rows.into_iter().map(item).collect())
}

/// What is available of each variant, place by place, in the order in which orders take from them.
pub(super) async fn places(
    conn: &mut Conn,
    ids: &[VariantId],
) -> QueryResult<HashMap<VariantId, Vec<(LocationId, i64)>>> {
    let rows: Vec<(VariantId, LocationId, i64, i64)> = on!(conn, |c| levels::table
        .inner_join(locations::table)
        .filter(levels::variant_id.eq_any(ids))
        .order((locations::priority, locations::id))
        .select((levels::variant_id, levels::location_id, levels::on_hand, levels::reserved))
        .load(c)
        .await)?;
    let mut places = HashMap::<VariantId, Vec<(LocationId, i64)>>::new();
    for (variant, location, on_hand, reserved) in rows {
        places.entry(variant).or_default().push((location, on_hand - reserved));
    }
    Ok(places)
}

pub(super) async fn find_location(conn: &mut Conn, id: LocationId) -> Result<LocationId> {
    on!(conn, |c| locations::table.find(id).select(locations::id).first(c).await.optional())?
        .ok_or_else(|| Error::invalid("/location_id", "unknown_location", "there is no such location"))
}

pub(super) async fn change(
    conn: &mut Conn,
    variant: VariantId,
    location: LocationId,
    delta: i64,
    now: Time,
) -> Result<()> {
    if delta > 0 {
        put(conn, variant, location, delta, now).await?;
        return Ok(());
    }
    let enough =
        levels::table.find((variant, location)).filter((levels::on_hand + delta).ge(levels::reserved));
    let changed = on!(conn, |c| diesel::update(enough)
        .set((levels::on_hand.eq(levels::on_hand + delta), levels::updated_at.eq(now)))
        .execute(c)
        .await)?;
    match changed {
        1 => Ok(()),
        _ => Err(Error::conflict("insufficient_stock", "there are fewer units that nobody has a claim on")),
    }
}
