//! The steps of a checkout. Each is idempotent by the order's id, so only two need to be written down before the end:
//! that the payment is authorised (from here on the outcome of the commit decides), and that the order is placed.

use contracts::{
    Actor,
    order::{OrderPlaced, OrderStatus},
    payment::{Authorize, CaptureId, Payment, PaymentState},
    product::stock::StockLine,
};
use shared::{Error, Kind as Why, Result};

use super::{Next, Saga, SagaState, Step};
use crate::{
    Service, repo,
    rows::Word,
    service::{Change, view},
    settings::Capture,
};

impl Service {
    pub(super) async fn reserve(&self, saga: &mut Saga) -> Result<Next> {
        let lines = saga.lines.iter();
        let lines =
            lines.map(|line| StockLine { variant_id: line.variant_id, quantity: line.quantity }).collect();
        self.call("stock", self.stock.reserve(saga.order.id, lines, saga.row.deadline)).await?;
        self.crash.pass("saga.reserved");
        saga.row.attempts = 0;
        Ok(Next::Step(Step::Claim))
    }

    pub(super) async fn claim_coupons(&self, saga: &mut Saga) -> Result<Next> {
        let order = &saga.order;
        let promotions: Vec<_> =
            order.pricing.0.discounts.iter().map(|discount| discount.promotion_id).collect();
        if !promotions.is_empty() {
            self.call("cart", self.carts.claim(order.id, promotions, order.email.0.clone())).await?;
            self.crash.pass("saga.claimed");
        }
        saga.row.attempts = 0;
        Ok(Next::Step(Step::Authorize))
    }

    pub(super) async fn authorize(&self, saga: &mut Saga) -> Result<Next> {
        if saga.order.total == 0 {
            return self.save_step(saga, Step::Commit).await;
        }
        let request = Authorize {
            order_id: saga.order.id,
            amount: saga.order.total(),
            provider: saga.order.payment.0.provider.clone(),
            token: saga.row.payload.0.token.clone(),
            email: saga.order.email.0.clone(),
        };
        let payment = self.call("payment", self.payments.authorize(request)).await?;
        self.crash.pass("saga.authorized");
        self.judge(saga, payment).await
    }

    /// What the payment's state means for the order.
    async fn judge(&self, saga: &mut Saga, payment: Payment) -> Result<Next> {
        if payment.amount != saga.order.total() {
            let detail = format!("a payment of {} for an order of {}", payment.amount, saga.order.total());
            return Err(Error::conflict("payment_mismatch", detail));
        }
        let (state, decline) = (payment.status, payment.decline_code.clone());
        saga.payload().payment = Some(payment.clone());
        match state {
            PaymentState::Authorized | PaymentState::Captured => {
                saga.payload().token = None;
                self.save_step(saga, Step::Commit).await
            }
            PaymentState::RequiresAction => self.wait(saga, payment).await,
            PaymentState::Pending => Err(Error::unavailable("the provider has not answered yet")),
            PaymentState::Failed | PaymentState::Voided | PaymentState::Refunded => Err(declined(decline)),
        }
    }

    /// The shopper has to do something; the order says what.
    async fn wait(&self, saga: &mut Saga, payment: Payment) -> Result<Next> {
        saga.payload().answered = true;
        saga.row.step = Word(Step::Await);
        let (from, row) = self.successor(saga, SagaState::Waiting, saga.row.deadline);
        let (id, actor, now, written) = (saga.order.id, row.payload.0.actor, self.clock.now(), row.clone());
        self.db
            .transaction(async move |tx| {
                let mut change = Change::open(tx, id, actor, now).await?;
                change.payment(&payment)?;
                change.save(tx).await?;
                repo::sagas::save(tx, &written, from).await
            })
            .await?;
        saga.row = row;
        Ok(Next::Step(Step::Await))
    }

    /// Asks what became of the payment: after a wake-up, at the deadline, and once right after the waiting was written
    /// down, because the news may have come before there was anybody to wake.
    pub(super) async fn await_shopper(&self, saga: &mut Saga) -> Result<Next> {
        let payment = self.call("payment", self.payments.of_order(saga.order.id)).await;
        let waits = saga.row.state.0 == SagaState::Waiting;
        let payment = match payment {
            Err(_) if waits => return Ok(Next::Rest),
            payment => payment?.ok_or_else(|| Error::unavailable("the payment is not there yet"))?,
        };
        let acts = payment.status == PaymentState::RequiresAction;
        if acts && self.clock.now() >= saga.row.deadline {
            let detail = "the payment was not confirmed in time";
            return Err(Error::new(Why::Declined, "payment_expired", detail));
        }
        match (waits, acts) {
            (true, true) => Ok(Next::Rest),
            (false, true) => self.wait(saga, payment).await,
            (true, false) => {
                self.save(saga, SagaState::Running, self.lease()).await?;
                self.judge(saga, payment).await
            }
            (false, false) => self.judge(saga, payment).await,
        }
    }

    pub(super) async fn commit(&self, saga: &mut Saga) -> Result<Next> {
        match self.call("stock", self.stock.commit(saga.order.id)).await {
            Err(mut error) if error.code == "reservation_expired" => {
                error.code = "out_of_stock".into();
                return Err(error);
            }
            committed => committed?,
        }
        self.crash.pass("saga.committed");
        saga.payload().committed = true;
        saga.row.attempts = 0;
        let captured = saga.row.payload.0.payment.as_ref().map_or(0, |payment| payment.captured.amount);
        let later = self.settings.capture == Capture::AtFulfillment;
        Ok(Next::Step(if later || captured >= saga.order.total { Step::Place } else { Step::Capture }))
    }

    pub(super) async fn take_money(&self, saga: &mut Saga) -> Result<Next> {
        let (id, total) = (saga.order.id, saga.order.total());
        let capture = CaptureId::derived(&format!("{id}-0"));
        let payment = match self.call("payment", self.payments.capture(id, capture, total)).await {
            // What was held cannot be taken: for the shopper that is a decline.
            Err(error) if !error.is_transient() && error.kind != Why::Declined => {
                return Err(declined(Some(error.code.into_owned())));
            }
            payment => payment?,
        };
        self.crash.pass("saga.captured");
        saga.payload().payment = Some(payment);
        Ok(Next::Step(Step::Place))
    }

    /// The order is placed, and the saga knows it: one transaction.
    pub(super) async fn place(&self, saga: &mut Saga) -> Result<Next> {
        saga.row.step = Word(Step::CompleteCart);
        saga.row.attempts = 0;
        let (from, row) = self.successor(saga, SagaState::Running, self.lease());
        saga.row.step = Word(Step::Place);
        // Without the shopper it was the provider's message, or a worker after a crash.
        let actor = if saga.fresh { row.payload.0.actor } else { Actor::System };
        let (id, now, written, signer) = (saga.order.id, self.clock.now(), row.clone(), self.signer.clone());
        let order = self
            .db
            .transaction(async move |tx| {
                let mut change = Change::open(tx, id, actor, now).await?;
                match &written.payload.0.payment {
                    Some(payment) => change.payment(payment)?,
                    None => change.free()?,
                }
                change.status(OrderStatus::Placed, None)?;
                change.row.placed_at = Some(now);
                let row = change.save(tx).await?;
                repo::sagas::save(tx, &written, from).await?;
                let record = repo::record(tx, row).await?;
                let order = view::order(&signer, record, false);
                tx.emit("order", id, order.version, &OrderPlaced { order: order.clone() }).await?;
                Ok(order)
            })
            .await?;
        self.crash.pass("saga.placed");
        saga.row = row;
        saga.placed = Some(Box::new(order));
        Ok(Next::Step(Step::CompleteCart))
    }

    pub(super) async fn complete_cart(&self, saga: &mut Saga) -> Result<Next> {
        let (cart, order) = (saga.order.cart_id, saga.order.id);
        match self.call("cart", self.carts.complete(cart, order)).await {
            // The sale stands whatever the cart has become.
            Err(error) if !error.is_transient() => {
                tracing::warn!(%order, error = error.chain(), "the cart of a placed order could not be closed");
            }
            completed => completed?,
        }
        self.crash.pass("saga.completed");
        self.done(saga).await
    }
}

fn declined(code: Option<String>) -> Error {
    let error = Error::new(Why::Declined, "payment_declined", "the payment was declined");
    match code {
        Some(code) => error.with("decline_code", code),
        None => error,
    }
}
