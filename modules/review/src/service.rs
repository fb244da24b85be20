//! The port.

mod authors;
mod import;
mod staff;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use contracts::{
    Actor,
    customer::{CustomerId, Customers},
    product::{ProductId, Products},
    review::{
        Aggregate, ImportReviews, ModeratedReview, NewReport, NewReview, ProductReviews, QueueFilter,
        Rebuilt, Report, Review, ReviewFilter, ReviewId, ReviewPatch, ReviewSort, Reviews,
    },
};
use shared::{Clock, Database, Error, Page, PageRequest, Result, Time, events::Consumer};

use crate::{
    events::Ear,
    model::{Settings, StoredReview, text},
    store::{self, Position, Store},
};

/// How often a change is tried when others are faster.
const ATTEMPTS: u32 = 10;

/// Reviews in the metadata database.
pub struct Service {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) settings: Settings,
    clock: Arc<dyn Clock>,
    products: Arc<dyn Products>,
    customers: Arc<dyn Customers>,
}

impl Service {
    /// Keeps its tables in `db`.
    pub fn new(
        db: Database,
        clock: Arc<dyn Clock>,
        products: Arc<dyn Products>,
        customers: Arc<dyn Customers>,
        settings: Settings,
    ) -> Arc<Self> {
        let store = store::open(db, clock.clone());
        Arc::new(Self { store, settings, clock, products, customers })
    }

    /// Hears of deliveries and of people.
    pub fn consumers(self: &Arc<Self>) -> Vec<Arc<dyn Consumer>> {
        vec![Arc::new(Ear(self.clone()))]
    }

    async fn load(&self, id: ReviewId) -> Result<StoredReview> {
        self.store.get(id).await?.ok_or_else(ReviewId::not_found)
    }
}

#[async_trait]
impl Reviews for Service {
    async fn list(
        &self,
        product_id: ProductId,
        filter: ReviewFilter,
        page: PageRequest,
    ) -> Result<ProductReviews> {
        let scope = serde_json::to_string(&("reviews", product_id, filter))?;
        let after: Option<Position> = page.position(&scope)?;
        let limit = page.limit.clamp(1, 100);
        let found = self.store.of_product(product_id, filter, after, i64::from(limit) + 1).await?;
        let page = Page::cut(found, limit, &scope, |review| position(review, filter.sort));
        let Page { data, next_cursor } = page.map(StoredReview::view);
        Ok(ProductReviews { data, next_cursor, aggregate: self.store.aggregate(product_id).await? })
    }

    async fn aggregate(&self, product_id: ProductId) -> Result<Aggregate> {
        self.store.aggregate(product_id).await
    }

    async fn own(&self, product_id: ProductId, customer_id: CustomerId) -> Result<Option<Review>> {
        Ok(self.store.own(product_id, customer_id).await?.map(StoredReview::view))
    }

    async fn of_customer(&self, customer_id: CustomerId, page: PageRequest) -> Result<Page<Review>> {
        let scope = format!("reviews of {customer_id}");
        let limit = page.limit.clamp(1, 100);
        let after: Option<(Time, ReviewId)> = page.position(&scope)?;
        let found = self.store.of_customer(customer_id, after, i64::from(limit) + 1).await?;
        Ok(Page::cut(found, limit, &scope, |review| (review.created_at, review.id)).map(StoredReview::view))
    }

    async fn voted(&self, product_id: ProductId, customer_id: CustomerId) -> Result<Vec<ReviewId>> {
        self.store.voted(product_id, customer_id).await
    }

    async fn create(&self, product_id: ProductId, new: NewReview, customer_id: CustomerId) -> Result<Review> {
        self.write(product_id, new, customer_id).await
    }

    async fn update(&self, id: ReviewId, patch: ReviewPatch, customer_id: CustomerId) -> Result<Review> {
        self.revise(id, patch, customer_id).await
    }

    async fn delete(&self, id: ReviewId, customer_id: CustomerId) -> Result<()> {
        self.take_back(id, customer_id).await
    }

    async fn vote(&self, id: ReviewId, customer_id: CustomerId) -> Result<Review> {
        Ok(self.store.vote(id, customer_id).await?.view())
    }

    async fn unvote(&self, id: ReviewId, customer_id: CustomerId) -> Result<Review> {
        Ok(self.store.unvote(id, customer_id).await?.view())
    }

    async fn report(&self, id: ReviewId, report: NewReport, customer_id: CustomerId) -> Result<()> {
        let reason = text("/reason", &report.reason)?;
        self.store.report(id, Report { customer_id, reason, created_at: self.clock.now() }).await
    }

    async fn queue(&self, filter: QueueFilter, page: PageRequest) -> Result<Page<ModeratedReview>> {
        let scope = serde_json::to_string(&("queue", filter))?;
        let limit = page.limit.clamp(1, 100);
        let after: Option<(Time, ReviewId)> = page.position(&scope)?;
        let found = self.store.queue(filter, after, i64::from(limit) + 1).await?;
        let page = Page::cut(found, limit, &scope, |review| (review.updated_at, review.id));
        Ok(page.map(StoredReview::moderated))
    }

    async fn find(&self, id: ReviewId) -> Result<ModeratedReview> {
        Ok(self.load(id).await?.moderated())
    }

    async fn reports(&self, id: ReviewId) -> Result<Vec<Report>> {
        self.load(id).await?;
        self.store.reports(id).await
    }

    async fn approve(&self, id: ReviewId, version: Option<i64>, actor: Actor) -> Result<ModeratedReview> {
        self.let_in(id, version, actor).await
    }

    async fn reject(
        &self,
        id: ReviewId,
        reason: String,
        version: Option<i64>,
        actor: Actor,
    ) -> Result<ModeratedReview> {
        self.turn_away(id, reason, version, actor).await
    }

    async fn reopen(&self, id: ReviewId, version: Option<i64>, actor: Actor) -> Result<ModeratedReview> {
        self.take_up(id, version, actor).await
    }

    async fn reply(
        &self,
        id: ReviewId,
        text: Option<String>,
        version: Option<i64>,
    ) -> Result<ModeratedReview> {
        self.answer(id, text, version).await
    }

    async fn rebuild(&self) -> Result<Rebuilt> {
        let products = self.store.reviewed().await?;
        let mut rebuilt = Rebuilt { products: products.len() as u64, corrected: 0 };
        for product in products {
            rebuilt.corrected += u64::from(self.store.recount(product).await?);
        }
        Ok(rebuilt)
    }

    async fn import(&self, past: ImportReviews) -> Result<u32> {
        self.import_past(past).await
    }
}

/// Where a review stands in a list.
fn position(review: &StoredReview, sort: ReviewSort) -> Position {
    let key = match sort {
        ReviewSort::Newest => 0,
        ReviewSort::Helpful => review.helpful,
        ReviewSort::Highest | ReviewSort::Lowest => i64::from(review.content.rating),
    };
    (key, review.created_at, review.id)
}

/// Who lost a race waits for a random moment, longer each time: two in step would lose for ever.
async fn pause_after(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(rand::random_range(0..=1 << attempt))).await;
}

fn busy() -> Error {
    Error::unavailable("the review is being changed by too many at once")
}
