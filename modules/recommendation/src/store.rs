//! Where interactions, impressions and models are kept. Each writing method is one atomic unit.

mod mongo;
mod sqlite;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{
    customer::CustomerId,
    order::OrderId,
    product::ProductId,
    recommendation::{ImpressionId, Interaction, ModelInfo, Visitor},
};
use shared::{Database, Result, Time, events::EventId};

use crate::{learn::Features, model::Shown};

pub use mongo::{KINDS, SCHEMA};

/// Bytes of a part of a model: equal in all databases, so that a model may be moved part by part.
const PART: usize = 768 * 1024;

/// The store in a database of whichever family.
pub fn open(db: Database) -> Arc<dyn Store> {
    match db {
        Database::Sql(db) => Arc::new(sqlite::Sqlite::new(db)),
        Database::Mongo(db) => Arc::new(mongo::MongoStore(db)),
    }
}

/// What the service asks of a database.
#[async_trait]
pub trait Store: Send + Sync {
    /// Keeps those that are not known yet; answers how many are new.
    async fn add(&self, interactions: Vec<Interaction>) -> Result<u32>;
    /// Keeps what was bought, once per event and order; true the first time. False if the order is cancelled already.
    async fn bought(&self, event: EventId, order: OrderId, purchases: Vec<Interaction>) -> Result<bool>;
    /// Deletes what was bought with an order that is cancelled, once per event; answers what was there of it.
    async fn cancelled(
        &self,
        event: EventId,
        order: OrderId,
        purchases: Vec<Interaction>,
    ) -> Result<Vec<Interaction>>;
    /// The last ones, the oldest of them first.
    async fn interactions(&self, limit: u32) -> Result<Vec<Interaction>>;
    /// The last ones of the customer and of the browser, as many of each, in no order.
    async fn of(&self, visitor: Visitor, limit: u32) -> Result<Vec<Interaction>>;
    /// How many there are.
    async fn count(&self) -> Result<u64>;

    /// Keeps a list that was shown, once.
    async fn shown(&self, shown: Shown) -> Result<()>;
    /// Keeps a click on a list that is known and had the product in it, once.
    async fn clicked(&self, impression: ImpressionId, product: ProductId) -> Result<()>;
    /// Products of the last lists that were shown, the oldest first, and whether each was clicked.
    async fn clicks(&self, lists: u32) -> Result<Vec<(Features, bool)>>;

    /// Erases what is kept of a visitor. A customer's anonymous past goes too.
    async fn forget(&self, visitor: Visitor) -> Result<()>;
    /// The same for a customer who has been deleted. Once per event.
    async fn forget_customer(&self, event: EventId, customer: CustomerId) -> Result<()>;
    /// Deletes interactions and impressions from before then.
    async fn prune(&self, before: Time) -> Result<()>;

    /// Keeps a model as the newest, and `keep` in all.
    async fn save_model(&self, model: ModelInfo, content: Vec<u8>, keep: u32) -> Result<()>;
    /// Newest first.
    async fn models(&self) -> Result<Vec<ModelInfo>>;
    /// The newest one.
    async fn model(&self) -> Result<Option<(ModelInfo, Vec<u8>)>>;
}
