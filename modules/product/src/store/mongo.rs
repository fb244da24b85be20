//! The stores in MongoDB: products, categories, collections, price lists and pictures; stock is in `mongo/shelves.rs`.

mod categories;
mod collections;
mod fields;
mod moving;
mod names;
mod pictures;
mod prices;
mod products;
mod ratings;
mod save;
mod shelves;
mod variants;

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
use mongodb::error::Error as MongoError;
use shared::{
    Clock, Currency, Error, Id, Result, Time,
    events::EventId,
    ids::Entity,
    mongo::{Mongo, Schema, Spec, duplicate},
};

use super::{Catalogue, Finished, Gallery, Listing, Membership, Record, Save, taken};
use crate::{
    events::{CONSUMER, RATINGS},
    model::{fields::IndexedField, price::Offer},
};

/// The name under which the module's events are published.
const MODULE: &str = "product";

pub use moving::KINDS;

/// The module's collections.
pub const SCHEMA: Schema = Schema { module: MODULE, collections };

fn collections() -> Vec<Spec> {
    let mut all = vec![variants::spec(), collections::spec(), pictures::spec()];
    all.extend(products::specs());
    all.extend(categories::specs());
    all.extend(prices::specs());
    all.extend(fields::specs());
    all.extend(shelves::collections());
    all
}

/// Ids as they are kept.
fn texts<E: Entity>(ids: &[Id<E>]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

/// What a unique index refuses becomes the conflict it is.
fn conflict(error: MongoError) -> Error {
    // The key comes last, and may be called like an index.
    let index = duplicate(&error).and_then(|message| message.split(" dup key: ").next());
    match index {
        Some(index) if index.contains("_slug") => taken("slug"),
        Some(index) if index.contains("_sku") => taken("sku"),
        _ => error.into(),
    }
}

/// Keeps everything in one MongoDB database.
pub struct MongoStore {
    mongo: Mongo,
    clock: Arc<dyn Clock>,
}

impl MongoStore {
    /// Its collections are there already.
    pub fn new(mongo: Mongo, clock: Arc<dyn Clock>) -> Self {
        Self { mongo, clock }
    }
}

#[async_trait]
impl Catalogue for MongoStore {
    async fn load(&self, ids: &[ProductId]) -> Result<Vec<Record>> {
        products::load(&self.mongo, ids).await
    }

    async fn by_slug(&self, slug: &str) -> Result<Option<Record>> {
        products::by_slug(&self.mongo, slug).await
    }

    async fn by_slugs(&self, slugs: &[String]) -> Result<Vec<Record>> {
        products::by_slugs(&self.mongo, slugs).await
    }

    async fn by_variants(&self, ids: &[VariantId]) -> Result<Vec<Record>> {
        products::by_variants(&self.mongo, ids).await
    }

    async fn list(
        &self,
        listing: &Listing,
        after: Option<(Time, ProductId)>,
        limit: u32,
    ) -> Result<Vec<Record>> {
        products::list(&self.mongo, listing, after, limit).await
    }

    async fn export(&self, after: Option<ProductId>, limit: u32) -> Result<Vec<Record>> {
        products::export(&self.mongo, after, limit).await
    }

    async fn touched(
        &self,
        from: Time,
        after: Option<(Time, ProductId)>,
        limit: u32,
    ) -> Result<Vec<(Time, Record)>> {
        products::touched(&self.mongo, from, after, limit).await
    }

    async fn announce_search(&self) -> Result<()> {
        let now = self.clock.now().micros();
        self.mongo
            .transaction(async move |tx| tx.emit(MODULE, "search", now, &SearchUpdated {}).await.map(|_| ()))
            .await
    }

    async fn slugs_like(&self, base: &str) -> Result<Vec<String>> {
        products::slugs_like(&self.mongo, base).await
    }

    async fn sku_owners(&self, skus: &[String]) -> Result<HashMap<String, ProductId>> {
        products::sku_owners(&self.mongo, skus).await
    }

    async fn save(&self, saves: Vec<Save>) -> Result<()> {
        let clock = self.clock.clone();
        self.mongo
            .transaction(async move |tx| {
                let now = clock.now();
                for save in &saves {
                    save::save(tx, save, now).await?;
                }
                save::announce_collections(tx, &saves, now).await
            })
            .await
    }

    async fn rate(&self, event: EventId, sequence: i64, sums: AggregateChanged) -> Result<()> {
        let clock = self.clock.clone();
        self.mongo
            .transaction(async move |tx| {
                if tx.first(RATINGS, event).await? {
                    ratings::rate(tx, &sums, sequence, clock.now()).await?;
                }
                Ok(())
            })
            .await
    }

    async fn memberships(&self, ids: &[ProductId]) -> Result<Vec<Membership>> {
        collections::memberships(&self.mongo, ids).await
    }

    async fn fields(&self, ids: &[ProductId]) -> Result<HashMap<ProductId, Vec<IndexedField>>> {
        fields::load(&self.mongo, ids).await
    }

    async fn take_values(
        &self,
        event: EventId,
        product: ProductId,
        changed: MetafieldsChanged,
    ) -> Result<()> {
        let clock = self.clock.clone();
        self.mongo
            .transaction(async move |tx| {
                if tx.first(CONSUMER, event).await? {
                    fields::take_values(tx, product, &changed, clock.now()).await?;
                }
                Ok(())
            })
            .await
    }

    async fn take_definition(&self, event: EventId, changed: DefinitionChanged) -> Result<()> {
        let clock = self.clock.clone();
        self.mongo
            .transaction(async move |tx| {
                if tx.first(CONSUMER, event).await? {
                    fields::take_definition(tx, &changed, clock.now()).await?;
                }
                Ok(())
            })
            .await
    }

    async fn categories(&self) -> Result<Vec<Category>> {
        categories::all(&self.mongo).await
    }

    async fn former_category(&self, slug: &str) -> Result<Option<CategoryId>> {
        categories::redirect(&self.mongo, slug).await
    }

    async fn placements(&self) -> Result<Vec<(ProductId, CategoryId)>> {
        categories::placements(&self.mongo).await
    }

    async fn save_category(&self, category: Category) -> Result<()> {
        let clock = self.clock.clone();
        self.mongo.transaction(async move |tx| categories::save(tx, &category, clock.now()).await).await
    }

    async fn delete_category(&self, id: CategoryId) -> Result<()> {
        let clock = self.clock.clone();
        self.mongo.transaction(async move |tx| categories::delete(tx, id, clock.now()).await).await
    }

    async fn collections(&self) -> Result<Vec<Collection>> {
        collections::all(&self.mongo).await
    }

    async fn collections_by_slug(&self, slugs: &[String]) -> Result<HashMap<String, CollectionId>> {
        collections::by_slug(&self.mongo, slugs).await
    }

    async fn save_collection(&self, collection: Collection, new: bool) -> Result<()> {
        let clock = self.clock.clone();
        self.mongo
            .transaction(async move |tx| collections::save(tx, &collection, new, clock.now()).await)
            .await
    }

    async fn delete_collection(&self, id: CollectionId) -> Result<()> {
        let clock = self.clock.clone();
        self.mongo.transaction(async move |tx| collections::delete(tx, id, clock.now()).await).await
    }

    async fn price_lists(&self) -> Result<Vec<PriceList>> {
        prices::all(&self.mongo).await
    }

    async fn save_price_list(&self, list: PriceList, new: bool) -> Result<()> {
        let clock = self.clock.clone();
        self.mongo.transaction(async move |tx| prices::save(tx, &list, new, clock.now()).await).await
    }

    async fn delete_price_list(&self, id: PriceListId) -> Result<()> {
        let clock = self.clock.clone();
        self.mongo.transaction(async move |tx| prices::delete(tx, id, clock.now()).await).await
    }

    async fn offers(&self, products: &[ProductId], currency: Option<Currency>) -> Result<Vec<Offer>> {
        prices::offers(&self.mongo, products, currency).await
    }

    async fn turn_prices(&self, since: Time, until: Time) -> Result<()> {
        if !prices::has_turned(&self.mongo, since, until).await? {
            return Ok(());
        }
        let clock = self.clock.clone();
        self.mongo.transaction(async move |tx| prices::turn(tx, since, until, clock.now()).await).await
    }
}

#[async_trait]
impl Gallery for MongoStore {
    async fn add(&self, files: Vec<String>, due_at: Time) -> Result<()> {
        self.mongo.transaction(async move |tx| pictures::add(tx, &files, due_at).await).await
    }

    async fn replace(&self, file: String, due_at: Time) -> Result<()> {
        pictures::replace(&self.mongo, &file, due_at).await
    }

    async fn known(&self) -> Result<Vec<String>> {
        pictures::known(&self.mongo).await
    }

    async fn claim(&self, now: Time, until: Time, limit: i64) -> Result<Vec<String>> {
        pictures::claim(&self.mongo, now, until, limit).await
    }

    async fn finish(&self, until: Time, done: Vec<Finished>) -> Result<()> {
        self.mongo.transaction(async move |tx| pictures::finish(tx, until, &done).await).await
    }

    async fn finished(&self, files: Vec<String>) -> Result<Vec<Finished>> {
        pictures::finished(&self.mongo, &files).await
    }
}
