//! The store in MongoDB: a document for each interaction, each list that was shown with its clicks, and each model.

mod impressions;
mod interactions;
mod models;
mod moving;

use async_trait::async_trait;
use contracts::{
    customer::CustomerId,
    order::OrderId,
    product::ProductId,
    recommendation::{ImpressionId, Interaction, ModelInfo, Visitor},
};
use mongodb::{IndexModel, bson::doc};
use shared::{
    Result, Time,
    events::EventId,
    mongo::{Mongo, Schema, Spec, Tx, index, partial},
};

use super::Store;
use crate::{
    events::CONSUMER,
    learn::Features,
    model::{Shown, order_mark},
};

pub use moving::KINDS;

/// The module's collections.
pub const SCHEMA: Schema = Schema { module: "recommendation", collections };

fn collections() -> Vec<Spec> {
    let mut all = vec![interactions::spec(), impressions::spec()];
    all.extend(models::specs());
    all
}

/// Indexes of what somebody did: by time, and by who it was, as far as they are known.
fn by_time_and_person() -> Vec<IndexModel> {
    let known = |member: &str, keys| partial(keys, doc! {member: {"$exists": true}});
    vec![
        index(doc! {"at": -1, "_id": -1}),
        known("customer_id", doc! {"customer_id": 1, "visitor_id": 1}),
        known("visitor_id", doc! {"visitor_id": 1}),
    ]
}

/// Keeps everything in one MongoDB database.
pub struct MongoStore(pub Mongo);

async fn forget(tx: &mut Tx, visitor: Visitor) -> Result<()> {
    let mut visitors: Vec<String> = visitor.visitor_id.iter().map(ToString::to_string).collect();
    let mut theirs = Vec::new();
    if let Some(customer) = visitor.customer_id {
        visitors.extend(interactions::anonymous_past(tx, customer).await?);
        theirs.push(doc! {"customer_id": customer.to_string()});
    }
    if !visitors.is_empty() {
        theirs.push(doc! {"visitor_id": {"$in": visitors}});
    }
    for filter in theirs {
        for name in [interactions::COLLECTION, impressions::COLLECTION] {
            tx.collection(name).delete_many(filter.clone()).session(tx.session()).await?;
        }
    }
    Ok(())
}

#[async_trait]
impl Store for MongoStore {
    async fn add(&self, interactions: Vec<Interaction>) -> Result<u32> {
        interactions::add(&self.0, &interactions).await
    }

    async fn bought(&self, event: EventId, order: OrderId, purchases: Vec<Interaction>) -> Result<bool> {
        self.0
            .transaction(async move |tx| {
                let first = tx.first(CONSUMER, event).await? && tx.first(CONSUMER, order_mark(order)).await?;
                if first {
                    interactions::insert(tx, &purchases).await?;
                }
                Ok(first)
            })
            .await
    }

    async fn cancelled(
        &self,
        event: EventId,
        order: OrderId,
        purchases: Vec<Interaction>,
    ) -> Result<Vec<Interaction>> {
        self.0
            .transaction(async move |tx| {
                if !tx.first(CONSUMER, event).await? {
                    return Ok(Vec::new());
                }
                tx.first(CONSUMER, order_mark(order)).await?;
                interactions::remove(tx, &purchases).await
            })
            .await
    }

    async fn interactions(&self, limit: u32) -> Result<Vec<Interaction>> {
        interactions::last(&self.0, limit).await
    }

    async fn of(&self, visitor: Visitor, limit: u32) -> Result<Vec<Interaction>> {
        interactions::of(&self.0, visitor, limit).await
    }

    async fn count(&self) -> Result<u64> {
        interactions::count(&self.0).await
    }

    async fn shown(&self, shown: Shown) -> Result<()> {
        impressions::insert(&self.0, shown).await
    }

    async fn clicked(&self, impression: ImpressionId, product: ProductId) -> Result<()> {
        impressions::click(&self.0, impression, product).await
    }

    async fn clicks(&self, lists: u32) -> Result<Vec<(Features, bool)>> {
        impressions::clicks(&self.0, lists).await
    }

    async fn forget(&self, visitor: Visitor) -> Result<()> {
        self.0.transaction(async move |tx| forget(tx, visitor).await).await
    }

    async fn forget_customer(&self, event: EventId, customer: CustomerId) -> Result<()> {
        self.0
            .transaction(async move |tx| {
                if tx.first(CONSUMER, event).await? {
                    let visitor = Visitor { customer_id: Some(customer), visitor_id: None };
                    forget(tx, visitor).await?;
                }
                Ok(())
            })
            .await
    }

    async fn prune(&self, before: Time) -> Result<()> {
        // Not in a transaction: it may be much, and what is left after a crash is old tomorrow as well.
        for name in [interactions::COLLECTION, impressions::COLLECTION] {
            self.0.collection(name).delete_many(doc! {"at": {"$lt": before.micros()}}).await?;
        }
        Ok(())
    }

    async fn save_model(&self, model: ModelInfo, content: Vec<u8>, keep: u32) -> Result<()> {
        models::insert_parts(&self.0, model.id, &content).await?;
        // The model is there when this document is.
        self.0
            .transaction(async move |tx| {
                models::insert(tx, &model).await?;
                models::keep(tx, keep.max(1) as usize).await
            })
            .await
    }

    async fn models(&self) -> Result<Vec<ModelInfo>> {
        models::list(&self.0).await
    }

    async fn model(&self) -> Result<Option<(ModelInfo, Vec<u8>)>> {
        models::newest(&self.0).await
    }
}
