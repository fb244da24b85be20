//! Collections: the list, and the editor of one with its products in their order.

mod members;

use actix_web::{http::StatusCode, web};
use askama::Template;
use contracts::{
    customer::Permission,
    product::{Collection, CollectionId, NewCollection, ProductId},
};

use self::members::Member;
use super::conflict::{Difference, differences, print};
use crate::{
    Answer, Page,
    app::{at, get, post},
    forms::{Empty, Fields, Post},
    page::Undo,
};

/// What the undo of a deletion may hold, in bytes: it travels in a cookie.
const UNDO: usize = 2200;

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/collections", [get(list)]);
    at(config, "/admin/collections/new", [get(show_new), post(create)]);
    at(config, "/admin/collections/{id}", [get(show), post(save)]);
    at(config, "/admin/collections/{id}/delete", [post(delete)]);
}

#[derive(Template)]
#[template(path = "admin/collections.html")]
struct List<'a> {
    p: &'a Page,
    collections: Vec<Collection>,
}

async fn list(p: Page) -> Answer {
    p.staff(Permission::ProductsRead)?;
    let collections = p.ports().products.collections().await?;
    p.html(&List { p: &p, collections })
}

#[derive(Template)]
#[template(path = "admin/collection.html")]
struct Editor<'a> {
    p: &'a Page,
    f: Fields,
    /// What is saved; none for a new one.
    collection: Option<&'a Collection>,
    members: Vec<Member>,
    /// Products after those that are shown.
    rest: usize,
    /// What a search has found; none where nothing was looked for.
    found: Option<Vec<Member>>,
    conflict: Vec<Difference>,
}

impl Editor<'_> {
    /// The form holds something that is not saved.
    fn is_changed(&self) -> bool {
        let saved = self.collection.map(filled).unwrap_or_default();
        let line = |fields: &Fields, name: &str| fields.value(name).replace("\r\n", "\n");
        let names = ["title", "slug", "description", "product"];
        names.into_iter().any(|name| line(&self.f, name) != line(&saved, name))
    }

    fn is_member(&self, other: &Member) -> bool {
        self.members.iter().any(|member| member.id == other.id)
    }

    fn may_come_back(&self) -> bool {
        self.collection.is_some_and(|collection| undo(self.p, collection).is_some())
    }
}

/// `order`: the products that the form shows.
async fn page(
    p: &Page,
    status: StatusCode,
    mut f: Fields,
    collection: Option<&Collection>,
    order: &[ProductId],
    conflict: Vec<Difference>,
) -> Answer {
    let saved = collection.map_or(&[][..], |collection| &collection.product_ids);
    let whole = members::whole(order, saved);
    f.set("product", members::joined(&whole));
    f.set("found", f.value("find").to_owned());
    let found = members::found(p, f.value("find")).await?;
    let members = members::known(p, order).await?;
    let rest = whole.len() - order.len();
    p.html_as(status, &Editor { p, f, collection, members, rest, found, conflict })
}

fn filled(collection: &Collection) -> Fields {
    Fields::default()
        .with("version", print(collection))
        .with("title", &collection.title)
        .with("slug", &collection.slug)
        .with("description", &collection.description)
        .with("product", members::joined(&collection.product_ids))
}

async fn find(p: &Page, id: &str) -> Answer<Collection> {
    let mut all = p.ports().products.collections().await?.into_iter();
    Ok(all.find(|collection| collection.id.to_string() == id).ok_or_else(CollectionId::not_found)?)
}

async fn show_new(p: Page) -> Answer {
    p.staff(Permission::ProductsWrite)?;
    page(&p, StatusCode::OK, Fields::default(), None, &[], Vec::new()).await
}

async fn show(p: Page, id: web::Path<String>) -> Answer {
    p.staff(Permission::ProductsRead)?;
    let collection = find(&p, &id).await?;
    let order = members::shown(&collection.product_ids);
    page(&p, StatusCode::OK, filled(&collection), Some(&collection), order, Vec::new()).await
}

fn wanted(f: &Fields, title: String, product_ids: Vec<ProductId>) -> NewCollection {
    let slug = f.given("slug").map(ToOwned::to_owned);
    NewCollection { title, slug, description: f.value("description").to_owned(), product_ids }
}

fn refuse(p: &Page, f: &mut Fields, error: &shared::Error) {
    match error.code.as_ref() {
        "slug_taken" => f.fail("slug", p.error("slug_taken", &error.detail)),
        _ => f.refuse(p, error),
    }
}

async fn create(p: Page, form: Post<Fields>) -> Answer {
    p.staff(Permission::ProductsWrite)?;
    let mut f = form.0;
    let mut order = members::chosen(&f);
    if members::arrange(&mut order, &f) {
        return page(&p, StatusCode::OK, f, None, &order, Vec::new()).await;
    }
    let title = f.required(&p, "title");
    if !f.failed() {
        match p.ports().products.create_collection(wanted(&f, title, order.clone())).await {
            Ok(collection) => return saved(&p, &collection),
            Err(error) => refuse(&p, &mut f, &error),
        }
    }
    page(&p, StatusCode::UNPROCESSABLE_ENTITY, f, None, &order, Vec::new()).await
}

async fn save(p: Page, id: web::Path<String>, form: Post<Fields>) -> Answer {
    p.staff(Permission::ProductsWrite)?;
    let collection = find(&p, &id).await?;
    let mut f = form.0;
    let mut order = members::chosen(&f);
    if members::arrange(&mut order, &f) {
        return page(&p, StatusCode::OK, f, Some(&collection), &order, Vec::new()).await;
    }
    let title = f.required(&p, "title");
    if !f.failed() && f.value("version") != print(&collection) {
        return conflict(&p, f, &collection, &order).await;
    }
    if !f.failed() {
        let whole = members::whole(&order, &collection.product_ids);
        match p.ports().products.update_collection(collection.id, wanted(&f, title, whole)).await {
            Ok(collection) => return saved(&p, &collection),
            Err(error) => refuse(&p, &mut f, &error),
        }
    }
    page(&p, StatusCode::UNPROCESSABLE_ENTITY, f, Some(&collection), &order, Vec::new()).await
}

/// Somebody was faster. Products are told apart by their titles.
async fn conflict(p: &Page, mut f: Fields, collection: &Collection, order: &[ProductId]) -> Answer {
    let theirs = members::known(p, members::shown(&collection.product_ids)).await?;
    let yours = members::known(p, order).await?;
    let known: Vec<&Member> = theirs.iter().chain(&yours).collect();
    let show = |name: &str, value: &str| match name {
        "product" => members::titles(&known, value),
        _ => value.to_owned(),
    };
    let entered = ["title", "slug", "description"].map(|name| (name.to_owned(), f.value(name).to_owned()));
    let whole = members::joined(&members::whole(order, &collection.product_ids));
    let entered = Fields::from(entered.to_vec()).with("product", whole);
    let differences = differences(p, &filled(collection), &entered, show);
    f.set("version", print(collection));
    page(p, StatusCode::CONFLICT, f, Some(collection), order, differences).await
}

fn saved(p: &Page, collection: &Collection) -> Answer {
    let mut response = p.see_other(&format!("/admin/collections/{}", collection.id));
    p.notify(&mut response, "ok", p.t("saved"));
    Ok(response)
}

/// None for one that holds more than a cookie does: its page says before that it is gone for good.
fn undo(p: &Page, collection: &Collection) -> Option<Undo> {
    let fields: Vec<(String, String)> =
        filled(collection).iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let fits = serde_json::to_string(&fields).is_ok_and(|json| json.len() <= UNDO);
    fits.then(|| Undo { action: p.link("/admin/collections/new"), label: p.t("undo"), fields })
}

async fn delete(p: Page, id: web::Path<String>, _: Post<Empty>) -> Answer {
    p.staff(Permission::ProductsWrite)?;
    let collection = find(&p, &id).await?;
    p.ports().products.delete_collection(collection.id).await?;
    let mut response = p.see_other("/admin/collections");
    let text = p.text("collection-deleted").arg("title", &collection.title).to_string();
    p.notify_undoable(&mut response, "info", text, undo(&p, &collection));
    Ok(response)
}
