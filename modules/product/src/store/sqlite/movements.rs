//! The stock ledger.

use contracts::{
    Actor,
    order::OrderId,
    product::{
        VariantId,
        stock::{LocationId, Movement, MovementId},
    },
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{Result, Time, db::Conn, on};

use crate::schema::movements;

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

pub(super) async fn history(
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
