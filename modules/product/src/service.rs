//! The two ports, each method in the file of its noun.

mod branches;
mod categories;
mod collections;
mod import;
mod media;
mod prices;
mod products;
mod shop;
mod stock;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use contracts::product::{
    Category, CategoryId, CategoryNode, CategoryPatch, Collection, CollectionId, ImportOutcome,
    ImportProduct, MediaFile, NewCategory, NewCollection, NewImage, NewPriceList, NewProduct, PriceContext,
    PriceList, PriceListId, Product, ProductFilter, ProductId, ProductPatch, ProductView, Products, Quote,
    QuoteLine, SearchQuery, SearchResult, Suggestions, VariantId,
};
use shared::{
    Clock, Database, Error, Page, PageRequest, Result, Time, events::Consumer, jobs::Jobs, values::Blob,
};
use tokio::sync::Mutex;

pub(crate) use branches::Branches;

use crate::{
    Settings,
    events::{FieldsConsumer, RatingConsumer, SearchConsumer},
    indexer::Indexer,
    model::shelf::UNTRACKED,
    pictures::Pictures,
    search::Index,
    store::{self, Catalogue, Shelves, Stores},
    workers,
};

/// The catalogue and the stock.
pub struct Service {
    pub(crate) catalogue: Arc<dyn Catalogue>,
    pub(crate) shelves: Arc<dyn Shelves>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Settings,
    pub(crate) branches: Arc<Branches>,
    pub(crate) indexer: Arc<Indexer>,
    pub(crate) pictures: Arc<Pictures>,
    /// Until when the beginnings and ends of price lists have been noticed.
    pub(crate) prices_seen: Mutex<Time>,
    /// Two imports at once must not make the same category twice.
    making: Mutex<()>,
}

impl Service {
    /// `db` has [`crate::MIGRATIONS`] or [`crate::SCHEMA`], and those of `shared::events`. Loads the categories and opens the index.
    pub async fn new(db: Database, clock: Arc<dyn Clock>, settings: Settings) -> Result<Arc<Self>> {
        let Stores { catalogue, gallery, shelves } = store::open(db, clock.clone());
        let (media_dir, avif) = (settings.media_dir.clone(), settings.avif);
        let pictures = Arc::new(Pictures::new(gallery, clock.clone(), media_dir, avif).await?);
        let branches = Arc::new(Branches::default());
        branches.refresh(&*catalogue).await?;
        let (dir, currencies) = (settings.search_dir.clone(), settings.currencies.clone());
        let index = tokio::task::spawn_blocking(move || Index::open(dir.as_deref(), &currencies))
            .await
            .map_err(Error::internal)??;
        let indexer = Arc::new(Indexer::new(
            index,
            catalogue.clone(),
            shelves.clone(),
            branches.clone(),
            clock.clone(),
            settings.currencies.clone(),
        ));
        let prices_seen = Mutex::new(indexer.checkpoint().unwrap_or_else(|| clock.now()));
        let making = Mutex::new(());
        Ok(Arc::new(Self {
            catalogue,
            shelves,
            clock,
            settings,
            branches,
            indexer,
            pictures,
            prices_seen,
            making,
        }))
    }

    /// The events it hears.
    pub fn consumers(self: &Arc<Self>) -> Vec<Arc<dyn Consumer>> {
        vec![
            Arc::new(SearchConsumer(self.clone())),
            Arc::new(FieldsConsumer(self.clone())),
            Arc::new(RatingConsumer(self.clone())),
        ]
    }

    /// Its workers.
    pub fn start(self: &Arc<Self>, jobs: &Jobs) {
        workers::start(self, jobs);
    }

    /// Reads every product into the search index again and returns how many there were.
    pub async fn reindex(&self) -> Result<u64> {
        self.indexer.catch_up(None).await
    }

    /// Returns when all that was written before the call can be searched.
    pub async fn search_idle(&self) -> Result<()> {
        self.branches.refresh(&*self.catalogue).await?;
        self.indexer.catch_up(self.indexer.checkpoint()).await?;
        Ok(())
    }
}

/// Writes into the variants what can be sold of them.
pub(crate) fn fill(product: &mut Product, available: &HashMap<VariantId, i64>) {
    for variant in &mut product.variants {
        variant.available =
            if variant.tracked { available.get(&variant.id).copied().unwrap_or(0) } else { UNTRACKED };
    }
}

#[async_trait]
impl Products for Service {
    async fn search(&self, query: SearchQuery) -> Result<SearchResult> {
        self.find_products(query).await
    }
    async fn suggest(&self, text: String, limit: u32) -> Result<Suggestions> {
        self.complete(text, limit).await
    }
    async fn view(&self, key: String, context: PriceContext) -> Result<ProductView> {
        self.view_one(&key, &context).await
    }
    async fn views(&self, ids: Vec<ProductId>, context: PriceContext) -> Result<Vec<ProductView>> {
        self.view_many(&ids, &context).await
    }
    async fn quote(&self, lines: Vec<QuoteLine>, context: PriceContext) -> Result<Vec<Quote>> {
        self.quote_lines(&lines, &context).await
    }
    async fn categories(&self) -> Result<Vec<CategoryNode>> {
        let counts = self.branches.counts(&*self.catalogue).await?;
        let nodes = self.branches.tree().nodes(&counts);
        self.dressed(nodes).await
    }
    async fn category(&self, key: String) -> Result<Category> {
        self.one_category(&key).await
    }
    async fn collections(&self) -> Result<Vec<Collection>> {
        self.catalogue.collections().await
    }
    async fn media(&self, file: String) -> Result<MediaFile> {
        self.pictures.read(&file).await
    }

    async fn create(&self, new: NewProduct) -> Result<Product> {
        self.create_product(new).await
    }
    async fn find(&self, id: ProductId) -> Result<Product> {
        self.find_product(id).await
    }
    async fn list(&self, filter: ProductFilter, page: PageRequest) -> Result<Page<Product>> {
        self.list_products(filter, page).await
    }
    async fn update(&self, id: ProductId, patch: ProductPatch, version: Option<i64>) -> Result<Product> {
        self.update_product(id, patch, version).await
    }
    async fn delete(&self, id: ProductId) -> Result<()> {
        self.archive_product(id).await
    }
    async fn import(&self, products: Vec<ImportProduct>, dry_run: bool) -> Result<Vec<ImportOutcome>> {
        self.import_products(&products, dry_run).await
    }
    async fn export(&self, after: Option<ProductId>, limit: u32) -> Result<Vec<Product>> {
        self.export_products(after, limit).await
    }

    async fn create_category(&self, new: NewCategory) -> Result<Category> {
        self.add_category(new).await
    }
    async fn update_category(
        &self,
        id: CategoryId,
        patch: CategoryPatch,
        version: Option<i64>,
    ) -> Result<Category> {
        self.change_category(id, patch, version).await
    }
    async fn delete_category(&self, id: CategoryId) -> Result<()> {
        self.remove_category(id).await
    }
    async fn create_collection(&self, new: NewCollection) -> Result<Collection> {
        self.add_collection(new).await
    }
    async fn update_collection(&self, id: CollectionId, new: NewCollection) -> Result<Collection> {
        self.change_collection(id, new).await
    }
    async fn delete_collection(&self, id: CollectionId) -> Result<()> {
        self.catalogue.delete_collection(id).await
    }
    async fn price_lists(&self) -> Result<Vec<PriceList>> {
        self.catalogue.price_lists().await
    }
    async fn create_price_list(&self, new: NewPriceList) -> Result<PriceList> {
        self.write_price_list(None, new).await
    }
    async fn update_price_list(&self, id: PriceListId, new: NewPriceList) -> Result<PriceList> {
        self.write_price_list(Some(id), new).await
    }
    async fn delete_price_list(&self, id: PriceListId) -> Result<()> {
        self.catalogue.delete_price_list(id).await
    }
    async fn add_image(&self, id: ProductId, image: NewImage) -> Result<Product> {
        self.attach_image(id, image).await
    }
    async fn remove_image(&self, id: ProductId, file: String) -> Result<Product> {
        self.detach_image(id, &file).await
    }
    async fn store_media(&self, file: String, content: Blob) -> Result<()> {
        self.pictures.store(&file, content).await
    }
}
