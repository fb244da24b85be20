//! What a payment provider must be able to do. Shaped after Stripe's PaymentIntents with manual capture.

use async_trait::async_trait;
use contracts::{
    order::OrderId,
    payment::{Payment, PaymentId},
};
use shared::{Money, Result, Time, values::Email};

pub mod signature;
pub mod test;

/// Somebody else's computer that moves money.
///
/// Errors: a transient one (`Error::is_transient`) means that nobody knows whether it happened, and the same call with the
/// same key may be sent again; any other means that it did not happen and will not. A key that was used with other
/// parameters is `Invalid/idempotency_key_reused`.
#[async_trait]
pub trait Provider: Send + Sync {
    /// As orders name it.
    fn name(&self) -> &'static str;

    /// Refuses a token that cannot be one, before anything is written: `Invalid` at `/payment/token`, code `token`.
    fn check_token(&self, token: Option<&str>) -> Result<()>;

    /// Holds money without taking it. The key is `intent.payment_id`.
    async fn authorize(&self, intent: &Intent) -> Result<Answer>;

    /// Takes a part of what is held.
    async fn capture(&self, handle: &Handle, key: &str, amount: Money) -> Result<()>;

    /// Gives back what is held and not captured. Nothing to give back is success. A payment the provider has not heard of
    /// is closed under its key, where the provider can do that, so that it can never be authorised later.
    async fn void(&self, handle: &Handle) -> Result<()>;

    /// Gives back a part of what was captured.
    async fn refund(&self, handle: &Handle, key: &str, amount: Money) -> Result<()>;

    /// The provider's truth; `None` if it has never heard of it.
    async fn fetch(&self, lookup: &Lookup) -> Result<Option<Truth>>;

    /// Everything that changed at `since` or later, page by page, oldest first. A payment may come more than once.
    async fn list_changed(&self, since: Time, page: Option<String>) -> Result<Changes>;

    /// Checks the signature over the raw bytes and reads what the message is about. `Malformed/invalid_signature`;
    /// without a configured secret every message is refused.
    fn verify_webhook(&self, signature: &str, body: &[u8], now: Time) -> Result<WebhookEvent>;
}

/// A wish to hold money. All of it is the same when it is sent again.
#[derive(Clone)]
pub struct Intent {
    /// The idempotency key; goes into the provider's metadata.
    pub payment_id: PaymentId,
    /// Goes into the provider's metadata.
    pub order_id: OrderId,
    /// How much.
    pub amount: Money,
    /// The provider's name for a card.
    pub token: Option<String>,
    /// For the provider's receipt.
    pub email: Email,
}

/// How an authorisation went.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The provider's name for the payment.
    pub reference: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of an authorisation.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The money is held.
    Authorized,
    /// The shopper must go to `url` first; a webhook tells the rest.
    RequiresAction {
        /// Absolute, or a path in the shop.
        url: String,
    },
    /// No.
    Failed {
        /// `declined`, `insufficient_funds`, …
        decline_code: String,
    },
}

/// Names a payment of ours to its provider.
#[derive(Clone, Debug)]
pub struct Handle {
    /// The key it was authorised with.
    pub payment_id: PaymentId,
    /// In the provider's metadata.
    pub order_id: OrderId,
    /// Unknown if the provider's answer never came.
    pub reference: Option<String>,
    /// What was asked for.
    pub amount: Money,
}

impl From<&Payment> for Handle {
    fn from(payment: &Payment) -> Self {
        let Payment { id, order_id, reference, amount, .. } = payment.clone();
        Self { payment_id: id, order_id, reference, amount }
    }
}

/// How to find a payment at its provider.
#[derive(Clone, Debug)]
pub enum Lookup {
    /// By the provider's name for it.
    Reference(String),
    /// By what we wrote into its metadata.
    Order(OrderId),
}

/// What the provider knows of a payment, in minor units of `amount.currency`.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// The provider's name for it.
    pub reference: String,
    /// From the metadata; `None` if somebody else made it.
    pub payment_id: Option<PaymentId>,
    /// From the metadata.
    pub order_id: Option<OrderId>,
    /// What was asked for.
    pub amount: Money,
    /// How far it is.
    pub state: TruthState,
    /// Captured, or can still be captured. Once authorised it only shrinks.
    pub authorized: i64,
    /// Only grows.
    pub captured: i64,
    /// Only grows.
    pub refunded: i64,
}

/// How far a payment is at the provider.
#[derive(Clone, Debug, PartialEq)]
pub enum TruthState {
    /// Nothing decided.
    Open,
    /// Waits for the shopper.
    NeedsShopper {
        /// Where the shopper must go.
        url: String,
    },
    /// Held or captured: see the sums.
    Authorized,
    /// Declined.
    Failed {
        /// Why.
        decline_code: String,
    },
    /// Given back before anything was captured.
    Voided,
}

/// A page of changed payments.
#[derive(Clone, Debug)]
pub struct Changes {
    /// As they are now.
    pub payments: Vec<Truth>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
}

/// What a provider's message is about. What it says is not believed: the truth is fetched.
#[derive(Clone, Debug, PartialEq)]
pub struct WebhookEvent {
    /// Unique at the provider.
    pub id: String,
    /// `payment.captured`, …
    pub kind: String,
    /// The payment it is about.
    pub reference: String,
    /// The payment's amount, if the message says it.
    pub amount: Option<Money>,
}
