//! The store in SQL: JSON documents beside the columns they are found by. Written for SQLite; PostgreSQL does too.

mod carts;
mod claims;
mod promotions;
mod taxes;

use async_trait::async_trait;
use contracts::{
    cart::{CartId, NewPromotion, NewTaxRate, Promotion, PromotionId, TaxRate, TaxRateId},
    customer::CustomerId,
    order::OrderId,
};
use diesel::result::{DatabaseErrorKind, Error as SqlError};
use shared::{Page, PageRequest, Result, Time, db::Db};

use super::{Saved, Store};
use crate::model::{Offers, StoredCart};

/// Keeps everything in one SQL database.
pub struct SqlStore {
    db: Db,
}

impl SqlStore {
    /// Its tables are there already.
    pub fn new(db: Db) -> Self {
        Self { db }
    }
}

fn is_unique_violation(error: &SqlError) -> bool {
    matches!(error, SqlError::DatabaseError(DatabaseErrorKind::UniqueViolation, _))
}

#[async_trait]
impl Store for SqlStore {
    async fn cart(&self, id: CartId) -> Result<Option<StoredCart>> {
        carts::find(&mut self.db.get().await?, id).await
    }

    async fn newest_cart(&self, id: CartId) -> Result<Option<StoredCart>> {
        self.cart(id).await
    }

    async fn current_cart(&self, customer: CustomerId) -> Result<Option<StoredCart>> {
        carts::current(&mut self.db.get().await?, customer).await
    }

    async fn insert_cart(&self, cart: StoredCart) -> Result<()> {
        carts::insert_new(&self.db, cart).await
    }

    async fn save_cart(&self, cart: StoredCart, expected: i64) -> Result<Saved> {
        self.db.transaction(async move |tx| carts::save(tx, &cart, expected).await).await
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
        self.db.transaction(async move |tx| carts::delete_of(tx, customer).await).await
    }

    async fn offers(&self) -> Result<Offers> {
        let mut conn = self.db.get().await?;
        let promotions = promotions::all(&mut conn).await?;
        Ok(Offers { promotions, tax_rates: taxes::all(&mut conn).await? })
    }

    async fn promotions(&self, page: PageRequest) -> Result<Page<Promotion>> {
        promotions::page(&mut self.db.get().await?, &page).await
    }

    async fn promotion(&self, id: PromotionId) -> Result<Option<Promotion>> {
        promotions::find(&mut self.db.get().await?, id).await
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
        let mut conn = self.db.get().await?;
        let mut uses = Vec::with_capacity(promotions.len());
        for id in promotions {
            uses.push(claims::uses_of(&mut conn, id, &customer).await?);
        }
        Ok(uses)
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
        taxes::all(&mut self.db.get().await?).await
    }

    async fn put_tax_rate(&self, rate: NewTaxRate, now: Time) -> Result<TaxRate> {
        self.db.transaction(async move |tx| taxes::put(tx, &rate, now).await).await
    }

    async fn delete_tax_rate(&self, id: TaxRateId, now: Time) -> Result<()> {
        self.db.transaction(async move |tx| taxes::delete(tx, id, now).await).await
    }
}
