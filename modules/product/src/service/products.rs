//! Products as staff write them.

use contracts::product::{NewProduct, Product, ProductFilter, ProductId, ProductPatch, ProductStatus};
use shared::{Error, Kind, Page, PageRequest, Result, Time, error::FieldError};

use super::{Service, fill};
use crate::{
    model::{
        draft::{self, Composed, Frame},
        faults::Faults,
    },
    store::{Listing, Record, Save},
};

/// How often a write is tried again that somebody else's came before.
const TRIES: u32 = 5;

impl Service {
    pub(super) async fn create_product(&self, new: NewProduct) -> Result<Product> {
        let given = new.slug.as_deref().map(draft::given_slug).transpose()?;
        let mut tries = 0;
        loop {
            let slug = match &given {
                Some(slug) => slug.clone(),
                None => self.free_slug(&new.title).await?,
            };
            let frame =
                Frame { before: None, slug: &slug, tree: &self.branches.tree(), now: self.clock.now() };
            let Composed { product, stock } = draft::compose(new.clone(), &frame)?;
            let id = product.id;
            let save = Save { product, popularity: 0, before: None, stock, collections: Vec::new() };
            tries += 1;
            match self.write(save).await {
                Err(error) if error.code == "slug_taken" && given.is_none() && tries < TRIES => {}
                result => {
                    result?;
                    return self.find_product(id).await;
                }
            }
        }
    }

    async fn free_slug(&self, title: &str) -> Result<String> {
        let base = draft::made_slug(title, "product");
        Ok(draft::free_slug(&base, &self.catalogue.slugs_like(&base).await?))
    }

    /// Writes one product. A SKU that is taken is named.
    async fn write(&self, save: Save) -> Result<()> {
        let (product, skus) = (save.product.id, save.product.variants.iter().map(|v| v.sku.clone()));
        let skus: Vec<String> = skus.collect();
        let result = self.catalogue.save(vec![save]).await;
        self.branches.forget_counts();
        let mut error = match result {
            Err(error) if error.code == "sku_taken" => error,
            result => return result,
        };
        let owners = self.catalogue.sku_owners(&skus).await?;
        let taken = |sku: &String| owners.get(sku).is_some_and(|owner| *owner != product);
        let fields = skus.iter().enumerate().filter(|(_, sku)| taken(sku)).map(|(i, sku)| FieldError {
            pointer: format!("/variants/{i}/sku"),
            code: "sku_taken".into(),
            detail: format!("the SKU {sku:?} is taken"),
        });
        error.fields = fields.collect();
        Err(error)
    }

    pub(super) async fn find_product(&self, id: ProductId) -> Result<Product> {
        let record = self.catalogue.load(&[id]).await?;
        self.complete_all(record).await?.pop().ok_or_else(ProductId::not_found)
    }

    /// The records with what is kept elsewhere: stock and collections.
    pub(super) async fn complete_all(&self, records: Vec<Record>) -> Result<Vec<Product>> {
        let mut products: Vec<Product> = records.into_iter().map(|record| record.product).collect();
        let ids: Vec<ProductId> = products.iter().map(|p| p.id).collect();
        let available = self.shelves.available(&ids).await?;
        let places: std::collections::HashMap<ProductId, usize> = ids.iter().copied().zip(0..).collect();
        for membership in self.catalogue.memberships(&ids).await? {
            products[places[&membership.product_id]].collection_ids.push(membership.collection_id);
        }
        let tree = self.branches.tree();
        for product in &mut products {
            fill(product, &available);
            product.category_ids.retain(|id| tree.contains(*id));
        }
        self.pictures.dress(products.iter_mut().flat_map(|product| &mut product.images).collect()).await?;
        Ok(products)
    }

    pub(super) async fn list_products(
        &self,
        filter: ProductFilter,
        page: PageRequest,
    ) -> Result<Page<Product>> {
        let limit = checked_limit(&page, 100)?;
        let scope = format!("products:{}", serde_json::to_string(&filter)?);
        let after = page.position::<(Time, ProductId)>(&scope)?;
        let text = filter.q.as_deref().map(str::trim).filter(|q| !q.is_empty());
        let listing = Listing {
            text: text.map(str::to_lowercase),
            status: filter.status,
            categories: filter.category_id.map(|id| self.branches.tree().below(id)),
        };
        let records = self.catalogue.list(&listing, after, limit + 1).await?;
        let page = Page::cut(records, limit, &scope, |r| (r.product.created_at, r.product.id));
        Ok(Page { data: self.complete_all(page.data).await?, next_cursor: page.next_cursor })
    }

    pub(super) async fn export_products(&self, after: Option<ProductId>, limit: u32) -> Result<Vec<Product>> {
        if !(1..=1000).contains(&limit) {
            return Err(Error::invalid("/limit", "out_of_range", "must be 1 to 1000"));
        }
        let records = self.catalogue.export(after, limit).await?;
        self.complete_all(records).await
    }

    pub(super) async fn update_product(
        &self,
        id: ProductId,
        patch: ProductPatch,
        version: Option<i64>,
    ) -> Result<Product> {
        let slug = patch.slug.as_deref().map(draft::given_slug).transpose()?;
        self.rewrite(id, version, move |new| {
            if let Some(slug) = &slug {
                new.slug = Some(slug.clone());
            }
            draft::apply(new, patch.clone());
            Ok(())
        })
        .await
    }

    pub(super) async fn archive_product(&self, id: ProductId) -> Result<()> {
        let archive = |new: &mut NewProduct| {
            new.status = ProductStatus::Archived;
            Ok(())
        };
        self.rewrite(id, None, archive).await.map(drop)
    }

    /// Reads, changes and writes a product, again if somebody else's write came between, unless the caller has said which
    /// version is meant. A change that changes nothing is not written.
    pub(super) async fn rewrite(
        &self,
        id: ProductId,
        version: Option<i64>,
        change: impl Fn(&mut NewProduct) -> Result<()> + Send + Sync,
    ) -> Result<Product> {
        let mut tries = 0;
        loop {
            let record = self.catalogue.load(&[id]).await?.pop().ok_or_else(ProductId::not_found)?;
            let before = record.product;
            if version.is_some_and(|version| version != before.version) {
                let detail = "the product has been changed since you read it";
                return Err(Error::new(Kind::PreconditionFailed, "version", detail));
            }
            let tree = self.branches.tree();
            let mut new = draft::redraft(&before, &tree);
            change(&mut new)?;
            let slug = new.slug.clone().unwrap_or_else(|| before.slug.clone());
            let frame = Frame { before: Some(&before), slug: &slug, tree: &tree, now: self.clock.now() };
            let Composed { product, stock } = draft::compose(new, &frame)?;
            tries += 1;
            if !draft::same(&product, &before) {
                let popularity = record.popularity;
                let save = Save { product, popularity, before: Some(before), stock, collections: Vec::new() };
                match self.write(save).await {
                    Err(error) if error.code == "version" && version.is_none() && tries < TRIES => continue,
                    result => result?,
                }
            }
            return self.find_product(id).await;
        }
    }
}

/// The limit of a page, or `Invalid`.
pub(super) fn checked_limit(page: &PageRequest, max: u32) -> Result<u32> {
    let mut faults = Faults::default();
    faults.check((1..=max).contains(&page.limit), "/limit", "out_of_range", "is out of range");
    faults.done().map(|()| page.limit)
}
