//! What happened elsewhere, and the mail it causes.

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{
    customer::{CustomerDeleted, RegistrationRepeated, TokenIssued},
    order::{OrderCancelled, OrderPlaced, OrderRefunded, OrderShipped},
};
use shared::{
    Result,
    events::{Consumer, Envelope, Event, Hears},
};

use crate::{Service, content::Content};

/// This module's name in the inbox.
pub const CONSUMER: &str = "notification";

/// What the module hears.
pub const HEARS: Hears = Hears {
    consumer: CONSUMER,
    kinds: &[
        TokenIssued::TYPE,
        RegistrationRepeated::TYPE,
        CustomerDeleted::TYPE,
        OrderPlaced::TYPE,
        OrderCancelled::TYPE,
        OrderShipped::TYPE,
        OrderRefunded::TYPE,
    ],
};

/// Hears for a [`Service`].
pub struct Ear(pub Arc<Service>);

#[async_trait]
impl Consumer for Ear {
    fn hears(&self) -> Hears {
        HEARS
    }

    async fn handle(&self, event: &Envelope) -> Result<()> {
        if event.is::<CustomerDeleted>() {
            return self.0.forget(event.id, event.parse::<CustomerDeleted>()?.customer_id).await;
        }
        match self.content(event)? {
            Some(content) => self.0.queue(event.id, content).await,
            None => Ok(()),
        }
    }
}

impl Ear {
    /// The mail that an event causes, if it causes one.
    fn content(&self, event: &Envelope) -> Result<Option<Content>> {
        let writer = self.0.writer();
        Ok(match event.kind.as_str() {
            TokenIssued::TYPE => Some(writer.token_issued(event.parse()?)),
            RegistrationRepeated::TYPE => Some(writer.registration_repeated(event.parse()?)),
            OrderPlaced::TYPE => Some(writer.order_placed(event.parse()?)),
            OrderCancelled::TYPE => {
                let cancelled: OrderCancelled = event.parse()?;
                cancelled.tell_shopper.then(|| writer.order_cancelled(cancelled.order))
            }
            OrderShipped::TYPE => Some(writer.order_shipped(event.parse()?)),
            OrderRefunded::TYPE => Some(writer.order_refunded(event.parse()?)),
            _ => None,
        })
    }
}
