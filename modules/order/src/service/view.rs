//! An order as others see it.

use contracts::{
    Actor,
    customer::CustomerId,
    order::{Order, OrderLine, OrderSummary, Viewer},
};
use shared::{Money, signer::Signer};

use crate::rows::{LineRow, OrderRow, Record, SummaryRow};

/// What an order's token opens.
pub const TOKEN: &str = "order";

/// Notes are for staff only.
pub fn order(signer: &Signer, record: Record, notes: bool) -> Order {
    let Record { row, lines, timeline, refunds, shipments } = record;
    let currency = row.currency.0;
    let money = |amount| Money::new(amount, currency);
    Order {
        id: row.id,
        number: row.number,
        token: signer.token(TOKEN, row.id),
        cart_id: row.cart_id,
        customer_id: row.customer_id,
        email: row.email.0,
        status: row.status.0,
        payment_status: row.payment_status.0,
        fulfillment_status: row.fulfillment_status.0,
        currency,
        lines: lines.into_iter().map(line).collect(),
        shipping_address: row.addresses.0.shipping,
        billing_address: row.addresses.0.billing,
        shipping: row.pricing.0.shipping,
        discounts: row.pricing.0.discounts,
        subtotal: money(row.subtotal),
        discount_total: money(row.discount_total),
        shipping_total: money(row.shipping_total),
        tax_total: money(row.tax_total),
        total: money(row.total),
        prices_include_tax: row.prices_include_tax,
        tax_lines: row.pricing.0.tax_lines,
        captured_total: money(row.captured_total),
        refunded_total: money(row.refunded_total),
        payment: row.payment.0,
        shipments: shipments.into_iter().map(|row| row.shipment.0).collect(),
        refunds: refunds.into_iter().map(|row| row.refund(currency)).collect(),
        timeline: timeline.into_iter().filter(|row| notes || row.kind != "note").map(Into::into).collect(),
        cancel_reason: row.cancel_reason,
        created_at: row.created_at,
        placed_at: row.placed_at,
        updated_at: row.updated_at,
        version: row.version,
    }
}

fn line(row: LineRow) -> OrderLine {
    OrderLine {
        line: row.line.0,
        shipped_quantity: row.shipped_quantity,
        refunded_quantity: row.refunded_quantity,
    }
}

pub fn summary(row: SummaryRow) -> OrderSummary {
    OrderSummary {
        id: row.id,
        number: row.number,
        customer_id: row.customer_id,
        email: row.email.0,
        name: row.name,
        status: row.status.0,
        payment_status: row.payment_status.0,
        fulfillment_status: row.fulfillment_status.0,
        total: Money::new(row.total, row.currency.0),
        units: row.units,
        created_at: row.created_at,
        placed_at: row.placed_at,
    }
}

/// Whether the order is any of the viewer's business.
pub fn may_see(signer: &Signer, row: &OrderRow, viewer: &Viewer) -> bool {
    match viewer {
        Viewer::Customer(id) => row.customer_id == Some(*id),
        Viewer::Token(token) => signer.open(TOKEN, token) == Some(row.id),
        Viewer::Staff(_) | Viewer::System => true,
    }
}

pub fn sees_notes(viewer: &Viewer) -> bool {
    matches!(viewer, Viewer::Staff(_) | Viewer::System)
}

pub fn actor(viewer: &Viewer) -> Actor {
    match viewer {
        Viewer::Customer(id) => Actor::Customer(*id),
        Viewer::Token(_) => Actor::Guest,
        Viewer::Staff(id) => Actor::Staff(*id),
        Viewer::System => Actor::System,
    }
}

/// Who buys.
pub fn shopper(customer: Option<CustomerId>) -> Actor {
    customer.map_or(Actor::Guest, Actor::Customer)
}
