//! Commands that need other modules, as rows that survive a crash.

mod after_sale;
mod driver;
mod forward;
mod undo;

use contracts::{
    Actor,
    order::{Order, OrderId},
    payment::{Payment, RefundId},
    shipping::ShipmentId,
};
use serde::{Deserialize, Serialize};
use shared::{Error, Id, Time, ids::Entity};

pub(crate) use driver::Cancelling;

use crate::rows::{Json, LineRow, OrderRow, SagaRow, Word};

/// Names a saga.
pub enum SagaEntity {}
impl Entity for SagaEntity {
    const PREFIX: &'static str = "saga";
    const NOUN: &'static str = "saga";
}
/// A saga's id, derived from what it is about: nothing is begun twice.
pub type SagaId = Id<SagaEntity>;

/// What a saga is to bring about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Checkout,
    Cancel,
    Refund,
    Ship,
}

/// Who may touch it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SagaState {
    /// A driver goes forward until `next_at`, its lease.
    Running,
    /// Nobody does; the next try is at `next_at`.
    Parked,
    /// The shopper does something; at `next_at` the patience ends.
    Waiting,
    /// What was done is undone, by a driver or, from `next_at` on, by the next.
    Compensating,
    /// For ever.
    Done,
}

impl SagaState {
    /// The legal moves.
    pub const MOVES: &'static [(Self, Self)] = &[
        (Self::Running, Self::Running),
        (Self::Running, Self::Parked),
        (Self::Running, Self::Waiting),
        (Self::Running, Self::Compensating),
        (Self::Running, Self::Done),
        (Self::Parked, Self::Running),
        (Self::Parked, Self::Compensating),
        (Self::Waiting, Self::Running),
        (Self::Waiting, Self::Compensating),
        (Self::Compensating, Self::Compensating),
        (Self::Compensating, Self::Done),
    ];
}

/// What is done next. The order of the first block is the order of a checkout, of the second that of an undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Reserve,
    Claim,
    Authorize,
    /// The shopper's bank wants to hear from the shopper.
    Await,
    Commit,
    Capture,
    Place,
    CompleteCart,

    ReturnMoney,
    Restock,
    Unclaim,
    Release,
    Cancel,

    Refund,
    RestockRefund,

    CreateShipment,
}

/// What a saga must remember.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Payload {
    /// Who asked for it.
    pub actor: Actor,
    /// The payment token; forgotten as soon as the payment is authorised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The stock is sold: an undo restocks instead of releasing.
    #[serde(default)]
    pub committed: bool,
    /// The shopper was told that the order is on its way: they must hear of its end by mail.
    #[serde(default)]
    pub answered: bool,
    /// The last that the payment module said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Payment>,
    /// Why it is undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A person's words for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What the caller is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Error>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<RefundId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment: Option<ShipmentId>,
}

impl Payload {
    pub fn new(actor: Actor) -> Self {
        Self {
            actor,
            token: None,
            committed: false,
            answered: false,
            payment: None,
            reason: None,
            message: None,
            failure: None,
            refund: None,
            shipment: None,
        }
    }
}

/// A saga in the hands of its driver.
pub struct Saga {
    pub row: SagaRow,
    /// As it was when the driver took over: only what never changes may be read from it.
    pub order: OrderRow,
    pub lines: Vec<LineRow>,
    /// This driver began it: what it has not reached was not done.
    pub fresh: bool,
    /// The order that this driver has placed.
    pub placed: Option<Box<Order>>,
}

/// Where a driver left it.
pub enum Outcome {
    Placed(Box<Order>),
    Failed(Error),
    /// The rows tell.
    Rests,
}

/// What a step leads to.
pub enum Next {
    Step(Step),
    Rest,
}

impl Saga {
    pub fn payload(&mut self) -> &mut Payload {
        &mut self.row.payload.0
    }

    pub fn outcome(self) -> Outcome {
        let state = self.row.state.0;
        match (self.placed, self.row.payload.0.failure) {
            (Some(order), _) => Outcome::Placed(order),
            (None, Some(failure)) if matches!(state, SagaState::Compensating | SagaState::Done) => {
                Outcome::Failed(failure)
            }
            _ => Outcome::Rests,
        }
    }
}

/// The saga of an order's checkout.
pub fn checkout_id(order: OrderId) -> SagaId {
    SagaId::derived(&format!("checkout-{order}"))
}

/// The saga of a placed order's cancellation.
pub fn cancel_id(order: OrderId) -> SagaId {
    SagaId::derived(&format!("cancel-{order}"))
}

/// A new row. It belongs to whoever inserts it until `next_at`.
pub fn row(id: SagaId, order_id: OrderId, start: (Kind, Step), payload: Payload, times: Times) -> SagaRow {
    let (kind, step) = start;
    let state = if kind == Kind::Cancel { SagaState::Compensating } else { SagaState::Running };
    SagaRow {
        id,
        order_id,
        kind: Word(kind),
        state: Word(state),
        step: Word(step),
        version: 1,
        attempts: 0,
        next_at: times.lease,
        deadline: times.deadline,
        payload: Json(payload),
        created_at: times.now,
        updated_at: times.now,
    }
}

/// The moments that a new saga is given.
#[derive(Clone, Copy)]
pub struct Times {
    pub now: Time,
    pub lease: Time,
    pub deadline: Time,
}

/// Somebody else drives it now.
pub fn lost() -> Error {
    Error::conflict("saga_lost", "somebody else drives this saga")
}

pub fn is_lost(error: &Error) -> bool {
    error.code == "saga_lost"
}
