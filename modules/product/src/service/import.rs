//! Imports: products by slug, batch by batch.

use std::collections::{HashMap, HashSet};

use contracts::product::{
    CategoryId, CollectionId, ImportOutcome, ImportProduct, ImportResult, NewProduct, ProductId,
};
use shared::{Error, Kind, Result, Time, values};

use super::Service;
use crate::{
    model::{
        draft::{self, Composed, Frame},
        faults::Faults,
        tree::Tree,
    },
    store::{Record, Save},
};

/// Products per transaction.
const BATCH: usize = 200;
/// How often a batch is planned again because somebody else took a slug or a SKU meanwhile.
const TRIES: u32 = 3;

/// What a batch is compared with.
struct Known {
    products: HashMap<String, Record>,
    owners: HashMap<String, ProductId>,
    collections: HashMap<String, CollectionId>,
    members: HashSet<(ProductId, CollectionId)>,
    /// The slugs of the batch so far.
    taken: HashSet<String>,
    tree: std::sync::Arc<Tree>,
    now: Time,
}

/// What is to be done with a batch.
#[derive(Default)]
struct Plan {
    saves: Vec<Save>,
    outcomes: Vec<ImportOutcome>,
}

impl Service {
    pub(super) async fn import_products(
        &self,
        products: &[ImportProduct],
        dry_run: bool,
    ) -> Result<Vec<ImportOutcome>> {
        let mut outcomes = Vec::with_capacity(products.len());
        for batch in products.chunks(BATCH) {
            outcomes.extend(self.import_batch(batch, dry_run).await?);
        }
        if !dry_run {
            self.branches.forget_counts();
        }
        Ok(outcomes)
    }

    async fn import_batch(&self, batch: &[ImportProduct], dry_run: bool) -> Result<Vec<ImportOutcome>> {
        let mut tries = 0;
        loop {
            let plan = self.plan(batch, dry_run).await?;
            if dry_run {
                return Ok(plan.outcomes);
            }
            tries += 1;
            match self.catalogue.save(plan.saves).await {
                Ok(()) => return Ok(plan.outcomes),
                Err(error) if tries < TRIES && is_race(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn plan(&self, batch: &[ImportProduct], dry_run: bool) -> Result<Plan> {
        let mut known = self.known(batch, dry_run).await?;
        let mut plan = Plan::default();
        for import in batch {
            let slug = import.product.slug.clone().unwrap_or_default();
            let (result, product_id) = match self.plan_one(import, &mut known, dry_run).await {
                Ok((save, result)) => {
                    let id = save.product.id;
                    if result != ImportResult::Unchanged {
                        plan.saves.push(save);
                    }
                    (result, Some(id))
                }
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => (failed(&error), None),
            };
            plan.outcomes.push(ImportOutcome { slug, result, product_id });
        }
        Ok(plan)
    }

    async fn known(&self, batch: &[ImportProduct], dry_run: bool) -> Result<Known> {
        let slugs: Vec<String> = batch.iter().filter_map(|import| import.product.slug.clone()).collect();
        let variants = batch.iter().flat_map(|import| &import.product.variants);
        let skus: Vec<String> = variants.map(|variant| variant.sku.trim().to_owned()).collect();
        let titles = batch.iter().flat_map(|import| &import.collections);
        // Others make their own product fail, later.
        let titles = titles.filter(|title| values::text("", title, 200).is_ok()).cloned().collect();
        let records = self.catalogue.by_slugs(&slugs).await?;
        let ids: Vec<ProductId> = records.iter().map(|record| record.product.id).collect();
        let memberships = self.catalogue.memberships(&ids).await?;
        Ok(Known {
            products: records.into_iter().map(|record| (record.product.slug.clone(), record)).collect(),
            owners: self.catalogue.sku_owners(&skus).await?,
            collections: self.collections_titled(&titles, dry_run).await?,
            members: memberships.iter().map(|m| (m.product_id, m.collection_id)).collect(),
            taken: HashSet::new(),
            tree: self.branches.tree(),
            now: self.clock.now(),
        })
    }

    /// What becomes of one product. Nothing is noted in `known` of one that fails.
    async fn plan_one(
        &self,
        import: &ImportProduct,
        known: &mut Known,
        dry_run: bool,
    ) -> Result<(Save, ImportResult)> {
        let slug = import.product.slug.as_deref().unwrap_or_default();
        let slug = draft::given_slug(slug)?;
        if known.taken.contains(&slug) {
            return Err(Error::invalid("/slug", "duplicate", "another product of this import has this slug"));
        }
        let there = known.products.get(&slug);
        let before = there.map(|record| &record.product);
        let mut new = import.product.clone();
        new.variants.iter_mut().for_each(|variant| variant.id = None);
        check_paths(import)?;
        let now = known.now;
        if import.category_paths.iter().any(|path| known_category(&known.tree, path).is_none()) {
            // First without the categories of the paths: none is made for a product that fails.
            draft::compose(new.clone(), &Frame { before, slug: &slug, tree: &known.tree, now })?;
        }
        check_skus(&new, before.map(|product| product.id), &known.owners)?;
        let unknown_place = self.place(&mut new, &import.category_paths, dry_run).await?;
        known.tree = self.branches.tree();
        let Composed { product, stock } =
            draft::compose(new, &Frame { before, slug: &slug, tree: &known.tree, now })?;
        let joins: Vec<Option<CollectionId>> =
            import.collections.iter().map(|title| known.collections.get(title).copied()).collect();
        let is_new = |id: &CollectionId| !known.members.contains(&(product.id, *id));
        let collections: Vec<CollectionId> = joins.iter().flatten().copied().filter(is_new).collect();
        // A file from outside does not know how well something sells here.
        let popularity = match import.popularity {
            0 => there.map_or(0, |record| record.popularity),
            popularity => popularity,
        };
        let is_same = there.is_some_and(|record| {
            record.popularity == popularity
                && draft::same(&record.product, &product)
                && collections.is_empty()
                && !unknown_place
        }) && !joins.contains(&None);
        let result = match before {
            None => ImportResult::Created,
            Some(_) if is_same => ImportResult::Unchanged,
            Some(_) => ImportResult::Updated,
        };
        let before = before.cloned();
        known.owners.extend(product.variants.iter().map(|variant| (variant.sku.clone(), product.id)));
        known.taken.insert(slug);
        Ok((Save { product, popularity, before, stock, collections }, result))
    }

    /// Puts the product into the categories of its paths. In a dry run none is made; true if one would be.
    async fn place(&self, new: &mut NewProduct, paths: &[Vec<String>], dry_run: bool) -> Result<bool> {
        let mut unknown = false;
        for path in paths {
            let found = if dry_run {
                known_category(&self.branches.tree(), path)
            } else {
                self.category_at(path).await?
            };
            match found {
                Some(id) if new.category_ids.contains(&id) => {}
                Some(id) => new.category_ids.push(id),
                None => unknown = true,
            }
        }
        Ok(unknown)
    }
}

fn known_category(tree: &Tree, path: &[String]) -> Option<CategoryId> {
    path.iter().try_fold(None, |parent, title| tree.child(parent, title).map(Some)).flatten()
}

fn check_paths(import: &ImportProduct) -> Result<()> {
    let mut faults = Faults::default();
    for (i, path) in import.category_paths.iter().enumerate() {
        let at = format!("/category_paths/{i}");
        faults.check((1..=10).contains(&path.len()), &at, "out_of_range", "must have 1 to 10 titles");
        path.iter().enumerate().for_each(|(j, title)| drop(faults.text(format!("{at}/{j}"), title, 200)));
    }
    for (i, title) in import.collections.iter().enumerate() {
        faults.text(format!("/collections/{i}"), title, 200);
    }
    faults.done()
}

fn check_skus(new: &NewProduct, id: Option<ProductId>, owners: &HashMap<String, ProductId>) -> Result<()> {
    let mut faults = Faults::default();
    for (i, variant) in new.variants.iter().enumerate() {
        let sku = variant.sku.trim();
        let free = owners.get(sku).is_none_or(|owner| Some(*owner) == id);
        faults.check(free, format!("/variants/{i}/sku"), "sku_taken", &format!("the SKU {sku:?} is taken"));
    }
    faults.done()
}

fn failed(error: &Error) -> ImportResult {
    let field = error.fields.first();
    ImportResult::Failed {
        code: field.map_or_else(|| error.code.to_string(), |field| field.code.clone()),
        pointer: field.map(|field| field.pointer.clone()).unwrap_or_default(),
        detail: field.map_or_else(|| error.detail.clone(), |field| field.detail.clone()),
    }
}

/// Somebody else wrote between plan and save.
fn is_race(error: &Error) -> bool {
    matches!(error.kind, Kind::Conflict | Kind::PreconditionFailed)
}
