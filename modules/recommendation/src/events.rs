//! What others say that concerns recommendations.

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{
    customer::CustomerDeleted,
    order::{Order, OrderCancelled, OrderPlaced},
    product::{ProductChanged, stock::StockChanged},
    recommendation::{Interaction, InteractionKind, Visitor, VisitorId},
    review::AggregateChanged,
};
use shared::{
    Result, Time,
    events::{Consumer, Envelope, Event, Hears},
};

use crate::Service;

/// This module's name in the inbox.
pub const CONSUMER: &str = "recommendation";

/// What the module hears.
pub const HEARS: Hears = Hears {
    consumer: CONSUMER,
    kinds: &[
        OrderPlaced::TYPE,
        OrderCancelled::TYPE,
        ProductChanged::TYPE,
        StockChanged::TYPE,
        AggregateChanged::TYPE,
        CustomerDeleted::TYPE,
    ],
};

/// The module's one ear.
pub struct Ear(pub Arc<Service>);

#[async_trait]
impl Consumer for Ear {
    fn hears(&self) -> Hears {
        HEARS
    }

    fn follows(&self) -> &'static [&'static str] {
        &[ProductChanged::TYPE, StockChanged::TYPE, AggregateChanged::TYPE]
    }

    async fn handle(&self, event: &Envelope) -> Result<()> {
        let Self(service) = self;
        match event.kind.as_str() {
            OrderPlaced::TYPE => {
                let OrderPlaced { order } = event.parse()?;
                service.bought(event.id, order.id, purchases(&order, event.occurred_at)).await
            }
            OrderCancelled::TYPE => {
                let OrderCancelled { order, .. } = event.parse()?;
                service.cancelled(event.id, order.id, purchases(&order, event.occurred_at)).await
            }
            // What is in memory is read anew, so that it does not matter how often it is heard.
            ProductChanged::TYPE => service.refresh(event.parse::<ProductChanged>()?.product_id).await,
            AggregateChanged::TYPE => service.refresh(event.parse::<AggregateChanged>()?.product_id).await,
            StockChanged::TYPE => {
                service.catalogue.stock(&event.parse::<StockChanged>()?.items);
                Ok(())
            }
            CustomerDeleted::TYPE => {
                service.forget_customer(event.id, event.parse::<CustomerDeleted>()?.customer_id).await
            }
            _ => Ok(()),
        }
    }
}

/// Each product once, when the order was placed: its cancellation names the same. A guest's order is a visitor of its own:
/// it says what goes together, and nothing of the guest.
fn purchases(order: &Order, heard_at: Time) -> Vec<Interaction> {
    let at = order.placed_at.unwrap_or(heard_at);
    let visitor = match order.customer_id {
        Some(customer) => Visitor { customer_id: Some(customer), visitor_id: None },
        None => Visitor { customer_id: None, visitor_id: Some(VisitorId::derived(&order.id.to_string())) },
    };
    let mut products: Vec<_> = order.lines.iter().map(|line| line.line.product_id).collect();
    products.sort();
    products.dedup();
    let purchase = |product_id| Interaction { visitor, product_id, kind: InteractionKind::Purchase, at };
    products.into_iter().map(purchase).collect()
}
