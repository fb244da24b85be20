//! What hangs on an order: timeline, refunds, shipments.

use contracts::{order::OrderId, payment::RefundId, shipping::ShipmentId};
use diesel::{
    prelude::*,
    sql_types::{Nullable, Text},
};
use diesel_async::RunQueryDsl;
use shared::db::{Conn, on};

use crate::{
    rows::{RefundRow, ShipmentRow, TimelineRow},
    schema::{order_refunds, order_shipments, order_timeline},
};

pub async fn insert_entry(conn: &mut Conn, row: &TimelineRow) -> QueryResult<usize> {
    on!(conn, |c| diesel::insert_into(order_timeline::table).values(row).execute(c).await)
}

diesel::define_sql_function! {
    /// The text with every occurrence of `from` replaced.
    fn replace(text: Nullable<Text>, from: Text, to: Text) -> Nullable<Text>;
}

/// Replaces a word in what was written about an order.
pub async fn strike_out(conn: &mut Conn, id: OrderId, word: &str, by: &str) -> QueryResult<usize> {
    on!(conn, |c| diesel::update(order_timeline::table.filter(order_timeline::order_id.eq(id)))
        .set(order_timeline::message.eq(replace(order_timeline::message, word, by)))
        .execute(c)
        .await)
}

/// Oldest first.
pub async fn timeline(conn: &mut Conn, id: OrderId) -> QueryResult<Vec<TimelineRow>> {
    on!(conn, |c| order_timeline::table
        .filter(order_timeline::order_id.eq(id))
        .order((order_timeline::version, order_timeline::position))
        .select(TimelineRow::as_select())
        .load(c)
        .await)
}

pub async fn insert_refund(conn: &mut Conn, row: &RefundRow) -> QueryResult<usize> {
    on!(conn, |c| diesel::insert_into(order_refunds::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c)
        .await)
}

pub async fn refund(conn: &mut Conn, id: RefundId) -> QueryResult<Option<RefundRow>> {
    on!(conn, |c| order_refunds::table.find(id).select(RefundRow::as_select()).first(c).await.optional())
}

pub async fn refunds(conn: &mut Conn, id: OrderId) -> QueryResult<Vec<RefundRow>> {
    on!(conn, |c| order_refunds::table
        .filter(order_refunds::order_id.eq(id))
        .order((order_refunds::created_at, order_refunds::id))
        .select(RefundRow::as_select())
        .load(c)
        .await)
}

pub async fn set_refund_status(conn: &mut Conn, id: RefundId, status: &str) -> QueryResult<usize> {
    on!(conn, |c| diesel::update(order_refunds::table.find(id))
        .set(order_refunds::status.eq(status))
        .execute(c)
        .await)
}

/// False if it is known.
pub async fn insert_shipment(conn: &mut Conn, row: &ShipmentRow) -> QueryResult<bool> {
    let inserted = on!(conn, |c| diesel::insert_into(order_shipments::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    Ok(inserted == 1)
}

pub async fn shipment(conn: &mut Conn, id: ShipmentId) -> QueryResult<Option<ShipmentRow>> {
    on!(conn, |c| order_shipments::table.find(id).select(ShipmentRow::as_select()).first(c).await.optional())
}

pub async fn shipments(conn: &mut Conn, id: OrderId) -> QueryResult<Vec<ShipmentRow>> {
    on!(conn, |c| order_shipments::table
        .filter(order_shipments::order_id.eq(id))
        .order((order_shipments::created_at, order_shipments::id))
        .select(ShipmentRow::as_select())
        .load(c)
        .await)
}

pub async fn update_shipment(conn: &mut Conn, row: &ShipmentRow) -> QueryResult<usize> {
    on!(conn, |c| diesel::update(order_shipments::table.find(row.id))
        .set((order_shipments::shipment.eq(&row.shipment), order_shipments::status.eq(row.status)))
        .execute(c)
        .await)
}
