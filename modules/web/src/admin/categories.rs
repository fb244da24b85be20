//! The category tree: its order, and the editor of one category.

use actix_web::{http::StatusCode, web};
use askama::Template;
use contracts::{
    customer::Permission,
    product::{Category, CategoryId, CategoryPatch, Image, NewCategory},
};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use shared::{Result, values::Blob};

use super::{
    conflict::{Difference, differences, stale},
    places::{self, Place},
};
use crate::{
    Answer, Page,
    app::{at, get, post},
    forms::{Empty, Fields, Post, Upload},
    page::Undo,
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/categories", [get(list)]);
    at(config, "/admin/categories/new", [get(show_new), post(create)]);
    at(config, "/admin/categories/{id}", [get(show), post(save)]);
    at(config, "/admin/categories/{id}/move", [post(shift)]);
    at(config, "/admin/categories/{id}/delete", [post(delete)]);
}

#[derive(Template)]
#[template(path = "admin/categories.html")]
struct List<'a> {
    p: &'a Page,
    places: Vec<Place>,
}

impl List<'_> {
    fn siblings(&self, place: &Place) -> Vec<CategoryId> {
        siblings(&self.places, &place.category)
    }

    fn is_first(&self, place: &Place) -> bool {
        self.siblings(place).first() == Some(&place.category.id)
    }

    fn is_last(&self, place: &Place) -> bool {
        self.siblings(place).last() == Some(&place.category.id)
    }
}

/// Those with the same parent, in their order.
fn siblings(places: &[Place], of: &Category) -> Vec<CategoryId> {
    let same = places.iter().filter(|place| place.category.parent_id == of.parent_id);
    same.map(|place| place.category.id).collect()
}

async fn list(p: Page) -> Answer {
    p.staff(Permission::ProductsRead)?;
    p.html(&List { p: &p, places: places::all(&p).await? })
}

#[derive(Template)]
#[template(path = "admin/category.html")]
struct Editor<'a> {
    p: &'a Page,
    f: Fields,
    /// What is saved; none for a new one.
    place: Option<&'a Place>,
    /// What it may be put under: not itself, nor what is below it.
    parents: Vec<&'a Place>,
    conflict: Vec<Difference>,
    /// Nothing would be lost with it.
    is_empty: bool,
}

fn page(
    p: &Page,
    status: StatusCode,
    f: Fields,
    all: &[Place],
    id: Option<CategoryId>,
    conflict: Vec<Difference>,
) -> Answer {
    let place = all.iter().find(|place| Some(place.category.id) == id);
    let below =
        |place: &&Place| Some(place.category.id) != id && id.is_none_or(|id| !place.above.contains(&id));
    let parents = all.iter().filter(below).collect();
    let is_empty = place.is_some_and(|place| {
        place.products == 0 && all.iter().all(|other| other.category.parent_id != Some(place.category.id))
    });
    p.html_as(status, &Editor { p, f, place, parents, conflict, is_empty })
}

fn filled(category: &Category) -> Fields {
    Fields::default()
        .with("version", category.version)
        .with("title", &category.title)
        .with("slug", &category.slug)
        .with("description", &category.description)
        .with("parent_id", category.parent_id.map(|id| id.to_string()).unwrap_or_default())
        .with("alt", category.image.as_ref().map(|image| image.alt.as_str()).unwrap_or_default())
}

async fn show_new(p: Page) -> Answer {
    p.staff(Permission::ProductsWrite)?;
    page(&p, StatusCode::OK, Fields::default(), &places::all(&p).await?, None, Vec::new())
}

async fn show(p: Page, id: web::Path<String>) -> Answer {
    p.staff(Permission::ProductsRead)?;
    let places = places::all(&p).await?;
    let category = find(&places, &id)?;
    page(&p, StatusCode::OK, filled(category), &places, Some(category.id), Vec::new())
}

fn find<'a>(places: &'a [Place], id: &str) -> Answer<&'a Category> {
    let place = places.iter().find(|place| place.category.id.to_string() == id);
    Ok(&place.ok_or_else(CategoryId::not_found)?.category)
}

async fn create(p: Page, sent: Upload) -> Answer {
    p.staff(Permission::ProductsWrite)?;
    let mut f = sent.fields;
    let places = places::all(&p).await?;
    let title = f.required(&p, "title");
    let parent_id: Option<CategoryId> = f.value("parent_id").parse().ok();
    if !f.failed() {
        let last = places.iter().filter(|place| place.category.parent_id == parent_id);
        let position = last.map(|place| place.category.position + 1).max().unwrap_or(0);
        let description = f.value("description").to_owned();
        let slug = f.given("slug").map(ToOwned::to_owned);
        let made = match stored(&p, &f, sent.files).await {
            Ok(image) => {
                let new = NewCategory { title, slug, description, parent_id, position, image };
                p.ports().products.create_category(new).await
            }
            Err(error) => Err(error),
        };
        match made {
            Ok(category) => return saved(&p, &category),
            Err(error) => refuse(&p, &mut f, &error),
        }
    }
    page(&p, StatusCode::UNPROCESSABLE_ENTITY, f, &places, None, Vec::new())
}

fn refuse(p: &Page, f: &mut Fields, error: &shared::Error) {
    match error.code.as_ref() {
        "slug_taken" => f.fail("slug", p.error("slug_taken", &error.detail)),
        "cycle" => f.fail("parent_id", p.error("cycle", &error.detail)),
        _ => f.refuse(p, error),
    }
}

/// Keeps the picture that came with the form, under a name made from what is in it.
async fn stored(p: &Page, f: &Fields, files: Vec<Blob>) -> Result<Option<Image>> {
    let Some(content) = files.into_iter().next() else { return Ok(None) };
    let extension = match content.0.first() {
        Some(0x89) => "png",
        Some(b'G') => "gif",
        Some(b'R') => "webp",
        _ => "jpg",
    };
    let digest = HEXLOWER.encode(&Sha256::digest(&content.0)[..8]);
    let file = format!("category-{digest}.{extension}");
    p.ports().products.store_media(file.clone(), content).await?;
    Ok(Some(Image { file, alt: f.value("alt").to_owned(), ..Image::default() }))
}

async fn save(p: Page, id: web::Path<String>, sent: Upload) -> Answer {
    p.staff(Permission::ProductsWrite)?;
    let mut f = sent.fields;
    let places = places::all(&p).await?;
    let category = find(&places, &id)?;
    let title = f.required(&p, "title");
    let version = Some(f.value("version").parse().unwrap_or(0));
    if !f.failed() {
        let saved_now = match stored(&p, &f, sent.files).await {
            Ok(image) => {
                let kept =
                    category.image.clone().map(|image| Image { alt: f.value("alt").to_owned(), ..image });
                let patch = CategoryPatch {
                    title: Some(title),
                    slug: f.given("slug").map(ToOwned::to_owned),
                    description: Some(f.value("description").to_owned()),
                    parent_id: Some(f.value("parent_id").parse().ok()),
                    position: None,
                    image: image.or(kept),
                };
                p.ports().products.update_category(category.id, patch, version).await
            }
            Err(error) => Err(error),
        };
        match saved_now {
            Ok(category) => return saved(&p, &category),
            Err(error) if stale(&error) => {
                let show = |name: &str, value: &str| match name {
                    "parent_id" => {
                        find(&places, value).map_or_else(|_| String::new(), |parent| parent.title.clone())
                    }
                    _ => value.to_owned(),
                };
                let differences = differences(&p, &filled(category), &f, show);
                f.set("version", category.version);
                return page(&p, StatusCode::CONFLICT, f, &places, Some(category.id), differences);
            }
            Err(error) => refuse(&p, &mut f, &error),
        }
    }
    page(&p, StatusCode::UNPROCESSABLE_ENTITY, f, &places, Some(category.id), Vec::new())
}

fn saved(p: &Page, category: &Category) -> Answer {
    let mut response = p.see_other(&format!("/admin/categories/{}", category.id));
    p.notify(&mut response, "ok", p.t("saved"));
    Ok(response)
}

/// One place up or down among its siblings, which are numbered anew where they have to be.
async fn shift(p: Page, id: web::Path<String>, form: Post<Fields>) -> Answer {
    p.staff(Permission::ProductsWrite)?;
    let places = places::all(&p).await?;
    let category = find(&places, &id)?;
    let mut order = siblings(&places, category);
    let at = order.iter().position(|id| *id == category.id).unwrap_or(0);
    match form.0.value("do") {
        "up" if at > 0 => order.swap(at, at - 1),
        "down" if at + 1 < order.len() => order.swap(at, at + 1),
        _ => {}
    }
    for (position, id) in (0..).zip(order) {
        let there = places.iter().find(|place| place.category.id == id);
        if there.is_some_and(|place| place.category.position != position) {
            let patch = CategoryPatch { position: Some(position), ..CategoryPatch::default() };
            p.ports().products.update_category(id, patch, None).await?;
        }
    }
    Ok(p.see_other("/admin/categories"))
}

/// Only an empty one goes, so that taking it back brings everything back.
async fn delete(p: Page, id: web::Path<String>, _: Post<Empty>) -> Answer {
    p.staff(Permission::ProductsWrite)?;
    let places = places::all(&p).await?;
    let category = find(&places, &id)?;
    if places.iter().any(|place| place.category.id == category.id && place.products > 0) {
        let mut response = p.see_other(&format!("/admin/categories/{}", category.id));
        p.notify(&mut response, "bad", p.error("category_not_empty", "it is not empty"));
        return Ok(response);
    }
    if let Err(error) = p.ports().products.delete_category(category.id).await {
        let mut response = p.see_other(&format!("/admin/categories/{}", category.id));
        p.notify(&mut response, "bad", p.error(&error.code, &error.detail));
        return Ok(response);
    }
    let undo = Undo {
        action: p.link("/admin/categories/new"),
        label: p.t("undo"),
        fields: filled(category).iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    };
    let mut response = p.see_other("/admin/categories");
    p.notify_undoable(
        &mut response,
        "info",
        p.text("category-deleted").arg("title", &category.title),
        Some(undo),
    );
    Ok(response)
}
