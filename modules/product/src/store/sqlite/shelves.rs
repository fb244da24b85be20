//! Levels, movements and locations.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use contracts::{
    Actor,
    order::OrderId,
    product::{
        ProductId, VariantId,
        stock::{
            Adjustment, Availability, Level, LevelFilter, Location, LocationId, Movement, MovementId,
            StockChanged,
        },
    },
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{
    Error, Result, Time,
    db::{Conn, Tx},
    on,
};

use super::{MODULE, Sqlite, products::contains, reservations, save::touch};
use crate::{
    model::shelf::flipped,
    schema::{levels, locations, movements, reservation_lines, variants},
    store::Shelves,
};

#[async_trait]
impl Shelves for Sqlite {
    async fn available(&self, products: &[ProductId]) -> Result<HashMap<VariantId, i64>> {
        let rows: Vec<(VariantId, i64, i64)> = on!(&mut self.db.get().await?, |c| levels::table
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

    async fn levels(
        &self,
        filter: &LevelFilter,
        after: Option<(VariantId, LocationId)>,
        limit: u32,
    ) -> Result<Vec<Level>> {
        list(&mut self.db.get().await?, filter, after, limit).await
    }

    async fn movements(
        &self,
        variant: VariantId,
        after: Option<(Time, MovementId)>,
        limit: u32,
    ) -> Result<Vec<Movement>> {
        history(&mut self.db.get().await?, variant, after, limit).await
    }

    async fn adjust(&self, adjustment: Adjustment) -> Result<Level> {
        let clock = self.clock.clone();
        self.db.transaction(async move |tx| adjust(tx, &adjustment, clock.now()).await).await
    }

    async fn reserve(&self, order: OrderId, lines: Vec<(VariantId, i64)>, expires_at: Time) -> Result<()> {
        reservations::patiently(|| {
            let (clock, lines) = (self.clock.clone(), lines.clone());
            self.db.transaction(async move |tx| {
                reservations::reserve(tx, order, &lines, expires_at, clock.now()).await
            })
        })
        .await
    }

    async fn commit(&self, order: OrderId) -> Result<()> {
        reservations::patiently(|| {
            let clock = self.clock.clone();
            self.db.transaction(async move |tx| reservations::commit(tx, order, clock.now()).await)
        })
        .await
    }

    async fn release(&self, order: OrderId) -> Result<()> {
        let clock = self.clock.clone();
        self.db.transaction(async move |tx| reservations::release(tx, order, clock.now()).await).await
    }

    async fn expire(&self, order: OrderId) -> Result<()> {
        let clock = self.clock.clone();
        self.db.transaction(async move |tx| reservations::expire(tx, order, clock.now()).await).await
    }

    async fn expired(&self, limit: u32) -> Result<Vec<OrderId>> {
        reservations::expired(&mut self.db.get().await?, self.clock.now(), limit).await
    }

    async fn restock(
        &self,
        id: MovementId,
        order: OrderId,
        lines: Vec<(VariantId, i64)>,
        actor: Actor,
    ) -> Result<()> {
        let clock = self.clock.clone();
        self.db.transaction(async move |tx| restock(tx, id, order, &lines, actor, clock.now()).await).await
    }

    async fn locations(&self) -> Result<Vec<Location>> {
        let rows: Vec<(LocationId, String, i32)> = on!(&mut self.db.get().await?, |c| locations::table
            .order((locations::priority, locations::id))
            .load(c)
            .await)?;
        Ok(rows.into_iter().map(|(id, name, priority)| Location { id, name, priority }).collect())
    }

    async fn create_location(&self, location: Location) -> Result<()> {
        self.db
            .transaction(async move |tx| {
                on!(tx, |c| diesel::insert_into(locations::table)
                    .values((
                        locations::id.eq(location.id),
                        locations::name.eq(&location.name),
                        locations::priority.eq(location.priority),
                    ))
                    .execute(c)
                    .await)?;
                Ok(())
            })
            .await
    }
}

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

async fn list(
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

/// A row of the stock ledger.
#[derive(Queryable, Insertable)]
#[diesel(table_name = movements)]
pub(super) struct NewMovement {
    pub id: MovementId,
    pub variant_id: VariantId,
    pub location_id: LocationId,
    pub delta: i64,
    pub kind: String,
    pub reason: String,
    pub order_id: Option<OrderId>,
    pub actor: String,
    pub at: Time,
}

async fn history(
    conn: &mut Conn,
    variant: VariantId,
    after: Option<(Time, MovementId)>,
    limit: u32,
) -> Result<Vec<Movement>> {
    let rows: Vec<NewMovement> = on!(conn, |c| {
        let mut query = movements::table.filter(movements::variant_id.eq(variant)).into_boxed();
        if let Some((time, id)) = after {
            query = query.filter(movements::at.le(time).and(movements::at.lt(time).or(movements::id.lt(id))));
        }
        query.order((movements::at.desc(), movements::id.desc())).limit(limit.into()).load(c).await
    })?;
    let movement = |row: NewMovement| Movement {
        id: row.id,
        variant_id: row.variant_id,
        location_id: row.location_id,
        delta: row.delta,
        kind: row.kind,
        reason: row.reason,
        order_id: row.order_id,
        actor: Actor::from_column(&row.actor),
        at: row.at,
    };
    Ok(rows.into_iter().map(movement).collect())
}

/// Writes a movement. False if one with this id is there: what it records has been done.
pub(super) async fn record(conn: &mut Conn, movement: &NewMovement) -> QueryResult<bool> {
    let written = on!(conn, |c| diesel::insert_into(movements::table)
        .values(movement)
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    Ok(written == 1)
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

/// Publishes by how much the availability of each variant has changed, once the levels have.
pub(super) async fn announce(
    tx: &mut Tx,
    cause: impl std::fmt::Display,
    deltas: &BTreeMap<VariantId, i64>,
    now: Time,
) -> Result<()> {
    let ids: Vec<VariantId> = deltas.keys().copied().collect();
    let (items, places) = (items(tx, &ids).await?, places(tx, &ids).await?);
    let changed = |(variant_id, delta): (&VariantId, &i64)| {
        let available = places.get(variant_id).map_or(0, |p| p.iter().map(|(_, units)| units).sum());
        let product_id = items.get(variant_id)?.product_id;
        Some(Availability {
            variant_id: *variant_id,
            product_id,
            available,
            flipped: flipped(available - delta, available),
        })
    };
    let items: Vec<Availability> = deltas.iter().filter_map(changed).collect();
    if items.is_empty() {
        return Ok(());
    }
    let flips: Vec<ProductId> =
        items.iter().filter(|item| item.flipped).map(|item| item.product_id).collect();
    if !flips.is_empty() {
        touch(tx, &flips, now).await?;
    }
    tx.emit(MODULE, cause, now.micros(), &StockChanged { items }).await?;
    Ok(())
}

async fn adjust(tx: &mut Tx, wanted: &Adjustment, now: Time) -> Result<Level> {
    let variant = wanted.variant_id;
    let known = items(tx, &[variant]).await?;
    if known.get(&variant).is_none_or(|item| !item.sold) {
        return Err(VariantId::not_found());
    }
    let location = match wanted.location_id {
        Some(id) => find_location(tx, id).await?,
        None => default_location(tx).await?,
    };
    let movement = NewMovement {
        id: wanted.id,
        variant_id: variant,
        location_id: location,
        delta: wanted.delta,
        kind: "adjustment".into(),
        reason: wanted.reason.clone(),
        order_id: None,
        actor: wanted.actor.to_column(),
        at: now,
    };
    if record(tx, &movement).await? {
        change(tx, variant, location, wanted.delta, now).await?;
        announce(tx, variant, &BTreeMap::from([(variant, wanted.delta)]), now).await?;
    }
    let row = on!(tx, |c| levels::table
        .inner_join(variants::table)
        .filter(levels::variant_id.eq(variant).and(levels::location_id.eq(location)))
        .select(LEVEL)
        .first::<LevelRow>(c)
        .await)?;
    Ok(level(row))
}

async fn find_location(conn: &mut Conn, id: LocationId) -> Result<LocationId> {
    on!(conn, |c| locations::table.find(id).select(locations::id).first(c).await.optional())?
        .ok_or_else(|| Error::invalid("/location_id", "unknown_location", "there is no such location"))
}

async fn change(
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

async fn restock(
    tx: &mut Tx,
    id: MovementId,
    order: OrderId,
    lines: &[(VariantId, i64)],
    actor: Actor,
    now: Time,
) -> Result<()> {
    let ids: Vec<VariantId> = lines.iter().map(|line| line.0).collect();
    let known = items(tx, &ids).await?;
    let origin = origins(tx, order).await?;
    let default = default_location(tx).await?;
    let mut deltas = BTreeMap::new();
    for &(variant, units) in lines {
        let item = known.get(&variant).ok_or_else(VariantId::not_found)?;
        if !item.tracked {
            continue;
        }
        let location = origin.get(&variant).copied().unwrap_or(default);
        let movement = NewMovement {
            id: MovementId::derived(&format!("{id}:{variant}")),
            variant_id: variant,
            location_id: location,
            delta: units,
            kind: "restock".into(),
            reason: String::new(),
            order_id: Some(order),
            actor: actor.to_column(),
            at: now,
        };
        if record(tx, &movement).await? {
            put(tx, variant, location, units, now).await?;
            deltas.insert(variant, units);
        }
    }
    announce(tx, order, &deltas, now).await
}

/// Where the goods of an order came from: they go back there.
async fn origins(conn: &mut Conn, order: OrderId) -> QueryResult<HashMap<VariantId, LocationId>> {
    let rows: Vec<(VariantId, LocationId)> = on!(conn, |c| reservation_lines::table
        .filter(reservation_lines::order_id.eq(order))
        .select((reservation_lines::variant_id, reservation_lines::location_id))
        .load(c)
        .await)?;
    Ok(rows.into_iter().collect())
}
