use std::time::Duration;

use serde::Deserialize;

/// What an operator may choose.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// When the money is taken.
    pub capture: Capture,
    /// How long stock is held for an order that is not paid. An order that waits for its shopper is cancelled then.
    pub reservation_seconds: u64,
    /// How long a request waits for an outcome before it answers `payment_unknown`.
    pub checkout_deadline_seconds: u64,
    /// How often a payment provider that does not answer is asked before the order is cancelled.
    pub payment_attempts: u32,
    /// How long a driver owns a saga without a sign of life. Must be longer than `call_timeout_seconds`.
    pub lease_seconds: u64,
    /// How long one call of another module may take.
    pub call_timeout_seconds: u64,
    /// How long an order that waits for its shopper keeps a second checkout of the same cart away.
    pub supersede_seconds: u64,
    /// How long answers are remembered by their key; at least 24 hours.
    pub idempotency_hours: u64,
}

/// When the money is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capture {
    /// When the order is placed.
    AtCheckout,
    /// When the first parcel is sent.
    AtFulfillment,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            capture: Capture::AtCheckout,
            reservation_seconds: 900,
            checkout_deadline_seconds: 10,
            payment_attempts: 8,
            lease_seconds: 30,
            call_timeout_seconds: 10,
            supersede_seconds: 10,
            idempotency_hours: 48,
        }
    }
}

impl Settings {
    pub(crate) fn reservation(&self) -> Duration {
        Duration::from_secs(self.reservation_seconds)
    }

    pub(crate) fn checkout_deadline(&self) -> Duration {
        Duration::from_secs(self.checkout_deadline_seconds)
    }

    pub(crate) fn lease(&self) -> Duration {
        Duration::from_secs(self.lease_seconds)
    }

    pub(crate) fn call_timeout(&self) -> Duration {
        Duration::from_secs(self.call_timeout_seconds)
    }

    pub(crate) fn supersede(&self) -> Duration {
        Duration::from_secs(self.supersede_seconds)
    }

    pub(crate) fn idempotency(&self) -> Duration {
        Duration::from_secs(self.idempotency_hours * 3600)
    }
}
