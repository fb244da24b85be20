//! One change of an order: every move goes through the tables and leaves a row on the timeline.

use contracts::{
    Actor,
    order::{FulfillmentStatus, OrderId, OrderPayment, OrderPaymentStatus, OrderStatus},
    payment::{Payment, PaymentState},
    shipping::ShipmentStatus,
};
use shared::{Error, Result, Time, db::Conn};

use crate::{
    model::{self, Progress, State},
    repo,
    rows::{LineRow, OrderRow, ShipmentRow, TimelineRow, Word, word},
};

/// An order inside a transaction, locked, on its way to the next version.
pub(crate) struct Change {
    pub row: OrderRow,
    actor: Actor,
    now: Time,
    timeline: Vec<TimelineRow>,
    touched: bool,
}

impl Change {
    /// `NotFound/order`.
    pub async fn open(conn: &mut Conn, id: OrderId, actor: Actor, now: Time) -> Result<Self> {
        let mut row = repo::lock(conn, id).await?;
        row.version += 1;
        Ok(Self { row, actor, now, timeline: Vec::new(), touched: false })
    }

    /// Moves the order on.
    pub fn status(&mut self, to: OrderStatus, message: Option<String>) -> Result<()> {
        self.moved(self.row.status.0, to, message)?;
        self.row.status = Word(to);
        Ok(())
    }

    /// Takes over what the payment says. Sums only grow and states only go forward: old news changes nothing.
    pub fn payment(&mut self, payment: &Payment) -> Result<()> {
        // A payment that was closed before it began has no amount, and nothing to say about this order.
        if payment.amount.is_zero() || payment.amount.currency != self.row.currency.0 {
            return Ok(());
        }
        let captured = self.row.captured_total.max(payment.captured.amount);
        let refunded = self.row.refunded_total.max(payment.refunded.amount).min(captured);
        self.touched |= (captured, refunded) != (self.row.captured_total, self.row.refunded_total);
        (self.row.captured_total, self.row.refunded_total) = (captured, refunded);
        let shown = &self.row.payment.0;
        if model::payment_stage(payment.status) >= model::payment_stage(shown.status) {
            let news = shown_payment(payment);
            self.touched |= news != *shown;
            self.row.payment.0 = news;
        }
        let state = self.row.payment.0.status;
        let money = |amount| self.row.money(amount);
        let to = model::payment_status(state, money(captured), money(refunded), self.row.total());
        for to in model::payment_path(self.row.payment_status.0, to, captured > 0) {
            // What the table does not have is news from before the state we know.
            if model::check(self.row.payment_status.0, to).is_ok() {
                self.moved(self.row.payment_status.0, to, None)?;
                self.row.payment_status = Word(to);
            }
        }
        Ok(())
    }

    /// Nothing is to be paid.
    pub fn free(&mut self) -> Result<()> {
        self.row.payment.0.status = PaymentState::Captured;
        self.moved(self.row.payment_status.0, OrderPaymentStatus::Captured, None)?;
        self.row.payment_status = Word(OrderPaymentStatus::Captured);
        Ok(())
    }

    /// Moves the goods on as far as lines and parcels are; when all has arrived, the order is complete.
    pub fn goods(&mut self, lines: &[LineRow], shipments: &[ShipmentRow]) -> Result<()> {
        let lines: Vec<Progress> = lines.iter().map(LineRow::progress).collect();
        let delivered = shipments.iter().all(|shipment| shipment.status.0 == ShipmentStatus::Delivered);
        let to = model::fulfillment(&lines, delivered && !shipments.is_empty());
        for to in model::fulfillment_path(self.row.fulfillment_status.0, to) {
            self.moved(self.row.fulfillment_status.0, to, None)?;
            self.row.fulfillment_status = Word(to);
        }
        let arrived = self.row.fulfillment_status.0 == FulfillmentStatus::Delivered;
        if arrived && self.row.status.0 == OrderStatus::Placed {
            self.status(OrderStatus::Completed, None)?;
        }
        Ok(())
    }

    /// Something that is no move: a note, a refund, a parcel.
    pub fn remark(&mut self, kind: &str, to: Option<String>, message: Option<String>) {
        self.entry(kind, None, to, message);
    }

    /// Makes a new version although nothing here shows it.
    pub fn touch(&mut self) {
        self.touched = true;
    }

    /// Writes the order and its timeline, if anything has changed.
    pub async fn save(mut self, conn: &mut Conn) -> Result<OrderRow> {
        if !self.touched && self.timeline.is_empty() {
            self.row.version -= 1;
            return Ok(self.row);
        }
        self.row.updated_at = self.now;
        if !repo::update(conn, &self.row).await? {
            return Err(Error::unavailable("the order is being changed by somebody else"));
        }
        for entry in &self.timeline {
            repo::parts::insert_entry(conn, entry).await?;
        }
        Ok(self.row)
    }

    fn moved<S: State>(&mut self, from: S, to: S, message: Option<String>) -> Result<()> {
        model::check(from, to)?;
        self.entry(S::NAME, Some(word(&from)), Some(word(&to)), message);
        Ok(())
    }

    fn entry(&mut self, kind: &str, from: Option<String>, to: Option<String>, message: Option<String>) {
        self.timeline.push(TimelineRow {
            order_id: self.row.id,
            version: self.row.version,
            position: i64::try_from(self.timeline.len()).unwrap_or(i64::MAX),
            at: self.now,
            kind: kind.to_owned(),
            moved_from: from,
            moved_to: to,
            message,
            actor: self.actor.to_column(),
        });
    }
}

fn shown_payment(payment: &Payment) -> OrderPayment {
    OrderPayment {
        provider: payment.provider.clone(),
        status: payment.status,
        next_action: payment.next_action.clone(),
        decline_code: payment.decline_code.clone(),
    }
}
