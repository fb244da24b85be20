//! Undoing: money first, then goods, then coupons; only then is the order cancelled. Every step may be repeated, and
//! is, until it succeeds.

use contracts::{
    order::{OrderCancelled, OrderStatus},
    payment::{Payment, RefundId},
    product::stock::{MovementId, StockLine},
};
use shared::{Kind as Why, Result, Time, db::Tx};

use super::{Kind, Next, Saga, SagaState, Step};
use crate::{
    Service, repo,
    rows::{Json, OrderRow, RefundRow, SagaRow},
    service::{Change, view},
};

impl Service {
    /// Gives back what is only authorised, then what is captured.
    pub(super) async fn return_money(&self, saga: &mut Saga) -> Result<Next> {
        if saga.order.total == 0 {
            return Ok(Next::Step(Step::Restock));
        }
        let id = saga.order.id;
        let payment = match self.call("payment", self.payments.void(id)).await {
            Err(error) if error.kind == Why::NotFound => None,
            payment => Some(payment?),
        };
        let payment = match payment {
            Some(payment) if payment.captured.amount > payment.refunded.amount => {
                let rest = payment.captured.sub(payment.refunded)?;
                let reason = saga.row.payload.0.reason.clone().unwrap_or_default();
                let refund = refund_id(&saga.row, rest.amount);
                Some(self.call("payment", self.payments.refund(id, refund, rest, reason)).await?)
            }
            payment => payment,
        };
        self.crash.pass("saga.voided");
        if payment.is_some() {
            saga.payload().payment = payment;
        }
        self.save_step(saga, Step::Restock).await
    }

    /// Sold goods go back on the shelf, but not those that a refund has put there already.
    pub(super) async fn restock(&self, saga: &mut Saga) -> Result<Next> {
        if saga.row.payload.0.committed {
            let rest = |line: &crate::rows::LineRow| line.quantity - line.refunded_quantity;
            let lines = saga.lines.iter().filter(|line| rest(line) > 0);
            let lines: Vec<_> =
                lines.map(|line| StockLine { variant_id: line.variant_id, quantity: rest(line) }).collect();
            let (id, actor) = (saga.order.id, saga.row.payload.0.actor);
            let movement = MovementId::derived(&format!("{id}-cancel"));
            if !lines.is_empty() {
                self.call("stock", self.stock.restock(movement, id, lines, actor)).await?;
            }
        }
        Ok(Next::Step(Step::Unclaim))
    }

    pub(super) async fn unclaim(&self, saga: &mut Saga) -> Result<Next> {
        if !saga.order.pricing.0.discounts.is_empty() {
            self.call("cart", self.carts.release(saga.order.id)).await?;
            self.crash.pass("saga.unclaimed");
        }
        Ok(Next::Step(Step::Release))
    }

    pub(super) async fn release(&self, saga: &mut Saga) -> Result<Next> {
        if !saga.row.payload.0.committed {
            self.call("stock", self.stock.release(saga.order.id)).await?;
            self.crash.pass("saga.released");
        }
        Ok(Next::Step(Step::Cancel))
    }

    /// The order is cancelled, and the saga is done: one transaction.
    pub(super) async fn finish_cancel(&self, saga: &mut Saga) -> Result<Next> {
        let now = self.clock.now();
        let (from, row) = self.successor(saga, SagaState::Done, saga.row.next_at);
        let (written, signer) = (row.clone(), self.signer.clone());
        // A request that has waited so long was answered with "unknown".
        let left = now.since(row.created_at) > self.settings.checkout_deadline();
        let tell_shopper = row.payload.0.answered || left || row.kind.0 == Kind::Cancel;
        self.db
            .transaction(async move |tx| {
                let cancelled = cancelled(tx, &written, now).await?;
                repo::sagas::save(tx, &written, from).await?;
                let Some(row) = cancelled else { return Ok(()) };
                let record = repo::record(tx, row).await?;
                let order = view::order(&signer, record, false);
                let (id, version) = (order.id, order.version);
                tx.emit("order", id, version, &OrderCancelled { order, tell_shopper }).await?;
                Ok(())
            })
            .await?;
        self.crash.pass("saga.cancelled");
        saga.row = row;
        Ok(Next::Rest)
    }
}

/// `None` if it was cancelled before: then only the money has news.
async fn cancelled(tx: &mut Tx, saga: &SagaRow, now: Time) -> Result<Option<OrderRow>> {
    let payload = &saga.payload.0;
    let mut change = Change::open(tx, saga.order_id, payload.actor, now).await?;
    if let Some(payment) = &payload.payment {
        change.payment(payment)?;
        record_refund(tx, &change.row, saga, payment, now).await?;
    }
    let first = change.row.status.0 != OrderStatus::Cancelled;
    if first {
        change.status(OrderStatus::Cancelled, payload.message.clone())?;
        change.row.cancel_reason = payload.reason.clone();
        change.row.payment.0.next_action = None;
    }
    let row = change.save(tx).await?;
    Ok(first.then_some(row))
}

/// Money that went back is a refund of the order.
async fn record_refund(
    tx: &mut Tx,
    order: &OrderRow,
    saga: &SagaRow,
    payment: &Payment,
    now: Time,
) -> Result<()> {
    let known = repo::parts::refunds(tx, order.id).await?;
    let known: i64 =
        known.iter().filter(|refund| refund.status == "succeeded").map(|refund| refund.amount).sum();
    let amount = payment.refunded.amount - known;
    if amount > 0 {
        let row = RefundRow {
            id: refund_id(saga, amount),
            order_id: order.id,
            amount,
            lines: Json(Vec::new()),
            reason: saga.payload.0.reason.clone().unwrap_or_default(),
            status: "succeeded".to_owned(),
            actor: saga.payload.0.actor.to_column(),
            created_at: now,
        };
        repo::parts::insert_refund(tx, &row).await?;
    }
    Ok(())
}

/// One saga gives one amount back once.
fn refund_id(saga: &SagaRow, amount: i64) -> RefundId {
    RefundId::derived(&format!("{}-{amount}", saga.id))
}
