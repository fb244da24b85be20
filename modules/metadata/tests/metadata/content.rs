use std::time::Duration;

use contracts::metadata::{
    Metadata,
    content::{ContentChanged, NewPage, PageFilter, PageKind},
};
use serde_json::{Value, json};
use shared::{Kind, PageRequest};

use crate::shop::{parsed, shop};

fn page(kind: &str, title: &str, status: &str) -> NewPage {
    let words = json!({"title": title, "body": "Some *words*.\n\n<script>x</script>"});
    parsed(json!({"kind": kind, "status": status, "texts": {"en": words}}))
}

fn limit(limit: u32) -> PageRequest {
    PageRequest { limit, cursor: None }
}

#[tokio::test]
async fn a_draft_is_seen_by_staff_only() {
    let shop = shop().await;
    let draft = shop.metadata.create_page(page("page", "Our Help", "draft")).await.unwrap();
    assert_eq!(draft.slug, "our-help");
    assert_eq!(shop.metadata.page("our-help".into(), None).await.unwrap_err().kind, Kind::NotFound);
    let publish = parsed(json!({"status": "published"}));
    let public = shop.metadata.update_page(draft.id, publish, Some(1)).await.unwrap();
    assert!(public.published_at.is_some() && public.version == 2);
    let view = shop.metadata.page("our-help".into(), None).await.unwrap();
    assert_eq!(view.html.trim(), "<p>Some <em>words</em>.</p>");
    assert_eq!(view.summary.excerpt, "Some words.");
    let stale = shop.metadata.update_page(draft.id, parsed(json!({"slug": "x"})), Some(1)).await.unwrap_err();
    assert_eq!((stale.kind, &*stale.code), (Kind::PreconditionFailed, "version"));
    assert_eq!(shop.said::<ContentChanged>().len(), 2);
}

#[tokio::test]
async fn a_page_goes_public_when_its_time_has_come() {
    let shop = shop().await;
    let later = shared::Clock::now(&*shop.clock).after(Duration::from_secs(60));
    let mut new = page("journal", "Soon", "published");
    new.published_at = Some(later);
    shop.metadata.create_page(new).await.unwrap();
    assert!(shop.metadata.page("soon".into(), None).await.is_err());
    assert!(shop.metadata.pages(PageKind::Journal, None, limit(9)).await.unwrap().data.is_empty());
    shop.clock.advance(Duration::from_secs(60));
    assert_eq!(shop.metadata.page("soon".into(), None).await.unwrap().summary.published_at, later);
}

#[tokio::test]
async fn a_former_slug_leads_on_and_belongs_to_its_page() {
    let shop = shop().await;
    let help = shop.metadata.create_page(page("page", "Help", "published")).await.unwrap();
    shop.metadata.update_page(help.id, parsed(json!({"slug": "support"})), None).await.unwrap();
    assert_eq!(shop.metadata.page("help".into(), None).await.unwrap().summary.slug, "support");
    let taken = shop.metadata.create_page(page("page", "Help", "draft")).await.unwrap_err();
    assert_eq!((&*taken.code, taken.fields[0].pointer.as_str()), ("slug_taken", "/slug"));
    shop.metadata.update_page(help.id, parsed(json!({"slug": "help"})), None).await.unwrap();
    shop.metadata.delete_page(help.id).await.unwrap();
    shop.metadata.delete_page(help.id).await.unwrap();
    shop.metadata.create_page(page("page", "Help", "draft")).await.unwrap();
}

#[tokio::test]
async fn readers_get_the_nearest_language() {
    let shop = shop().await;
    let texts: Value =
        json!({"en": {"title": "Delivery"}, "de": {"title": "Versand"}, "fr": {"title": "Livraison"}});
    let new = parsed(json!({"kind": "page", "slug": "delivery", "status": "published", "texts": texts}));
    let page = shop.metadata.create_page(new).await.unwrap();
    for (locale, title) in
        [("de-AT", "Versand"), ("it", "Delivery"), ("fr", "Livraison"), ("en-GB", "Delivery")]
    {
        let view = shop.metadata.page("delivery".into(), Some(locale.parse().unwrap())).await.unwrap();
        assert_eq!(view.summary.title, title, "{locale}");
    }
    let patch = parsed(json!({"texts": {"en": null, "fr": {"title": "Expédition"}}}));
    let after = shop.metadata.update_page(page.id, patch, None).await.unwrap();
    assert_eq!(after.texts.len(), 2);
    let view = shop.metadata.page("delivery".into(), Some("fr".parse().unwrap())).await.unwrap();
    assert_eq!(view.summary.title, "Expédition");
    let none = parsed(json!({"texts": {"de": null, "fr": null}}));
    assert_eq!(shop.metadata.update_page(page.id, none, None).await.unwrap_err().fields[0].pointer, "/texts");
}

#[tokio::test]
async fn lists_go_on_where_they_ended() {
    let shop = shop().await;
    for title in ["B", "a", "C 100%"] {
        shop.metadata.create_page(page("page", title, "published")).await.unwrap();
        shop.metadata.create_page(page("journal", &format!("post {title}"), "published")).await.unwrap();
        shop.clock.advance(Duration::from_secs(1));
    }
    for (kind, order) in
        [(PageKind::Page, ["a", "B", "C 100%"]), (PageKind::Journal, ["post C 100%", "post a", "post B"])]
    {
        let (mut titles, mut request) = (Vec::new(), limit(2));
        loop {
            let found = shop.metadata.pages(kind, None, request.clone()).await.unwrap();
            titles.extend(found.data.into_iter().map(|page| page.title));
            request.cursor = found.next_cursor;
            if request.cursor.is_none() {
                break;
            }
        }
        assert_eq!(titles, order);
    }
    let found = |q: &str| {
        let filter = PageFilter { q: Some(q.to_owned()), ..PageFilter::default() };
        let metadata = shop.metadata.clone();
        async move { metadata.list_pages(filter, limit(9)).await.unwrap().data.len() }
    };
    assert_eq!((found("POST").await, found("0%").await, found("_").await), (3, 2, 0));
    assert_eq!(found("P\0ST").await, 0);
}
