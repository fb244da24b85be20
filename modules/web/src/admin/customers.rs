//! Customers: the list, and one of them.

use actix_web::{http::StatusCode, web};
use askama::Template;
use contracts::{
    customer::{Customer, CustomerId, CustomerPatch, Permission, SavedAddress},
    order::{OrderFilter, OrderSummary},
};
use serde::Deserialize;
use shared::{Kind, PageRequest};

use crate::{
    Answer, Fault, Page,
    app::{at, get, post},
    forms::{Fields, Post},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/customers", [get(list)]);
    at(config, "/admin/customers/{id}", [get(show), post(change)]);
}

#[derive(Template)]
#[template(path = "admin/customers.html")]
struct Customers<'a> {
    p: &'a Page,
    q: String,
    customers: Vec<Customer>,
    more: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/customer.html")]
struct CustomerPage<'a> {
    p: &'a Page,
    customer: Customer,
    addresses: Vec<SavedAddress>,
    orders: Vec<OrderSummary>,
    f: Fields,
    /// Somebody else has changed the account meanwhile.
    conflict: bool,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
    cursor: Option<String>,
}

async fn list(p: Page, asked: web::Query<Asked>) -> Answer {
    p.staff(Permission::CustomersRead)?;
    let Asked { q, cursor } = asked.0;
    let words = Some(q.trim().to_owned()).filter(|q| !q.is_empty());
    let found = p.ports().customers.list(words, PageRequest { limit: 50, cursor }).await?;
    p.html(&Customers { p: &p, q, customers: found.data, more: found.next_cursor })
}

async fn show(p: Page, id: web::Path<String>) -> Answer {
    p.staff(Permission::CustomersRead)?;
    page(&p, StatusCode::OK, parse(&id)?, Fields::default(), false).await
}

fn parse(id: &str) -> Answer<CustomerId> {
    id.parse().map_err(|_| Fault::not_found())
}

async fn page(p: &Page, status: StatusCode, id: CustomerId, f: Fields, conflict: bool) -> Answer {
    let ports = p.ports();
    let filter = OrderFilter { customer_id: Some(id), ..OrderFilter::default() };
    let (customer, addresses, orders) = futures::try_join!(
        ports.customers.find(id),
        ports.customers.addresses(id),
        ports.orders.list(filter, PageRequest { limit: 20, cursor: None })
    )?;
    p.html_as(status, &CustomerPage { p, customer, addresses, orders: orders.data, f, conflict })
}

async fn change(p: Page, id: web::Path<String>, form: Post<Fields>) -> Answer {
    p.staff(Permission::CustomersWrite)?;
    let (id, mut f) = (parse(&id)?, form.0);
    let name = f.required(&p, "name");
    if f.failed() {
        return page(&p, StatusCode::UNPROCESSABLE_ENTITY, id, f, false).await;
    }
    let patch = CustomerPatch { name: Some(name), group: Some(f.value("group").to_owned()) };
    match p.ports().customers.update(id, patch, f.value("version").parse().ok()).await {
        Ok(_) => {
            let mut response = p.see_other(&format!("/admin/customers/{id}"));
            p.notify(&mut response, "ok", p.t("details-saved"));
            Ok(response)
        }
        Err(error) if error.kind == Kind::PreconditionFailed => {
            page(&p, StatusCode::CONFLICT, id, f, true).await
        }
        Err(error) if matches!(error.kind, Kind::Internal | Kind::NotFound) => Err(error.into()),
        Err(error) => {
            f.refuse(&p, &error);
            page(&p, StatusCode::UNPROCESSABLE_ENTITY, id, f, false).await
        }
    }
}
