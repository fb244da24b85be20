//! Promotions.

use contracts::cart::{NewPromotion, Promotion, PromotionChanged, PromotionId};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{
    Error, Kind, Page, PageRequest, Result, Time,
    db::{Conn, Tx, on},
};

use super::is_unique_violation;
use crate::{model::code_key, schema::promotions};

/// The list a cursor belongs to.
const LIST: &str = "promotions";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = promotions, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
struct PromotionRow {
    id: PromotionId,
    code_key: Option<String>,
    version: i64,
    used: i64,
    usage_limit: Option<i64>,
    document: String,
    created_at: Time,
}

impl PromotionRow {
    fn new(promotion: &Promotion) -> Result<Self> {
        Ok(Self {
            id: promotion.id,
            code_key: promotion.terms.code.as_deref().map(code_key),
            version: promotion.version,
            used: promotion.used,
            usage_limit: promotion.terms.usage_limit,
            document: serde_json::to_string(&promotion.terms)?,
            created_at: promotion.created_at,
        })
    }

    fn into_promotion(self) -> Result<Promotion> {
        Ok(Promotion {
            id: self.id,
            terms: serde_json::from_str(&self.document)?,
            used: self.used,
            created_at: self.created_at,
            version: self.version,
        })
    }
}

pub async fn all(conn: &mut Conn) -> Result<Vec<Promotion>> {
    let rows = on!(conn, |c| promotions::table
        .select(PromotionRow::as_select())
        .order(promotions::id)
        .load(c)
        .await)?;
    rows.into_iter().map(PromotionRow::into_promotion).collect()
}

pub async fn page(conn: &mut Conn, page: &PageRequest) -> Result<Page<Promotion>> {
    let after: Option<PromotionId> = page.position(LIST)?;
    let limit = i64::from(page.limit) + 1;
    let rows = on!(conn, |c| {
        let mut query = promotions::table.select(PromotionRow::as_select()).into_boxed();
        if let Some(after) = after {
            query = query.filter(promotions::id.lt(after));
        }
        query.order(promotions::id.desc()).limit(limit).load(c).await
    })?;
    let rows = rows.into_iter().map(PromotionRow::into_promotion).collect::<Result<_>>()?;
    Ok(Page::cut(rows, page.limit, LIST, |promotion: &Promotion| promotion.id))
}

pub async fn find(conn: &mut Conn, id: PromotionId) -> Result<Option<Promotion>> {
    let row = on!(conn, |c| promotions::table
        .find(id)
        .select(PromotionRow::as_select())
        .first(c)
        .await
        .optional())?;
    row.map(PromotionRow::into_promotion).transpose()
}

pub async fn insert(tx: &mut Tx, promotion: &Promotion) -> Result<()> {
    let row = PromotionRow::new(promotion)?;
    on!(tx, |c| diesel::insert_into(promotions::table).values(&row).execute(c).await).map_err(code_taken)?;
    announce(tx, promotion.id, promotion.version).await
}

pub async fn update(
    tx: &mut Tx,
    id: PromotionId,
    terms: &NewPromotion,
    expected: Option<i64>,
) -> Result<Promotion> {
    let before = find(tx, id).await?.ok_or_else(PromotionId::not_found)?;
    if expected.is_some_and(|version| version != before.version) {
        return Err(moved_on());
    }
    let promotion = Promotion { terms: terms.clone(), version: before.version + 1, ..before };
    let row = PromotionRow::new(&promotion)?;
    // `used` is not written: an order may claim it at this moment.
    let rows = on!(tx, |c| diesel::update(
        promotions::table.find(id).filter(promotions::version.eq(before.version))
    )
    .set((
        promotions::code_key.eq(&row.code_key),
        promotions::version.eq(row.version),
        promotions::usage_limit.eq(row.usage_limit),
        promotions::document.eq(&row.document),
    ))
    .execute(c)
    .await)
    .map_err(code_taken)?;
    if rows != 1 {
        return Err(moved_on());
    }
    announce(tx, id, promotion.version).await?;
    Ok(promotion)
}

pub async fn delete(tx: &mut Tx, id: PromotionId) -> Result<()> {
    let before = find(tx, id).await?.ok_or_else(PromotionId::not_found)?;
    on!(tx, |c| diesel::delete(promotions::table.find(id)).execute(c).await)?;
    announce(tx, id, before.version + 1).await
}

async fn announce(tx: &mut Tx, id: PromotionId, version: i64) -> Result<()> {
    tx.emit("cart", id, version, &PromotionChanged { promotion_id: Some(id) }).await?;
    Ok(())
}

fn code_taken(error: diesel::result::Error) -> Error {
    if is_unique_violation(&error) {
        return Error::conflict("code_taken", "another promotion has this code");
    }
    error.into()
}

fn moved_on() -> Error {
    Error::new(Kind::PreconditionFailed, "version", "somebody else has changed the promotion meanwhile")
}
