//! What others say that concerns carts.

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{cart::PromotionChanged, customer::CustomerDeleted};
use shared::{
    Result,
    events::{Consumer, Envelope, Event, Hears},
};

use crate::service::Service;

/// What the module hears.
pub const HEARS: Hears = Hears { consumer: "cart", kinds: &[PromotionChanged::TYPE, CustomerDeleted::TYPE] };

/// The module's one ear. Both effects may happen twice: reading anew and deleting what is gone change nothing.
pub struct Ear(pub Arc<Service>);

#[async_trait]
impl Consumer for Ear {
    fn hears(&self) -> Hears {
        HEARS
    }

    fn follows(&self) -> &'static [&'static str] {
        &[PromotionChanged::TYPE]
    }

    async fn handle(&self, event: &Envelope) -> Result<()> {
        if event.is::<CustomerDeleted>() {
            return self.0.forget(event.parse::<CustomerDeleted>()?.customer_id).await;
        }
        self.0.refresh().await
    }
}
