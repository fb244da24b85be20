//! Lines. Quantities move by conditional updates: a limit holds whatever else runs.

use contracts::{cart::LineId, order::OrderId};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::db::{Conn, on};

use crate::{rows::LineRow, schema::order_lines};

pub async fn insert(conn: &mut Conn, row: &LineRow) -> QueryResult<usize> {
    on!(conn, |c| diesel::insert_into(order_lines::table).values(row).execute(c).await)
}

pub async fn of_order(conn: &mut Conn, id: OrderId) -> QueryResult<Vec<LineRow>> {
    on!(conn, |c| order_lines::table
        .filter(order_lines::order_id.eq(id))
        .order(order_lines::position)
        .select(LineRow::as_select())
        .load(c)
        .await)
}

/// False if fewer units than that are left to be sent.
pub async fn ship(conn: &mut Conn, order: OrderId, line: LineId, quantity: i64) -> QueryResult<bool> {
    let left = order_lines::quantity
        - order_lines::shipped_quantity
        - order_lines::refunded_quantity
        - order_lines::refunding_quantity;
    let updated =
        on!(conn, |c| diesel::update(order_lines::table.find((order, line)).filter(left.ge(quantity)))
            .set(order_lines::shipped_quantity.eq(order_lines::shipped_quantity + quantity))
            .execute(c)
            .await)?;
    Ok(updated == 1)
}

/// False if fewer units than that are left to be refunded.
pub async fn hold_refund(conn: &mut Conn, order: OrderId, line: LineId, quantity: i64) -> QueryResult<bool> {
    let left = order_lines::quantity - order_lines::refunded_quantity - order_lines::refunding_quantity;
    let updated =
        on!(conn, |c| diesel::update(order_lines::table.find((order, line)).filter(left.ge(quantity)))
            .set(order_lines::refunding_quantity.eq(order_lines::refunding_quantity + quantity))
            .execute(c)
            .await)?;
    Ok(updated == 1)
}

/// The refund succeeded.
pub async fn settle_refund(
    conn: &mut Conn,
    order: OrderId,
    line: LineId,
    quantity: i64,
) -> QueryResult<usize> {
    on!(conn, |c| diesel::update(order_lines::table.find((order, line)))
        .set((
            order_lines::refunding_quantity.eq(order_lines::refunding_quantity - quantity),
            order_lines::refunded_quantity.eq(order_lines::refunded_quantity + quantity)
        ))
        .execute(c)
        .await)
}

/// The refund failed.
pub async fn drop_refund(conn: &mut Conn, order: OrderId, line: LineId, quantity: i64) -> QueryResult<usize> {
    on!(conn, |c| diesel::update(order_lines::table.find((order, line)))
        .set(order_lines::refunding_quantity.eq(order_lines::refunding_quantity - quantity))
        .execute(c)
        .await)
}
