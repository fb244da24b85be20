//! In and out.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use askama::Template;
use contracts::customer::{CustomerId, Login, NewCustomer};
use serde::Deserialize;
use shared::limits::Limited;

use crate::{
    Answer, Page,
    cookies::Name,
    forms::{Empty, Fields, Post},
    sessions::{self, address},
};

#[derive(Template)]
#[template(path = "storefront/sign-in.html")]
struct SignIn<'a> {
    p: &'a Page,
    f: Fields,
}

#[derive(Template)]
#[template(path = "storefront/register.html")]
struct Register<'a> {
    p: &'a Page,
    f: Fields,
}

/// What a link brings along.
#[derive(Deserialize)]
pub struct Prefill {
    to: Option<String>,
    email: Option<String>,
}

impl Prefill {
    fn fields(self) -> Fields {
        Fields::default()
            .with("to", self.to.unwrap_or_default())
            .with("email", self.email.unwrap_or_default())
    }
}

pub async fn show_sign_in(p: Page, prefill: web::Query<Prefill>) -> Answer {
    if p.claims.is_some() {
        return Ok(p.back(prefill.0.to.as_deref(), "/account"));
    }
    p.html(&SignIn { p: &p, f: prefill.0.fields() })
}

pub async fn sign_in(p: Page, request: HttpRequest, form: Post<Fields>) -> Answer {
    let mut f = form.0;
    let (email, password) = (f.parsed(&p, "email"), f.required(&p, "password"));
    let Some(email) = email.filter(|_| !f.failed()) else {
        return p.html_as(StatusCode::UNPROCESSABLE_ENTITY, &SignIn { p: &p, f });
    };
    match sessions::sign_in(&p, &request, Login { email, password, user_agent: None }).await {
        Ok(session) => {
            let mut response = p.back(f.given("to"), "/account");
            p.cookies.set(&mut response, Name::Session, session.token);
            take_cart(&p, &mut response, session.claims.sub).await;
            Ok(response)
        }
        Err(error) => {
            f.refuse(&p, &error);
            let status = crate::fault::status(&error);
            p.html_as(status, &SignIn { p: &p, f })
        }
    }
}

/// What this browser had in its cart joins what the account has. Signing in succeeds even where that fails: the cart
/// stays as it is.
async fn take_cart(p: &Page, response: &mut HttpResponse, customer: CustomerId) {
    let carts = &p.ports().carts;
    let cart = match p.cart {
        Some(own) => carts.merge(own.id, customer).await.map(Some),
        None => carts.of_customer(customer).await,
    };
    match cart {
        Ok(Some(cart)) => p.keep_cart(response, &cart),
        Ok(None) => {}
        Err(error) => tracing::warn!(error = %error.chain(), "the cart was not merged at sign-in"),
    }
}

pub async fn sign_out(p: Page, _: Post<Empty>) -> Answer {
    if let Some(claims) = &p.claims {
        p.ports().customers.log_out(claims.sid).await?;
    }
    let mut response = p.see_other("/");
    for personal in [Name::Session, Name::Cart, Name::Checkout] {
        p.cookies.remove(&mut response, personal);
    }
    p.notify(&mut response, "ok", p.t("signed-out"));
    Ok(response)
}

pub async fn show_register(p: Page, prefill: web::Query<Prefill>) -> Answer {
    if p.claims.is_some() {
        return Ok(p.back(prefill.0.to.as_deref(), "/account"));
    }
    p.html(&Register { p: &p, f: prefill.0.fields() })
}

/// The answer is the same whether or not the address has an account; a mail tells its owner.
pub async fn register(p: Page, request: HttpRequest, form: Post<Fields>) -> Answer {
    let mut f = form.0;
    let (name, email, password) = (f.required(&p, "name"), f.parsed(&p, "email"), f.required(&p, "password"));
    if let Some(email) = email.filter(|_| !f.failed()) {
        let registered = match p.state.limits.check(Limited::Register, address(&p, &request)).await {
            Ok(()) => p.ports().customers.register(NewCustomer { email, password, name }).await.map(|_| ()),
            Err(limited) => Err(limited),
        };
        match registered {
            Ok(()) => {
                let to = f.given("to").map(|to| format!("&to={}", encoded(to))).unwrap_or_default();
                let email = encoded(f.value("email"));
                let mut response = p.see_other(&format!("/account/sign-in?email={email}{to}"));
                p.notify(&mut response, "ok", p.t("registered"));
                return Ok(response);
            }
            Err(error) => f.refuse(&p, &error),
        }
    }
    p.html_as(StatusCode::UNPROCESSABLE_ENTITY, &Register { p: &p, f })
}

/// A value in a query string.
fn encoded(value: &str) -> String {
    askama::filters::urlencode_strict(value).map_or_else(|e| match e {}, |encoded| encoded.to_string())
}
