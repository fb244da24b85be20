//! What happens to stock, but for reservations.

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
    Result, Time,
    db::{Conn, Tx},
    on,
};

use super::{
    MODULE, Sqlite,
    levels::{self, items, places},
    movements::{self, NewMovement},
    products::touch,
    reservations,
};
use crate::{
    model::shelf::flipped,
    schema::{locations, reservation_lines},
    store::Shelves,
};

#[async_trait]
impl Shelves for Sqlite {
    async fn available(&self, products: &[ProductId]) -> Result<HashMap<VariantId, i64>> {
        levels::available(&mut self.db.get().await?, products).await
    }

    async fn levels(
        &self,
        filter: &LevelFilter,
        after: Option<(VariantId, LocationId)>,
        limit: u32,
    ) -> Result<Vec<Level>> {
        levels::list(&mut self.db.get().await?, filter, after, limit).await
    }

    async fn movements(
        &self,
        variant: VariantId,
        after: Option<(Time, MovementId)>,
        limit: u32,
    ) -> Result<Vec<Movement>> {
        movements::history(&mut self.db.get().await?, variant, after, limit).await
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
        Some(id) => levels::find_location(tx, id).await?,
        None => levels::default_location(tx).await?,
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
    if movements::record(tx, &movement).await? {
        levels::change(tx, variant, location, wanted.delta, now).await?;
        announce(tx, variant, &BTreeMap::from([(variant, wanted.delta)]), now).await?;
    }
    levels::find(tx, variant, location).await
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
    let default = levels::default_location(tx).await?;
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
        if movements::record(tx, &movement).await? {
            levels::put(tx, variant, location, units, now).await?;
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
