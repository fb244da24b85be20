//! The category tree.

use contracts::product::{Category, CategoryChanged, CategoryId, Image, ProductId};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{
    Error, Result, Time,
    db::{Conn, Tx},
    on,
};

use super::{MODULE, conflict, moved_on};
use crate::{
    model::tree::Tree,
    schema::{categories, category_redirects, product_categories, product_touches},
};

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = categories, treat_none_as_null = true)]
struct Row {
    id: CategoryId,
    slug: String,
    title: String,
    description: String,
    parent_id: Option<CategoryId>,
    position: i32,
    image: Option<String>,
    version: i64,
}

impl TryFrom<Row> for Category {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let image = row.image.map(|image| serde_json::from_str::<Image>(&image)).transpose()?;
        let Row { id, slug, title, description, parent_id, position, version, .. } = row;
        Ok(Self { id, slug, title, description, parent_id, position, image, version })
    }
}

pub(super) async fn all(conn: &mut Conn) -> Result<Vec<Category>> {
    let rows: Vec<Row> = on!(conn, |c| categories::table.load(c).await)?;
    rows.into_iter().map(Category::try_from).collect()
}

pub(super) async fn redirect(conn: &mut Conn, slug: &str) -> Result<Option<CategoryId>> {
    let found = on!(conn, |c| category_redirects::table
        .find(slug)
        .select(category_redirects::category_id)
        .first(c)
        .await
        .optional())?;
    Ok(found)
}

pub(super) async fn placements(conn: &mut Conn) -> Result<Vec<(ProductId, CategoryId)>> {
    Ok(on!(conn, |c| product_categories::table
        .filter(product_categories::published.eq(true))
        .select((product_categories::product_id, product_categories::category_id))
        .order((product_categories::product_id, product_categories::category_id))
        .load(c)
        .await)?)
}

pub(super) async fn save(tx: &mut Tx, category: &Category, now: Time) -> Result<()> {
    let before = Tree::new(all(tx).await?);
    before.with(category.clone())?;
    let Category { id, slug, title, description, parent_id, position, version, .. } = category.clone();
    let image = category.image.as_ref().map(serde_json::to_string).transpose()?;
    let row = Row { id, slug, title, description, parent_id, position, image, version };
    if category.version == 1 {
        on!(tx, |c| diesel::insert_into(categories::table).values(&row).execute(c).await)
            .map_err(conflict)?;
        forget_redirect(tx, &row.slug).await?;
    } else {
        let there = categories::table.filter(categories::id.eq(id).and(categories::version.eq(version - 1)));
        let changed = on!(tx, |c| diesel::update(there).set(&row).execute(c).await).map_err(conflict)?;
        if changed != 1 {
            return Err(moved_on());
        }
        // Search finds products by what is above them, and by its name.
        let old = before.get(id);
        if old.is_none_or(|old| (old.parent_id, &old.title) != (parent_id, &row.title)) {
            touch(tx, &before.below(id), now).await?;
        }
        if let Some(old) = old.filter(|old| old.slug != row.slug) {
            forget_redirect(tx, &row.slug).await?;
            remember_redirect(tx, &old.slug, id).await?;
        }
    }
    tx.emit(MODULE, id, version, &CategoryChanged { slug: row.slug }).await?;
    Ok(())
}

pub(super) async fn delete(tx: &mut Tx, id: CategoryId, now: Time) -> Result<()> {
    let tree = Tree::new(all(tx).await?);
    let category = tree.get(id).ok_or_else(CategoryId::not_found)?;
    if tree.children(Some(id)).next().is_some() {
        return Err(Error::conflict("category_not_empty", "the category has categories below it"));
    }
    touch(tx, &[id], now).await?;
    let rows = product_categories::table.filter(product_categories::category_id.eq(id));
    on!(tx, |c| diesel::delete(rows).execute(c).await)?;
    let slugs = category_redirects::table.filter(category_redirects::category_id.eq(id));
    on!(tx, |c| diesel::delete(slugs).execute(c).await)?;
    on!(tx, |c| diesel::delete(categories::table.find(id)).execute(c).await)?;
    tx.emit(MODULE, id, category.version + 1, &CategoryChanged { slug: category.slug.clone() }).await?;
    Ok(())
}

/// A slug in use leads to its category, whichever had it before.
async fn forget_redirect(conn: &mut Conn, slug: &str) -> Result<()> {
    on!(conn, |c| diesel::delete(category_redirects::table.find(slug)).execute(c).await)?;
    Ok(())
}

async fn remember_redirect(conn: &mut Conn, slug: &str, id: CategoryId) -> Result<()> {
    on!(conn, |c| diesel::insert_into(category_redirects::table)
        .values((category_redirects::slug.eq(slug), category_redirects::category_id.eq(id)))
        .on_conflict(category_redirects::slug)
        .do_update()
        .set(category_redirects::category_id.eq(id))
        .execute(c)
        .await)?;
    Ok(())
}

/// Tells search that what it shows of the products in these categories is old.
async fn touch(conn: &mut Conn, ids: &[CategoryId], now: Time) -> Result<()> {
    on!(conn, |c| {
        let members = product_categories::table
            .filter(product_categories::category_id.eq_any(ids))
            .select(product_categories::product_id);
        diesel::update(product_touches::table.filter(product_touches::product_id.eq_any(members)))
            .set(product_touches::touched_at.eq(now))
            .execute(c)
            .await
    })?;
    Ok(())
}
