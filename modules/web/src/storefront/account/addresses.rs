//! The address book.

use actix_web::{http::StatusCode, web};
use askama::Template;
use contracts::customer::{AddressId, SavedAddress};

use crate::{
    Answer, Fault, Page,
    forms::{Empty, Fields, Post},
    storefront::address::{AddressForm, SHIPPING, countries},
};

#[derive(Template)]
#[template(path = "storefront/account-addresses.html")]
struct Addresses<'a> {
    p: &'a Page,
    addresses: Vec<SavedAddress>,
}

#[derive(Template)]
#[template(path = "storefront/account-address.html")]
struct Form<'a> {
    p: &'a Page,
    /// The one that is changed; none for a new one.
    id: Option<AddressId>,
    x: AddressForm,
    countries: Vec<(String, String)>,
    f: Fields,
}

pub async fn list(p: Page) -> Answer {
    let addresses = p.ports().customers.addresses(p.customer()?).await?;
    p.html(&Addresses { p: &p, addresses })
}

async fn form(p: &Page, status: StatusCode, id: Option<AddressId>, f: Fields) -> Answer {
    p.html_as(status, &Form { p, id, x: SHIPPING, countries: countries(p).await?, f })
}

pub async fn show_new(p: Page) -> Answer {
    p.customer()?;
    form(&p, StatusCode::OK, None, Fields::default().with("country", p.country().code())).await
}

pub async fn show(p: Page, id: web::Path<String>) -> Answer {
    let saved = find(&p, &id).await?;
    form(&p, StatusCode::OK, Some(saved.id), SHIPPING.filled(Fields::default(), &saved.address)).await
}

async fn find(p: &Page, id: &str) -> Answer<SavedAddress> {
    let all = p.ports().customers.addresses(p.customer()?).await?;
    all.into_iter().find(|saved| saved.id.to_string() == id).ok_or_else(Fault::not_found)
}

pub async fn add(p: Page, posted: Post<Fields>) -> Answer {
    let (customer, mut f) = (p.customer()?, posted.0);
    if let Some(address) = SHIPPING.read(&p, &mut f).filter(|_| !f.failed()) {
        match p.ports().customers.add_address(customer, address).await {
            Ok(_) => return saved(&p),
            Err(error) => f.refuse(&p, &error),
        }
    }
    form(&p, StatusCode::UNPROCESSABLE_ENTITY, None, f).await
}

pub async fn change(p: Page, id: web::Path<String>, posted: Post<Fields>) -> Answer {
    let (known, mut f) = (find(&p, &id).await?, posted.0);
    if let Some(address) = SHIPPING.read(&p, &mut f).filter(|_| !f.failed()) {
        match p.ports().customers.update_address(p.customer()?, known.id, address).await {
            Ok(_) => return saved(&p),
            Err(error) => f.refuse(&p, &error),
        }
    }
    form(&p, StatusCode::UNPROCESSABLE_ENTITY, Some(known.id), f).await
}

fn saved(p: &Page) -> Answer {
    let mut response = p.see_other("/account/addresses");
    p.notify(&mut response, "ok", p.t("address-saved"));
    Ok(response)
}

/// Gone at once, with a way back.
pub async fn delete(p: Page, id: web::Path<String>, _: Post<Empty>) -> Answer {
    let known = find(&p, &id).await?;
    p.ports().customers.delete_address(p.customer()?, known.id).await?;
    let filled = SHIPPING.filled(Fields::default(), &known.address);
    let undo = crate::page::Undo {
        action: p.link("/account/addresses"),
        label: p.t("undo"),
        fields: filled.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    };
    let mut response = p.see_other("/account/addresses");
    p.notify_undoable(&mut response, "info", p.t("address-deleted"), Some(undo));
    Ok(response)
}
