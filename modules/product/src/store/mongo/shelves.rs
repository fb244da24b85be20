//! What happens to stock, but for reservations.

mod levels;
mod locations;
mod movements;
mod reservations;

use std::collections::{BTreeMap, BTreeSet, HashMap};

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
use shared::{
    Error, Result, Time,
    mongo::{Spec, Tx},
};

use self::levels::{Change, variants};
pub(super) use levels::validator as levels_validator;
pub(super) use locations::{LOCATIONS, MAIN};
pub(super) use movements::MOVEMENTS;
pub(super) use reservations::RESERVATIONS;

use super::{MODULE, MongoStore, products::touch};
use crate::{model::shelf::flipped, store::Shelves};

/// The collections of the stock, besides the variants that have the levels.
pub(super) fn collections() -> Vec<Spec> {
    vec![locations::spec(), movements::spec(), reservations::spec()]
}

/// Writes the first stock of new variants, at the default location, with a movement each. Called by the catalogue's save
/// after the variants' documents are written with empty `levels`.
pub(super) async fn stock_new(tx: &mut Tx, stock: &[(VariantId, i64)], now: Time) -> Result<()> {
    if stock.is_empty() {
        return Ok(());
    }
    let location_id = locations::pick(tx, None).await?;
    for &(variant_id, units) in stock {
        levels::put(tx, variant_id, location_id, units, now).await?;
        let movement = Movement {
            id: MovementId::new(),
            variant_id,
            location_id,
            delta: units,
            kind: "initial".into(),
            reason: "first stock".into(),
            order_id: None,
            actor: Actor::System,
            at: now,
        };
        movements::record(tx, &movement).await?;
    }
    Ok(())
}

#[async_trait]
impl Shelves for MongoStore {
    async fn available(&self, products: &[ProductId]) -> Result<HashMap<VariantId, i64>> {
        levels::available(&self.mongo, products).await
    }

    async fn levels(
        &self,
        filter: &LevelFilter,
        after: Option<(VariantId, LocationId)>,
        limit: u32,
    ) -> Result<Vec<Level>> {
        levels::list(&self.mongo, filter, after, limit).await
    }

    async fn movements(
        &self,
        variant: VariantId,
        after: Option<(Time, MovementId)>,
        limit: u32,
    ) -> Result<Vec<Movement>> {
        movements::history(&self.mongo, variant, after, limit).await
    }

    async fn adjust(&self, adjustment: Adjustment) -> Result<Level> {
        let clock = self.clock.clone();
        self.mongo.transaction(async move |tx| adjust(tx, &adjustment, clock.now()).await).await
    }

    async fn reserve(&self, order: OrderId, lines: Vec<(VariantId, i64)>, expires_at: Time) -> Result<()> {
        let clock = self.clock.clone();
        self.mongo
            .transaction(async move |tx| {
                reservations::reserve(tx, order, &lines, expires_at, clock.now()).await
            })
            .await
    }

    async fn commit(&self, order: OrderId) -> Result<()> {
        let clock = self.clock.clone();
        self.mongo.transaction(async move |tx| reservations::commit(tx, order, clock.now()).await).await
    }

    async fn release(&self, order: OrderId) -> Result<()> {
        let clock = self.clock.clone();
        self.mongo.transaction(async move |tx| reservations::release(tx, order, clock.now()).await).await
    }

    async fn expire(&self, order: OrderId) -> Result<()> {
        let clock = self.clock.clone();
        self.mongo.transaction(async move |tx| reservations::expire(tx, order, clock.now()).await).await
    }

    async fn expired(&self, limit: u32) -> Result<Vec<OrderId>> {
        reservations::expired(&self.mongo, self.clock.now(), limit).await
    }

    async fn restock(
        &self,
        id: MovementId,
        order: OrderId,
        lines: Vec<(VariantId, i64)>,
        actor: Actor,
    ) -> Result<()> {
        let clock = self.clock.clone();
        self.mongo.transaction(async move |tx| restock(tx, id, order, &lines, actor, clock.now()).await).await
    }

    async fn locations(&self) -> Result<Vec<Location>> {
        locations::list(&self.mongo).await
    }

    async fn create_location(&self, location: Location) -> Result<()> {
        self.mongo.transaction(async move |tx| locations::insert(tx, &location).await).await
    }
}

/// Publishes by how much the availability of each variant has changed, once the levels have.
async fn announce(
    tx: &mut Tx,
    cause: impl std::fmt::Display,
    deltas: &BTreeMap<VariantId, i64>,
    now: Time,
) -> Result<()> {
    if deltas.is_empty() {
        return Ok(());
    }
    let ids: Vec<VariantId> = deltas.keys().copied().collect();
    let known = variants(tx, &ids).await?;
    let changed = |(variant_id, delta): (&VariantId, &i64)| {
        let variant = known.get(variant_id)?;
        let (product_id, available) = (variant.product_id, variant.available());
        let flipped = flipped(available - delta, available);
        Some(Availability { variant_id: *variant_id, product_id, available, flipped })
    };
    let items: Vec<Availability> = deltas.iter().filter_map(changed).collect();
    let flips: BTreeSet<ProductId> =
        items.iter().filter(|item| item.flipped).map(|item| item.product_id).collect();
    if !flips.is_empty() {
        touch(tx, &Vec::from_iter(flips), now).await?;
    }
    tx.emit(MODULE, cause, now.micros(), &StockChanged { items }).await?;
    Ok(())
}

async fn adjust(tx: &mut Tx, wanted: &Adjustment, now: Time) -> Result<Level> {
    let variant_id = wanted.variant_id;
    let known = variants(tx, &[variant_id]).await?;
    if known.get(&variant_id).is_none_or(|variant| variant.sku.is_none()) {
        return Err(VariantId::not_found());
    }
    let location_id = locations::pick(tx, wanted.location_id).await?;
    let movement = Movement {
        id: wanted.id,
        variant_id,
        location_id,
        delta: wanted.delta,
        kind: "adjustment".into(),
        reason: wanted.reason.clone(),
        order_id: None,
        actor: wanted.actor,
        at: now,
    };
    if movements::record(tx, &movement).await? {
        let delta = wanted.delta;
        if delta > 0 {
            levels::put(tx, variant_id, location_id, delta, now).await?;
        } else {
            let less = Change { variant: variant_id, location: location_id, on_hand: delta, reserved: 0 };
            levels::change(tx, less, now).await?.then_some(()).ok_or_else(insufficient)?;
        }
        announce(tx, variant_id, &BTreeMap::from([(variant_id, delta)]), now).await?;
    }
    let there = variants(tx, &[variant_id]).await?.remove(&variant_id);
    there.and_then(|variant| variant.at(location_id)).ok_or_else(|| Error::not_found("record"))
}

fn insufficient() -> Error {
    Error::conflict("insufficient_stock", "there are fewer units that nobody has a claim on")
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
    let known = variants(tx, &ids).await?;
    // Goods go back to where they came from.
    let origins: HashMap<VariantId, LocationId> = reservations::lines(tx, order)
        .await?
        .into_iter()
        .map(|line| (line.variant_id, line.location_id))
        .collect();
    let default = locations::pick(tx, None).await?;
    let mut deltas = BTreeMap::new();
    for &(variant_id, units) in lines {
        let item = known.get(&variant_id).ok_or_else(VariantId::not_found)?;
        if !item.tracked {
            continue;
        }
        let location_id = origins.get(&variant_id).copied().unwrap_or(default);
        let movement = Movement {
            id: MovementId::derived(&format!("{id}:{variant_id}")),
            variant_id,
            location_id,
            delta: units,
            kind: "restock".into(),
            reason: String::new(),
            order_id: Some(order),
            actor,
            at: now,
        };
        if movements::record(tx, &movement).await? {
            levels::put(tx, variant_id, location_id, units, now).await?;
            deltas.insert(variant_id, units);
        }
    }
    announce(tx, order, &deltas, now).await
}
