//! What others say that concerns reviews.

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{
    customer::{CustomerDeleted, EmailVerified},
    order::OrderDelivered,
};
use shared::{
    Result,
    events::{Consumer, Envelope, Event, Hears},
};

use crate::{Service, model::buyer, store::Bought};

/// This module's name in the inbox.
pub const CONSUMER: &str = "review";

/// What the module hears.
pub const HEARS: Hears =
    Hears { consumer: CONSUMER, kinds: &[OrderDelivered::TYPE, EmailVerified::TYPE, CustomerDeleted::TYPE] };

/// The module's one ear.
pub struct Ear(pub Arc<Service>);

#[async_trait]
impl Consumer for Ear {
    fn hears(&self) -> Hears {
        HEARS
    }

    async fn handle(&self, event: &Envelope) -> Result<()> {
        let Self(service) = self;
        match event.kind.as_str() {
            OrderDelivered::TYPE => {
                let purchases = purchases(event.parse()?);
                service.store.delivered(event.id, purchases, service.settings).await
            }
            EmailVerified::TYPE => {
                let EmailVerified { customer_id, email } = event.parse()?;
                service.store.adopt(event.id, customer_id, buyer(&email), service.settings).await
            }
            CustomerDeleted::TYPE => {
                service.store.forget(event.id, event.parse::<CustomerDeleted>()?.customer_id).await
            }
            _ => Ok(()),
        }
    }
}

/// What was in the parcel. What is left of an erased person's order is nobody's purchase.
fn purchases(OrderDelivered { order, shipment }: OrderDelivered) -> Vec<Bought> {
    if order.email.as_str().ends_with(".invalid") {
        return Vec::new();
    }
    let arrived =
        |line: &&contracts::order::OrderLine| shipment.lines.iter().any(|l| l.line_id == line.line.id);
    let bought = |line: &contracts::order::OrderLine| Bought {
        order: order.id,
        product: line.line.product_id,
        customer: order.customer_id,
        buyer: buyer(&order.email),
    };
    order.lines.iter().filter(arrived).map(bought).collect()
}
