//! Orders: money, parcels, notes.

use actix_web::web;
use contracts::{
    order::{
        FulfillmentStatus, NewOrderShipment, NewRefund, Order, OrderFilter, OrderPaymentStatus, OrderStatus,
        OrderSummary, SalesSummary, TimelineEntry, Viewer,
    },
    payment::LedgerEntry,
    shipping::ShipmentUpdate,
};
use serde::Deserialize;
use shared::{Error, Money, Page, Time};

use crate::{
    app::State,
    auth::{Staff, can},
    body::Body,
    idempotency::{Key, MaybeKey},
    problem::Answer,
    query::{Query, page},
    router::{at, get, patch, post},
    routes::{All, all, created, id, ok},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/orders", [get(list)]);
    at(config, "/admin/orders/{id}", [get(find)]);
    at(config, "/admin/orders/{id}/capture", [post(capture)]);
    at(config, "/admin/orders/{id}/cancel", [post(cancel)]);
    at(config, "/admin/orders/{id}/refunds", [post(refund)]);
    at(config, "/admin/orders/{id}/shipments", [post(ship)]);
    at(config, "/admin/orders/{id}/notes", [post(add_note)]);
    at(config, "/admin/orders/{id}/events", [get(events)]);
    at(config, "/admin/orders/{id}/ledger", [get(ledger)]);
    at(config, "/admin/shipments/{id}", [patch(update_shipment)]);
    at(config, "/admin/analytics/summary", [get(summary)]);
}

/// This file's part of the API document.
#[derive(utoipa::OpenApi)]
#[openapi(paths(
    list,
    find,
    capture,
    cancel,
    refund,
    ship,
    update_shipment,
    add_note,
    events,
    ledger,
    summary
))]
pub struct Document;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// A number or the start of an e-mail address.
    q: Option<String>,
    status: Option<OrderStatus>,
    payment_status: Option<OrderPaymentStatus>,
    fulfillment_status: Option<FulfillmentStatus>,
    #[param(value_type = Option<String>)]
    customer_id: Option<contracts::customer::CustomerId>,
    placed_from: Option<Time>,
    placed_to: Option<Time>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Orders, newest first.
#[utoipa::path(get, path = "/admin/orders", tag = "admin: orders", params(ListQuery), responses((status = 200, body = Page<OrderSummary>)))]
async fn list(state: web::Data<State>, _: Staff<can::ReadOrders>, query: Query<ListQuery>) -> Answer {
    let q = query.0;
    let filter = OrderFilter {
        customer_id: q.customer_id,
        status: q.status,
        payment_status: q.payment_status,
        fulfillment_status: q.fulfillment_status,
        q: q.q,
        placed_from: q.placed_from,
        placed_to: q.placed_to,
    };
    ok(state.ports.orders.list(filter, page(q.limit, q.cursor)?).await?)
}

/// One order, with notes.
#[utoipa::path(get, path = "/admin/orders/{id}", tag = "admin: orders", params(("id" = String, Path)), responses((status = 200, body = Order)))]
async fn find(state: web::Data<State>, staff: Staff<can::ReadOrders>, path: web::Path<String>) -> Answer {
    ok(state.ports.orders.find(id(&path)?, Viewer::Staff(staff.id())).await?)
}

/// How much.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
struct CaptureRequest {
    /// All that is authorised when absent.
    amount: Option<Money>,
}

/// Takes authorised money.
#[utoipa::path(post, path = "/admin/orders/{id}/capture", tag = "admin: orders",
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)), request_body = CaptureRequest,
    responses((status = 200, body = Order), (status = 422, description = "amount_exceeds_authorized")))]
async fn capture(
    state: web::Data<State>,
    staff: Staff<can::WriteOrders>,
    path: web::Path<String>,
    key: Key,
    body: Body<CaptureRequest>,
) -> Answer {
    ok(state.ports.orders.capture(id(&path)?, body.0.amount, key.0, staff.actor()).await?)
}

/// Why.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
struct CancelRequest {
    reason: Option<String>,
}

/// Cancels an order that is not shipped.
#[utoipa::path(post, path = "/admin/orders/{id}/cancel", tag = "admin: orders", params(("id" = String, Path)),
    request_body = CancelRequest, responses((status = 200, body = Order), (status = 409, description = "illegal_transition")))]
async fn cancel(
    state: web::Data<State>,
    staff: Staff<can::WriteOrders>,
    path: web::Path<String>,
    body: Body<CancelRequest>,
) -> Answer {
    ok(state.ports.orders.cancel(id(&path)?, body.0.reason, Viewer::Staff(staff.id())).await?)
}

/// Gives money back: an amount, or lines, or everything.
#[utoipa::path(post, path = "/admin/orders/{id}/refunds", tag = "admin: orders",
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)), request_body = NewRefund,
    responses((status = 201, body = Order), (status = 422, description = "amount_exceeds_captured, quantity_exceeds_remaining")))]
async fn refund(
    state: web::Data<State>,
    staff: Staff<can::Refund>,
    path: web::Path<String>,
    key: Key,
    body: Body<NewRefund>,
) -> Answer {
    created(state.ports.orders.refund(id(&path)?, body.0, key.0, staff.actor()).await?)
}

/// Sends lines.
#[utoipa::path(post, path = "/admin/orders/{id}/shipments", tag = "admin: orders", params(("id" = String, Path)),
    request_body = NewOrderShipment,
    responses((status = 201, body = Order), (status = 422, description = "quantity_exceeds_remaining")))]
async fn ship(
    state: web::Data<State>,
    staff: Staff<can::Ship>,
    path: web::Path<String>,
    key: MaybeKey,
    body: Body<NewOrderShipment>,
) -> Answer {
    let key = key.0.unwrap_or_else(shared::telemetry::trace_id);
    created(state.ports.orders.ship(id(&path)?, body.0, key, staff.actor()).await?)
}

/// News of a parcel.
#[utoipa::path(patch, path = "/admin/shipments/{id}", tag = "admin: orders", params(("id" = String, Path)),
    request_body = ShipmentUpdate, responses((status = 200, body = Order), (status = 409, description = "illegal_transition")))]
async fn update_shipment(
    state: web::Data<State>,
    staff: Staff<can::Ship>,
    path: web::Path<String>,
    body: Body<ShipmentUpdate>,
) -> Answer {
    ok(state.ports.orders.update_shipment(id(&path)?, body.0, staff.actor()).await?)
}

/// A note.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Note {
    text: String,
}

/// Adds a note that only staff see.
#[utoipa::path(post, path = "/admin/orders/{id}/notes", tag = "admin: orders", params(("id" = String, Path)), request_body = Note,
    responses((status = 201, body = Order)))]
async fn add_note(
    state: web::Data<State>,
    staff: Staff<can::Ship>,
    path: web::Path<String>,
    body: Body<Note>,
) -> Answer {
    created(state.ports.orders.add_note(id(&path)?, body.0.text, staff.actor()).await?)
}

/// The order's timeline.
#[utoipa::path(get, path = "/admin/orders/{id}/events", tag = "admin: orders", params(("id" = String, Path)),
    responses((status = 200, body = All<TimelineEntry>)))]
async fn events(state: web::Data<State>, staff: Staff<can::ReadOrders>, path: web::Path<String>) -> Answer {
    all(state.ports.orders.find(id(&path)?, Viewer::Staff(staff.id())).await?.timeline)
}

/// The order's double-entry ledger.
#[utoipa::path(get, path = "/admin/orders/{id}/ledger", tag = "admin: orders", params(("id" = String, Path)),
    responses((status = 200, body = All<LedgerEntry>)))]
async fn ledger(state: web::Data<State>, _: Staff<can::ReadOrders>, path: web::Path<String>) -> Answer {
    all(state.ports.payments.ledger(id(&path)?).await?)
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Period {
    from: Time,
    to: Time,
}

/// Totals of a period, at most 400 days.
#[utoipa::path(get, path = "/admin/analytics/summary", tag = "admin: orders", params(Period), responses((status = 200, body = SalesSummary)))]
async fn summary(state: web::Data<State>, _: Staff<can::ReadOrders>, period: Query<Period>) -> Answer {
    let Period { from, to } = period.0;
    if to <= from || to.since(from).as_secs() > 400 * 86_400 {
        return Err(
            Error::invalid("?to", "out_of_range", "the period must be between 0 and 400 days long").into()
        );
    }
    ok(state.ports.orders.summary(from, to).await?)
}
