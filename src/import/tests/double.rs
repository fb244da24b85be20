//! A shop in memory behind the same ports: it writes down what it is told.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use contracts::Ports;
use contracts::product::{
    Category, CategoryId, CategoryNode, Collection, CollectionId, ImportOutcome, ImportProduct, ImportResult,
    NewProduct, Product, ProductId, ProductStatus, Rating, Variant, VariantId,
};
use serde_json::{Value, json};
use shared::{
    Error, Result, Time,
    rpc::{Method, Transport, arguments},
    values::Blob,
};

/// What was imported and how.
#[derive(Default)]
pub(crate) struct Shop {
    pub products: Mutex<BTreeMap<String, ImportProduct>>,
    /// Sizes of the batches.
    pub batches: Mutex<Vec<usize>>,
    pub media: Mutex<BTreeMap<String, usize>>,
    /// Answers to methods that are not about products, by `<port>.<method>`.
    pub answers: HashMap<&'static str, Value>,
}

/// Every port of a shop is the same double.
pub(crate) fn ports(shop: &Arc<Shop>) -> Ports {
    use contracts::{
        cart, customer, idempotency, metadata, notification, order, payment, product, recommendation, review,
        shipping,
    };
    let transport: Arc<dyn Transport> = shop.clone();
    Ports {
        products: Arc::new(product::Client(transport.clone())),
        stock: Arc::new(product::stock::Client(transport.clone())),
        customers: Arc::new(customer::Client(transport.clone())),
        carts: Arc::new(cart::Client(transport.clone())),
        payments: Arc::new(payment::Client(transport.clone())),
        shipping: Arc::new(shipping::Client(transport.clone())),
        orders: Arc::new(order::Client(transport.clone())),
        idempotency: Arc::new(idempotency::Client(transport.clone())),
        notifications: Arc::new(notification::Client(transport.clone())),
        recommendations: Arc::new(recommendation::Client(transport.clone())),
        metadata: Arc::new(metadata::Client(transport.clone())),
        reviews: Arc::new(review::Client(transport)),
    }
}

#[async_trait]
impl Transport for Shop {
    async fn call(&self, Method { service, name: method, .. }: Method, args: Vec<u8>) -> Result<Vec<u8>> {
        let answer = match (service, method) {
            ("product", "import") => {
                let (products, dry_run) = arguments(&args)?;
                json!(self.import(products, dry_run))
            }
            ("product", "store_media") => {
                let (file, content): (String, Blob) = arguments(&args)?;
                if content.0.is_empty() {
                    return Err(Error::invalid(
                        "/content",
                        "media_type",
                        "must be a JPEG, PNG, WebP, AVIF or GIF",
                    ));
                }
                self.media.lock().unwrap().insert(file, content.0.len());
                Value::Null
            }
            ("product", "export") => {
                let (after, limit): (Option<ProductId>, usize) = arguments(&args)?;
                let mut all: Vec<Product> = self.products.lock().unwrap().values().map(product).collect();
                all.sort_by_key(|product| product.id);
                all.retain(|product| after.is_none_or(|after| product.id > after));
                all.truncate(limit);
                json!(all)
            }
            ("product", "categories") => json!(self.categories()),
            ("product", "collections") => json!(self.collections()),
            _ => self
                .answers
                .get(format!("{service}.{method}").as_str())
                .cloned()
                .expect("the test has an answer"),
        };
        Ok(serde_json::to_vec(&answer)?)
    }
}

impl Shop {
    pub fn of(&self, slug: &str) -> ImportProduct {
        self.products.lock().unwrap().get(slug).cloned().unwrap_or_else(|| panic!("{slug} was not imported"))
    }

    fn import(&self, products: Vec<ImportProduct>, dry_run: bool) -> Vec<ImportOutcome> {
        self.batches.lock().unwrap().push(products.len());
        let mut there = self.products.lock().unwrap();
        let outcome = |import: ImportProduct| {
            let slug = import.product.slug.clone().unwrap();
            let taken = import.product.variants.iter().position(|variant| variant.sku == "TAKEN");
            let known = there.get(&slug).map(|known| json!(known));
            let result = match (taken, known) {
                (Some(i), _) => ImportResult::Failed {
                    code: "sku_taken".into(),
                    pointer: format!("/variants/{i}/sku"),
                    detail: "the SKU is taken".into(),
                },
                (_, None) => ImportResult::Created,
                (_, Some(known)) if known == json!(import) => ImportResult::Unchanged,
                _ => ImportResult::Updated,
            };
            if !dry_run && taken.is_none() {
                there.insert(slug.clone(), import);
            }
            ImportOutcome { product_id: Some(ProductId::derived(&slug)), slug, result }
        };
        products.into_iter().map(outcome).collect()
    }

    /// The tree of all paths, at most two levels deep.
    fn categories(&self) -> Vec<CategoryNode> {
        let mut tree: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for path in self.products.lock().unwrap().values().flat_map(|p| p.category_paths.clone()) {
            let below = tree.entry(path[0].clone()).or_default();
            below.extend(path.get(1).filter(|title| !below.contains(title)).cloned());
        }
        let node = |path: Vec<&str>, children| CategoryNode {
            category: Category {
                id: CategoryId::derived(&path.join(">")),
                slug: slug::slugify(path.join(" ")),
                title: path[path.len() - 1].to_owned(),
                description: String::new(),
                parent_id: None,
                position: 0,
                image: None,
                version: 1,
            },
            product_count: 0,
            children,
        };
        let with_children = |(root, below): (&String, &Vec<String>)| {
            node(vec![root], below.iter().map(|title| node(vec![root, title], Vec::new())).collect())
        };
        tree.iter().map(with_children).collect()
    }

    fn collections(&self) -> Vec<Collection> {
        let products = self.products.lock().unwrap();
        let titles = products.values().flat_map(|p| p.collections.clone());
        let collection = |title: String| Collection {
            id: CollectionId::derived(&title),
            slug: slug::slugify(&title),
            title,
            description: String::new(),
            product_ids: Vec::new(),
        };
        titles.map(collection).collect()
    }
}

/// What the catalogue would make of it.
pub(crate) fn product(import: &ImportProduct) -> Product {
    let NewProduct { title, slug, subtitle, description, status, brand, tags, options, attributes, .. } =
        import.product.clone();
    let slug = slug.unwrap();
    let variant = |new: contracts::product::NewVariant| Variant {
        id: VariantId::derived(&new.sku),
        title: new.options.values().cloned().collect::<Vec<_>>().join(" / "),
        available: new.stock.unwrap_or(0),
        sku: new.sku,
        options: new.options,
        prices: new.prices,
        compare_at_prices: new.compare_at_prices,
        barcode: new.barcode,
        weight_grams: new.weight_grams,
        tracked: new.tracked,
    };
    let paths = import.category_paths.iter().map(|path| CategoryId::derived(&path.join(">")));
    let now = Time::from_micros(0);
    Product {
        id: ProductId::derived(&slug),
        slug,
        status,
        title,
        subtitle,
        description,
        brand,
        category_ids: import.product.category_ids.iter().copied().chain(paths).collect(),
        collection_ids: import.collections.iter().map(|title| CollectionId::derived(title)).collect(),
        tags,
        options,
        attributes,
        tax_class: import.product.tax_class.clone(),
        shipping_class: import.product.shipping_class.clone(),
        images: import.product.images.clone(),
        variants: import.product.variants.iter().cloned().map(variant).collect(),
        seo_title: import.product.seo_title.clone(),
        seo_description: import.product.seo_description.clone(),
        rating: Rating::default(),
        metafields: BTreeMap::new(),
        created_at: now,
        updated_at: now,
        published_at: (status == ProductStatus::Published).then_some(now),
        version: 1,
    }
}
