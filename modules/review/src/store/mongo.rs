//! The store in MongoDB: a document for each review, vote, report, purchase, and for each product's sums.

mod aggregates;
mod moving;
mod past;
mod persons;
mod purchases;
mod reviews;
mod votes;

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{
    customer::CustomerId,
    product::ProductId,
    review::{Aggregate, QueueFilter, Report, ReviewFilter, ReviewId},
};
use shared::{
    Clock, Result, Time,
    events::EventId,
    mongo::{Mongo, Schema, Spec},
};

use super::{Bought, PastReview, Position, Saved, Store};
use crate::{
    events::CONSUMER,
    model::{Settings, StoredReview},
};

/// The name under which the module's events are published.
const MODULE: &str = "review";

pub use moving::KINDS;

/// The module's collections.
pub const SCHEMA: Schema = Schema { module: MODULE, collections };

fn collections() -> Vec<Spec> {
    let mut all = vec![reviews::spec(), aggregates::spec()];
    all.extend(votes::specs().into_iter().chain(purchases::specs()));
    all
}

/// Keeps everything in one MongoDB database.
pub struct MongoStore {
    db: Mongo,
    clock: Arc<dyn Clock>,
}

impl MongoStore {
    /// Its collections are there already.
    pub fn new(db: Mongo, clock: Arc<dyn Clock>) -> Self {
        Self { db, clock }
    }
}

#[async_trait]
impl Store for MongoStore {
    async fn get(&self, id: ReviewId) -> Result<Option<StoredReview>> {
        reviews::get(&self.db, id).await
    }

    async fn own(&self, product: ProductId, customer: CustomerId) -> Result<Option<StoredReview>> {
        reviews::own(&self.db, product, customer).await
    }

    async fn of_product(
        &self,
        product: ProductId,
        filter: ReviewFilter,
        after: Option<Position>,
        limit: i64,
    ) -> Result<Vec<StoredReview>> {
        reviews::of_product(&self.db, product, filter, after, limit).await
    }

    async fn of_customer(
        &self,
        customer: CustomerId,
        after: Option<(Time, ReviewId)>,
        limit: i64,
    ) -> Result<Vec<StoredReview>> {
        reviews::of_customer(&self.db, customer, after, limit).await
    }

    async fn queue(
        &self,
        filter: QueueFilter,
        after: Option<(Time, ReviewId)>,
        limit: i64,
    ) -> Result<Vec<StoredReview>> {
        reviews::queue(&self.db, filter, after, limit).await
    }

    async fn aggregate(&self, product: ProductId) -> Result<Aggregate> {
        Ok(Aggregate::of(aggregates::stars(&self.db, product).await?))
    }

    async fn voted(&self, product: ProductId, customer: CustomerId) -> Result<Vec<ReviewId>> {
        votes::of_customer(&self.db, product, customer).await
    }

    async fn reports(&self, id: ReviewId) -> Result<Vec<Report>> {
        votes::reports(&self.db, id).await
    }

    async fn written(&self, customer: CustomerId, since: Time, but: ReviewId) -> Result<i64> {
        reviews::written(&self.db, customer, since, but).await
    }

    async fn insert(
        &self,
        review: StoredReview,
        buyer: Option<String>,
        settings: Settings,
    ) -> Result<StoredReview> {
        self.db
            .transaction(async move |tx| {
                let mut review = review.clone();
                reviews::admit(tx, &mut review, buyer.as_deref(), &settings).await?;
                Ok(review)
            })
            .await
    }

    async fn save(&self, before: StoredReview, after: StoredReview) -> Result<Saved> {
        self.db.transaction(async move |tx| reviews::replace(tx, &before, &after).await).await
    }

    async fn decide(&self, before: StoredReview, after: StoredReview) -> Result<Saved> {
        self.db
            .transaction(async move |tx| {
                let saved = reviews::replace(tx, &before, &after).await?;
                if saved == Saved::Yes {
                    votes::dismiss(tx, after.id).await?;
                }
                Ok(saved)
            })
            .await
    }

    async fn delete(&self, before: StoredReview) -> Result<Saved> {
        self.db.transaction(async move |tx| reviews::delete(tx, &before).await).await
    }

    async fn vote(&self, id: ReviewId, voter: CustomerId) -> Result<StoredReview> {
        self.db.transaction(async move |tx| votes::vote(tx, id, voter).await).await
    }

    async fn unvote(&self, id: ReviewId, voter: CustomerId) -> Result<StoredReview> {
        self.db.transaction(async move |tx| votes::unvote(tx, id, voter).await).await
    }

    async fn report(&self, id: ReviewId, report: Report) -> Result<()> {
        self.db.transaction(async move |tx| votes::report(tx, id, &report).await).await
    }

    async fn delivered(&self, event: EventId, purchases: Vec<Bought>, settings: Settings) -> Result<()> {
        let clock = self.clock.clone();
        self.db
            .transaction(async move |tx| {
                if tx.first(CONSUMER, event).await? {
                    purchases::delivered(tx, &purchases, &settings, clock.now()).await?;
                }
                Ok(())
            })
            .await
    }

    async fn adopt(
        &self,
        event: EventId,
        customer: CustomerId,
        buyer: String,
        settings: Settings,
    ) -> Result<()> {
        let clock = self.clock.clone();
        self.db
            .transaction(async move |tx| {
                if tx.first(CONSUMER, event).await? {
                    purchases::adopt(tx, customer, &buyer).await?;
                    purchases::verify_all(tx, customer, &buyer, &settings, clock.now()).await?;
                }
                Ok(())
            })
            .await
    }

    async fn forget(&self, event: EventId, customer: CustomerId) -> Result<()> {
        let clock = self.clock.clone();
        self.db
            .transaction(async move |tx| {
                if tx.first(CONSUMER, event).await? {
                    persons::forget(tx, customer, clock.now()).await?;
                }
                Ok(())
            })
            .await
    }

    async fn reviewed(&self) -> Result<Vec<ProductId>> {
        aggregates::products(&self.db).await
    }

    async fn recount(&self, product: ProductId) -> Result<bool> {
        self.db.transaction(async move |tx| aggregates::recount(tx, product).await).await
    }

    async fn import_purchases(&self, purchases: Vec<Bought>) -> Result<()> {
        self.db.transaction(async move |tx| purchases::insert(tx, &purchases).await).await
    }

    async fn import(&self, past: Vec<PastReview>) -> Result<u32> {
        self.db.transaction(async move |tx| past::insert(tx, &past).await).await
    }
}
