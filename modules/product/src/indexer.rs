//! Keeps the search index in step with the store.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex as Lock, PoisonError},
    time::Duration,
};

use contracts::product::{PriceContext, Product, ProductId, ProductStatus};
use shared::{Clock, Currency, Error, Result, Time};
use tokio::sync::{Mutex, Notify};

use crate::{
    model::price::{Offer, price},
    search::{CardPrice, Change, Index, IndexedProduct},
    service::Branches,
    store::{Catalogue, Membership, Record, Shelves},
};

/// Products per commit while catching up: a commit costs, and so does memory.
const PAGE: u32 = 2000;
/// Products per commit otherwise.
const BATCH: usize = 500;
/// How long changes are collected, so that a burst is one commit.
const COLLECT: Duration = Duration::from_millis(100);
/// Two processes may commit in another order than their clocks say: at start, look back this far.
const OVERLAP: Duration = Duration::from_secs(60);

/// Feeds the index.
pub struct Indexer {
    pub index: Arc<Index>,
    pub catalogue: Arc<dyn Catalogue>,
    pub shelves: Arc<dyn Shelves>,
    pub branches: Arc<Branches>,
    pub clock: Arc<dyn Clock>,
    pub currencies: Vec<Currency>,
    wanted: Lock<Wanted>,
    wake: Notify,
    full: Notify,
    /// One writes at a time, so that an older state never overwrites a newer one.
    turn: Mutex<()>,
}

/// What is to be read from the store.
#[derive(Default)]
struct Wanted {
    products: HashSet<ProductId>,
    everything_new: bool,
}

impl Indexer {
    pub fn new(
        index: Index,
        catalogue: Arc<dyn Catalogue>,
        shelves: Arc<dyn Shelves>,
        branches: Arc<Branches>,
        clock: Arc<dyn Clock>,
        currencies: Vec<Currency>,
    ) -> Self {
        Self {
            index: Arc::new(index),
            catalogue,
            shelves,
            branches,
            clock,
            currencies,
            wanted: Lock::default(),
            wake: Notify::new(),
            full: Notify::new(),
            turn: Mutex::new(()),
        }
    }

    /// Asks for products to be read again soon.
    pub fn enqueue(&self, ids: impl IntoIterator<Item = ProductId>) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.products.extend(ids);
        if wanted.products.len() >= BATCH {
            self.full.notify_one();
        }
        // So many are cheaper to read in the order of their change, and need no memory.
        if wanted.products.len() > 20 * BATCH {
            wanted.products.clear();
            wanted.everything_new = true;
        }
        drop(wanted);
        self.wake.notify_one();
    }

    /// Asks for all that has been touched to be read soon.
    pub fn enqueue_touched(&self) {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).everything_new = true;
        self.wake.notify_one();
    }

    /// Catches up, then applies what is asked for, until it is dropped.
    pub async fn run(&self, refresh: Duration) {
        let mut from = self.checkpoint().map(|time| time.before(OVERLAP));
        loop {
            match self.catch_up(from).await {
                Ok(_) => break,
                Err(error) => self.rest("the search index cannot catch up", &error).await,
            }
            from = self.checkpoint();
        }
        loop {
            let asked = tokio::time::timeout(refresh, self.wake.notified()).await.is_ok();
            let done = if asked { self.apply_wanted().await } else { self.poll().await };
            if let Err(error) = done {
                self.enqueue_touched();
                self.rest("the search index cannot be updated", &error).await;
            }
        }
    }

    async fn rest(&self, what: &str, error: &Error) {
        tracing::error!(error = error.chain(), "{what}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }

    async fn apply_wanted(&self) -> Result<()> {
        let _ = tokio::time::timeout(COLLECT, self.full.notified()).await;
        let wanted = std::mem::take(&mut *self.wanted.lock().unwrap_or_else(PoisonError::into_inner));
        let ids: Vec<ProductId> = wanted.products.into_iter().collect();
        for ids in ids.chunks(BATCH) {
            let _turn = self.turn.lock().await;
            let records = self.catalogue.load(ids).await?;
            self.apply(records, None).await?;
        }
        if wanted.everything_new {
            self.catch_up(self.checkpoint()).await?;
        }
        Ok(())
    }

    /// What other processes have written.
    async fn poll(&self) -> Result<()> {
        self.branches.refresh(&*self.catalogue).await?;
        let from = self.checkpoint().map(|time| Time::from_micros(time.micros() + 1));
        if self.catch_up(from).await? > 0 {
            self.branches.forget_counts();
        }
        Ok(())
    }

    /// When what the index has last seen was touched.
    pub fn checkpoint(&self) -> Option<Time> {
        let text = self.index.checkpoint().filter(|_| !self.index.is_empty())?;
        text.parse().ok().map(Time::from_micros)
    }

    /// Reads all that was touched at or after `from`, page by page, and returns how many products that was.
    pub async fn catch_up(&self, from: Option<Time>) -> Result<u64> {
        let from = from.unwrap_or(Time::from_micros(0));
        let (mut after, mut done) = (None, 0);
        loop {
            let _turn = self.turn.lock().await;
            let rows = self.catalogue.touched(from, after, PAGE).await?;
            let Some((time, last)) = rows.last() else { return Ok(done) };
            let (time, count) = (*time, rows.len());
            after = Some((time, last.product.id));
            let records = rows.into_iter().map(|(_, record)| record).collect();
            // Time stands still or goes back where clocks do; what the index has seen does not.
            let seen = self.checkpoint().map_or(time, |seen| seen.max(time));
            self.apply(records, Some(seen.micros().to_string())).await?;
            done += count as u64;
            if count < PAGE as usize {
                return Ok(done);
            }
            tracing::info!(products = done, "building the search index");
        }
    }

    async fn apply(&self, records: Vec<Record>, checkpoint: Option<String>) -> Result<()> {
        let changes = self.changes(records).await?;
        let index = self.index.clone();
        let applied = tokio::task::spawn_blocking(move || index.apply(changes, checkpoint));
        applied.await.map_err(Error::internal)??;
        self.catalogue.announce_search().await
    }

    async fn changes(&self, records: Vec<Record>) -> Result<Vec<Change>> {
        let shown = |r: &&Record| r.product.status == ProductStatus::Published;
        let ids: Vec<ProductId> = records.iter().filter(shown).map(|r| r.product.id).collect();
        let available = self.shelves.available(&ids).await?;
        let offers = self.catalogue.offers(&ids, None).await?;
        let mut memberships = HashMap::<ProductId, Vec<Membership>>::new();
        for membership in self.catalogue.memberships(&ids).await? {
            memberships.entry(membership.product_id).or_default().push(membership);
        }
        let mut fields = self.catalogue.fields(&ids).await?;
        let (tree, now) = (self.branches.tree(), self.clock.now());
        let change = |record: Record| {
            let mut product = record.product;
            if product.status != ProductStatus::Published {
                return Change::Remove(product.id);
            }
            crate::service::fill(&mut product, &available);
            let joined = memberships.remove(&product.id).unwrap_or_default();
            product.collection_ids = joined.iter().map(|m| m.collection_id).collect();
            Change::Put(Box::new(IndexedProduct {
                categories: tree.lineage(&product.category_ids),
                collections: joined.into_iter().map(|m| (m.collection_id, m.slug)).collect(),
                fields: fields.remove(&product.id).unwrap_or_default(),
                popularity: record.popularity,
                prices: self.prices(&product, &offers, now),
                product,
            }))
        };
        Ok(records.into_iter().map(change).collect())
    }

    /// What lists of products show to those who are in no group.
    fn prices(&self, product: &Product, offers: &[Offer], now: Time) -> BTreeMap<Currency, CardPrice> {
        let ids: HashSet<_> = product.variants.iter().map(|v| v.id).collect();
        let offers: Vec<Offer> = offers.iter().filter(|o| ids.contains(&o.variant_id)).cloned().collect();
        let card = |currency: &Currency| {
            let context = PriceContext { currency: *currency, group: None };
            let prices = product.variants.iter().filter_map(|v| price(v, &offers, &context, 1, now));
            let all: Vec<_> = prices.collect();
            let cheapest = all.iter().min_by_key(|p| p.unit.amount)?;
            let max = all.iter().map(|p| p.unit.amount).max()?;
            let compare_at = cheapest.compare_at.map(|former| former.amount);
            Some((*currency, CardPrice { min: cheapest.unit.amount, max, compare_at }))
        };
        self.currencies.iter().filter_map(card).collect()
    }
}
