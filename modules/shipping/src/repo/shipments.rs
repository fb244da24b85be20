//! Shipments, their lines and tracking events.

use contracts::{
    Actor,
    cart::LineId,
    order::OrderId,
    shipping::{ShipmentId, ShipmentStatus},
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{
    Time,
    db::{Conn, on},
};

use crate::{
    model,
    schema::{shipment_lines, shipments, tracking_events},
};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = shipments, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub struct ShipmentRow {
    pub id: ShipmentId,
    pub order_id: OrderId,
    pub status: String,
    pub carrier: Option<String>,
    pub tracking_number: Option<String>,
    pub created_at: Time,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = shipment_lines, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub struct LineRow {
    pub shipment_id: ShipmentId,
    pub line_id: LineId,
    pub quantity: i64,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = tracking_events, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub struct EventRow {
    pub shipment_id: ShipmentId,
    pub sequence: i64,
    pub status: String,
    pub description: Option<String>,
    pub actor: String,
    pub at: Time,
}

impl EventRow {
    pub fn new(
        shipment_id: ShipmentId,
        sequence: usize,
        status: ShipmentStatus,
        description: Option<&str>,
        actor: Actor,
        at: Time,
    ) -> Self {
        Self {
            shipment_id,
            sequence: i64::try_from(sequence).unwrap_or(i64::MAX),
            status: model::status_name(status).into(),
            description: description.map(str::to_owned),
            actor: actor.to_column(),
            at,
        }
    }
}

/// False if it is there already.
pub async fn insert(conn: &mut Conn, row: &ShipmentRow) -> QueryResult<bool> {
    on!(conn, |c| diesel::insert_into(shipments::table).values(row).on_conflict_do_nothing().execute(c).await)
        .map(|rows| rows == 1)
}

pub async fn insert_line(conn: &mut Conn, row: &LineRow) -> QueryResult<usize> {
    on!(conn, |c| diesel::insert_into(shipment_lines::table).values(row).execute(c).await)
}

pub async fn insert_event(conn: &mut Conn, row: &EventRow) -> QueryResult<usize> {
    on!(conn, |c| diesel::insert_into(tracking_events::table).values(row).execute(c).await)
}

pub async fn find(conn: &mut Conn, id: ShipmentId) -> QueryResult<Option<ShipmentRow>> {
    on!(conn, |c| shipments::table.find(id).select(ShipmentRow::as_select()).first(c).await.optional())
}

pub async fn of_order(conn: &mut Conn, order_id: OrderId) -> QueryResult<Vec<ShipmentRow>> {
    on!(conn, |c| shipments::table
        .filter(shipments::order_id.eq(order_id))
        .select(ShipmentRow::as_select())
        .order((shipments::created_at, shipments::id))
        .load(c)
        .await)
}

pub async fn lines(conn: &mut Conn, ids: &[ShipmentId]) -> QueryResult<Vec<LineRow>> {
    on!(conn, |c| shipment_lines::table
        .filter(shipment_lines::shipment_id.eq_any(ids))
        .select(LineRow::as_select())
        .order(shipment_lines::line_id)
        .load(c)
        .await)
}

pub async fn events(conn: &mut Conn, ids: &[ShipmentId]) -> QueryResult<Vec<EventRow>> {
    on!(conn, |c| tracking_events::table
        .filter(tracking_events::shipment_id.eq_any(ids))
        .select(EventRow::as_select())
        .order(tracking_events::sequence)
        .load(c)
        .await)
}

/// Moves it on if it still is where the caller saw it. False if somebody was faster.
pub async fn move_on(
    conn: &mut Conn,
    id: ShipmentId,
    from: ShipmentStatus,
    to: ShipmentStatus,
    carrier: Option<&str>,
    tracking_number: Option<&str>,
) -> QueryResult<bool> {
    on!(conn, |c| diesel::update(
        shipments::table.find(id).filter(shipments::status.eq(model::status_name(from)))
    )
    .set((
        shipments::status.eq(model::status_name(to)),
        shipments::carrier.eq(carrier),
        shipments::tracking_number.eq(tracking_number)
    ))
    .execute(c)
    .await)
    .map(|rows| rows == 1)
}
