//! Orders of the past, for the demo shop.

use contracts::{
    Actor,
    cart::{CartId, Totals},
    order::{FulfillmentStatus, ImportOrder, OrderPayment, OrderPaymentStatus, OrderStatus},
    payment::PaymentState,
};
use shared::{Money, Result, Time, db::Tx};

use super::{Service, view};
use crate::{
    model, repo,
    rows::{Addresses, Json, LineRow, OrderRow, Pricing, TimelineRow, Word, word},
};

/// How many orders share a transaction: others write in between.
const BATCH: usize = 50;

impl Service {
    pub(super) async fn import_orders(&self, orders: Vec<ImportOrder>) -> Result<u32> {
        let mut imported = 0;
        let mut orders = orders.into_iter().peekable();
        while orders.peek().is_some() {
            let batch = orders.by_ref().take(BATCH).map(record).collect::<Result<Vec<_>>>()?;
            imported += self
                .db
                .transaction(async move |tx| {
                    let mut new = 0;
                    for (row, lines) in &batch {
                        new += u32::from(insert(tx, row, lines).await?);
                    }
                    Ok(new)
                })
                .await?;
        }
        Ok(imported)
    }
}

async fn insert(tx: &mut Tx, row: &OrderRow, lines: &[LineRow]) -> Result<bool> {
    if !repo::insert_if_new(tx, row).await? {
        return Ok(false);
    }
    for line in lines {
        repo::lines::insert(tx, line).await?;
    }
    for entry in timeline(row) {
        repo::parts::insert_entry(tx, &entry).await?;
    }
    Ok(true)
}

fn record(order: ImportOrder) -> Result<(OrderRow, Vec<LineRow>)> {
    let id = order.id();
    let sent = |position: usize, quantity: i64| match order.fulfillment_status {
        FulfillmentStatus::Unfulfilled => 0,
        FulfillmentStatus::PartiallyShipped if position > 0 => 0,
        _ => quantity,
    };
    let lines = order.lines.iter().cloned().enumerate().map(|(position, line)| {
        let shipped_quantity = sent(position, line.quantity);
        LineRow { shipped_quantity, ..LineRow::new(id, position, line) }
    });
    let lines: Vec<_> = lines.collect();
    Ok((row(order)?, lines))
}

/// Where each line costs what it says, its tax is inside.
fn totals(order: &ImportOrder) -> Result<(Totals, bool)> {
    let sum = |amounts: Vec<Money>| Money::sum(order.currency, amounts);
    let subtotal = sum(order.lines.iter().map(|line| line.subtotal).collect())?;
    let discount = sum(order.lines.iter().map(|line| line.discount).collect())?;
    let include =
        order.lines.iter().all(|line| line.total.amount == line.subtotal.amount - line.discount.amount);
    let (shipping, tax) = (order.shipping.price, order.tax_total);
    let net = subtotal.sub(discount)?.add(shipping)?;
    let total = if include { net } else { net.add(tax)? };
    let totals = Totals { subtotal, discount, shipping, tax, total };
    totals.check(include)?;
    Ok((totals, include))
}

fn row(order: ImportOrder) -> Result<OrderRow> {
    let (totals, prices_include_tax) = totals(&order)?;
    let complete =
        matches!(order.fulfillment_status, FulfillmentStatus::Delivered | FulfillmentStatus::Returned);
    Ok(OrderRow {
        id: order.id(),
        number: model::number_of(&order.seed),
        cart_id: CartId::derived(&order.seed),
        cart_version: 1,
        checkout_key: format!("import {}", order.seed),
        customer_id: order.customer_id,
        email: Word(order.email),
        name: order.address.name.clone(),
        status: Word(if complete { OrderStatus::Completed } else { OrderStatus::Placed }),
        payment_status: Word(OrderPaymentStatus::Captured),
        fulfillment_status: Word(order.fulfillment_status),
        currency: Word(order.currency),
        addresses: Json(Addresses { shipping: order.address.clone(), billing: order.address }),
        pricing: Json(Pricing {
            shipping: order.shipping,
            discounts: Vec::new(),
            tax_lines: order.tax_lines,
        }),
        payment: Json(OrderPayment {
            provider: "import".to_owned(),
            status: PaymentState::Captured,
            next_action: None,
            decline_code: None,
        }),
        payment_sequence: -1,
        subtotal: totals.subtotal.amount,
        discount_total: totals.discount.amount,
        shipping_total: totals.shipping.amount,
        tax_total: totals.tax.amount,
        total: totals.total.amount,
        captured_total: totals.total.amount,
        refunded_total: 0,
        prices_include_tax,
        line_count: i64::try_from(order.lines.len()).unwrap_or(i64::MAX),
        units: order.lines.iter().map(|line| line.quantity).sum(),
        cancel_reason: None,
        created_at: order.placed_at,
        placed_at: Some(order.placed_at),
        updated_at: order.placed_at,
        version: 1,
    })
}

/// The moves that led there.
fn timeline(row: &OrderRow) -> Vec<TimelineRow> {
    let mut entries = Vec::new();
    let mut add = |kind: &str, from: String, to: String, actor: Actor, at: Time| {
        entries.push(TimelineRow {
            order_id: row.id,
            version: row.version,
            position: i64::try_from(entries.len()).unwrap_or(i64::MAX),
            at,
            kind: kind.to_owned(),
            moved_from: Some(from),
            moved_to: Some(to),
            message: None,
            actor: actor.to_column(),
        });
    };
    let (at, shopper) = (row.created_at, view::shopper(row.customer_id));
    add("payment_status", "awaiting".into(), "captured".into(), shopper, at);
    add("status", "pending".into(), "placed".into(), shopper, at);
    let mut from = FulfillmentStatus::Unfulfilled;
    for to in model::fulfillment_path(from, row.fulfillment_status.0) {
        add("fulfillment_status", word(&from), word(&to), Actor::System, at);
        from = to;
    }
    if row.status.0 == OrderStatus::Completed {
        add("status", "placed".into(), "completed".into(), Actor::System, at);
    }
    entries
}
