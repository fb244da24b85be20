//! The stores in MongoDB: products, categories, collections, price lists and pictures; stock is in `mongo/shelves.rs`.

mod shelves;
mod variants;

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use contracts::{
    metadata::{DefinitionChanged, MetafieldsChanged},
    product::{Category, CategoryId, Collection, CollectionId, PriceList, PriceListId, ProductId, VariantId},
    review::AggregateChanged,
};
use shared::{
    Clock, Currency, Result, Time,
    events::EventId,
    mongo::{Mongo, Schema, Spec},
};

use super::{Catalogue, Finished, Gallery, Listing, Membership, Record, Save};
use crate::model::{fields::IndexedField, price::Offer};

/// The name under which the module's events are published.
const MODULE: &str = "product";

/// The module's collections.
pub const SCHEMA: Schema = Schema { module: MODULE, collections };

fn collections() -> Vec<Spec> {
    let mut all = vec![variants::spec()];
    all.extend(shelves::collections());
    all
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
        unimplemented!()
    }

    async fn by_slug(&self, slug: &str) -> Result<Option<Record>> {
        unimplemented!()
    }

    async fn by_slugs(&self, slugs: &[String]) -> Result<Vec<Record>> {
        unimplemented!()
    }

    async fn by_variants(&self, ids: &[VariantId]) -> Result<Vec<Record>> {
        unimplemented!()
    }

    async fn list(
        &self,
        listing: &Listing,
        after: Option<(Time, ProductId)>,
        limit: u32,
    ) -> Result<Vec<Record>> {
        unimplemented!()
    }

    async fn export(&self, after: Option<ProductId>, limit: u32) -> Result<Vec<Record>> {
        unimplemented!()
    }

    async fn touched(
        &self,
        from: Time,
        after: Option<(Time, ProductId)>,
        limit: u32,
    ) -> Result<Vec<(Time, Record)>> {
        unimplemented!()
    }

    async fn announce_search(&self) -> Result<()> {
        unimplemented!()
    }

    async fn slugs_like(&self, base: &str) -> Result<Vec<String>> {
        unimplemented!()
    }

    async fn sku_owners(&self, skus: &[String]) -> Result<HashMap<String, ProductId>> {
        unimplemented!()
    }

    async fn save(&self, saves: Vec<Save>) -> Result<()> {
        unimplemented!()
    }

    async fn rate(&self, event: EventId, sequence: i64, sums: AggregateChanged) -> Result<()> {
        unimplemented!()
    }

    async fn memberships(&self, ids: &[ProductId]) -> Result<Vec<Membership>> {
        unimplemented!()
    }

    async fn fields(&self, ids: &[ProductId]) -> Result<HashMap<ProductId, Vec<IndexedField>>> {
        unimplemented!()
    }

    async fn take_values(
        &self,
        event: EventId,
        product: ProductId,
        changed: MetafieldsChanged,
    ) -> Result<()> {
        unimplemented!()
    }

    async fn take_definition(&self, event: EventId, changed: DefinitionChanged) -> Result<()> {
        unimplemented!()
    }

    async fn categories(&self) -> Result<Vec<Category>> {
        unimplemented!()
    }

    async fn placements(&self) -> Result<Vec<(ProductId, CategoryId)>> {
        unimplemented!()
    }

    async fn save_category(&self, category: Category) -> Result<()> {
        unimplemented!()
    }

    async fn delete_category(&self, id: CategoryId) -> Result<()> {
        unimplemented!()
    }

    async fn collections(&self) -> Result<Vec<Collection>> {
        unimplemented!()
    }

    async fn collections_by_slug(&self, slugs: &[String]) -> Result<HashMap<String, CollectionId>> {
        unimplemented!()
    }

    async fn save_collection(&self, collection: Collection, new: bool) -> Result<()> {
        unimplemented!()
    }

    async fn delete_collection(&self, id: CollectionId) -> Result<()> {
        unimplemented!()
    }

    async fn price_lists(&self) -> Result<Vec<PriceList>> {
        unimplemented!()
    }

    async fn save_price_list(&self, list: PriceList, new: bool) -> Result<()> {
        unimplemented!()
    }

    async fn delete_price_list(&self, id: PriceListId) -> Result<()> {
        unimplemented!()
    }

    async fn offers(&self, products: &[ProductId], currency: Option<Currency>) -> Result<Vec<Offer>> {
        unimplemented!()
    }

    async fn turn_prices(&self, since: Time, until: Time) -> Result<()> {
        unimplemented!()
    }
}

#[async_trait]
impl Gallery for MongoStore {
    async fn add(&self, files: Vec<String>, due_at: Time) -> Result<()> {
        unimplemented!()
    }

    async fn replace(&self, file: String, due_at: Time) -> Result<()> {
        unimplemented!()
    }

    async fn known(&self) -> Result<Vec<String>> {
        unimplemented!()
    }

    async fn claim(&self, now: Time, until: Time, limit: i64) -> Result<Vec<String>> {
        unimplemented!()
    }

    async fn finish(&self, until: Time, done: Vec<Finished>) -> Result<()> {
        unimplemented!()
    }

    async fn finished(&self, files: Vec<String>) -> Result<Vec<Finished>> {
        unimplemented!()
    }
}
