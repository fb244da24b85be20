//! Cancelling, as whoever asks for it sees it.

use std::time::Duration;

use contracts::order::{FulfillmentStatus, Order, OrderId, OrderStatus, Viewer};
use shared::{Error, Kind as Why, Result, Time, db::Tx, values};
use tokio::time::Instant;

use super::{Service, view};
use crate::{
    model, repo,
    rows::{OrderRow, word},
    saga::{self, Cancelling, Kind, Payload, Saga, SagaId, SagaState, Step, Times},
};

impl Service {
    pub(super) async fn cancel_order(
        &self,
        id: OrderId,
        reason: Option<String>,
        viewer: Viewer,
        deadline: Instant,
    ) -> Result<Order> {
        let message = reason.filter(|text| !text.trim().is_empty());
        let message = message.map(|text| values::text("/reason", &text, 500)).transpose()?;
        loop {
            let rested = self.rested.notified();
            let row = repo::find(&mut self.db.get().await?, id).await?;
            if !view::may_see(&self.signer, &row, &viewer) {
                return Err(OrderId::not_found());
            }
            let due = match row.status.0 {
                OrderStatus::Cancelled => return self.read(id, &viewer).await,
                OrderStatus::Pending => self.cancel_pending(id, &viewer, &message).await?,
                OrderStatus::Placed | OrderStatus::Completed => {
                    self.cancel_placed(id, &viewer, &message).await?
                }
            };
            if let Some(due) = due {
                self.resume(due).await?;
                continue;
            }
            if Instant::now() >= deadline {
                let detail = "the order is being cancelled; look again";
                return Err(Error::new(Why::Unavailable, "cancel_pending", detail).retry_after(2));
            }
            let _ = tokio::time::timeout(Duration::from_millis(100), rested).await;
        }
    }

    /// An order that nobody drives is turned back. One that is being paid for right now is waited for.
    async fn cancel_pending(
        &self,
        id: OrderId,
        viewer: &Viewer,
        message: &Option<String>,
    ) -> Result<Option<SagaId>> {
        let saga = repo::sagas::get(&mut self.db.get().await?, saga::checkout_id(id)).await?;
        let saga = saga.ok_or_else(|| Error::internal("a pending order without a saga"))?;
        let idle = matches!(saga.state.0, SagaState::Waiting | SagaState::Parked);
        if idle && matches!(saga.step.0, Step::Authorize | Step::Await) {
            let by = Cancelling { actor: Some(view::actor(viewer)), message: message.clone() };
            let failure = Error::conflict("order_cancelled", "the order was cancelled");
            self.turn_back(saga, reason(viewer), failure, by).await?;
            return Ok(None);
        }
        Ok((saga.next_at <= self.clock.now()).then_some(saga.id))
    }

    /// Begins the saga that cancels, or finds it begun.
    async fn cancel_placed(
        &self,
        id: OrderId,
        viewer: &Viewer,
        message: &Option<String>,
    ) -> Result<Option<SagaId>> {
        let (now, lease) = (self.clock.now(), self.lease());
        let times = Times { now, lease, deadline: lease };
        let mut payload = Payload::new(view::actor(viewer));
        (payload.committed, payload.message) = (true, message.clone());
        payload.reason = Some(reason(viewer).to_owned());
        let begun = self.db.transaction(async move |tx| begin(tx, id, payload.clone(), times).await).await?;
        match begun {
            Begun::Mine(saga) => {
                self.launch(*saga).await.map_err(Error::internal)?;
                Ok(None)
            }
            Begun::Known(due) => Ok(due),
        }
    }
}

enum Begun {
    Mine(Box<Saga>),
    /// Somebody has begun it, and perhaps it is due.
    Known(Option<SagaId>),
}

async fn begin(tx: &mut Tx, id: OrderId, payload: Payload, times: Times) -> Result<Begun> {
    let order = repo::lock(tx, id).await?;
    let saga_id = saga::cancel_id(id);
    if let Some(saga) = repo::sagas::get(tx, saga_id).await? {
        let due = saga.state.0 != SagaState::Done && saga.next_at <= times.now;
        return Ok(Begun::Known(due.then_some(saga.id)));
    }
    may_cancel(&order)?;
    if repo::parts::refunds(tx, id).await?.iter().any(|refund| refund.status == "pending") {
        return Err(Error::conflict(
            "refund_in_progress",
            "a refund of this order is under way; try again later",
        ));
    }
    let row = saga::row(saga_id, id, (Kind::Cancel, Step::ReturnMoney), payload, times);
    repo::sagas::insert(tx, &row).await?;
    let lines = repo::lines::of_order(tx, id).await?;
    Ok(Begun::Mine(Box::new(Saga { row, order, lines, fresh: true, placed: None })))
}

/// What was sent must come back before its money does.
fn may_cancel(order: &OrderRow) -> Result<()> {
    model::check(order.status.0, OrderStatus::Cancelled)?;
    if order.fulfillment_status.0 == FulfillmentStatus::Unfulfilled {
        return Ok(());
    }
    Err(Error::illegal_transition(
        "an order whose goods were sent (use a return)",
        word(&order.fulfillment_status.0),
        "cancelled",
    ))
}

/// `Conflict/illegal_transition` while the order is being cancelled.
pub(crate) async fn forbid_while_cancelling(tx: &mut Tx, id: OrderId, to: &str) -> Result<()> {
    match repo::sagas::get(tx, saga::cancel_id(id)).await? {
        Some(_) => Err(Error::illegal_transition("an order that is being cancelled", "cancelled", to)),
        None => Ok(()),
    }
}

fn reason(viewer: &Viewer) -> &'static str {
    match viewer {
        Viewer::Customer(_) | Viewer::Token(_) => "customer",
        Viewer::Staff(_) => "staff",
        Viewer::System => "system",
    }
}

/// A cancelled order whose payment was authorised or captured after all: the money must go back.
pub(crate) fn late_money(order: OrderId, sequence: i64, now: Time) -> crate::rows::SagaRow {
    let mut payload = Payload::new(contracts::Actor::System);
    payload.reason = Some("late_payment".to_owned());
    let id = SagaId::derived(&format!("late-{order}-{sequence}"));
    saga::row(id, order, (Kind::Cancel, Step::ReturnMoney), payload, Times { now, lease: now, deadline: now })
}
