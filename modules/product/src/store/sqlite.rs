//! Both stores over SQLite (and PostgreSQL: the SQL is the same).

mod categories;
mod collections;
mod fields;
mod levels;
mod movements;
mod pictures;
mod prices;
mod products;
mod ratings;
mod reservations;
mod save;
mod shelves;

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use contracts::{
    metadata::{DefinitionChanged, MetafieldsChanged},
    product::{
        Category, CategoryId, Collection, CollectionId, PriceList, PriceListId, ProductId, SearchUpdated,
        VariantId,
    },
    review::AggregateChanged,
};
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use shared::{
    Clock, Currency, Error, Result, Time,
    db::Db,
    events::{EventId, inbox},
};

use super::{Catalogue, Finished, Gallery, Listing, Membership, Record, Save, moved_on, taken};
use crate::{
    events::{CONSUMER, RATINGS},
    model::{fields::IndexedField, price::Offer},
};

/// The name under which the module's events are published.
const MODULE: &str = "product";

/// Keeps everything in one relational database.
#[derive(Clone)]
pub struct Sqlite {
    db: Db,
    clock: Arc<dyn Clock>,
}

impl Sqlite {
    /// `db` has this crate's migrations.
    pub fn new(db: Db, clock: Arc<dyn Clock>) -> Self {
        Self { db, clock }
    }
}

#[async_trait]
impl Catalogue for Sqlite {
    async fn load(&self, ids: &[ProductId]) -> Result<Vec<Record>> {
        products::load(&mut self.db.get().await?, ids).await
    }

    async fn by_slug(&self, slug: &str) -> Result<Option<Record>> {
        let mut conn = self.db.get().await?;
        let found = products::by_slugs(&mut conn, std::slice::from_ref(&slug.to_owned())).await?.pop();
        if found.is_some() {
            return Ok(found);
        }
        let Some(id) = products::redirect(&mut conn, slug).await? else { return Ok(None) };
        Ok(products::load(&mut conn, &[id]).await?.pop())
    }

    async fn by_slugs(&self, slugs: &[String]) -> Result<Vec<Record>> {
        products::by_slugs(&mut self.db.get().await?, slugs).await
    }

    async fn by_variants(&self, ids: &[VariantId]) -> Result<Vec<Record>> {
        products::by_variants(&mut self.db.get().await?, ids).await
    }

    async fn list(
        &self,
        listing: &Listing,
        after: Option<(Time, ProductId)>,
        limit: u32,
    ) -> Result<Vec<Record>> {
        products::list(&mut self.db.get().await?, listing, after, limit).await
    }

    async fn export(&self, after: Option<ProductId>, limit: u32) -> Result<Vec<Record>> {
        products::export(&mut self.db.get().await?, after, limit).await
    }

    async fn touched(
        &self,
        from: Time,
        after: Option<(Time, ProductId)>,
        limit: u32,
    ) -> Result<Vec<(Time, Record)>> {
        products::touched(&mut self.db.get().await?, from, after, limit).await
    }

    async fn announce_search(&self) -> Result<()> {
        let now = self.clock.now().micros();
        self.db
            .transaction(async move |tx| tx.emit(MODULE, "search", now, &SearchUpdated {}).await.map(|_| ()))
            .await
    }

    async fn slugs_like(&self, base: &str) -> Result<Vec<String>> {
        products::slugs_like(&mut self.db.get().await?, base).await
    }

    async fn sku_owners(&self, skus: &[String]) -> Result<HashMap<String, ProductId>> {
        products::sku_owners(&mut self.db.get().await?, skus).await
    }

    async fn save(&self, saves: Vec<Save>) -> Result<()> {
        let clock = self.clock.clone();
        self.db
            .transaction(async move |tx| {
                let now = clock.now();
                for (i, save) in saves.iter().enumerate() {
                    save::save(tx, save, i, now).await?;
                }
                save::announce_collections(tx, &saves, now).await
            })
            .await
    }

    async fn rate(&self, event: EventId, sequence: i64, sums: AggregateChanged) -> Result<()> {
        let clock = self.clock.clone();
        self.db
            .transaction(async move |tx| {
                if inbox::first(tx, RATINGS, event).await? {
                    ratings::rate(tx, &sums, sequence, clock.now()).await?;
                }
                Ok(())
            })
            .await
    }

    async fn memberships(&self, ids: &[ProductId]) -> Result<Vec<Membership>> {
        collections::memberships(&mut self.db.get().await?, ids).await
    }

    async fn fields(&self, ids: &[ProductId]) -> Result<HashMap<ProductId, Vec<IndexedField>>> {
        fields::load(&mut self.db.get().await?, ids).await
    }

    async fn take_values(
        &self,
        event: EventId,
        product: ProductId,
        changed: MetafieldsChanged,
    ) -> Result<()> {
        let clock = self.clock.clone();
        self.db
            .transaction(async move |tx| {
                if inbox::first(tx, CONSUMER, event).await? {
                    fields::take_values(tx, product, &changed, clock.now()).await?;
                }
                Ok(())
            })
            .await
    }

    async fn take_definition(&self, event: EventId, changed: DefinitionChanged) -> Result<()> {
        let clock = self.clock.clone();
        self.db
            .transaction(async move |tx| {
                if inbox::first(tx, CONSUMER, event).await? {
                    fields::take_definition(tx, &changed, clock.now()).await?;
                }
                Ok(())
            })
            .await
    }

    async fn categories(&self) -> Result<Vec<Category>> {
        categories::all(&mut self.db.get().await?).await
    }

    async fn former_category(&self, slug: &str) -> Result<Option<CategoryId>> {
        categories::redirect(&mut self.db.get().await?, slug).await
    }

    async fn placements(&self) -> Result<Vec<(ProductId, CategoryId)>> {
        categories::placements(&mut self.db.get().await?).await
    }

    async fn save_category(&self, category: Category) -> Result<()> {
        let clock = self.clock.clone();
        self.db.transaction(async move |tx| categories::save(tx, &category, clock.now()).await).await
    }

    async fn delete_category(&self, id: CategoryId) -> Result<()> {
        let clock = self.clock.clone();
        self.db.transaction(async move |tx| categories::delete(tx, id, clock.now()).await).await
    }

    async fn collections(&self) -> Result<Vec<Collection>> {
        collections::all(&mut self.db.get().await?).await
    }

    async fn collections_by_slug(&self, slugs: &[String]) -> Result<HashMap<String, CollectionId>> {
        collections::by_slug(&mut self.db.get().await?, slugs).await
    }

    async fn save_collection(&self, collection: Collection, new: bool) -> Result<()> {
        let clock = self.clock.clone();
        self.db.transaction(async move |tx| collections::save(tx, &collection, new, clock.now()).await).await
    }

    async fn delete_collection(&self, id: CollectionId) -> Result<()> {
        let clock = self.clock.clone();
        self.db.transaction(async move |tx| collections::delete(tx, id, clock.now()).await).await
    }

    async fn price_lists(&self) -> Result<Vec<PriceList>> {
        prices::all(&mut self.db.get().await?).await
    }

    async fn save_price_list(&self, list: PriceList, new: bool) -> Result<()> {
        let clock = self.clock.clone();
        self.db.transaction(async move |tx| prices::save(tx, &list, new, clock.now()).await).await
    }

    async fn delete_price_list(&self, id: PriceListId) -> Result<()> {
        let clock = self.clock.clone();
        self.db.transaction(async move |tx| prices::delete(tx, id, clock.now()).await).await
    }

    async fn offers(&self, products: &[ProductId], currency: Option<Currency>) -> Result<Vec<Offer>> {
        prices::offers(&mut self.db.get().await?, products, currency).await
    }

    async fn turn_prices(&self, since: Time, until: Time) -> Result<()> {
        if prices::turned(&mut self.db.get().await?, since, until).await?.is_empty() {
            return Ok(());
        }
        let clock = self.clock.clone();
        self.db.transaction(async move |tx| prices::turn(tx, since, until, clock.now()).await).await
    }
}

#[async_trait]
impl Gallery for Sqlite {
    async fn add(&self, files: Vec<String>, due_at: Time) -> Result<()> {
        self.db.transaction(async move |tx| pictures::add(tx, &files, due_at).await).await
    }

    async fn replace(&self, file: String, due_at: Time) -> Result<()> {
        self.db.transaction(async move |tx| pictures::replace(tx, &file, due_at).await).await
    }

    async fn known(&self) -> Result<Vec<String>> {
        pictures::known(&mut self.db.get().await?).await
    }

    async fn claim(&self, now: Time, until: Time, limit: i64) -> Result<Vec<String>> {
        self.db.transaction(async move |tx| pictures::claim(tx, now, until, limit).await).await
    }

    async fn finish(&self, until: Time, done: Vec<Finished>) -> Result<()> {
        self.db.transaction(async move |tx| pictures::finish(tx, until, &done).await).await
    }

    async fn finished(&self, files: Vec<String>) -> Result<Vec<Finished>> {
        pictures::finished(&mut self.db.get().await?, &files).await
    }
}

/// A unique violation becomes the conflict it is.
fn conflict(error: DieselError) -> Error {
    let DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, information) = &error else {
        return error.into();
    };
    // PostgreSQL names the constraint, SQLite the column in its message.
    let what = information.constraint_name().unwrap_or_else(|| information.message());
    match what {
        what if what.contains("slug") => taken("slug"),
        what if what.contains("sku") => taken("sku"),
        _ => error.into(),
    }
}
