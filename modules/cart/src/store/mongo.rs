//! The store in MongoDB: a document for each cart, promotion, use of a promotion, and country with its tax rates.

mod carts;
mod claims;
mod moving;
mod promotions;
mod taxes;

use async_trait::async_trait;
use contracts::{
    cart::{CartId, NewPromotion, NewTaxRate, Promotion, PromotionId, TaxRate, TaxRateId},
    customer::CustomerId,
    order::OrderId,
};
use shared::{
    Page, PageRequest, Result, Time,
    mongo::{Mongo, Schema, Spec},
};

use super::{Saved, Store};
use crate::model::{Offers, StoredCart};

pub use moving::KINDS;

/// The module's collections.
pub const SCHEMA: Schema = Schema { module: "cart", collections };

fn collections() -> Vec<Spec> {
    let mut all = vec![carts::spec(), promotions::spec(), taxes::spec()];
    all.extend(claims::specs());
    all
}

/// Keeps everything in one MongoDB database.
pub struct MongoStore {
    db: Mongo,
}

impl MongoStore {
    /// Its collections are there already.
    pub fn new(db: Mongo) -> Self {
        Self { db }
    }
}

#[async_trait]
impl Store for MongoStore {
    async fn cart(&self, id: CartId) -> Result<Option<StoredCart>> {
        carts::find(&self.db, id).await
    }

    async fn newest_cart(&self, id: CartId) -> Result<Option<StoredCart>> {
        carts::find_newest(&self.db, id).await
    }

    async fn current_cart(&self, customer: CustomerId) -> Result<Option<StoredCart>> {
        carts::current(&self.db, customer).await
    }

    async fn insert_cart(&self, cart: StoredCart) -> Result<()> {
        carts::insert_new(&self.db, cart).await
    }

    async fn save_cart(&self, cart: StoredCart, expected: i64) -> Result<Saved> {
        carts::save(&self.db, cart, expected).await
    }

    async fn merge_carts(&self, from: CartId, customer: CustomerId, now: Time) -> Result<Option<StoredCart>> {
        carts::merge(&self.db, from, customer, now).await
    }

    async fn complete_cart(&self, id: CartId, order_id: OrderId, now: Time) -> Result<Saved> {
        carts::complete(&self.db, id, order_id, now).await
    }

    async fn delete_idle_carts(&self, limit: Time, batch: i64) -> Result<usize> {
        carts::delete_idle(&self.db, limit, batch).await
    }

    async fn delete_carts_of(&self, customer: CustomerId) -> Result<()> {
        carts::delete_of(&self.db, customer).await
    }

    async fn offers(&self) -> Result<Offers> {
        Ok(Offers { promotions: promotions::all(&self.db).await?, tax_rates: taxes::all(&self.db).await? })
    }

    async fn promotions(&self, page: PageRequest) -> Result<Page<Promotion>> {
        promotions::page(&self.db, &page).await
    }

    async fn promotion(&self, id: PromotionId) -> Result<Option<Promotion>> {
        promotions::find(&self.db, id).await
    }

    async fn insert_promotion(&self, promotion: Promotion) -> Result<()> {
        self.db.transaction(async move |tx| promotions::insert(tx, &promotion).await).await
    }

    async fn update_promotion(
        &self,
        id: PromotionId,
        terms: NewPromotion,
        expected: Option<i64>,
    ) -> Result<Promotion> {
        self.db.transaction(async move |tx| promotions::update(tx, id, &terms, expected).await).await
    }

    async fn delete_promotion(&self, id: PromotionId) -> Result<()> {
        self.db.transaction(async move |tx| promotions::delete(tx, id).await).await
    }

    async fn uses_of(&self, promotions: Vec<PromotionId>, customer: String) -> Result<Vec<i64>> {
        claims::uses_of(&self.db, &promotions, &customer).await
    }

    async fn claim(
        &self,
        order: OrderId,
        promotions: Vec<PromotionId>,
        customer: String,
        now: Time,
    ) -> Result<()> {
        self.db.transaction(async move |tx| claims::claim(tx, order, &promotions, &customer, now).await).await
    }

    async fn release(&self, order: OrderId, now: Time) -> Result<()> {
        self.db.transaction(async move |tx| claims::release(tx, order, now).await).await
    }

    async fn tax_rates(&self) -> Result<Vec<TaxRate>> {
        taxes::all(&self.db).await
    }

    async fn put_tax_rate(&self, rate: NewTaxRate, now: Time) -> Result<TaxRate> {
        self.db.transaction(async move |tx| taxes::put(tx, &rate, now).await).await
    }

    async fn delete_tax_rate(&self, id: TaxRateId, now: Time) -> Result<()> {
        self.db.transaction(async move |tx| taxes::delete(tx, id, now).await).await
    }
}
