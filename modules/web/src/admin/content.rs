//! Pages and the journal: the list, and the editor with its preview.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;
use contracts::{
    customer::Permission,
    metadata::content::{
        ContentPage, NewPage, NewPageText, PageFilter, PageId, PageImage, PageKind, PagePatch, PageStatus,
    },
};
use serde::Deserialize;
use shared::{Error, Kind, PageRequest, values};

use crate::{
    Answer, Fault, Page,
    app::{at, get, post},
    forms::{Empty, Fields, Post},
    locale::Locale,
};

/// What a page has in each language.
const WORDS: [&str; 6] = ["title", "body", "excerpt", "image_alt", "seo_title", "seo_description"];

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/content", [get(list)]);
    at(config, "/admin/content/new", [get(blank), post(create)]);
    at(config, "/admin/content/{id}", [get(show), post(save)]);
    at(config, "/admin/content/{id}/delete", [post(delete)]);
}

#[derive(Template)]
#[template(path = "admin/content.html")]
struct List<'a> {
    p: &'a Page,
    q: String,
    kind: String,
    pages: Vec<ContentPage>,
    more: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/content-page.html")]
struct Editor<'a> {
    p: &'a Page,
    /// Absent for a new one.
    page: Option<ContentPage>,
    f: Fields,
    /// Somebody else has changed the page meanwhile.
    conflict: bool,
    /// Title and HTML in each language.
    preview: Vec<(Locale, String, String)>,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    kind: String,
    cursor: Option<String>,
}

async fn list(p: Page, asked: web::Query<Asked>) -> Answer {
    p.staff(Permission::SettingsRead)?;
    let Asked { q, kind, cursor } = asked.0;
    let wanted = serde_json::from_value(kind.as_str().into()).ok();
    let filter = PageFilter { q: Some(q.clone()), kind: wanted, status: None };
    let found = p.ports().metadata.list_pages(filter, PageRequest { limit: 50, cursor }).await?;
    p.html(&List { p: &p, q, kind, pages: found.data, more: found.next_cursor })
}

async fn blank(p: Page) -> Answer {
    p.staff(Permission::SettingsWrite)?;
    let f = Fields::default().with("kind", "page").with("status", "draft");
    p.html(&Editor { p: &p, page: None, f, conflict: false, preview: Vec::new() })
}

async fn show(p: Page, id: web::Path<String>) -> Answer {
    p.staff(Permission::SettingsRead)?;
    let page = p.ports().metadata.find_page(parse(&id)?).await?;
    let f = filled(&page)?;
    p.html(&Editor { p: &p, page: Some(page), f, conflict: false, preview: Vec::new() })
}

fn parse(id: &str) -> Answer<PageId> {
    id.parse().map_err(|_| Fault::not_found())
}

/// The form with the page as it is.
fn filled(page: &ContentPage) -> Answer<Fields> {
    let mut f = Fields::default()
        .with("slug", &page.slug)
        .with("kind", word(page.kind)?)
        .with("status", word(page.status)?)
        .with("image", page.image.as_ref().map_or("", |image| &image.file));
    for locale in Locale::ALL {
        let Some(text) = page.texts.get(&locale.tag()) else { continue };
        let words = serde_json::to_value(&text.source).map_err(Error::from)?;
        for name in WORDS {
            f = f.with(&format!("{name}-{}", locale.code()), words[name].as_str().unwrap_or_default());
        }
    }
    Ok(f)
}

/// As forms and JSON write it.
fn word(value: impl serde::Serialize) -> Answer<String> {
    let value = serde_json::to_value(value).map_err(Error::from)?;
    Ok(value.as_str().unwrap_or_default().to_owned())
}

/// A choice of the form; the first one for anything else.
fn choice<T: serde::de::DeserializeOwned>(f: &Fields, name: &str, otherwise: T) -> T {
    serde_json::from_value(f.value(name).into()).unwrap_or(otherwise)
}

/// The words of each language that has any.
fn texts(f: &Fields) -> BTreeMap<values::Locale, Option<NewPageText>> {
    let words = |locale: Locale| {
        let value = |name: &str| f.value(&format!("{name}-{}", locale.code())).to_owned();
        let given = |name: &str| Some(value(name)).filter(|text| !text.is_empty());
        let there = given("title").is_some() || given("body").is_some();
        let text = there.then(|| NewPageText {
            title: value("title"),
            body: value("body"),
            excerpt: value("excerpt"),
            image_alt: value("image_alt"),
            seo_title: given("seo_title"),
            seo_description: given("seo_description"),
        });
        (locale.tag(), text)
    };
    Locale::ALL.map(words).into()
}

fn image(f: &Fields) -> Option<PageImage> {
    f.given("image").map(|file| PageImage { file: file.to_owned(), width: 0, height: 0 })
}

async fn create(p: Page, form: Post<Fields>) -> Answer {
    p.staff(Permission::SettingsWrite)?;
    let f = form.0;
    if f.ticked("preview") {
        return preview(&p, None, f).await;
    }
    let texts = texts(&f).into_iter().filter_map(|(locale, text)| Some((locale, text?)));
    let new = NewPage {
        kind: choice(&f, "kind", PageKind::Page),
        slug: f.given("slug").map(str::to_owned),
        status: choice(&f, "status", PageStatus::Draft),
        image: image(&f),
        texts: texts.collect(),
        published_at: None,
    };
    match p.ports().metadata.create_page(new).await {
        Ok(page) => saved(&p, page.id),
        Err(error) => refused(&p, None, f, error),
    }
}

async fn save(p: Page, id: web::Path<String>, form: Post<Fields>) -> Answer {
    p.staff(Permission::SettingsWrite)?;
    let (id, f) = (parse(&id)?, form.0);
    let page = p.ports().metadata.find_page(id).await?;
    if f.ticked("preview") {
        return preview(&p, Some(page), f).await;
    }
    let picture = image(&f);
    let same = picture.as_ref().map(|image| &image.file) == page.image.as_ref().map(|image| &image.file);
    let patch = PagePatch {
        slug: f.given("slug").map(str::to_owned),
        kind: Some(choice(&f, "kind", page.kind)),
        status: Some(choice(&f, "status", page.status)),
        image: (!same).then_some(picture),
        texts: texts(&f),
        published_at: None,
    };
    match p.ports().metadata.update_page(id, patch, f.value("version").parse().ok()).await {
        Ok(_) => saved(&p, id),
        Err(error) => refused(&p, Some(page), f, error),
    }
}

fn saved(p: &Page, id: PageId) -> Answer {
    let mut response = p.see_other(&format!("/admin/content/{id}"));
    p.notify(&mut response, "ok", p.t("content-saved"));
    Ok(response)
}

async fn preview(p: &Page, page: Option<ContentPage>, f: Fields) -> Answer {
    let mut preview = Vec::new();
    for locale in Locale::ALL {
        let value = |name: &str| f.value(&format!("{name}-{}", locale.code())).to_owned();
        let (title, body) = (value("title"), value("body"));
        if !title.is_empty() || !body.is_empty() {
            preview.push((locale, title, p.ports().metadata.render(body).await?));
        }
    }
    p.html(&Editor { p, page, f, conflict: false, preview })
}

/// The form again, with what was entered. Errors of words are named by field and language.
fn refused(p: &Page, page: Option<ContentPage>, mut f: Fields, mut error: Error) -> Answer {
    if matches!(error.kind, Kind::Internal | Kind::NotFound | Kind::Unavailable) {
        return Err(error.into());
    }
    let conflict = error.kind == Kind::PreconditionFailed;
    let status = if conflict { StatusCode::CONFLICT } else { StatusCode::UNPROCESSABLE_ENTITY };
    if !conflict {
        for field in &mut error.fields {
            if let Some((locale, name)) =
                field.pointer.strip_prefix("/texts/").and_then(|rest| rest.split_once('/'))
            {
                field.pointer = format!("/{name}-{locale}");
            }
        }
        f.refuse(p, &error);
    }
    p.html_as(status, &Editor { p, page, f, conflict, preview: Vec::new() })
}

async fn delete(p: Page, id: web::Path<String>, _: Post<Empty>) -> Answer<HttpResponse> {
    p.staff(Permission::SettingsWrite)?;
    p.ports().metadata.delete_page(parse(&id)?).await?;
    let mut response = p.see_other("/admin/content");
    p.notify(&mut response, "ok", p.t("content-deleted"));
    Ok(response)
}

/// Words of the content pages.
impl Page {
    /// A page's title in the language of the admin, or in any.
    pub fn content_title(&self, page: &ContentPage) -> String {
        let text = page.texts.get(&self.locale.tag()).or_else(|| page.texts.values().next());
        text.map(|text| text.source.title.clone()).unwrap_or_default()
    }

    /// What kind of page it is.
    pub fn content_kind(&self, kind: &PageKind) -> String {
        self.t(match kind {
            PageKind::Page => "content-kind-page",
            PageKind::Journal => "content-kind-journal",
            PageKind::Block => "content-kind-block",
        })
    }

    /// Tone and word of its status; later ones are published but not yet seen.
    pub fn content_status(&self, page: &ContentPage) -> (&'static str, String) {
        match page.status {
            PageStatus::Draft => ("", self.t("content-draft")),
            PageStatus::Published if page.published_at.is_some_and(|time| time > self.now) => {
                ("warn", self.t("content-later"))
            }
            PageStatus::Published => ("ok", self.t("content-published")),
        }
    }
}

/// Fields of the editor.
impl Page {
    /// The name of a field in one language.
    pub fn content_field(&self, name: &str, language: &str) -> String {
        format!("{name}-{language}")
    }

    /// What a field is called.
    pub fn content_label(&self, name: &str) -> String {
        self.t(match name {
            "title" => "content-title",
            "body" => "content-body",
            "excerpt" => "content-excerpt",
            "image_alt" => "content-image-alt",
            "seo_title" => "content-seo-title",
            _ => "content-seo-description",
        })
    }
}
