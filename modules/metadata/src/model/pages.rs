//! Content pages: what is typed, and what of it is shown in which language.

use std::collections::BTreeMap;

use contracts::metadata::content::{
    ContentPage, NewPage, NewPageText, PageId, PageImage, PageKind, PagePatch, PageStatus, PageSummary,
    PageText, PageView,
};
use shared::{Result, Time, values::Locale};

use super::{Faults, markdown};

const LONGEST_BODY: usize = 100_000;
const EXCERPT: usize = 180;
const MOST_LANGUAGES: usize = 20;

/// A new page, or everything that is wrong with it.
pub fn composed(new: NewPage, now: Time) -> Result<ContentPage> {
    let mut faults = Faults::default();
    let texts = new.texts.iter().map(|(locale, text)| (locale.clone(), written(&mut faults, locale, text)));
    let texts: BTreeMap<_, _> = texts.collect();
    let title = texts.values().next().map(|text| text.source.title.clone()).unwrap_or_default();
    let slug = new.slug.filter(|slug| !slug.trim().is_empty()).unwrap_or_else(|| slug::slugify(&title));
    let published = new.published_at.or((new.status == PageStatus::Published).then_some(now));
    let page = ContentPage {
        id: PageId::new(),
        slug,
        kind: new.kind,
        status: new.status,
        image: new.image,
        texts,
        published_at: published,
        created_at: now,
        updated_at: now,
        version: 1,
    };
    check(&mut faults, &page);
    faults.done().map(|()| page)
}

/// The page with the patch, or everything that is wrong with it. The same page if the patch changes nothing.
pub fn patched(page: &ContentPage, patch: PagePatch, now: Time) -> Result<ContentPage> {
    let (mut faults, mut after) = (Faults::default(), page.clone());
    after.slug = patch.slug.unwrap_or(after.slug);
    after.kind = patch.kind.unwrap_or(after.kind);
    after.status = patch.status.unwrap_or(after.status);
    after.image = patch.image.unwrap_or(after.image);
    after.published_at = patch.published_at.or(after.published_at);
    for (locale, text) in &patch.texts {
        match text {
            Some(text) => {
                let text = written(&mut faults, locale, text);
                after.texts.insert(locale.clone(), text);
            }
            None => {
                after.texts.remove(locale);
            }
        }
    }
    if after.status == PageStatus::Published {
        after.published_at.get_or_insert(now);
    }
    check(&mut faults, &after);
    faults.done()?;
    if after != *page {
        after.version += 1;
        after.updated_at = now;
    }
    Ok(after)
}

fn written(faults: &mut Faults, locale: &Locale, text: &NewPageText) -> PageText {
    let at = |name: &str| format!("/texts/{locale}/{name}");
    let mut optional = |name: &str, value: &Option<String>, most| {
        let kept = faults.optional(&at(name), value.as_deref().unwrap_or_default(), most);
        Some(kept).filter(|kept| !kept.is_empty())
    };
    let seo_title = optional("seo_title", &text.seo_title, 120);
    let seo_description = optional("seo_description", &text.seo_description, 300);
    let body = faults.optional(&at("body"), &text.body, LONGEST_BODY);
    PageText {
        html: markdown::render(&body),
        source: NewPageText {
            title: faults.text(&at("title"), &text.title, 200),
            excerpt: faults.optional(&at("excerpt"), &text.excerpt, 500),
            image_alt: faults.optional(&at("image_alt"), &text.image_alt, 300),
            body,
            seo_title,
            seo_description,
        },
    }
}

fn check(faults: &mut Faults, page: &ContentPage) {
    let slug = !page.slug.is_empty() && page.slug.len() <= 100 && page.slug == slug::slugify(&page.slug);
    faults.check(
        slug,
        "/slug",
        "slug",
        "must be small letters and digits with single hyphens between, at most 100",
    );
    faults.check(!page.texts.is_empty(), "/texts", "required", "a page needs words in one language");
    faults.check(page.texts.len() <= MOST_LANGUAGES, "/texts", "too_many", "at most 20 languages");
    let named = |image: &PageImage| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        (1..=200).contains(&image.file.len()) && !image.file.starts_with('.') && image.file.chars().all(plain)
    };
    faults.check(
        page.image.as_ref().is_none_or(named),
        "/image/file",
        "file",
        "is not the name of a picture",
    );
}

/// Whether shoppers see it.
pub fn is_public(page: &ContentPage, now: Time) -> bool {
    page.status == PageStatus::Published && page.published_at.is_some_and(|time| time <= now)
}

/// The words for readers of `locale`: those of it, of its language, of the shop's first language, or any.
fn words<'a>(
    page: &'a ContentPage,
    locale: Option<&Locale>,
    first: &Locale,
) -> Option<(&'a Locale, &'a PageText)> {
    let exact = |wanted: &Locale| page.texts.get_key_value(wanted);
    let near = |wanted: &Locale| {
        let language = wanted.language();
        exact(wanted)
            .or_else(|| exact(&language))
            .or_else(|| page.texts.iter().find(|(there, _)| there.language() == language))
    };
    locale.and_then(near).or_else(|| near(first)).or_else(|| page.texts.iter().next())
}

/// The page as a reader of `locale` gets it.
pub fn view(page: &ContentPage, locale: Option<&Locale>, first: &Locale) -> Option<PageView> {
    let (_, text) = words(page, locale, first)?;
    Some(PageView {
        summary: summary(page, locale, first)?,
        body: text.source.body.clone(),
        html: text.html.clone(),
        seo_title: text.source.seo_title.clone(),
        seo_description: text.source.seo_description.clone(),
        locales: page.texts.keys().cloned().collect(),
    })
}

/// The page as it stands in a list for readers of `locale`.
pub fn summary(page: &ContentPage, locale: Option<&Locale>, first: &Locale) -> Option<PageSummary> {
    let (locale, PageText { source, .. }) = words(page, locale, first)?;
    let excerpt = match source.excerpt.as_str() {
        "" => markdown::beginning(&source.body, EXCERPT),
        excerpt => excerpt.to_owned(),
    };
    Some(PageSummary {
        id: page.id,
        slug: page.slug.clone(),
        kind: page.kind,
        locale: locale.clone(),
        title: source.title.clone(),
        excerpt,
        image: page.image.clone(),
        image_alt: source.image_alt.clone(),
        published_at: page.published_at?,
        updated_at: page.updated_at,
    })
}

/// What a page is sorted by: its title in the shop's first language.
pub fn sort_title(page: &ContentPage, first: &Locale) -> String {
    words(page, None, first).map(|(_, text)| text.source.title.to_lowercase()).unwrap_or_default()
}

/// What a page is found by.
pub fn haystack(page: &ContentPage) -> String {
    let titles = page.texts.values().map(|text| text.source.title.to_lowercase());
    [page.slug.clone()].into_iter().chain(titles).collect::<Vec<_>>().join("\n")
}

/// As it stands in its column.
pub fn kind(kind: PageKind) -> &'static str {
    match kind {
        PageKind::Page => "page",
        PageKind::Journal => "journal",
        PageKind::Block => "block",
    }
}

/// As it stands in its column.
pub fn status(status: PageStatus) -> &'static str {
    match status {
        PageStatus::Draft => "draft",
        PageStatus::Published => "published",
    }
}
