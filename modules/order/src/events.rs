//! What other modules' news does to orders.

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{
    customer::{CustomerDeleted, EmailVerified},
    payment::PaymentChanged,
    shipping::ShipmentChanged,
};
use shared::{
    Result,
    events::{Consumer, Envelope, Event, Hears},
};

use crate::Service;

/// What the module hears.
pub const HEARS: Hears = Hears {
    consumer: NAME,
    kinds: &[PaymentChanged::TYPE, ShipmentChanged::TYPE, EmailVerified::TYPE, CustomerDeleted::TYPE],
};

/// The module's ear.
struct Ear(Service);

const NAME: &str = "order";

#[async_trait]
impl Consumer for Ear {
    fn hears(&self) -> Hears {
        HEARS
    }

    async fn handle(&self, event: &Envelope) -> Result<()> {
        match event.kind.as_str() {
            PaymentChanged::TYPE => self.0.payment_changed(NAME, event).await,
            ShipmentChanged::TYPE => self.0.shipment_changed(NAME, event).await,
            EmailVerified::TYPE => self.0.email_verified(NAME, event).await,
            CustomerDeleted::TYPE => self.0.customer_deleted(NAME, event).await,
            _ => Ok(()),
        }
    }
}

impl Service {
    /// What it hears.
    pub fn consumers(self: &Arc<Self>) -> Vec<Arc<dyn Consumer>> {
        vec![Arc::new(Ear(Self::clone(self)))]
    }
}
