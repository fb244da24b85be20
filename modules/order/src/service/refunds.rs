//! Refunds, as whoever asks for one sees them.

use std::{collections::HashSet, time::Duration};

use contracts::{
    Actor,
    order::{NewRefund, Order, OrderId, RefundLine, Viewer},
    payment::RefundId,
};
use shared::{Error, Money, Result, Time, db::Tx, values};
use tokio::time::Instant;

use super::{Service, cancel, checkout::unknown};
use crate::{
    model, repo,
    rows::{Json, LineRow, OrderRow, RefundRow, word},
    saga::{self, Kind, Outcome, Payload, Saga, SagaId, Step, Times},
};

impl Service {
    pub(super) async fn refund_order(
        &self,
        id: OrderId,
        refund: NewRefund,
        key: String,
        actor: Actor,
        deadline: Instant,
    ) -> Result<Order> {
        let refund = validated(refund)?;
        let refund_id = RefundId::derived(&format!("{id}-{key}"));
        let (now, lease) = (self.clock.now(), self.lease());
        let times = Times { now, lease, deadline: lease };
        let begun = self
            .db
            .transaction(async move |tx| begin(tx, id, (refund_id, &refund), actor, times).await)
            .await?;
        if let Some(saga) = begun {
            match tokio::time::timeout_at(deadline, self.launch(saga)).await {
                Ok(Ok(Outcome::Failed(error))) => return Err(error),
                Ok(Err(panic)) => return Err(Error::internal(panic)),
                Ok(Ok(_)) => {}
                Err(_) => return Err(unknown()),
            }
        }
        self.settle_refund(id, refund_id, deadline).await
    }

    /// Waits until the provider has answered, at most until `deadline`: then the same key asks again.
    async fn settle_refund(&self, id: OrderId, refund: RefundId, deadline: Instant) -> Result<Order> {
        let saga_id = saga_id(refund);
        loop {
            let rested = self.rested.notified();
            let mut conn = self.db.get().await?;
            let row = repo::parts::refund(&mut conn, refund).await?.ok_or_else(RefundId::not_found)?;
            let saga = repo::sagas::get(&mut conn, saga_id).await?;
            drop(conn);
            match row.status.as_str() {
                "succeeded" => return self.read(id, &Viewer::System).await,
                "failed" => {
                    let failure = saga.and_then(|saga| saga.payload.0.failure);
                    return Err(
                        failure.unwrap_or_else(|| Error::conflict("refund_failed", "the refund failed"))
                    );
                }
                _ if Instant::now() >= deadline => return Err(unknown()),
                _ => {}
            }
            if saga.is_some_and(|saga| saga.next_at <= self.clock.now()) {
                self.resume(saga_id).await?;
                continue;
            }
            let _ = tokio::time::timeout(Duration::from_millis(100), rested).await;
        }
    }
}

fn saga_id(refund: RefundId) -> SagaId {
    SagaId::derived(&refund.to_string())
}

fn validated(mut refund: NewRefund) -> Result<NewRefund> {
    refund.reason = values::text("/reason", &refund.reason, 500)?;
    if refund.amount.is_some_and(|amount| amount.amount <= 0) {
        return Err(Error::invalid("/amount", "out_of_range", "must be more than nothing"));
    }
    let mut seen = HashSet::new();
    for (i, line) in refund.lines.iter().enumerate() {
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
    Ok(refund)
}

/// The refund, its quantities and its saga in one transaction. `None` if it was begun before.
async fn begin(
    tx: &mut Tx,
    id: OrderId,
    (refund_id, refund): (RefundId, &NewRefund),
    actor: Actor,
    times: Times,
) -> Result<Option<Saga>> {
    let order = repo::lock(tx, id).await?;
    if let Some(known) = repo::parts::refund(tx, refund_id).await? {
        return if known.order_id == id { Ok(None) } else { Err(OrderId::not_found()) };
    }
    if !order.is_placed() {
        return Err(Error::illegal_transition("a payment", word(&order.payment_status.0), "refunded"));
    }
    cancel::forbid_while_cancelling(tx, id, "refunded").await?;
    let lines = repo::lines::of_order(tx, id).await?;
    let amount = amount(tx, &order, &lines, refund).await?;
    for (i, line) in refund.lines.iter().enumerate() {
        if !repo::lines::hold_refund(tx, id, line.line_id, line.quantity).await? {
            return Err(too_many(i));
        }
    }
    repo::parts::insert_refund(tx, &row(refund_id, &order, amount, refund, (actor, times.now))).await?;
    let mut payload = Payload::new(actor);
    payload.refund = Some(refund_id);
    let row = saga::row(saga_id(refund_id), id, (Kind::Refund, Step::Refund), payload, times);
    repo::sagas::insert(tx, &row).await?;
    Ok(Some(Saga { row, order, lines, fresh: true, placed: None }))
}

fn row(
    id: RefundId,
    order: &OrderRow,
    amount: Money,
    refund: &NewRefund,
    (actor, now): (Actor, Time),
) -> RefundRow {
    RefundRow {
        id,
        order_id: order.id,
        amount: amount.amount,
        lines: Json(refund.lines.clone()),
        reason: refund.reason.clone(),
        status: "pending".to_owned(),
        actor: actor.to_column(),
        created_at: now,
    }
}

/// What is asked for, at most what is captured and neither given back nor about to be.
async fn amount(tx: &mut Tx, order: &OrderRow, lines: &[LineRow], refund: &NewRefund) -> Result<Money> {
    let open = repo::parts::refunds(tx, order.id).await?;
    let open: i64 = open.iter().filter(|refund| refund.status == "pending").map(|refund| refund.amount).sum();
    let rest = order.money(order.captured_total - order.refunded_total - open);
    let asked = match refund.amount {
        Some(amount) => amount,
        None if refund.lines.is_empty() => rest,
        None => of_lines(order, lines, &refund.lines)?,
    };
    asked.same_currency(rest).map_err(|error| error.under("/amount"))?;
    if asked.amount > rest.amount || asked.is_zero() {
        let detail = format!("{asked} is more than the {rest} that can still be refunded");
        let pointer = if refund.amount.is_none() && !refund.lines.is_empty() { "/lines" } else { "/amount" };
        return Err(Error::invalid(pointer, "amount_exceeds_captured", detail));
    }
    Ok(asked)
}

fn of_lines(order: &OrderRow, lines: &[LineRow], wanted: &[RefundLine]) -> Result<Money> {
    let mut sum = order.money(0);
    for (i, wanted) in wanted.iter().enumerate() {
        let line = lines.iter().find(|line| line.id == wanted.line_id);
        let line = line.ok_or_else(|| {
            Error::invalid(format!("/lines/{i}/line_id"), "unknown_line", "the order has no such line")
        })?;
        let before = line.refunded_quantity + line.refunding_quantity;
        if before + wanted.quantity > line.quantity {
            return Err(too_many(i));
        }
        sum = sum.add(model::refund_amount(&line.line.0, before, wanted.quantity)?)?;
    }
    Ok(sum)
}

fn too_many(i: usize) -> Error {
    let detail = "that many units are not left of this line";
    Error::invalid(format!("/lines/{i}/quantity"), "quantity_exceeds_remaining", detail)
}
