//! What the module hears: its own events, which the index and the tree follow, what metadata says of products, and what
//! reviews add up to.

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{
    metadata::{DefinitionChanged, MetafieldsChanged, Owner},
    product::{CategoryChanged, PricesChanged, ProductChanged, ProductId, stock::StockChanged},
    review::AggregateChanged,
};
use shared::{
    Result,
    events::{Consumer, Envelope, Event, Hears},
};

use crate::Service;

/// This module's name in the inbox.
pub const CONSUMER: &str = "product";

/// The name in the inbox of the part that hears of reviews.
pub const RATINGS: &str = "product.ratings";

/// What the module hears, one part of it after the other.
pub const HEARS: [Hears; 3] = [HEARS_RATINGS, HEARS_FIELDS, HEARS_PRODUCTS];
const HEARS_RATINGS: Hears = Hears { consumer: RATINGS, kinds: &[AggregateChanged::TYPE] };
const HEARS_FIELDS: Hears =
    Hears { consumer: CONSUMER, kinds: &[MetafieldsChanged::TYPE, DefinitionChanged::TYPE] };
const HEARS_PRODUCTS: Hears = Hears {
    consumer: "product.search",
    kinds: &[ProductChanged::TYPE, StockChanged::TYPE, CategoryChanged::TYPE, PricesChanged::TYPE],
};

/// Keeps the stars that reviews add up to.
pub struct RatingConsumer(pub Arc<Service>);

#[async_trait]
impl Consumer for RatingConsumer {
    fn hears(&self) -> Hears {
        HEARS_RATINGS
    }

    async fn handle(&self, event: &Envelope) -> Result<()> {
        self.0.catalogue.rate(event.id, event.sequence, event.parse()?).await
    }
}

/// Keeps what metadata says of products, for search.
pub struct FieldsConsumer(pub Arc<Service>);

#[async_trait]
impl Consumer for FieldsConsumer {
    fn hears(&self) -> Hears {
        HEARS_FIELDS
    }

    async fn handle(&self, event: &Envelope) -> Result<()> {
        let Self(service) = self;
        if event.is::<MetafieldsChanged>() {
            let changed: MetafieldsChanged = event.parse()?;
            let product = changed.entity_id.parse::<ProductId>().ok();
            if let Some(product) = product.filter(|_| changed.owner == Owner::Product) {
                service.catalogue.take_values(event.id, product, changed).await?;
                service.indexer.enqueue([product]);
            }
        } else if event.is::<DefinitionChanged>() {
            let changed: DefinitionChanged = event.parse()?;
            if changed.definition.terms.owner == Owner::Product {
                service.catalogue.take_definition(event.id, changed).await?;
                service.indexer.enqueue_touched();
            }
        }
        Ok(())
    }
}

/// Hands on which products search must read again. The index is derived data and catches up by itself, so that an event
/// taken twice or lost does no harm and needs no inbox.
pub struct SearchConsumer(pub Arc<Service>);

#[async_trait]
impl Consumer for SearchConsumer {
    fn hears(&self) -> Hears {
        HEARS_PRODUCTS
    }

    /// Each process has an index of its own.
    fn follows(&self) -> &'static [&'static str] {
        HEARS_PRODUCTS.kinds
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
