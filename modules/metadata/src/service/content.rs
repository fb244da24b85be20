//! Content pages.

use contracts::metadata::{
    Metadata,
    content::{ContentPage, NewPage, PageFilter, PageId, PageKind, PagePatch, PageSummary, PageView},
};
use shared::{Page, PageRequest, Result, Time, values::Locale};

use super::{ATTEMPTS, Service, busy};
use crate::{
    model::{expect_version, pages},
    store::{Place, Saved},
};

impl Service {
    pub(super) async fn published(
        &self,
        kind: PageKind,
        locale: Option<Locale>,
        page: PageRequest,
    ) -> Result<Page<PageSummary>> {
        let scope = format!("published {}", pages::kind(kind));
        let limit = page.limit.clamp(1, 100);
        let after: Option<Place> = page.position(&scope)?;
        let found = self.store.published(kind, self.clock.now(), after, i64::from(limit) + 1).await?;
        let place = |listed: &crate::store::Listed| {
            let time = listed.page.published_at.unwrap_or(listed.page.created_at);
            (time, listed.title.clone(), listed.page.id)
        };
        let Page { data, next_cursor } = Page::cut(found, limit, &scope, place);
        let first = self.configured.first();
        let summaries =
            data.iter().filter_map(|listed| pages::summary(&listed.page, locale.as_ref(), &first));
        Ok(Page { data: summaries.collect(), next_cursor })
    }

    pub(super) async fn read_page(&self, slug: &str, locale: Option<Locale>) -> Result<PageView> {
        let page = self.store.page_by_slug(slug).await?;
        let public = page.filter(|page| pages::is_public(page, self.clock.now()));
        public
            .and_then(|page| pages::view(&page, locale.as_ref(), &self.configured.first()))
            .ok_or_else(PageId::not_found)
    }

    pub(super) async fn all_pages(&self, filter: PageFilter, page: PageRequest) -> Result<Page<ContentPage>> {
        let scope = serde_json::to_string(&("pages", &filter))?;
        let limit = page.limit.clamp(1, 100);
        let after: Option<(Time, PageId)> = page.position(&scope)?;
        let found = self.store.pages(&filter, after, i64::from(limit) + 1).await?;
        Ok(Page::cut(found, limit, &scope, |page| (page.created_at, page.id)))
    }

    pub(super) async fn write_page(&self, new: NewPage) -> Result<ContentPage> {
        let page = pages::composed(new, self.clock.now())?;
        let title = pages::sort_title(&page, &self.configured.first());
        self.store.insert_page(page.clone(), title).await?;
        Ok(page)
    }

    pub(super) async fn change_page(
        &self,
        id: PageId,
        patch: PagePatch,
        version: Option<i64>,
    ) -> Result<ContentPage> {
        for _ in 0..ATTEMPTS {
            let before = self.find_page(id).await?;
            expect_version(version, before.version, "page")?;
            let after = pages::patched(&before, patch.clone(), self.clock.now())?;
            if after.version == before.version {
                return Ok(before);
            }
            let title = pages::sort_title(&after, &self.configured.first());
            if self.store.save_page(before, after.clone(), title).await? == Saved::Yes {
                return Ok(after);
            }
        }
        Err(busy())
    }
}
