//! Content pages and the slugs they have and had.

use contracts::metadata::content::{ContentChanged, ContentPage, PageFilter, PageId, PageKind};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{
    Error, Result, Time,
    db::{Conn, Tx, on},
};

use super::MODULE;
use crate::{
    model::pages::{haystack, kind as kind_column, status as status_column},
    schema::{content_pages as pages, content_slugs as slugs},
    store::{Listed, Place, Saved},
};

pub async fn get(conn: &mut Conn, id: PageId) -> Result<Option<ContentPage>> {
    let row = pages::table.find(id).select(pages::document);
    let document: Option<String> = on!(conn, |c| row.first(c).await.optional())?;
    Ok(document.as_deref().map(serde_json::from_str).transpose()?)
}

pub async fn by_slug(conn: &mut Conn, slug: &str) -> Result<Option<ContentPage>> {
    let row = slugs::table.inner_join(pages::table).filter(slugs::slug.eq(slug)).select(pages::document);
    let document: Option<String> = on!(conn, |c| row.first(c).await.optional())?;
    Ok(document.as_deref().map(serde_json::from_str).transpose()?)
}

pub async fn published(
    conn: &mut Conn,
    kind: PageKind,
    now: Time,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<Listed>> {
    let rows: Vec<(String, String)> = on!(conn, |c| {
        let mut query = pages::table
            .filter(pages::kind.eq(kind_column(kind)).and(pages::status.eq("published")))
            .filter(pages::published_at.le(now))
            .select((pages::document, pages::title))
            .limit(limit)
            .into_boxed();
        query = match (kind, &after) {
            (PageKind::Journal, Some((time, _, id))) => query.filter(
                pages::published_at.lt(*time).or(pages::published_at.eq(*time).and(pages::id.lt(*id))),
            ),
            (_, Some((_, title, id))) => {
                query.filter(pages::title.gt(title).or(pages::title.eq(title).and(pages::id.gt(*id))))
            }
            (_, None) => query,
        };
        match kind {
            PageKind::Journal => query.order((pages::published_at.desc(), pages::id.desc())).load(c).await,
            PageKind::Page | PageKind::Block => query.order((pages::title, pages::id)).load(c).await,
        }
    })?;
    let listed =
        |(document, title): (String, String)| Ok(Listed { page: serde_json::from_str(&document)?, title });
    rows.into_iter().map(listed).collect()
}

pub async fn list(
    conn: &mut Conn,
    filter: &PageFilter,
    after: Option<(Time, PageId)>,
    limit: i64,
) -> Result<Vec<ContentPage>> {
    let rows: Vec<String> = on!(conn, |c| {
        let mut query = pages::table.select(pages::document).into_boxed();
        if let Some(text) = filter.q.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            query = query.filter(pages::haystack.like(containing(text)).escape('\\'));
        }
        if let Some(kind) = filter.kind {
            query = query.filter(pages::kind.eq(kind_column(kind)));
        }
        if let Some(status) = filter.status {
            query = query.filter(pages::status.eq(status_column(status)));
        }
        if let Some((time, id)) = after {
            let same_time = pages::created_at.eq(time).and(pages::id.lt(id));
            query = query.filter(pages::created_at.lt(time).or(same_time));
        }
        query.order((pages::created_at.desc(), pages::id.desc())).limit(limit).load(c).await
    })?;
    rows.iter().map(|document| Ok(serde_json::from_str(document)?)).collect()
}

fn containing(text: &str) -> String {
    let text = text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{text}%")
}

pub async fn insert(tx: &mut Tx, page: &ContentPage, title: &str) -> Result<()> {
    let (document, haystack) = (serde_json::to_string(page)?, haystack(page));
    on!(tx, |c| diesel::insert_into(pages::table)
        .values((
            pages::id.eq(page.id),
            pages::kind.eq(kind_column(page.kind)),
            pages::status.eq(status_column(page.status)),
            pages::title.eq(title),
            pages::haystack.eq(&haystack),
            pages::published_at.eq(page.published_at),
            pages::created_at.eq(page.created_at),
            pages::version.eq(page.version),
            pages::document.eq(&document),
        ))
        .execute(c)
        .await)?;
    take_slug(tx, page).await?;
    announce(tx, page).await
}

/// Replaces the page if it still has the version it had before.
pub async fn replace(tx: &mut Tx, before: &ContentPage, after: &ContentPage, title: &str) -> Result<Saved> {
    let (document, haystack) = (serde_json::to_string(after)?, haystack(after));
    let row = pages::table.find(before.id).filter(pages::version.eq(before.version));
    let written = on!(tx, |c| diesel::update(row)
        .set((
            pages::kind.eq(kind_column(after.kind)),
            pages::status.eq(status_column(after.status)),
            pages::title.eq(title),
            pages::haystack.eq(&haystack),
            pages::published_at.eq(after.published_at),
            pages::version.eq(after.version),
            pages::document.eq(&document),
        ))
        .execute(c)
        .await)?;
    if written == 0 {
        return Ok(Saved::Raced);
    }
    take_slug(tx, after).await?;
    announce(tx, after).await?;
    Ok(Saved::Yes)
}

/// Frees its slugs too.
pub async fn delete(tx: &mut Tx, page: &ContentPage) -> Result<()> {
    on!(tx, |c| diesel::delete(slugs::table.filter(slugs::page_id.eq(page.id))).execute(c).await)?;
    if on!(tx, |c| diesel::delete(pages::table.find(page.id)).execute(c).await)? == 0 {
        return Ok(());
    }
    announce(tx, &ContentPage { version: page.version + 1, ..page.clone() }).await
}

/// `Conflict/slug_taken` if it is or was another page's.
async fn take_slug(tx: &mut Tx, page: &ContentPage) -> Result<()> {
    on!(tx, |c| diesel::insert_into(slugs::table)
        .values((slugs::slug.eq(&page.slug), slugs::page_id.eq(page.id)))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    let owner: PageId = on!(tx, |c| slugs::table.find(&page.slug).select(slugs::page_id).first(c).await)?;
    if owner == page.id {
        return Ok(());
    }
    let mut error = Error::conflict("slug_taken", format!("the slug {:?} is taken", page.slug));
    error.fields.extend(Error::invalid("/slug", "slug_taken", "is taken").fields);
    Err(error)
}

async fn announce(tx: &mut Tx, page: &ContentPage) -> Result<()> {
    let event = ContentChanged { page_id: page.id, kind: page.kind, slug: page.slug.clone() };
    tx.emit(MODULE, page.id, page.version, &event).await?;
    Ok(())
}
