//! Payments: authorise, capture, void, refund; webhooks; the ledger.

use serde::{Deserialize, Serialize};
use shared::{
    Id, Money, Time,
    events::Event,
    ids::Entity,
    port,
    values::{Blob, Email},
};

use crate::order::OrderId;

/// Names a payment.
pub enum PaymentEntity {}
impl Entity for PaymentEntity {
    const PREFIX: &'static str = "pay";
    const NOUN: &'static str = "payment";
}
/// A payment's id.
pub type PaymentId = Id<PaymentEntity>;

/// Names a capture.
pub enum CaptureEntity {}
impl Entity for CaptureEntity {
    const PREFIX: &'static str = "cap";
    const NOUN: &'static str = "capture";
}
/// A capture's id; it is also the provider's idempotency key.
pub type CaptureId = Id<CaptureEntity>;

/// Names a refund.
pub enum RefundEntity {}
impl Entity for RefundEntity {
    const PREFIX: &'static str = "ref";
    const NOUN: &'static str = "refund";
}
/// A refund's id; it is also the provider's idempotency key.
pub type RefundId = Id<RefundEntity>;

port! {
    /// Money. Every command is written down before the provider hears of it and carries an id that makes it happen once.
    pub trait Payments as "payment" repeats [authorize, capture, void, refund, of_order, webhook, reconcile, ledger, import] {
        /// One payment per order: repeated, it goes on where the first call stopped (same idempotency key).
        /// A decline is an answer (`status: failed`), not an error. `Unavailable/payment_unknown` when the provider did
        /// not answer in time: ask again, or let the reconciler find out.
        async fn authorize(&self, request: Authorize) -> Payment;
        /// Sum of captures <= authorised, else `Invalid/amount_exceeds_authorized`. Idempotent by id.
        async fn capture(&self, order_id: OrderId, id: CaptureId, amount: Money) -> Payment;
        /// Gives the uncaptured rest back. Nothing to give back is success; a payment that was never authorised is closed
        /// so that it can never be.
        async fn void(&self, order_id: OrderId) -> Payment;
        /// Sum of refunds <= captured, else `Invalid/amount_exceeds_captured`. Idempotent by id.
        async fn refund(&self, order_id: OrderId, id: RefundId, amount: Money, reason: String) -> Payment;
        async fn of_order(&self, order_id: OrderId) -> Option<Payment>;
        /// Stores a provider's message after checking its signature over the raw bytes; what it says happens later.
        /// `Malformed/invalid_signature`; `NotFound` for an unknown provider.
        async fn webhook(&self, provider: String, signature: String, body: Blob) -> ();
        /// The test provider's shopper says yes (or no) to the extra step: the provider then sends its webhook.
        async fn confirm_test_step(&self, reference: String, accept: bool) -> ();
        /// Compares every payment changed since the last run with the provider and repairs what only it knows.
        async fn reconcile(&self) -> ReconcileReport;
        /// The ledger of an order, oldest first: debits equal credits.
        async fn ledger(&self, order_id: OrderId) -> Vec<LedgerEntry>;
        /// Demo data: captured payments that no provider knows.
        async fn import(&self, payments: Vec<ImportPayment>) -> ();
    }
}

/// Wants to be paid.
#[derive(Clone, Serialize, Deserialize)]
pub struct Authorize {
    pub order_id: OrderId,
    pub amount: Money,
    pub provider: String,
    /// The provider's name for a card; never a card number.
    pub token: Option<String>,
    pub email: Email,
}

impl std::fmt::Debug for Authorize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authorize({} for {} by {})", self.amount, self.order_id, self.provider)
    }
}

/// How far a payment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// Written down; the provider has not answered.
    Pending,
    /// The shopper must do something: see `next_action`.
    RequiresAction,
    Authorized,
    /// Fully or partly; see the sums.
    Captured,
    /// Declined.
    Failed,
    Voided,
    /// Everything captured went back.
    Refunded,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Payment {
    pub id: PaymentId,
    pub order_id: OrderId,
    pub provider: String,
    /// The provider's name for it.
    pub reference: Option<String>,
    pub status: PaymentState,
    pub amount: Money,
    pub authorized: Money,
    pub captured: Money,
    pub refunded: Money,
    pub next_action: Option<NextAction>,
    /// Why it failed: `declined`, `insufficient_funds`.
    pub decline_code: Option<String>,
    pub created_at: Time,
    pub updated_at: Time,
}

/// What the shopper must do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NextAction {
    /// `redirect`.
    pub kind: String,
    /// Where to.
    pub url: String,
}

/// One line of the double-entry ledger. Accounts: `receivable`, `provider`, `sales`, `refunds`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LedgerEntry {
    pub order_id: OrderId,
    /// Entries of one movement of money share it.
    pub transaction_id: String,
    pub account: String,
    /// Positive: debit; negative: credit. A transaction's entries sum to 0.
    pub amount: Money,
    pub at: Time,
}

/// What a comparison with the provider found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReconcileReport {
    pub checked: u64,
    /// Payments that moved on because the provider knew more.
    pub repaired: u64,
    /// Differences that a person must look at.
    pub cases: Vec<ReconcileCase>,
}

/// A difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReconcileCase {
    pub reference: String,
    pub order_id: Option<OrderId>,
    /// `only_at_provider`, `only_here`, `amount_differs`.
    pub kind: String,
    pub detail: String,
}

/// A payment of the past.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportPayment {
    pub order_id: OrderId,
    pub amount: Money,
    /// Part of `amount`.
    pub refunded: Money,
    pub at: Time,
}

/// A payment's state or sums are different.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PaymentChanged {
    pub payment: Payment,
}
impl Event for PaymentChanged {
    const TYPE: &'static str = "payment.changed";
}
