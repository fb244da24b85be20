//! Shipments and their tracking.

use contracts::{
    Actor,
    shipping::{
        NewShipment, Shipment, ShipmentChanged, ShipmentId, ShipmentLine, ShipmentStatus, ShipmentUpdate,
        TrackingEvent,
    },
};
use shared::{
    Result, Time,
    db::{Conn, Db, Tx},
};

use crate::{
    model,
    repo::shipments::{self as repo, EventRow, LineRow, ShipmentRow},
};

pub async fn find(conn: &mut Conn, id: ShipmentId) -> Result<Shipment> {
    let row = repo::find(conn, id).await?.ok_or_else(ShipmentId::not_found)?;
    complete(conn, vec![row]).await?.pop().ok_or_else(ShipmentId::not_found)
}

/// Adds lines and events to the rows: two queries, however many rows.
pub async fn complete(conn: &mut Conn, rows: Vec<ShipmentRow>) -> Result<Vec<Shipment>> {
    let ids: Vec<ShipmentId> = rows.iter().map(|row| row.id).collect();
    let lines = repo::lines(conn, &ids).await?;
    let events = repo::events(conn, &ids).await?;
    rows.into_iter()
        .map(|row| {
            Ok(Shipment {
                id: row.id,
                order_id: row.order_id,
                status: model::status(&row.status)?,
                tracking_url: model::tracking_url(row.carrier.as_deref(), row.tracking_number.as_deref()),
                carrier: row.carrier,
                tracking_number: row.tracking_number,
                lines: lines.iter().filter(|line| line.shipment_id == row.id).map(line).collect(),
                events: events
                    .iter()
                    .filter(|e| e.shipment_id == row.id)
                    .map(event)
                    .collect::<Result<_>>()?,
                created_at: row.created_at,
            })
        })
        .collect()
}

fn line(row: &LineRow) -> ShipmentLine {
    ShipmentLine { line_id: row.line_id, quantity: row.quantity }
}

fn event(row: &EventRow) -> Result<TrackingEvent> {
    Ok(TrackingEvent {
        status: model::status(&row.status)?,
        description: row.description.clone(),
        actor: Actor::from_column(&row.actor),
        at: row.at,
    })
}

pub async fn create(db: &Db, new: NewShipment, now: Time) -> Result<Shipment> {
    let new = model::validated_shipment(new)?;
    db.transaction(async move |tx| {
        let status = ShipmentStatus::Shipped;
        let row = ShipmentRow {
            id: new.id,
            order_id: new.order_id,
            status: model::status_name(status).into(),
            carrier: new.carrier.clone(),
            tracking_number: new.tracking_number.clone(),
            created_at: now,
        };
        if !repo::insert(tx, &row).await? {
            return find(tx, new.id).await;
        }
        for line in &new.lines {
            let row = LineRow { shipment_id: new.id, line_id: line.line_id, quantity: line.quantity };
            repo::insert_line(tx, &row).await?;
        }
        repo::insert_event(tx, &EventRow::new(new.id, 1, status, None, new.actor, now)).await?;
        announce(tx, new.id).await
    })
    .await
}

pub async fn update(
    db: &Db,
    id: ShipmentId,
    update: ShipmentUpdate,
    actor: Actor,
    now: Time,
) -> Result<Shipment> {
    let update = model::validated_update(update)?;
    db.transaction(async move |tx| {
        let mut shipment = find(tx, id).await?;
        loop {
            if !model::may_move(shipment.status, update.status)? {
                return Ok(shipment);
            }
            let carrier = update.carrier.as_deref().or(shipment.carrier.as_deref());
            let number = update.tracking_number.as_deref().or(shipment.tracking_number.as_deref());
            if repo::move_on(tx, id, shipment.status, update.status, carrier, number).await? {
                break;
            }
            // Somebody else was faster. The states have an order, so that there is an end to this.
            shipment = find(tx, id).await?;
        }
        let sequence = shipment.events.len() + 1;
        let description = update.description.as_deref();
        repo::insert_event(tx, &EventRow::new(id, sequence, update.status, description, actor, now)).await?;
        announce(tx, id).await
    })
    .await
}

/// Tells the others what the shipment has become.
async fn announce(tx: &mut Tx, id: ShipmentId) -> Result<Shipment> {
    let shipment = find(tx, id).await?;
    let sequence = i64::try_from(shipment.events.len()).unwrap_or(i64::MAX);
    tx.emit("shipping", id, sequence, &ShipmentChanged { shipment: shipment.clone() }).await?;
    Ok(shipment)
}
