//! Where reviews are kept. Each writing method is one atomic unit: the change, the counts that go with it, and the events.

mod mongo;
mod sqlite;

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{
    customer::CustomerId,
    order::OrderId,
    product::ProductId,
    review::{Aggregate, QueueFilter, Report, ReviewFilter, ReviewId, ReviewStatus},
};
use shared::{Clock, Database, Result, Time, events::EventId};

use crate::model::{Settings, StoredReview};

pub use mongo::{KINDS, SCHEMA};

/// The store in a database of whichever family.
pub fn open(db: Database, clock: Arc<dyn Clock>) -> Arc<dyn Store> {
    match db {
        Database::Sql(db) => Arc::new(sqlite::Sqlite::new(db, clock)),
        Database::Mongo(db) => Arc::new(mongo::MongoStore::new(db, clock)),
    }
}

/// Where a page of a product's reviews ended: what it is sorted by (0 where that is the time alone), time and id.
pub type Position = (i64, Time, ReviewId);

/// What the service asks of a database.
#[async_trait]
pub trait Store: Send + Sync {
    /// A review in any status.
    async fn get(&self, id: ReviewId) -> Result<Option<StoredReview>>;
    /// The customer's one review of the product.
    async fn own(&self, product: ProductId, customer: CustomerId) -> Result<Option<StoredReview>>;
    /// Public ones, after the position.
    async fn of_product(
        &self,
        product: ProductId,
        filter: ReviewFilter,
        after: Option<Position>,
        limit: i64,
    ) -> Result<Vec<StoredReview>>;
    /// In any status, newest first.
    async fn of_customer(
        &self,
        customer: CustomerId,
        after: Option<(Time, ReviewId)>,
        limit: i64,
    ) -> Result<Vec<StoredReview>>;
    /// The last change first.
    async fn queue(
        &self,
        filter: QueueFilter,
        after: Option<(Time, ReviewId)>,
        limit: i64,
    ) -> Result<Vec<StoredReview>>;
    /// The sums over the product's public reviews.
    async fn aggregate(&self, product: ProductId) -> Result<Aggregate>;
    /// The reviews of the product that the customer finds helpful.
    async fn voted(&self, product: ProductId, customer: CustomerId) -> Result<Vec<ReviewId>>;
    /// What was said against a review, newest first.
    async fn reports(&self, id: ReviewId) -> Result<Vec<Report>>;
    /// How many reviews, but for this one, the customer has written since then.
    async fn written(&self, customer: CustomerId, since: Time, but: ReviewId) -> Result<i64>;

    /// Keeps a new review: verified if its author has bought the product, and judged by the settings. `buyer` is the
    /// key of an address that is proven to be the author's: what a guest has bought with it is theirs from now on.
    /// `Conflict/review_exists`. It and [`Store::delivered`] never pass each other unseen.
    async fn insert(
        &self,
        review: StoredReview,
        buyer: Option<String>,
        settings: Settings,
    ) -> Result<StoredReview>;
    /// Replaces the review if it still is as it was `before`.
    async fn save(&self, before: StoredReview, after: StoredReview) -> Result<Saved>;
    /// As [`Store::save`], and dismisses what was said against it.
    async fn decide(&self, before: StoredReview, after: StoredReview) -> Result<Saved>;
    /// Deletes the review, its votes and its reports, if it still is as it was.
    async fn delete(&self, before: StoredReview) -> Result<Saved>;
    /// Counts the account's vote, once. `NotFound` unless it is public, `Forbidden/own_review`.
    async fn vote(&self, id: ReviewId, voter: CustomerId) -> Result<StoredReview>;
    /// Takes the account's vote back, if there is one. `NotFound` unless it is public.
    async fn unvote(&self, id: ReviewId, voter: CustomerId) -> Result<StoredReview>;
    /// Counts the account's report, once. `NotFound` unless it is public.
    async fn report(&self, id: ReviewId, report: Report) -> Result<()>;

    /// These have arrived: what their buyers have written about them is verified. Once per event.
    async fn delivered(&self, event: EventId, purchases: Vec<Bought>, settings: Settings) -> Result<()>;
    /// The address is the customer's: what was bought with it is too. Once per event.
    async fn adopt(
        &self,
        event: EventId,
        customer: CustomerId,
        buyer: String,
        settings: Settings,
    ) -> Result<()>;
    /// Forgets a person: public reviews lose all but their stars, others go, and so do votes, reports and purchases.
    /// Once per event.
    async fn forget(&self, event: EventId, customer: CustomerId) -> Result<()>;

    /// Every product that has or had reviews.
    async fn reviewed(&self) -> Result<Vec<ProductId>>;
    /// Counts a product's public reviews anew; true if the sums were wrong.
    async fn recount(&self, product: ProductId) -> Result<bool>;

    /// Keeps purchases of the past that are not known yet.
    async fn import_purchases(&self, purchases: Vec<Bought>) -> Result<()>;
    /// Keeps reviews of the past that are not known yet, with one event per product. Answers how many.
    async fn import(&self, past: Vec<PastReview>) -> Result<u32>;
}

/// As it is kept in a column, or a member of a document.
fn status(status: ReviewStatus) -> &'static str {
    match status {
        ReviewStatus::Pending => "pending",
        ReviewStatus::Approved => "approved",
        ReviewStatus::Rejected => "rejected",
    }
}

/// What became of a conditional write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// It is written.
    Yes,
    /// Somebody was faster: read it again.
    Raced,
}

/// Something that was bought and delivered.
#[derive(Clone, Debug)]
pub struct Bought {
    /// With what.
    pub order: OrderId,
    /// What.
    pub product: ProductId,
    /// By whom; nobody with an account yet for a guest's.
    pub customer: Option<CustomerId>,
    /// The key of the address it was bought with.
    pub buyer: String,
}

/// A review of the past with its votes.
#[derive(Clone, Debug)]
pub struct PastReview {
    /// Its `verified` is found out while it is kept.
    pub review: StoredReview,
    /// Each once, the author not among them.
    pub voters: Vec<CustomerId>,
}
