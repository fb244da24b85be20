//! The search index over published products: text, filters, facets, order, completions. It is a copy of the store's
//! content and can be thrown away at any time. All of it blocks: call it from a blocking thread.

mod card;
mod disk;
mod facets;
mod fields;
mod filter;
mod order;
mod pass;
mod snapshot;
mod suggest;
mod text;
mod words;

#[cfg(test)]
mod random_shop;
#[cfg(test)]
mod random_tests;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use contracts::product::{
    CategoryRef, CollectionId, PriceRange, Product, ProductId, ProductStatus, SearchQuery, SearchResult,
    SuggestedProduct,
};
use serde::{Deserialize, Serialize};
use shared::{Currency, Error, Money, Result, page};
use tantivy::{
    IndexReader, IndexWriter, ReloadPolicy,
    indexer::{IndexWriterOptions, LogMergePolicy},
};

use self::{
    fields::Fields,
    filter::Filter,
    order::{Hit, Position},
    pass::{Found, Pass},
    snapshot::Snapshot,
    text::Text,
};
use crate::model::fields::IndexedField;

const WRITER_MEMORY: usize = 64 << 20;

/// A product with all that a search needs to know of it.
#[derive(Clone, Debug)]
pub struct IndexedProduct {
    /// With its variants' `available` filled in.
    pub product: Product,
    /// Its categories and all their ancestors.
    pub categories: Vec<CategoryRef>,
    /// With their slugs.
    pub collections: Vec<(CollectionId, String)>,
    /// Its custom fields.
    pub fields: Vec<IndexedField>,
    /// How well it sells: more is better.
    pub popularity: i64,
    pub prices: BTreeMap<Currency, CardPrice>,
}

/// What a product costs in one currency, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardPrice {
    /// Of the cheapest variant.
    pub min: i64,
    /// Of the dearest variant.
    pub max: i64,
    /// The former price of the cheapest.
    pub compare_at: Option<i64>,
}

/// What to change in the index.
#[derive(Clone, Debug)]
pub enum Change {
    /// Adds or replaces; removes one that is not published.
    Put(Box<IndexedProduct>),
    Remove(ProductId),
}

/// The index.
pub struct Index {
    fields: Fields,
    index: tantivy::Index,
    /// `None` after a failed commit: the next one starts with a new writer.
    writer: Mutex<Option<IndexWriter>>,
    reader: IndexReader,
    snapshot: RwLock<Arc<Snapshot>>,
}

impl Index {
    /// Opens or creates the index in `dir`, or one in memory. One that is damaged, of another version or for other
    /// currencies is made anew: then it [is empty](Self::is_empty) and has no [checkpoint](Self::checkpoint).
    pub fn open(dir: Option<&Path>, currencies: &[Currency]) -> Result<Self> {
        let schema = Fields::new(currencies).schema;
        let Some(dir) = dir else {
            return Self::start(tantivy::Index::create_in_ram(schema), currencies).map_err(Error::internal);
        };
        let old = disk::existing(dir, &schema)?
            .map(|index| index.and_then(|index| Self::start(index, currencies).map_err(|e| e.to_string())));
        match old {
            Some(Ok(index)) => return Ok(index),
            Some(Err(reason)) => {
                tracing::warn!(dir = %dir.display(), reason, "the search index is of no use and is made anew");
            }
            None => {}
        }
        Self::start(disk::create(dir, schema)?, currencies).map_err(Error::internal)
    }

    /// What the caller had read from the store when the last commit was made.
    pub fn checkpoint(&self) -> Option<String> {
        self.snapshot().checkpoint.clone()
    }

    /// True if nothing is in it: the caller fills it.
    pub fn is_empty(&self) -> bool {
        self.snapshot().searcher.num_docs() == 0
    }

    /// Makes all changes in one commit; searches that start afterwards see them. No checkpoint: the last one stays.
    pub fn apply(&self, changes: Vec<Change>, checkpoint: Option<String>) -> Result<()> {
        let mut place = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.snapshot();
        let checkpoint = checkpoint.or_else(|| before.checkpoint.clone());
        if changes.is_empty() && checkpoint == before.checkpoint {
            return Ok(());
        }
        // A writer that fails is dropped, so that half of the changes do not become part of the next commit.
        let mut writer = match place.take() {
            Some(writer) => writer,
            None => new_writer(&self.index).map_err(Error::internal)?,
        };
        self.write(&mut writer, changes, checkpoint.as_deref())?;
        *place = Some(writer);
        let snapshot = Snapshot::load(&self.reader, &self.fields, checkpoint, Some(&before));
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(snapshot.map_err(Error::internal)?);
        Ok(())
    }

    /// One page of what matches. `categories`: all of the shop, because shoppers name them by slug.
    pub fn search(&self, query: &SearchQuery, categories: &[CategoryRef]) -> Result<SearchResult> {
        let limit = checked(query.page.limit)?;
        let filter = Filter::new(query, categories)?;
        let written = query.q.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let scope = serde_json::to_string(&(written, &filter, query.sort, query.context.currency))?;
        let after = query.page.position::<Position>(&scope)?;
        let text = match written.map(|text| Text::parse(text, self.fields.text())).transpose() {
            // A text without a word, such as a smiley, finds nothing.
            Ok(Some(None)) => return Ok(nothing()),
            text => text.map_err(Error::internal)?.flatten(),
        };
        let snapshot = self.snapshot();
        let pass = Pass::new(query, text.as_ref(), &filter);
        let found = pass.run(&snapshot, limit + 1, after).map_err(Error::internal)?;
        self.result(query, &scope, &snapshot, found, categories)
    }

    /// Completions of what is being typed: products, and words that start with the last one.
    pub fn suggest(&self, text: &str, limit: u32) -> Result<(Vec<SuggestedProduct>, Vec<String>)> {
        let limit = checked(limit)?;
        let snapshot = self.snapshot();
        let hits = suggest::products(text, limit, &snapshot, &self.fields).map_err(Error::internal)?;
        let products = hits.iter().map(|hit| Ok(snapshot.card(hit, &self.fields)?.suggested()));
        let terms = suggest::terms(text, limit, &snapshot, &self.fields).map_err(Error::internal)?;
        Ok((products.collect::<Result<_>>()?, terms))
    }

    fn start(index: tantivy::Index, currencies: &[Currency]) -> tantivy::Result<Self> {
        let fields = Fields::new(currencies);
        let writer = Mutex::new(Some(new_writer(&index)?));
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let snapshot = Snapshot::load(&reader, &fields, index.load_metas()?.payload, None)?;
        Ok(Self { fields, index, writer, reader, snapshot: RwLock::new(Arc::new(snapshot)) })
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, writer: &mut IndexWriter, changes: Vec<Change>, checkpoint: Option<&str>) -> Result<()> {
        for change in changes {
            let (id, indexed) = match change {
                Change::Put(indexed) => (indexed.product.id, Some(indexed)),
                Change::Remove(id) => (id, None),
            };
            writer.delete_term(self.fields.key(id));
            if let Some(indexed) = indexed.filter(|put| put.product.status == ProductStatus::Published) {
                writer.add_document(self.fields.document(&indexed)?).map_err(Error::internal)?;
            }
        }
        let mut commit = writer.prepare_commit().map_err(Error::internal)?;
        if let Some(checkpoint) = checkpoint {
            commit.set_payload(checkpoint);
        }
        commit.commit().map_err(Error::internal)?;
        Ok(())
    }

    fn result(
        &self,
        query: &SearchQuery,
        scope: &str,
        snapshot: &Snapshot,
        found: Found,
        categories: &[CategoryRef],
    ) -> Result<SearchResult> {
        let currency = query.context.currency;
        let page = page::Page::cut(found.hits, query.page.limit, scope, |hit: &Hit| hit.position);
        let cards = page.data.iter().map(|hit| Ok(snapshot.card(hit, &self.fields)?.priced(currency)));
        let money = |amount| Money::new(amount, currency);
        Ok(SearchResult {
            data: cards.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect(),
            next_cursor: page.next_cursor,
            total: found.total,
            facets: match query.facets {
                true => {
                    let counted = facets::counted(&snapshot.facets, &found.counts, categories);
                    facets::without_noise(counted, &query.attributes)
                }
                false => BTreeMap::new(),
            },
            price: found.price.map(|(min, max)| PriceRange { min: money(min), max: money(max) }),
        })
    }
}

fn new_writer(index: &tantivy::Index) -> tantivy::Result<IndexWriter> {
    let options = IndexWriterOptions::builder()
        .num_worker_threads(1)
        .num_merge_threads(1)
        .memory_budget_per_thread(WRITER_MEMORY)
        .build();
    let writer: IndexWriter = index.writer_with_options(options)?;
    // Products change far more often than they are added: what they were must not pile up.
    let mut merging = LogMergePolicy::default();
    merging.set_del_docs_ratio_before_merge(0.3);
    writer.set_merge_policy(Box::new(merging));
    Ok(writer)
}

fn checked(limit: u32) -> Result<usize> {
    match limit {
        1..=100 => Ok(limit as usize),
        _ => Err(Error::invalid("/limit", "out_of_range", "limit must be between 1 and 100")),
    }
}

fn nothing() -> SearchResult {
    SearchResult { data: Vec::new(), next_cursor: None, total: 0, facets: BTreeMap::new(), price: None }
}
