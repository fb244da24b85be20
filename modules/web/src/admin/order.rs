//! One order: what is in it, where it stands, and what can be done with it.

use actix_web::{http::StatusCode, web};
use askama::Template;
use contracts::{
    Actor,
    customer::Permission,
    order::{
        FulfillmentStatus, NewOrderShipment, NewRefund, Order, OrderId, OrderLine, OrderStatus, RefundLine,
        TimelineEntry, Viewer,
    },
    shipping::{Shipment, ShipmentId, ShipmentLine, ShipmentStatus, ShipmentUpdate},
};
use shared::{Kind, Money, Result};

use crate::{
    Answer, Fault, Page,
    app::{at, get, post},
    forms::{Fields, Post, new_key},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/orders/{id}", [get(show)]);
    at(config, "/admin/orders/{id}/packing-slip", [get(packing_slip)]);
    at(config, "/admin/orders/{id}/capture", [post(capture)]);
    at(config, "/admin/orders/{id}/ship", [post(ship)]);
    at(config, "/admin/orders/{id}/shipments/{shipment}", [post(update_shipment)]);
    at(config, "/admin/orders/{id}/refund", [post(refund)]);
    at(config, "/admin/orders/{id}/cancel", [post(cancel)]);
    at(config, "/admin/orders/{id}/notes", [post(add_note)]);
}

#[derive(Template)]
#[template(path = "admin/order.html")]
struct OrderPage<'a> {
    p: &'a Page,
    order: Order,
    f: Fields,
    /// The form that was refused: open, with what was entered.
    open: &'static str,
    /// Makes whatever the forms do happen once, however often they are sent.
    key: String,
}

#[derive(Template)]
#[template(path = "admin/packing-slip.html")]
struct PackingSlip<'a> {
    p: &'a Page,
    order: Order,
}

impl OrderPage<'_> {
    fn left_to_send(&self, line: &OrderLine) -> i64 {
        (line.line.quantity - line.shipped_quantity - line.refunded_quantity).max(0)
    }

    fn left_to_refund(&self, line: &OrderLine) -> i64 {
        line.line.quantity - line.refunded_quantity
    }

    fn can_capture(&self) -> bool {
        self.order.status == OrderStatus::Placed
            && self.to_capture().amount > 0
            && self.p.may(&Permission::OrdersWrite)
    }

    /// What is authorised and not yet taken.
    fn to_capture(&self) -> Money {
        let left = self.order.total.amount - self.order.captured_total.amount;
        Money { amount: left.max(0), currency: self.order.currency }
    }

    fn can_ship(&self) -> bool {
        self.order.status == OrderStatus::Placed
            && self.order.lines.iter().any(|line| self.left_to_send(line) > 0)
            && self.p.may(&Permission::OrdersShip)
    }

    fn can_refund(&self) -> bool {
        self.to_refund().amount > 0 && self.p.may(&Permission::OrdersRefund)
    }

    /// What was taken and has not gone back.
    fn to_refund(&self) -> Money {
        let left = self.order.captured_total.amount - self.order.refunded_total.amount;
        Money { amount: left.max(0), currency: self.order.currency }
    }

    fn can_cancel(&self) -> bool {
        matches!(self.order.status, OrderStatus::Pending | OrderStatus::Placed)
            && self.order.fulfillment_status == FulfillmentStatus::Unfulfilled
            && self.p.may(&Permission::OrdersWrite)
    }

    /// What can happen to a parcel next: the state, and the key of the button.
    fn moves(&self, shipment: &Shipment) -> &'static [(&'static str, &'static str)] {
        match shipment.status {
            _ if !self.p.may(&Permission::OrdersShip) => &[],
            ShipmentStatus::Pending => &[("shipped", "mark-shipped")],
            ShipmentStatus::Shipped | ShipmentStatus::InTransit => &[("delivered", "mark-delivered")],
            ShipmentStatus::Delivered => &[],
        }
    }

    fn title_of(&self, line: &ShipmentLine) -> String {
        let known = self.order.lines.iter().find(|known| known.line.id == line.line_id);
        let title = known.map_or_else(String::new, |known| known.line.title.clone());
        format!("{} × {title}", self.p.number(line.quantity))
    }

    /// A line of the timeline in words.
    fn told(&self, entry: &TimelineEntry) -> String {
        let to = entry.to.as_deref().unwrap_or_default().replace('_', "-");
        let key = format!("order-{}-{to}", entry.kind.replace('_', "-"));
        let kind = format!("entry-{}", entry.kind.replace('_', "-"));
        self.p.known(&key).or_else(|| self.p.known(&kind)).unwrap_or_else(|| self.p.label(&entry.kind))
    }

    /// Who did it.
    fn who(&self, actor: &Actor) -> String {
        let own = self.p.claims.as_ref().map(|claims| claims.sub);
        self.p.t(match actor {
            Actor::Staff(id) if Some(*id) == own => "actor-you",
            Actor::Staff(_) => "actor-staff",
            Actor::Customer(_) | Actor::Guest => "actor-customer",
            Actor::Provider => "actor-provider",
            _ => "actor-system",
        })
    }

    /// A quantity field as it was entered, or what it begins with.
    fn entered(&self, form: &str, line: &OrderLine, otherwise: &i64) -> String {
        let name = format!("line_{}", line.line.id);
        if self.open == form { self.f.value(&name).to_owned() } else { otherwise.to_string() }
    }
}

fn parse(id: &str) -> Answer<OrderId> {
    id.parse().map_err(|_| Fault::not_found())
}

async fn find(p: &Page, id: &str) -> Answer<Order> {
    let staff = p.customer()?;
    Ok(p.ports().orders.find(parse(id)?, Viewer::Staff(staff)).await?)
}

async fn show(p: Page, id: web::Path<String>) -> Answer {
    p.staff(Permission::OrdersRead)?;
    page(&p, StatusCode::OK, &id, Fields::default(), "").await
}

async fn page(p: &Page, status: StatusCode, id: &str, f: Fields, open: &'static str) -> Answer {
    let order = find(p, id).await?;
    // A refused form keeps its key: what it wanted has not happened.
    let key = f.given("key").map_or_else(new_key, ToOwned::to_owned);
    p.html_as(status, &OrderPage { p, order, f, open, key })
}

async fn packing_slip(p: Page, id: web::Path<String>) -> Answer {
    p.staff(Permission::OrdersRead)?;
    let order = find(&p, &id).await?;
    p.html(&PackingSlip { p: &p, order })
}

/// Back to the order with a word; or the form again with what is wrong.
async fn done(
    p: &Page,
    id: &str,
    said: &str,
    result: Result<Order>,
    mut f: Fields,
    form: &'static str,
) -> Answer {
    match result {
        Ok(_) => {
            let mut response = p.see_other(&format!("/admin/orders/{id}"));
            p.notify(&mut response, "ok", p.t(said));
            Ok(response)
        }
        Err(error) if matches!(error.kind, Kind::Internal | Kind::NotFound | Kind::Forbidden) => {
            Err(error.into())
        }
        Err(error) => {
            f.problem = Some(match error.fields.first() {
                Some(field) => p.error(&field.code, &field.detail),
                None => p.error(&error.code, &error.detail),
            });
            page(p, StatusCode::UNPROCESSABLE_ENTITY, id, f, form).await
        }
    }
}

async fn again(p: &Page, id: &str, f: Fields, form: &'static str) -> Answer {
    page(p, StatusCode::UNPROCESSABLE_ENTITY, id, f, form).await
}

/// The key in a form.
fn key(f: &Fields) -> String {
    f.given("key").map_or_else(new_key, ToOwned::to_owned)
}

async fn capture(p: Page, id: web::Path<String>, form: Post<Fields>) -> Answer {
    let (actor, mut f) = (p.staff(Permission::OrdersWrite)?, form.0);
    let order = find(&p, &id).await?;
    let amount = f.money(&p, "amount", order.currency);
    if f.failed() {
        return again(&p, &id, f, "capture").await;
    }
    let captured = p.ports().orders.capture(order.id, amount, key(&f), actor).await;
    done(&p, &id, "order-captured", captured, f, "capture").await
}

/// The quantities in a form, by line.
fn quantities(p: &Page, f: &mut Fields, order: &Order) -> Vec<(contracts::cart::LineId, i64)> {
    let line = |line: &OrderLine| {
        let quantity = f.count(p, &format!("line_{}", line.line.id))?;
        (quantity > 0).then_some((line.line.id, quantity))
    };
    order.lines.iter().filter_map(line).collect()
}

async fn ship(p: Page, id: web::Path<String>, form: Post<Fields>) -> Answer {
    let (actor, mut f) = (p.staff(Permission::OrdersShip)?, form.0);
    let order = find(&p, &id).await?;
    let lines: Vec<ShipmentLine> = quantities(&p, &mut f, &order)
        .into_iter()
        .map(|(line_id, quantity)| ShipmentLine { line_id, quantity })
        .collect();
    if lines.is_empty() {
        f.problem = Some(p.t("choose-lines"));
    }
    if f.failed() {
        return again(&p, &id, f, "ship").await;
    }
    let given = |name: &str| f.given(name).map(ToOwned::to_owned);
    let shipment =
        NewOrderShipment { lines, carrier: given("carrier"), tracking_number: given("tracking_number") };
    let shipped = p.ports().orders.ship(order.id, shipment, key(&f), actor).await;
    done(&p, &id, "order-shipped", shipped, f, "ship").await
}

async fn update_shipment(p: Page, path: web::Path<(String, String)>, form: Post<Fields>) -> Answer {
    let (actor, f) = (p.staff(Permission::OrdersShip)?, form.0);
    let (id, shipment) = path.into_inner();
    let shipment: ShipmentId = shipment.parse().map_err(|_| Fault::not_found())?;
    let status = match f.value("status") {
        "shipped" => ShipmentStatus::Shipped,
        "delivered" => ShipmentStatus::Delivered,
        _ => return Err(Fault::not_found()),
    };
    let update = ShipmentUpdate { status, carrier: None, tracking_number: None, description: None };
    let updated = p.ports().orders.update_shipment(shipment, update, actor).await;
    done(&p, &id, "parcel-updated", updated, f, "").await
}

async fn refund(p: Page, id: web::Path<String>, form: Post<Fields>) -> Answer {
    let (actor, mut f) = (p.staff(Permission::OrdersRefund)?, form.0);
    let order = find(&p, &id).await?;
    let amount = f.money(&p, "amount", order.currency);
    let restock = f.ticked("restock");
    let lines: Vec<RefundLine> = quantities(&p, &mut f, &order)
        .into_iter()
        .map(|(line_id, quantity)| RefundLine { line_id, quantity, restock })
        .collect();
    if amount.is_none() && lines.is_empty() {
        f.problem = Some(p.t("choose-refund"));
    }
    let reason = f.required(&p, "reason");
    if f.failed() {
        return again(&p, &id, f, "refund").await;
    }
    let refunded =
        p.ports().orders.refund(order.id, NewRefund { amount, lines, reason }, key(&f), actor).await;
    done(&p, &id, "order-refunded", refunded, f, "refund").await
}

async fn cancel(p: Page, id: web::Path<String>, form: Post<Fields>) -> Answer {
    p.staff(Permission::OrdersWrite)?;
    let (staff, f) = (p.customer()?, form.0);
    let reason = f.given("reason").map(ToOwned::to_owned);
    let cancelled = p.ports().orders.cancel(parse(&id)?, reason, Viewer::Staff(staff)).await;
    done(&p, &id, "order-cancelled", cancelled, f, "cancel").await
}

async fn add_note(p: Page, id: web::Path<String>, form: Post<Fields>) -> Answer {
    let (actor, mut f) = (p.staff(Permission::OrdersShip)?, form.0);
    let text = f.required(&p, "text");
    if f.failed() {
        return again(&p, &id, f, "note").await;
    }
    let noted = p.ports().orders.add_note(parse(&id)?, text, actor).await;
    done(&p, &id, "note-added", noted, f, "note").await
}
