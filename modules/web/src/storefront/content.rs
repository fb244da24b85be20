//! Pages that staff write: help and terms, and the journal.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use contracts::metadata::content::{PageKind, PageSummary, PageView};
use serde::Deserialize;
use shared::PageRequest;

use super::seo;
use crate::{
    Answer, Fault, Page,
    app::{at, get},
};

/// Posts on one page of the journal.
const POSTS: u32 = 12;

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/pages/{slug}", [get(page)]);
    at(config, "/journal", [get(journal)]);
    at(config, "/journal.xml", [get(feed)]);
    at(config, "/journal/{slug}", [get(post)]);
}

#[derive(Template)]
#[template(path = "storefront/content.html")]
struct Content<'a> {
    p: &'a Page,
    x: &'a PageView,
    post: bool,
    trail: Vec<(String, String)>,
    path: String,
    schema: String,
    /// Other posts.
    more: Vec<PageSummary>,
}

async fn page(p: Page, request: HttpRequest, slug: web::Path<String>) -> Answer {
    show(p, request, &slug, PageKind::Page).await
}

async fn post(p: Page, request: HttpRequest, slug: web::Path<String>) -> Answer {
    show(p, request, &slug, PageKind::Journal).await
}

/// A former slug, and one of the other kind, lead on.
async fn show(p: Page, request: HttpRequest, slug: &str, kind: PageKind) -> Answer {
    let view = p.ports().metadata.page(slug.to_owned(), Some(p.locale.tag())).await?;
    let path = path(&view.summary).ok_or_else(Fault::not_found)?;
    if view.summary.slug != slug || view.summary.kind != kind {
        return Ok(p.moved(&path));
    }
    p.public(&request, async |p| {
        let post = kind == PageKind::Journal;
        let mut trail = Vec::new();
        let mut more = Vec::new();
        if post {
            trail.push((p.t("journal"), "/journal".to_owned()));
            more = posts(p, 4, None).await?.0;
            more.retain(|other| other.id != view.summary.id);
            more.truncate(3);
        }
        let schema = seo::article(p, &view, &path);
        trail.push((view.summary.title.clone(), String::new()));
        let content = Content { p, x: &view, post, trail, path: path.clone(), schema, more };
        Ok((content.render()?, vec!["content".to_owned()]))
    })
    .await
}

/// Where a page is shown; blocks are parts of other pages.
fn path(page: &PageSummary) -> Option<String> {
    match page.kind {
        PageKind::Page => Some(format!("/pages/{}", page.slug)),
        PageKind::Journal => Some(format!("/journal/{}", page.slug)),
        PageKind::Block => None,
    }
}

#[derive(Deserialize)]
struct After {
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "storefront/content-journal.html")]
struct Journal<'a> {
    p: &'a Page,
    posts: Vec<PageSummary>,
    next: Option<String>,
}

async fn journal(p: Page, request: HttpRequest, after: web::Query<After>) -> Answer {
    p.public(&request, async |p| {
        let (posts, next) = posts(p, POSTS, after.0.after).await?;
        Ok((Journal { p, posts, next }.render()?, vec!["content".to_owned()]))
    })
    .await
}

async fn posts(p: &Page, limit: u32, cursor: Option<String>) -> Answer<(Vec<PageSummary>, Option<String>)> {
    let page = PageRequest { limit, cursor };
    let found = p.ports().metadata.pages(PageKind::Journal, Some(p.locale.tag()), page).await?;
    Ok((found.data, found.next_cursor))
}

async fn feed(p: Page) -> Answer<HttpResponse> {
    let items: Vec<seo::Item> = posts(&p, 20, None)
        .await?
        .0
        .into_iter()
        .map(|post| seo::Item {
            address: p.absolute(&format!("/journal/{}", post.slug)),
            title: post.title,
            text: post.excerpt,
        })
        .collect();
    seo::rss(&p, "/journal.xml", &p.t("journal"), &items)
}
