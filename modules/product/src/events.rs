//! What the module hears, all of it its own: the index and the tree follow.

use std::sync::Arc;

use async_trait::async_trait;
use contracts::product::{CategoryChanged, PricesChanged, ProductChanged, stock::StockChanged};
use shared::{
    Result,
    events::{Consumer, Envelope, Event},
};

use crate::Service;

/// Hands on which products search must read again. The index is derived data and catches up by itself, so that an event
/// taken twice or lost does no harm and needs no inbox.
pub struct SearchConsumer(pub Arc<Service>);

#[async_trait]
impl Consumer for SearchConsumer {
    fn name(&self) -> &'static str {
        "product.search"
    }

    fn hears(&self) -> &'static [&'static str] {
        &[ProductChanged::TYPE, StockChanged::TYPE, CategoryChanged::TYPE, PricesChanged::TYPE]
    }

    async fn handle(&self, event: &Envelope) -> Result<()> {
        let Self(service) = self;
        if event.is::<ProductChanged>() {
            service.branches.forget_counts();
            service.indexer.enqueue([event.parse::<ProductChanged>()?.product_id]);
        } else if event.is::<StockChanged>() {
            let items = event.parse::<StockChanged>()?.items;
            let flipped: Vec<_> =
                items.iter().filter(|item| item.flipped).map(|item| item.product_id).collect();
            if !flipped.is_empty() {
                service.indexer.enqueue(flipped);
            }
        } else if event.is::<CategoryChanged>() {
            service.branches.refresh(&*service.catalogue).await?;
            service.indexer.enqueue_touched();
        } else if event.is::<PricesChanged>() {
            service.indexer.enqueue_touched();
        }
        Ok(())
    }
}
