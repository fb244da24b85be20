//! The editor of one product.

use actix_web::{http::StatusCode, web};
use askama::Template;
use contracts::{
    customer::Permission,
    product::{
        Image, NewImage, Product, ProductId, ProductPatch, ProductStatus, VariantId,
        stock::{Level, LevelFilter, Location},
    },
};
use shared::{Error, Kind, PageRequest, values::Blob};

use super::draft::{self, OPTIONS};
use crate::{
    Answer, Page,
    admin::{
        conflict::{Difference, differences, stale},
        places::{self, Place},
    },
    forms::{Fields, Post, Upload},
    page::Undo,
};

#[derive(Template)]
#[template(path = "admin/product.html")]
struct Editor<'a> {
    p: &'a Page,
    f: Fields,
    /// What is saved; none for a new product.
    product: Option<&'a Product>,
    places: Vec<Place>,
    levels: Vec<Level>,
    locations: Vec<Location>,
    conflict: Vec<Difference>,
}

/// A variant in the form.
struct Row<'a> {
    n: usize,
    /// As it is saved.
    title: &'a str,
    id: Option<VariantId>,
}

impl Row<'_> {
    fn field(&self, name: &str) -> String {
        format!("v{}-{name}", self.n)
    }

    fn price(&self, kind: &str, currency: &shared::Currency) -> String {
        format!("v{}-{kind}.{currency}", self.n)
    }
}

impl Editor<'_> {
    fn rows(&self) -> Vec<Row<'_>> {
        let row = |n: usize| {
            let id = self.f.value(&format!("v{n}-id")).parse().ok();
            let known = self.product.and_then(|product| product.variants.iter().find(|v| Some(v.id) == id));
            Row { n, title: known.map_or("", |variant| &variant.title), id: known.map(|variant| variant.id) }
        };
        draft::rows(&self.f).into_iter().map(row).collect()
    }

    /// The pictures in the order of the form: its number and what is saved of each.
    fn pictures(&self) -> Vec<(usize, &Image)> {
        let known = self.product.map_or(&[][..], |product| &product.images);
        let find = |n: usize| {
            let file = self.f.value(&format!("i{n}-file")).to_owned();
            known.iter().find(|image| image.file == file).map(|image| (n, image))
        };
        (0..50).filter_map(find).collect()
    }

    /// Options that are filled, and one more.
    fn options(&self) -> std::ops::Range<usize> {
        let mut filled = (0..OPTIONS).filter(|n| self.f.given(&format!("o{n}-option")).is_some());
        0..filled.next_back().map_or(1, |last| last + 2).min(OPTIONS)
    }

    /// What a picture may be limited to: `Colour=terracotta`, and how it is called.
    fn choices(&self) -> Vec<(String, String)> {
        let options = self.product.map_or(&[][..], |product| &product.options);
        let choice = |option: &contracts::product::ProductOption| {
            let of = |v: &contracts::product::OptionValue| {
                (format!("{}={}", option.name, v.value), format!("{}: {}", option.name, v.label))
            };
            option.values.iter().map(of).collect::<Vec<_>>()
        };
        options.iter().flat_map(choice).collect()
    }

    /// What lies where of a variant.
    fn levels_of(&self, variant: &VariantId) -> Vec<(&str, &Level)> {
        let name = |level: &Level| {
            let location = self.locations.iter().find(|location| location.id == level.location_id);
            location.map_or("", |location| location.name.as_str())
        };
        let of = self.levels.iter().filter(|level| level.variant_id == *variant);
        of.map(|level| (name(level), level)).collect()
    }

    fn price_label(&self, key: &str, currency: &shared::Currency) -> String {
        format!("{} {currency}", self.p.t(key))
    }

    /// Where units of a variant are added that was never in stock.
    fn first_stock(&self, variant: &VariantId) -> String {
        let product = self.product.map(|product| product.id.to_string()).unwrap_or_default();
        self.p.link(&format!("/admin/inventory/{variant}?product={product}"))
    }

    fn shop_path(&self) -> Option<String> {
        let product = self.product.filter(|product| product.status == ProductStatus::Published)?;
        Some(format!("/products/{}", product.slug))
    }
}

async fn page(
    p: &Page,
    status: StatusCode,
    f: Fields,
    product: Option<&Product>,
    conflict: Vec<Difference>,
) -> Answer {
    let variants = product.map(|product| product.variants.iter().map(|variant| variant.id).collect());
    let (levels, locations) = match variants {
        Some(variant_ids) if p.may(&Permission::InventoryRead) => {
            let filter = LevelFilter { variant_ids, ..LevelFilter::default() };
            let page = PageRequest { limit: 100, cursor: None };
            (p.ports().stock.levels(filter, page).await?.data, p.ports().stock.locations().await?)
        }
        _ => (Vec::new(), Vec::new()),
    };
    let places = places::all(p).await?;
    p.html_as(status, &Editor { p, f, product, places, levels, locations, conflict })
}

async fn find(p: &Page, id: &str) -> Answer<Product> {
    let id: ProductId = id.parse().map_err(|_| ProductId::not_found())?;
    Ok(p.ports().products.find(id).await?)
}

pub async fn show_new(p: Page) -> Answer {
    p.staff(Permission::ProductsWrite)?;
    page(&p, StatusCode::OK, draft::empty(), None, Vec::new()).await
}

pub async fn show(p: Page, id: web::Path<String>) -> Answer {
    p.staff(Permission::ProductsRead)?;
    let product = find(&p, &id).await?;
    page(&p, StatusCode::OK, draft::filled(&p, &product), Some(&product), Vec::new()).await
}

pub async fn create(p: Page, sent: Upload) -> Answer {
    p.staff(Permission::ProductsWrite)?;
    let mut f = sent.fields;
    let draft = draft::read(&p, &mut f, None);
    if !f.failed() {
        let places = draft.places();
        match p.ports().products.create(draft.product).await {
            Ok(product) => return saved(&p, product.id, sent.files, p.t("product-created"), None).await,
            Err(error) => places.refuse(&p, &mut f, &error),
        }
    }
    page(&p, StatusCode::UNPROCESSABLE_ENTITY, f, None, Vec::new()).await
}

pub async fn save(p: Page, id: web::Path<String>, sent: Upload) -> Answer {
    p.staff(Permission::ProductsWrite)?;
    let product = find(&p, &id).await?;
    let mut f = sent.fields;
    let draft = draft::read(&p, &mut f, Some(&product));
    // Without the version of what was seen there is nothing to compare with.
    let version = Some(f.value("version").parse().unwrap_or(0));
    if !f.failed() {
        let places = draft.places();
        let mut patch = draft.patch();
        let dropped = arrange(patch.images.get_or_insert_default(), f.value("do"));
        match p.ports().products.update(product.id, patch, version).await {
            Ok(after) => {
                let (text, undo) = outcome(&p, &product, &after, dropped);
                return saved(&p, product.id, sent.files, text, undo).await;
            }
            Err(error) if stale(&error) => return conflict(&p, f, &product).await,
            Err(error) => places.refuse(&p, &mut f, &error),
        }
    }
    page(&p, StatusCode::UNPROCESSABLE_ENTITY, f, Some(&product), Vec::new()).await
}

/// Somebody was faster. The form keeps what was entered, gets what it did not know of, and may be sent again.
async fn conflict(p: &Page, mut f: Fields, product: &Product) -> Answer {
    let theirs = draft::filled(p, product);
    let places = places::all(p).await?;
    let show = |name: &str, value: &str| match name {
        "category" => places
            .iter()
            .find(|place| place.category.id.to_string() == value)
            .map_or_else(|| value.to_owned(), |place| place.path.clone()),
        _ => value.to_owned(),
    };
    let differences = differences(p, &theirs, &f, show);
    draft::join(&mut f, &theirs);
    f.set("version", product.version);
    page(p, StatusCode::CONFLICT, f, Some(product), differences).await
}

/// Moves or removes the picture that a button stands beside.
fn arrange(images: &mut Vec<Image>, command: &str) -> Option<(usize, Image)> {
    let (what, n) = command.split_once(':')?;
    let n: usize = n.parse().ok()?;
    match what {
        "up" if (1..images.len()).contains(&n) => images.swap(n, n - 1),
        "down" if n + 1 < images.len() => images.swap(n, n + 1),
        "drop" if n < images.len() => return Some((n, images.remove(n))),
        _ => {}
    }
    None
}

/// What to say of a change, and how to take it back.
fn outcome(
    p: &Page,
    before: &Product,
    after: &Product,
    dropped: Option<(usize, Image)>,
) -> (String, Option<Undo>) {
    if let Some((n, image)) = dropped {
        let fields = vec![
            ("place".to_owned(), n.to_string()),
            ("picture".to_owned(), serde_json::to_string(&image).unwrap_or_default()),
        ];
        let action = p.link(&format!("/admin/products/{}/picture", before.id));
        return (p.t("picture-removed"), Some(Undo { action, label: p.t("undo"), fields }));
    }
    if before.status != after.status {
        let (_, key) = p.product_status(&after.status);
        let was = vec![("was".to_owned(), format!("{}:{}", before.id, draft::status_name(before.status)))];
        let text = p.text("product-status-now").arg("status", p.t(key)).to_string();
        return (text, Some(super::bulk::undo(p, &Fields::default(), was)));
    }
    (p.t("saved"), None)
}

/// Adds the pictures that came with the form, and goes back to the editor.
async fn saved(p: &Page, id: ProductId, files: Vec<Blob>, text: String, undo: Option<Undo>) -> Answer {
    let mut refused: Option<Error> = None;
    for content in files {
        let image = NewImage { content, alt: String::new(), options: Default::default() };
        if let Err(error) = p.ports().products.add_image(id, image).await {
            refused = Some(error);
        }
    }
    let mut response = p.see_other(&format!("/admin/products/{id}"));
    match refused {
        Some(error) => p.notify(&mut response, "bad", p.error(&error.code, &error.detail)),
        None => p.notify_undoable(&mut response, "ok", text, undo),
    }
    Ok(response)
}

/// A picture that was removed comes back to its place.
pub async fn put_back(p: Page, id: web::Path<String>, form: Post<Fields>) -> Answer {
    p.staff(Permission::ProductsWrite)?;
    let product = find(&p, &id).await?;
    let f = form.0;
    let broken = |_| Error::new(Kind::Malformed, "malformed_form", "this is no picture");
    let image: Image = serde_json::from_str(f.value("picture")).map_err(broken)?;
    let mut images = product.images.clone();
    images.retain(|other| other.file != image.file);
    let place = f.value("place").parse().unwrap_or(images.len()).min(images.len());
    images.insert(place, image);
    let patch = ProductPatch { images: Some(images), ..ProductPatch::default() };
    p.ports().products.update(product.id, patch, Some(product.version)).await?;
    let mut response = p.see_other(&format!("/admin/products/{}", product.id));
    p.notify(&mut response, "ok", p.t("undone"));
    Ok(response)
}
