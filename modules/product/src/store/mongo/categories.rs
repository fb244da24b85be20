//! The category tree, and which published products are where.

use contracts::product::{Category, CategoryChanged, CategoryId, Image, Product, ProductId, ProductStatus};
use futures::TryStreamExt;
use mongodb::bson::{Document, doc};
use serde::{Deserialize, Serialize};
use shared::{
    Error, Result, Time,
    mongo::{Mongo, Spec, Tx, index, shape, to_document, unique},
};

use super::{
    MODULE, conflict,
    names::{escape, unescape},
    products::{PRODUCTS, all_in, touch_where},
    texts,
};
use crate::{model::tree::Tree, store::moved_on};

pub(super) const CATEGORIES: &str = "categories";

/// Former slugs: a document each.
pub(super) const CATEGORY_REDIRECTS: &str = "category_redirects";

/// Of each published product its categories, and nothing else: they are counted as a whole, and products are large.
pub(super) const PLACEMENTS: &str = "placements";

/// One document: whoever changes the tree writes it, because two changes that keep the rules may break them together.
const TREE: &str = "category_tree";

pub(super) fn specs() -> Vec<Spec> {
    let required = ["slug", "title", "description", "parent_id", "position", "image", "version"];
    let properties = doc! {
        "_id": {"bsonType": "string"},
        "slug": {"bsonType": "string"},
        "title": {"bsonType": "string"},
        "description": {"bsonType": "string"},
        "parent_id": {"bsonType": ["string", "null"]},
        "position": {"bsonType": "long"},
        "image": {"bsonType": ["object", "null"]},
        "version": {"bsonType": "long", "minimum": 1},
        "placed": {"bsonType": "long"},
    };
    let slug = unique("categories_slug", doc! {"slug": 1}, doc! {});
    let placed = doc! {
        "_id": {"bsonType": "string"},
        "category_ids": {"bsonType": "array", "items": {"bsonType": "string"}},
    };
    let redirect = doc! {"_id": {"bsonType": "string"}, "category_id": {"bsonType": "string"}};
    vec![
        Spec {
            name: CATEGORY_REDIRECTS,
            indexes: vec![index(doc! {"category_id": 1})],
            validator: shape(&["category_id"], redirect),
        },
        Spec { name: CATEGORIES, indexes: vec![slug], validator: shape(&required, properties) },
        Spec {
            name: PLACEMENTS,
            indexes: vec![index(doc! {"category_ids": 1})],
            validator: shape(&["category_ids"], placed),
        },
        Spec {
            name: TREE,
            indexes: Vec::new(),
            validator: shape(&["changes"], doc! {"changes": {"bsonType": "long"}}),
        },
    ]
}

/// A category as it is kept.
#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(rename = "_id")]
    id: CategoryId,
    slug: String,
    title: String,
    description: String,
    parent_id: Option<CategoryId>,
    position: i64,
    image: Option<Image>,
    version: i64,
}

impl From<Category> for Row {
    fn from(category: Category) -> Self {
        let Category { id, slug, title, description, parent_id, position, mut image, version } = category;
        image.iter_mut().for_each(|image| escape(&mut image.options));
        Self { id, slug, title, description, parent_id, position: position.into(), image, version }
    }
}

impl TryFrom<Row> for Category {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let Row { id, slug, title, description, parent_id, position, mut image, version } = row;
        image.iter_mut().for_each(|image| unescape(&mut image.options));
        let position = i32::try_from(position).map_err(Error::internal)?;
        Ok(Self { id, slug, title, description, parent_id, position, image, version })
    }
}

pub(super) async fn all(db: &Mongo) -> Result<Vec<Category>> {
    let rows = db.collection(CATEGORIES).clone_with_type::<Row>().find(doc! {}).sort(doc! {"_id": 1}).await?;
    let rows: Vec<Row> = rows.try_collect().await?;
    rows.into_iter().map(Category::try_from).collect()
}

pub(super) async fn redirect(db: &Mongo, slug: &str) -> Result<Option<CategoryId>> {
    #[derive(Deserialize)]
    struct Redirect {
        category_id: CategoryId,
    }
    let redirects = db.collection(CATEGORY_REDIRECTS).clone_with_type::<Redirect>();
    let found = redirects.find_one(doc! {"_id": slug}).await?;
    Ok(found.map(|redirect| redirect.category_id))
}

pub(super) async fn placements(db: &Mongo) -> Result<Vec<(ProductId, CategoryId)>> {
    #[derive(Deserialize)]
    struct Placed {
        #[serde(rename = "_id")]
        id: ProductId,
        category_ids: Vec<CategoryId>,
    }
    let all = db.collection(PLACEMENTS).clone_with_type::<Placed>();
    let placed: Vec<Placed> = all.find(doc! {}).sort(doc! {"_id": 1}).await?.try_collect().await?;
    Ok(placed.into_iter().flat_map(|p| p.category_ids.into_iter().map(move |id| (p.id, id))).collect())
}

/// Notes where a product is, and returns that for its own document.
pub(super) async fn place(tx: &mut Tx, product: &Product) -> Result<Vec<String>> {
    let ids = texts(&product.category_ids);
    let is_counted = product.status == ProductStatus::Published && !ids.is_empty();
    if !ids.is_empty() {
        // Written and not only read, so that nobody deletes one at the same time.
        let (categories, placed) = (tx.collection(CATEGORIES), doc! {"$inc": {"placed": 1_i64}});
        let found = categories.update_many(doc! {"_id": {"$in": &ids}}, placed).session(tx.session()).await?;
        if usize::try_from(found.matched_count).ok() != Some(ids.len()) {
            return Err(Error::invalid("/category_ids", "unknown_category", "there is no such category"));
        }
    }
    let (placements, row) = (tx.collection(PLACEMENTS), doc! {"_id": product.id.to_string()});
    if is_counted {
        let there = doc! {"$set": {"category_ids": &ids}};
        placements.update_one(row, there).upsert(true).session(tx.session()).await?;
    } else {
        placements.delete_one(row).session(tx.session()).await?;
    }
    Ok(ids)
}

/// The tree, which nobody else changes before this transaction is over.
async fn tree(tx: &mut Tx) -> Result<Tree> {
    let (trees, changed) = (tx.collection(TREE), doc! {"$inc": {"changes": 1_i64}});
    trees.update_one(doc! {"_id": "tree"}, changed).upsert(true).session(tx.session()).await?;
    let rows = all_in::<Row>(tx, CATEGORIES, doc! {}).await?;
    Ok(Tree::new(rows.into_iter().map(Category::try_from).collect::<Result<_>>()?))
}

pub(super) async fn save(tx: &mut Tx, category: &Category, now: Time) -> Result<()> {
    let before = tree(tx).await?;
    before.with(category.clone())?;
    let Category { id, version, parent_id, .. } = *category;
    let mut row = to_document(&Row::from(category.clone()))?;
    let categories = tx.collection(CATEGORIES);
    if version == 1 {
        categories.insert_one(row).session(tx.session()).await.map_err(conflict)?;
        forget_redirect(tx, &category.slug).await?;
    } else {
        row.remove("_id");
        let seen = doc! {"_id": id.to_string(), "version": version - 1};
        let updated =
            categories.update_one(seen, doc! {"$set": row}).session(tx.session()).await.map_err(conflict)?;
        if updated.matched_count != 1 {
            return Err(moved_on());
        }
        // Search finds products by what is above them, and by its name.
        let old = before.get(id);
        if old.is_none_or(|old| (old.parent_id, &old.title) != (parent_id, &category.title)) {
            touch_where(tx, placed_in(&before.below(id)), now).await?;
        }
        if let Some(old) = old.filter(|old| old.slug != category.slug) {
            forget_redirect(tx, &category.slug).await?;
            remember_redirect(tx, &old.slug, id).await?;
        }
    }
    tx.emit(MODULE, id, version, &CategoryChanged { slug: category.slug.clone() }).await?;
    Ok(())
}

/// A slug in use leads to its category, whichever had it before.
async fn forget_redirect(tx: &mut Tx, slug: &str) -> Result<()> {
    let redirects = tx.collection(CATEGORY_REDIRECTS);
    redirects.delete_one(doc! {"_id": slug}).session(tx.session()).await?;
    Ok(())
}

async fn remember_redirect(tx: &mut Tx, slug: &str, id: CategoryId) -> Result<()> {
    let leads_here = doc! {"$set": {"category_id": id.to_string()}};
    let redirects = tx.collection(CATEGORY_REDIRECTS);
    redirects.update_one(doc! {"_id": slug}, leads_here).upsert(true).session(tx.session()).await?;
    Ok(())
}

fn placed_in(ids: &[CategoryId]) -> Document {
    doc! {"category_ids": {"$in": texts(ids)}}
}

pub(super) async fn delete(tx: &mut Tx, id: CategoryId, now: Time) -> Result<()> {
    let tree = tree(tx).await?;
    let category = tree.get(id).ok_or_else(CategoryId::not_found)?;
    if tree.children(Some(id)).next().is_some() {
        return Err(Error::conflict("category_not_empty", "the category has categories below it"));
    }
    touch_where(tx, placed_in(&[id]), now).await?;
    for collection in [PRODUCTS, PLACEMENTS] {
        let (placed, gone) = (tx.collection(collection), doc! {"$pull": {"category_ids": id.to_string()}});
        placed.update_many(placed_in(&[id]), gone).session(tx.session()).await?;
    }
    let redirects = tx.collection(CATEGORY_REDIRECTS);
    redirects.delete_many(doc! {"category_id": id.to_string()}).session(tx.session()).await?;
    let categories = tx.collection(CATEGORIES);
    categories.delete_one(doc! {"_id": id.to_string()}).session(tx.session()).await?;
    tx.emit(MODULE, id, category.version + 1, &CategoryChanged { slug: category.slug.clone() }).await?;
    Ok(())
}
