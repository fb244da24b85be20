//! Captures, and what the payment module says of its own accord.

use contracts::{
    Actor,
    order::{Order, OrderId, OrderPaymentStatus, OrderStatus, Viewer},
    payment::{CaptureId, Payment, PaymentChanged, PaymentState},
};
use shared::{
    Error, Kind as Why, Money, Result,
    events::{Envelope, inbox},
};

use super::{Change, Service, cancel};
use crate::{
    model, repo,
    rows::{OrderRow, word},
    saga,
};

impl Service {
    pub(super) async fn capture_order(
        &self,
        id: OrderId,
        amount: Option<Money>,
        key: String,
        actor: Actor,
    ) -> Result<Order> {
        let row = repo::find(&mut self.db.get().await?, id).await?;
        may_capture(&row)?;
        let rest = row.total().sub(row.money(row.captured_total))?;
        let amount = amount.unwrap_or(rest);
        amount.same_currency(rest).map_err(|error| error.under("/amount"))?;
        if amount.amount < 0 || (amount.is_zero() && !rest.is_zero()) {
            return Err(Error::invalid("/amount", "out_of_range", "must be more than nothing"));
        }
        if amount.amount > 0 {
            let capture = CaptureId::derived(&format!("{id}-{key}"));
            self.charge(id, capture, amount, actor).await?;
        }
        self.read(id, &Viewer::System).await
    }

    /// The first parcel needs the whole price, where that is not captured at once.
    pub(super) async fn capture_rest(&self, row: &OrderRow, actor: Actor) -> Result<()> {
        let rest = row.total().sub(row.money(row.captured_total))?;
        if row.payment_status.0 != OrderPaymentStatus::Authorized || rest.amount <= 0 {
            return Ok(());
        }
        let capture = CaptureId::derived(&format!("{}-fulfillment-{}", row.id, row.captured_total));
        self.charge(row.id, capture, rest, actor).await
    }

    async fn charge(&self, id: OrderId, capture: CaptureId, amount: Money, actor: Actor) -> Result<()> {
        let payment = self.call("payment", self.payments.capture(id, capture, amount)).await;
        let payment = payment.map_err(|error| match error.code.as_ref() {
            "amount_exceeds_authorized" if error.fields.is_empty() => {
                Error::invalid("/amount", "amount_exceeds_authorized", error.detail)
            }
            _ => error,
        })?;
        self.paid(id, payment, actor).await
    }

    /// Writes down what the payment module has answered.
    async fn paid(&self, id: OrderId, payment: Payment, actor: Actor) -> Result<()> {
        let now = self.clock.now();
        self.db
            .transaction(async move |tx| {
                let mut change = Change::open(tx, id, actor, now).await?;
                change.payment(&payment)?;
                change.save(tx).await.map(drop)
            })
            .await
    }

    /// The payment has changed. A checkout that waits for it goes on, a placed order takes over the sums, and a
    /// cancelled one gives back what came too late.
    pub(crate) async fn payment_changed(&self, consumer: &'static str, event: &Envelope) -> Result<()> {
        let (event_id, sequence) = (event.id, event.sequence);
        let payment = event.parse::<PaymentChanged>()?.payment;
        let now = self.clock.now();
        self.db
            .transaction(async move |tx| {
                if !inbox::first(tx, consumer, event_id).await? {
                    return Ok(());
                }
                let id = payment.order_id;
                let row = match repo::lock(tx, id).await {
                    Err(error) if error.kind == Why::NotFound => return Ok(()),
                    row => row?,
                };
                if !repo::advance_payment(tx, id, sequence).await? {
                    return Ok(());
                }
                if row.status.0 == OrderStatus::Pending {
                    repo::sagas::wake(tx, saga::checkout_id(id), now).await?;
                    return Ok(());
                }
                let mut change = Change::open(tx, id, Actor::Provider, now).await?;
                change.payment(&payment)?;
                let row = change.save(tx).await?;
                let late = row.status.0 == OrderStatus::Cancelled && keeps_money(&payment);
                if late && repo::sagas::unfinished(tx, id).await?.is_empty() {
                    repo::sagas::insert(tx, &cancel::late_money(id, sequence, now)).await?;
                }
                Ok(())
            })
            .await?;
        self.due.notify_one();
        Ok(())
    }
}

/// The provider holds money of the shopper.
fn keeps_money(payment: &Payment) -> bool {
    payment.status == PaymentState::Authorized || payment.captured.amount > payment.refunded.amount
}

fn may_capture(row: &OrderRow) -> Result<()> {
    use OrderPaymentStatus::{Authorized, Captured, PartiallyRefunded};
    let status = row.payment_status.0;
    if row.is_placed() && matches!(status, Authorized | Captured | PartiallyRefunded) {
        return Ok(());
    }
    if row.is_placed() {
        model::check(status, Captured)?;
    }
    Err(Error::illegal_transition("a payment", word(&status), "captured"))
}
