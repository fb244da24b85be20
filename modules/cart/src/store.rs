//! Where carts, promotions and tax rates are kept. Each method is one atomic unit: the change and its events together.

mod mongo;
mod sqlite;

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{
    cart::{CartId, NewPromotion, NewTaxRate, Promotion, PromotionId, TaxRate, TaxRateId},
    customer::CustomerId,
    order::OrderId,
};
use shared::{Database, Page, PageRequest, Result, Time};

use crate::model::{Offers, StoredCart};

pub use mongo::{KINDS, SCHEMA};

/// The store in a database of whichever family.
pub fn open(db: Database) -> Arc<dyn Store> {
    match db {
        Database::Sql(db) => Arc::new(sqlite::SqlStore::new(db)),
        Database::Mongo(db) => Arc::new(mongo::MongoStore::new(db)),
    }
}

/// What the service asks of a database.
#[async_trait]
pub trait Store: Send + Sync {
    /// A cart by its key.
    async fn cart(&self, id: CartId) -> Result<Option<StoredCart>>;
    /// As [`Store::cart`], for trying again after a race: sees what the winner wrote, even if that is not kept for good
    /// at this moment, and answers when it is.
    async fn newest_cart(&self, id: CartId) -> Result<Option<StoredCart>>;
    /// The customer's current cart.
    async fn current_cart(&self, customer: CustomerId) -> Result<Option<StoredCart>>;
    /// Keeps a new cart. One that would be a customer's second current one is kept as a further one.
    async fn insert_cart(&self, cart: StoredCart) -> Result<()>;
    /// Replaces the cart if it still has version `expected`.
    async fn save_cart(&self, cart: StoredCart, expected: i64) -> Result<Saved>;
    /// Unites two carts as [`crate::model::merge`] says; answers with the one that is the customer's now,
    /// or with none if somebody else changed one of them meanwhile.
    async fn merge_carts(&self, from: CartId, customer: CustomerId, now: Time) -> Result<Option<StoredCart>>;
    /// Gives the cart to the order and says `cart.completed`. `Conflict/cart_completed` if another has it.
    async fn complete_cart(&self, id: CartId, order_id: OrderId, now: Time) -> Result<Saved>;
    /// Deletes carts without an owner that nobody has changed since `limit`; at most `batch`. Answers how many.
    async fn delete_idle_carts(&self, limit: Time, batch: i64) -> Result<usize>;
    /// Deletes everything of a customer.
    async fn delete_carts_of(&self, customer: CustomerId) -> Result<()>;

    /// All promotions and tax rates.
    async fn offers(&self) -> Result<Offers>;
    /// Newest first.
    async fn promotions(&self, page: PageRequest) -> Result<Page<Promotion>>;
    /// A promotion by id.
    async fn promotion(&self, id: PromotionId) -> Result<Option<Promotion>>;
    /// `Conflict/code_taken`.
    async fn insert_promotion(&self, promotion: Promotion) -> Result<()>;
    /// New terms, if it still has the version the caller saw: `PreconditionFailed/version`. `Conflict/code_taken`.
    async fn update_promotion(
        &self,
        id: PromotionId,
        terms: NewPromotion,
        expected: Option<i64>,
    ) -> Result<Promotion>;
    /// `NotFound` if it is gone already.
    async fn delete_promotion(&self, id: PromotionId) -> Result<()>;
    /// How many orders of `customer` (an opaque key) hold each promotion, in the order asked for.
    async fn uses_of(&self, promotions: Vec<PromotionId>, customer: String) -> Result<Vec<i64>>;
    /// Counts one use of each promotion, under all limits, all or none. Idempotent by order.
    async fn claim(
        &self,
        order: OrderId,
        promotions: Vec<PromotionId>,
        customer: String,
        now: Time,
    ) -> Result<()>;
    /// Gives the uses of the order back, for good. Idempotent.
    async fn release(&self, order: OrderId, now: Time) -> Result<()>;

    /// By country, region and class.
    async fn tax_rates(&self) -> Result<Vec<TaxRate>>;
    /// Creates or replaces. `Invalid/included` if it disagrees with its country.
    async fn put_tax_rate(&self, rate: NewTaxRate, now: Time) -> Result<TaxRate>;
    /// `NotFound` if it is gone already.
    async fn delete_tax_rate(&self, id: TaxRateId, now: Time) -> Result<()>;
}

/// What became of a conditional write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// It is written.
    Yes,
    /// Somebody was faster: read it again.
    Raced,
}
