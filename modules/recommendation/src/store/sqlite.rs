//! The store in SQL. Written for SQLite; PostgreSQL does too.

mod impressions;
mod interactions;
mod models;

use async_trait::async_trait;
use contracts::{
    customer::CustomerId,
    order::OrderId,
    product::ProductId,
    recommendation::{ImpressionId, Interaction, ModelInfo, Visitor},
};
use shared::{
    Result, Time,
    db::{Db, Tx},
    events::{EventId, inbox},
};

use super::Store;
use crate::{
    events::CONSUMER,
    learn::Features,
    model::{Shown, order_mark},
};

/// How many rows are written or deleted in one transaction: others write in between.
const BATCH: usize = 500;

/// Keeps everything in one SQL database.
pub struct Sqlite(Db);

impl Sqlite {
    /// Its tables are there already.
    pub fn new(db: Db) -> Self {
        Self(db)
    }
}

async fn forget(tx: &mut Tx, visitor: Visitor) -> Result<()> {
    let mut visitors: Vec<_> = visitor.visitor_id.into_iter().collect();
    if let Some(customer) = visitor.customer_id {
        visitors.extend(interactions::anonymous_past(tx, customer).await?);
        interactions::forget_customer(tx, customer).await?;
        impressions::forget_customer(tx, customer).await?;
    }
    for visitor in visitors {
        interactions::forget_visitor(tx, visitor).await?;
        impressions::forget_visitor(tx, visitor).await?;
    }
    Ok(())
}

#[async_trait]
impl Store for Sqlite {
    async fn add(&self, interactions: Vec<Interaction>) -> Result<u32> {
        let mut new = 0;
        for batch in interactions.chunks(BATCH) {
            let batch = batch.to_vec();
            let insert = async move |tx: &mut Tx| interactions::insert(tx, &batch).await;
            new += self.0.transaction(insert).await?;
        }
        Ok(new)
    }

    async fn bought(&self, event: EventId, order: OrderId, purchases: Vec<Interaction>) -> Result<bool> {
        self.0
            .transaction(async move |tx| {
                let first = inbox::first(tx, CONSUMER, event).await?
                    && inbox::first(tx, CONSUMER, order_mark(order)).await?;
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
                if !inbox::first(tx, CONSUMER, event).await? {
                    return Ok(Vec::new());
                }
                inbox::first(tx, CONSUMER, order_mark(order)).await?;
                interactions::remove(tx, &purchases).await
            })
            .await
    }

    async fn interactions(&self, limit: u32) -> Result<Vec<Interaction>> {
        interactions::last(&mut self.0.get().await?, limit).await
    }

    async fn of(&self, visitor: Visitor, limit: u32) -> Result<Vec<Interaction>> {
        interactions::of(&mut self.0.get().await?, visitor, limit).await
    }

    async fn count(&self) -> Result<u64> {
        interactions::count(&mut self.0.get().await?).await
    }

    async fn shown(&self, shown: Shown) -> Result<()> {
        self.0.transaction(async move |tx| impressions::insert(tx, &shown).await).await
    }

    async fn clicked(&self, impression: ImpressionId, product: ProductId) -> Result<()> {
        self.0.transaction(async move |tx| impressions::click(tx, impression, product).await).await
    }

    async fn clicks(&self, lists: u32) -> Result<Vec<(Features, bool)>> {
        impressions::clicks(&mut self.0.get().await?, lists).await
    }

    async fn forget(&self, visitor: Visitor) -> Result<()> {
        self.0.transaction(async move |tx| forget(tx, visitor).await).await
    }

    async fn forget_customer(&self, event: EventId, customer: CustomerId) -> Result<()> {
        self.0
            .transaction(async move |tx| {
                if inbox::first(tx, CONSUMER, event).await? {
                    let visitor = Visitor { customer_id: Some(customer), visitor_id: None };
                    forget(tx, visitor).await?;
                }
                Ok(())
            })
            .await
    }

    async fn prune(&self, before: Time) -> Result<()> {
        let limit = BATCH as i64;
        loop {
            let old = async move |tx: &mut Tx| {
                let gone = interactions::prune(tx, before, limit).await?;
                Ok(gone + impressions::prune(tx, before, limit).await?)
            };
            if self.0.transaction(old).await? == 0 {
                return Ok(());
            }
        }
    }

    async fn save_model(&self, model: ModelInfo, content: Vec<u8>, keep: u32) -> Result<()> {
        for (number, part) in models::parts(&content).enumerate() {
            let insert = async move |tx: &mut Tx| models::insert_part(tx, model.id, number, &part).await;
            self.0.transaction(insert).await?;
        }
        // The model is there when this row is.
        self.0
            .transaction(async move |tx| {
                models::insert(tx, &model).await?;
                models::keep(tx, keep.max(1) as usize).await
            })
            .await
    }

    async fn models(&self) -> Result<Vec<ModelInfo>> {
        models::list(&mut self.0.get().await?).await
    }

    async fn model(&self) -> Result<Option<(ModelInfo, Vec<u8>)>> {
        models::newest(&mut self.0.get().await?).await
    }
}
