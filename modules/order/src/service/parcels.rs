//! Parcels: what is sent, and where it is.

use std::collections::HashSet;

use contracts::{
    Actor,
    order::{NewOrderShipment, Order, OrderDelivered, OrderId, OrderPaymentStatus, OrderStatus, Viewer},
    shipping::{Shipment, ShipmentChanged, ShipmentId, ShipmentLine, ShipmentStatus, ShipmentUpdate},
};
use shared::{
    Error, Result, Time,
    db::{Conn, Tx},
    events::{Envelope, inbox},
    signer::Signer,
};

use super::{Change, Service, cancel, view};
use crate::{
    repo,
    rows::{Json, LineRow, OrderRow, ShipmentRow, Word, word},
    saga::{self, Kind, Payload, Saga, SagaId, Step, Times},
};

impl Service {
    pub(super) async fn ship_order(
        &self,
        id: OrderId,
        shipment: NewOrderShipment,
        key: String,
        actor: Actor,
    ) -> Result<Order> {
        validate(&shipment)?;
        let shipment_id = ShipmentId::derived(&format!("{id}-{key}"));
        let mut conn = self.db.get().await?;
        let row = repo::find(&mut conn, id).await?;
        let known = repo::parts::shipment(&mut conn, shipment_id).await?;
        let lines = repo::lines::of_order(&mut conn, id).await?;
        drop(conn);
        if known.is_none() {
            // Money is taken only for a parcel that can be sent.
            may_ship(&row)?;
            check_left(&lines, &shipment.lines)?;
            self.capture_rest(&row, actor).await?;
        }
        let planned = planned(shipment_id, id, shipment, self.clock.now());
        let times = Times { now: planned.created_at, lease: self.lease(), deadline: self.lease() };
        let begun = self.db.transaction(async move |tx| begin(tx, &planned, actor, times).await).await?;
        match begun {
            // The order is on its way whether the parcel's paper is printed now or a little later.
            Some(saga) => drop(self.launch(saga).await.map_err(Error::internal)?),
            None => self.resume(saga_id(shipment_id)).await?,
        }
        self.read(id, &Viewer::System).await
    }

    pub(super) async fn move_shipment(
        &self,
        id: ShipmentId,
        update: ShipmentUpdate,
        actor: Actor,
    ) -> Result<Order> {
        let row =
            repo::parts::shipment(&mut self.db.get().await?, id).await?.ok_or_else(ShipmentId::not_found)?;
        self.resume(saga_id(id)).await?;
        let shipment = self.call("shipping", self.shipping.update_shipment(id, update, actor)).await?;
        let (now, signer) = (self.clock.now(), self.signer.clone());
        self.db.transaction(async move |tx| moved(tx, &shipment, actor, (&signer, now)).await).await?;
        self.read(row.order_id, &Viewer::System).await
    }

    /// The shipping module has news, perhaps from a carrier.
    pub(crate) async fn shipment_changed(&self, consumer: &'static str, event: &Envelope) -> Result<()> {
        let event_id = event.id;
        let shipment = event.parse::<ShipmentChanged>()?.shipment;
        let actor = shipment.events.last().map_or(Actor::System, |event| event.actor);
        let (now, signer) = (self.clock.now(), self.signer.clone());
        self.db
            .transaction(async move |tx| {
                if inbox::first(tx, consumer, event_id).await? {
                    moved(tx, &shipment, actor, (&signer, now)).await?;
                }
                Ok(())
            })
            .await
    }
}

fn saga_id(shipment: ShipmentId) -> SagaId {
    SagaId::derived(&shipment.to_string())
}

fn validate(shipment: &NewOrderShipment) -> Result<()> {
    if shipment.lines.is_empty() {
        return Err(Error::invalid("/lines", "required", "a parcel has at least one line"));
    }
    let mut seen = HashSet::new();
    for (i, line) in shipment.lines.iter().enumerate() {
        if line.quantity < 1 {
            return Err(Error::invalid(format!("/lines/{i}/quantity"), "out_of_range", "must be at least 1"));
        }
        if !seen.insert(line.line_id) {
            return Err(Error::invalid(
                format!("/lines/{i}/line_id"),
                "duplicate",
                "this line is there twice",
            ));
        }
    }
    Ok(())
}

/// No line may be sent that is not there, and no unit that is gone.
fn check_left(lines: &[LineRow], wanted: &[ShipmentLine]) -> Result<()> {
    for (i, wanted) in wanted.iter().enumerate() {
        let line = lines.iter().find(|line| line.id == wanted.line_id);
        let line = line.ok_or_else(|| {
            Error::invalid(format!("/lines/{i}/line_id"), "unknown_line", "the order has no such line")
        })?;
        let gone = line.shipped_quantity + line.refunded_quantity + line.refunding_quantity;
        if gone + wanted.quantity > line.quantity {
            return Err(too_many(i));
        }
    }
    Ok(())
}

fn too_many(i: usize) -> Error {
    let detail = "that many units are not left to be sent";
    Error::invalid(format!("/lines/{i}/quantity"), "quantity_exceeds_remaining", detail)
}

/// Only what is placed and paid for is sent.
fn may_ship(order: &OrderRow) -> Result<()> {
    use OrderPaymentStatus::{Authorized, Captured, PartiallyRefunded};
    let paid = matches!(order.payment_status.0, Authorized | Captured | PartiallyRefunded);
    if order.status.0 == OrderStatus::Placed && paid {
        return Ok(());
    }
    let from = if order.is_placed() { word(&order.payment_status.0) } else { word(&order.status.0) };
    Err(Error::illegal_transition("an order", from, "shipped"))
}

fn planned(id: ShipmentId, order_id: OrderId, new: NewOrderShipment, now: Time) -> ShipmentRow {
    let shipment = Shipment {
        id,
        order_id,
        status: ShipmentStatus::Pending,
        carrier: new.carrier,
        tracking_number: new.tracking_number,
        tracking_url: None,
        lines: new.lines,
        events: Vec::new(),
        created_at: now,
    };
    ShipmentRow {
        id,
        order_id,
        shipment: Json(shipment),
        status: Word(ShipmentStatus::Pending),
        created_at: now,
    }
}

/// Takes the units out of the lines and begins the saga, in one transaction. `None` if that was done before.
async fn begin(tx: &mut Tx, parcel: &ShipmentRow, actor: Actor, times: Times) -> Result<Option<Saga>> {
    let id = parcel.order_id;
    let mut change = Change::open(tx, id, actor, times.now).await?;
    if repo::parts::shipment(tx, parcel.id).await?.is_some() {
        return Ok(None);
    }
    may_ship(&change.row)?;
    cancel::forbid_while_cancelling(tx, id, "shipped").await?;
    let wanted = &parcel.shipment.0.lines;
    check_left(&repo::lines::of_order(tx, id).await?, wanted)?;
    for (i, line) in wanted.iter().enumerate() {
        if !repo::lines::ship(tx, id, line.line_id, line.quantity).await? {
            return Err(too_many(i));
        }
    }
    repo::parts::insert_shipment(tx, parcel).await?;
    let lines = repo::lines::of_order(tx, id).await?;
    change.remark("shipment", None, Some(parcel.id.to_string()));
    change.goods(&lines, &repo::parts::shipments(tx, id).await?)?;
    let order = change.save(tx).await?;
    let mut payload = Payload::new(actor);
    payload.shipment = Some(parcel.id);
    let row = saga::row(saga_id(parcel.id), id, (Kind::Ship, Step::CreateShipment), payload, times);
    repo::sagas::insert(tx, &row).await?;
    Ok(Some(Saga { row, order, lines, fresh: true, placed: None }))
}

/// Takes over the news of a parcel; older news changes nothing. True if it has just arrived.
pub(crate) async fn remember(conn: &mut Conn, change: &mut Change, news: &Shipment) -> Result<bool> {
    let Some(mut row) = repo::parts::shipment(conn, news.id).await? else { return Ok(false) };
    let known = &row.shipment.0;
    if news.status < known.status || news.events.len() < known.events.len() || news == known {
        return Ok(false);
    }
    let arrived = news.status == ShipmentStatus::Delivered && known.status != ShipmentStatus::Delivered;
    if news.status != known.status && !known.events.is_empty() {
        change.remark("shipment", Some(word(&news.status)), Some(news.id.to_string()));
    }
    change.touch();
    (row.status, row.shipment) = (Word(news.status), Json(news.clone()));
    repo::parts::update_shipment(conn, &row).await?;
    Ok(arrived)
}

async fn moved(tx: &mut Tx, shipment: &Shipment, actor: Actor, (signer, now): (&Signer, Time)) -> Result<()> {
    let id = shipment.order_id;
    if repo::parts::shipment(tx, shipment.id).await?.is_none() {
        return Ok(());
    }
    let mut change = Change::open(tx, id, actor, now).await?;
    let arrived = remember(tx, &mut change, shipment).await?;
    change.goods(&repo::lines::of_order(tx, id).await?, &repo::parts::shipments(tx, id).await?)?;
    let row = change.save(tx).await?;
    if arrived {
        let record = repo::record(tx, row).await?;
        let order = view::order(signer, record, false);
        let version = order.version;
        tx.emit("order", id, version, &OrderDelivered { order, shipment: shipment.clone() }).await?;
    }
    Ok(())
}
