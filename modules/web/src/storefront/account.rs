//! The account: orders, addresses, details, and the ways in and out.

mod access;
mod addresses;
mod details;
mod password;

use actix_web::web;
use askama::Template;
use contracts::{
    customer::{Customer, SavedAddress},
    order::{OrderFilter, OrderSummary},
};
use serde::Deserialize;
use shared::PageRequest;

use crate::{
    Answer, Page,
    app::{at, get, post},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/account", [get(overview)]);
    at(config, "/account/orders", [get(orders)]);
    at(config, "/account/sign-in", [get(access::show_sign_in), post(access::sign_in)]);
    at(config, "/account/register", [get(access::show_register), post(access::register)]);
    at(config, "/account/sign-out", [post(access::sign_out)]);
    at(config, "/account/forgot", [get(password::show_forgot), post(password::forgot)]);
    at(config, "/reset-password", [get(password::show_reset), post(password::reset)]);
    at(config, "/verify-email", [get(password::show_verify), post(password::verify)]);
    at(config, "/account/addresses", [get(addresses::list), post(addresses::add)]);
    at(config, "/account/addresses/new", [get(addresses::show_new)]);
    at(config, "/account/addresses/{id}", [get(addresses::show), post(addresses::change)]);
    at(config, "/account/addresses/{id}/delete", [post(addresses::delete)]);
    at(config, "/account/details", [get(details::show), post(details::rename)]);
    at(config, "/account/password", [post(details::change_password)]);
    at(config, "/account/sessions/{id}/end", [post(details::end_session)]);
    at(config, "/account/sessions/end-others", [post(details::end_other_sessions)]);
    at(config, "/account/verification", [post(password::send_verification)]);
    at(config, "/account/export", [get(details::export)]);
    at(config, "/account/delete", [get(details::show_delete), post(details::delete)]);
}

#[derive(Template)]
#[template(path = "storefront/account.html")]
struct Overview<'a> {
    p: &'a Page,
    customer: Customer,
    orders: Vec<OrderSummary>,
    address: Option<SavedAddress>,
}

async fn overview(p: Page) -> Answer {
    let id = p.customer()?;
    let ports = p.ports();
    let newest = PageRequest { limit: 3, cursor: None };
    let filter = OrderFilter { customer_id: Some(id), ..OrderFilter::default() };
    let (customer, orders, addresses) = futures::try_join!(
        ports.customers.find(id),
        ports.orders.list(filter, newest),
        ports.customers.addresses(id)
    )?;
    p.html(&Overview { p: &p, customer, orders: orders.data, address: addresses.into_iter().next() })
}

#[derive(Template)]
#[template(path = "storefront/account-orders.html")]
struct Orders<'a> {
    p: &'a Page,
    orders: Vec<OrderSummary>,
    more: Option<String>,
}

#[derive(Deserialize)]
struct After {
    cursor: Option<String>,
}

async fn orders(p: Page, after: web::Query<After>) -> Answer {
    let filter = OrderFilter { customer_id: Some(p.customer()?), ..OrderFilter::default() };
    let page = PageRequest { limit: 20, cursor: after.0.cursor };
    let found = p.ports().orders.list(filter, page).await?;
    p.html(&Orders { p: &p, orders: found.data, more: found.next_cursor })
}
