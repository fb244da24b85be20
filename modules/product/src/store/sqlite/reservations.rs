//! Claims on stock, one per order.

use std::collections::BTreeMap;

use contracts::{
    Actor,
    order::OrderId,
    product::{
        VariantId,
        stock::{LocationId, MovementId},
    },
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{
    Error, Kind, Result, Time,
    db::{Conn, Tx},
    on,
};

use super::{
    levels::{items, places},
    movements::{NewMovement, record},
    shelves::announce,
};
use crate::{
    model::shelf::take,
    schema::{levels, reservation_lines, reservations},
};

const ACTIVE: &str = "active";
const COMMITTED: &str = "committed";
const RELEASED: &str = "released";

/// Somebody took what had just been seen. It cannot happen on SQLite, where one writes after the other.
const RACED: &str = "raced";

/// Runs `work` again where somebody else was faster and there may still be enough.
pub(super) async fn patiently<F: Future<Output = Result<()>>>(work: impl Fn() -> F) -> Result<()> {
    for _ in 0..4 {
        match work().await {
            Err(error) if error.code == RACED => {}
            result => return result,
        }
    }
    work().await
}

pub(super) async fn reserve(
    tx: &mut Tx,
    order: OrderId,
    lines: &[(VariantId, i64)],
    expires_at: Time,
    now: Time,
) -> Result<()> {
    match state(tx, order).await?.as_deref() {
        Some(ACTIVE | COMMITTED) => return Ok(()),
        Some(_) => forget_lines(tx, order).await?,
        None => {}
    }
    on!(tx, |c| diesel::insert_into(reservations::table)
        .values((
            reservations::order_id.eq(order),
            reservations::state.eq(ACTIVE),
            reservations::expires_at.eq(expires_at),
            reservations::updated_at.eq(now),
        ))
        .on_conflict(reservations::order_id)
        .do_update()
        .set((
            reservations::state.eq(ACTIVE),
            reservations::expires_at.eq(expires_at),
            reservations::updated_at.eq(now),
        ))
        .execute(c)
        .await)?;
    hold(tx, order, lines, now).await
}

/// Takes all lines or fails with what is there.
async fn hold(tx: &mut Tx, order: OrderId, lines: &[(VariantId, i64)], now: Time) -> Result<()> {
    let mut deltas = BTreeMap::new();
    for (variant, parts) in plan(tx, lines).await? {
        for (location, units) in parts {
            claim(tx, variant, location, units, now).await?;
            note(tx, order, variant, location, units).await?;
            *deltas.entry(variant).or_default() -= units;
        }
    }
    announce(tx, order, &deltas, now).await
}

type Parts = Vec<(LocationId, i64)>;

/// What to take from where. `Conflict/out_of_stock` names every variant of which there is not enough.
async fn plan(conn: &mut Conn, lines: &[(VariantId, i64)]) -> Result<Vec<(VariantId, Parts)>> {
    let ids: Vec<VariantId> = lines.iter().map(|line| line.0).collect();
    let (items, places) = (items(conn, &ids).await?, places(conn, &ids).await?);
    let (mut plan, mut missing) = (Vec::new(), Vec::new());
    for &(variant, requested) in lines {
        let item = items.get(&variant).filter(|item| item.sold);
        if item.is_some_and(|item| !item.tracked) {
            continue;
        }
        let there = places.get(&variant).filter(|_| item.is_some()).map_or(&[][..], Vec::as_slice);
        match take(there, requested) {
            Some(parts) => plan.push((variant, parts)),
            None => {
                let available: i64 = there.iter().map(|(_, units)| units).sum();
                missing.push(serde_json::json!({ "variant_id": variant, "requested": requested, "available": available }));
            }
        }
    }
    if missing.is_empty() {
        return Ok(plan);
    }
    Err(Error::conflict("out_of_stock", "there is not enough of it in stock").with("available", missing))
}

/// The one statement that decides: nobody can claim what is not there.
async fn claim(
    conn: &mut Conn,
    variant: VariantId,
    location: LocationId,
    units: i64,
    now: Time,
) -> Result<()> {
    let enough =
        levels::table.find((variant, location)).filter((levels::reserved + units).le(levels::on_hand));
    let changed = on!(conn, |c| diesel::update(enough)
        .set((levels::reserved.eq(levels::reserved + units), levels::updated_at.eq(now)))
        .execute(c)
        .await)?;
    match changed {
        1 => Ok(()),
        _ => Err(Error::new(Kind::Unavailable, RACED, "somebody else was faster, try again")),
    }
}

async fn note(
    conn: &mut Conn,
    order: OrderId,
    variant: VariantId,
    location: LocationId,
    units: i64,
) -> Result<()> {
    on!(conn, |c| diesel::insert_into(reservation_lines::table)
        .values((
            reservation_lines::order_id.eq(order),
            reservation_lines::variant_id.eq(variant),
            reservation_lines::location_id.eq(location),
            reservation_lines::quantity.eq(units),
        ))
        .execute(c)
        .await)?;
    Ok(())
}

pub(super) async fn commit(tx: &mut Tx, order: OrderId, now: Time) -> Result<()> {
    match state(tx, order).await?.as_deref() {
        None => return Err(Error::not_found("reservation")),
        Some(COMMITTED) => return Ok(()),
        Some(RELEASED) => take_anew(tx, order, now).await?,
        Some(_) => {}
    }
    for (variant, location, units) in lines(tx, order).await? {
        give_up(tx, variant, location, units, units, now).await?;
        let movement = NewMovement {
            id: MovementId::derived(&format!("sale:{order}:{variant}:{location}")),
            variant_id: variant,
            location_id: location,
            delta: -units,
            kind: "sale".into(),
            reason: String::new(),
            order_id: Some(order),
            actor: Actor::System.to_column(),
            at: now,
        };
        record(tx, &movement).await?;
    }
    set_state(tx, order, COMMITTED, now).await
}

/// The sweeper was faster than the payment: take the goods again if they are still there.
async fn take_anew(tx: &mut Tx, order: OrderId, now: Time) -> Result<()> {
    let mut sums = BTreeMap::<VariantId, i64>::new();
    for (variant, _, units) in lines(tx, order).await? {
        *sums.entry(variant).or_default() += units;
    }
    forget_lines(tx, order).await?;
    let sums: Vec<(VariantId, i64)> = sums.into_iter().collect();
    hold(tx, order, &sums, now).await.map_err(|error| match error.code.as_ref() {
        "out_of_stock" => {
            let mut expired =
                Error::conflict("reservation_expired", "the reservation expired and the goods are gone");
            expired.extra = error.extra;
            expired
        }
        _ => error,
    })
}

pub(super) async fn release(tx: &mut Tx, order: OrderId, now: Time) -> Result<()> {
    if state(tx, order).await?.as_deref() != Some(ACTIVE) {
        return Ok(());
    }
    let mut deltas = BTreeMap::<VariantId, i64>::new();
    for (variant, location, units) in lines(tx, order).await? {
        give_up(tx, variant, location, 0, units, now).await?;
        *deltas.entry(variant).or_default() += units;
    }
    announce(tx, order, &deltas, now).await?;
    set_state(tx, order, RELEASED, now).await
}

pub(super) async fn expire(tx: &mut Tx, order: OrderId, now: Time) -> Result<()> {
    let expires_at: Option<Time> = on!(tx, |c| reservations::table
        .find(order)
        .select(reservations::expires_at)
        .first(c)
        .await
        .optional())?;
    if expires_at.is_some_and(|at| at <= now) { release(tx, order, now).await } else { Ok(()) }
}

pub(super) async fn expired(conn: &mut Conn, now: Time, limit: u32) -> Result<Vec<OrderId>> {
    Ok(on!(conn, |c| reservations::table
        .filter(reservations::state.eq(ACTIVE).and(reservations::expires_at.le(now)))
        .order(reservations::expires_at)
        .limit(limit.into())
        .select(reservations::order_id)
        .load(c)
        .await)?)
}

/// On PostgreSQL the row stays locked until the transaction ends, so that commit, release and sweeper take turns.
/// SQLite has one writer and no row locks.
async fn state(conn: &mut Conn, order: OrderId) -> QueryResult<Option<String>> {
    let row = reservations::table.find(order).select(reservations::state);
    match conn {
        Conn::Postgres(c) => row.for_update().first(c).await.optional(),
        Conn::Sqlite(c) => row.first(&mut **c).await.optional(),
    }
}

async fn set_state(conn: &mut Conn, order: OrderId, state: &str, now: Time) -> Result<()> {
    on!(conn, |c| diesel::update(reservations::table.find(order))
        .set((reservations::state.eq(state), reservations::updated_at.eq(now)))
        .execute(c)
        .await)?;
    Ok(())
}

async fn lines(conn: &mut Conn, order: OrderId) -> QueryResult<Vec<(VariantId, LocationId, i64)>> {
    on!(conn, |c| reservation_lines::table
        .filter(reservation_lines::order_id.eq(order))
        .order((reservation_lines::variant_id, reservation_lines::location_id))
        .select((reservation_lines::variant_id, reservation_lines::location_id, reservation_lines::quantity))
        .load(c)
        .await)
}

async fn forget_lines(conn: &mut Conn, order: OrderId) -> Result<()> {
    let rows = reservation_lines::table.filter(reservation_lines::order_id.eq(order));
    on!(conn, |c| diesel::delete(rows).execute(c).await)?;
    Ok(())
}

/// Takes `sold` units away and gives up the claim on `claimed`.
async fn give_up(
    conn: &mut Conn,
    variant: VariantId,
    location: LocationId,
    sold: i64,
    claimed: i64,
    now: Time,
) -> Result<()> {
    let held = levels::table.find((variant, location)).filter(levels::reserved.ge(claimed));
    let changed = on!(conn, |c| diesel::update(held)
        .set((
            levels::on_hand.eq(levels::on_hand - sold),
            levels::reserved.eq(levels::reserved - claimed),
            levels::updated_at.eq(now),
        ))
        .execute(c)
        .await)?;
    match changed {
        1 => Ok(()),
        _ => Err(Error::internal(format!("a reservation of {variant} is not on its level"))),
    }
}
