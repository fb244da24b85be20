//! What shoppers see.

use std::collections::HashMap;

use contracts::product::{
    CategoryId, Image, PriceContext, Product, ProductCard, ProductId, ProductStatus, ProductView, Quote,
    QuoteLine, SearchQuery, SearchResult, Suggestions, Variant, VariantId, VariantView,
};
use shared::{Error, Result, values};

use super::{Service, fill};
use crate::{
    model::{
        price::{Offer, price, quantity_prices},
        tree::reference,
    },
    store::Record,
};

impl Service {
    pub(super) async fn find_products(&self, query: SearchQuery) -> Result<SearchResult> {
        self.check(&query)?;
        let context = query.context.clone();
        let (index, tree) = (self.indexer.index.clone(), self.branches.tree());
        let search = move || {
            let categories: Vec<_> = tree.all().map(reference).collect();
            index.search(&query, &categories)
        };
        let mut result = tokio::task::spawn_blocking(search).await.map_err(Error::internal)??;
        if context.group.is_some() {
            self.price_for_group(&mut result.data, &context).await?;
        }
        let mut pictures = Vec::new();
        for card in &mut result.data {
            pictures.extend(card.image.iter_mut().chain(&mut card.hover_image));
        }
        self.pictures.dress(pictures).await?;
        Ok(result)
    }

    fn check(&self, query: &SearchQuery) -> Result<()> {
        if !(1..=100).contains(&query.page.limit) {
            return Err(Error::invalid("/limit", "out_of_range", "must be 1 to 100"));
        }
        if !self.settings.currencies.contains(&query.context.currency) {
            return Err(Error::invalid("/currency", "currency", "the shop does not sell in this currency"));
        }
        if let Some(text) = query.q.as_deref().filter(|text| !text.trim().is_empty()) {
            values::text("/q", text, 200)?;
        }
        for (pointer, amount) in [("/min_price", query.min_price), ("/max_price", query.max_price)] {
            if amount.is_some_and(|amount| amount < 0) {
                return Err(Error::invalid(pointer, "out_of_range", "must not be negative"));
            }
        }
        Ok(())
    }

    /// The index knows the prices of those who are in no group. Order and price filter go by them for all.
    async fn price_for_group(&self, cards: &mut [ProductCard], context: &PriceContext) -> Result<()> {
        let ids: Vec<ProductId> = cards.iter().map(|card| card.id).collect();
        let offers = self.catalogue.offers(&ids, Some(context.currency)).await?;
        if !offers.iter().any(|offer| offer.group.is_some() && offer.group == context.group) {
            return Ok(());
        }
        let views = self.view_many(&ids, context).await?;
        let views: HashMap<ProductId, ProductView> = views.into_iter().map(|view| (view.id, view)).collect();
        for card in cards {
            let variants = views.get(&card.id).map_or(&[][..], |view| &view.variants);
            let Some(cheapest) = variants.iter().min_by_key(|v| v.price.amount) else { continue };
            let dearest = variants.iter().map(|v| v.price).max_by_key(|p| p.amount);
            card.price = cheapest.price;
            card.price_max = dearest.filter(|price| *price != cheapest.price);
            card.compare_at_price = cheapest.compare_at_price;
        }
        Ok(())
    }

    pub(super) async fn complete(&self, text: String, limit: u32) -> Result<Suggestions> {
        if !(1..=20).contains(&limit) {
            return Err(Error::invalid("/limit", "out_of_range", "must be 1 to 20"));
        }
        if text.trim().is_empty() {
            return Ok(Suggestions { products: Vec::new(), categories: Vec::new(), terms: Vec::new() });
        }
        let text = values::text("/q", &text, 200)?;
        let wanted = text.to_lowercase();
        let tree = self.branches.tree();
        let matches = |title: &str| {
            let title = title.to_lowercase();
            title.starts_with(&wanted) || title.split_whitespace().any(|word| word.starts_with(&wanted))
        };
        let mut categories: Vec<_> = tree.all().filter(|c| matches(&c.title)).map(reference).collect();
        categories.sort_by(|a, b| (&a.title, a.id).cmp(&(&b.title, b.id)));
        categories.truncate(limit as usize);
        let index = self.indexer.index.clone();
        let suggest = move || index.suggest(&text, limit);
        let (products, terms) = tokio::task::spawn_blocking(suggest).await.map_err(Error::internal)??;
        Ok(Suggestions { products, categories, terms })
    }

    pub(super) async fn view_one(&self, key: &str, context: &PriceContext) -> Result<ProductView> {
        let record = match key.parse::<ProductId>() {
            Ok(id) => self.catalogue.load(&[id]).await?.pop(),
            Err(_) => self.catalogue.by_slug(key).await?,
        };
        let record = record.filter(is_published).ok_or_else(ProductId::not_found)?;
        self.views_of(vec![record], context).await?.pop().ok_or_else(ProductId::not_found)
    }

    pub(super) async fn view_many(
        &self,
        ids: &[ProductId],
        context: &PriceContext,
    ) -> Result<Vec<ProductView>> {
        let mut records = self.catalogue.load(ids).await?;
        records.retain(is_published);
        let views = self.views_of(records, context).await?;
        let mut views: HashMap<ProductId, ProductView> =
            views.into_iter().map(|view| (view.id, view)).collect();
        Ok(ids.iter().filter_map(|id| views.remove(id)).collect())
    }

    async fn views_of(&self, records: Vec<Record>, context: &PriceContext) -> Result<Vec<ProductView>> {
        let ids: Vec<ProductId> = records.iter().map(|r| r.product.id).collect();
        let available = self.shelves.available(&ids).await?;
        let offers = self.catalogue.offers(&ids, Some(context.currency)).await?;
        let view = |record: Record| {
            let mut product = record.product;
            fill(&mut product, &available);
            self.view_of(product, &offers, context)
        };
        let mut views: Vec<ProductView> = records.into_iter().map(view).collect();
        self.pictures.dress(views.iter_mut().flat_map(|view| &mut view.images).collect()).await?;
        Ok(views)
    }

    fn view_of(&self, product: Product, offers: &[Offer], context: &PriceContext) -> ProductView {
        let tree = self.branches.tree();
        let now = self.clock.now();
        let variant = |v: &Variant| {
            let price = price(v, offers, context, 1, now)?;
            Some(VariantView {
                id: v.id,
                sku: v.sku.clone(),
                title: v.title.clone(),
                options: v.options.clone(),
                price: price.unit,
                compare_at_price: price.compare_at,
                quantity_prices: quantity_prices(v, offers, context, now),
                available: v.available,
                in_stock: v.available > 0,
                image: picture(&product.images, v),
                weight_grams: v.weight_grams,
            })
        };
        ProductView {
            variants: product.variants.iter().filter_map(variant).collect(),
            categories: product.category_ids.iter().flat_map(|id| tree.path(*id)).collect(),
            id: product.id,
            slug: product.slug,
            title: product.title,
            subtitle: product.subtitle,
            description: product.description,
            brand: product.brand,
            tags: product.tags,
            options: product.options,
            attributes: product.attributes,
            images: product.images,
            rating: product.rating,
            metafields: product.metafields,
            seo_title: product.seo_title,
            seo_description: product.seo_description,
            published_at: product.published_at,
            updated_at: product.updated_at,
        }
    }

    pub(super) async fn quote_lines(
        &self,
        lines: &[QuoteLine],
        context: &PriceContext,
    ) -> Result<Vec<Quote>> {
        let wanted: Vec<VariantId> = lines.iter().map(|line| line.variant_id).collect();
        let mut records = self.catalogue.by_variants(&wanted).await?;
        records.retain(is_published);
        let ids: Vec<ProductId> = records.iter().map(|r| r.product.id).collect();
        let available = self.shelves.available(&ids).await?;
        let offers = self.catalogue.offers(&ids, Some(context.currency)).await?;
        for membership in self.catalogue.memberships(&ids).await? {
            let owner = records.iter_mut().find(|r| r.product.id == membership.product_id);
            owner.into_iter().for_each(|r| r.product.collection_ids.push(membership.collection_id));
        }
        records.iter_mut().for_each(|r| fill(&mut r.product, &available));
        let found: HashMap<VariantId, (&Product, &Variant)> =
            records.iter().flat_map(|r| r.product.variants.iter().map(|v| (v.id, (&r.product, v)))).collect();
        let quote = |line: &QuoteLine| {
            let (product, variant) = found.get(&line.variant_id)?;
            self.quote_of(product, variant, &offers, context, line.quantity)
        };
        Ok(lines.iter().filter_map(quote).collect())
    }

    fn quote_of(
        &self,
        product: &Product,
        variant: &Variant,
        offers: &[Offer],
        context: &PriceContext,
        quantity: i64,
    ) -> Option<Quote> {
        let price = price(variant, offers, context, quantity, self.clock.now())?;
        let lineage = self.branches.tree().lineage(&product.category_ids);
        let category_ids: Vec<CategoryId> = lineage.into_iter().map(|category| category.id).collect();
        Some(Quote {
            variant_id: variant.id,
            product_id: product.id,
            slug: product.slug.clone(),
            sku: variant.sku.clone(),
            title: product.title.clone(),
            variant_title: variant.title.clone(),
            image: picture(&product.images, variant),
            unit_price: price.unit,
            compare_at_price: price.compare_at,
            weight_grams: variant.weight_grams,
            tax_class: product.tax_class.clone(),
            shipping_class: product.shipping_class.clone(),
            category_ids,
            collection_ids: product.collection_ids.clone(),
            available: variant.available,
        })
    }
}

fn is_published(record: &Record) -> bool {
    record.product.status == ProductStatus::Published
}

/// The first picture made for the variant's options, else the first that is for all.
fn picture(images: &[Image], variant: &Variant) -> Option<String> {
    let shows =
        |image: &&Image| image.options.iter().all(|(name, value)| variant.options.get(name) == Some(value));
    let fitting = || images.iter().filter(shows);
    fitting()
        .find(|image| !image.options.is_empty())
        .or_else(|| fitting().next())
        .map(|image| image.file.clone())
}
