//! What the links in mails lead to: a new password, a proven address.

use actix_web::{HttpRequest, http::StatusCode, web};
use askama::Template;
use serde::Deserialize;
use shared::{Kind, limits::Limited};

use crate::{
    Answer, Fault, Page,
    forms::{Empty, Fields, Post},
    sessions::address,
};

#[derive(Template)]
#[template(path = "storefront/forgot.html")]
struct Forgot<'a> {
    p: &'a Page,
    f: Fields,
    sent: bool,
}

#[derive(Template)]
#[template(path = "storefront/reset.html")]
struct Reset<'a> {
    p: &'a Page,
    f: Fields,
}

#[derive(Template)]
#[template(path = "storefront/verify.html")]
struct Verify<'a> {
    p: &'a Page,
    token: String,
    /// Why it did not work.
    problem: Option<String>,
}

/// A link's proof.
#[derive(Deserialize)]
pub struct Token {
    #[serde(default)]
    token: String,
}

pub async fn show_forgot(p: Page) -> Answer {
    p.html(&Forgot { p: &p, f: Fields::default(), sent: false })
}

/// The answer is the same whether or not the address has an account.
pub async fn forgot(p: Page, request: HttpRequest, form: Post<Fields>) -> Answer {
    let mut f = form.0;
    let Some(email) = f.parsed(&p, "email") else {
        return p.html_as(StatusCode::UNPROCESSABLE_ENTITY, &Forgot { p: &p, f, sent: false });
    };
    if let Err(limited) = p.state.limits.check(Limited::Reset, address(&p, &request)).await {
        f.refuse(&p, &limited);
        return p.html_as(StatusCode::TOO_MANY_REQUESTS, &Forgot { p: &p, f, sent: false });
    }
    p.ports().customers.request_password_reset(email).await?;
    p.html(&Forgot { p: &p, f, sent: true })
}

pub async fn show_reset(p: Page, token: web::Query<Token>) -> Answer {
    p.html(&Reset { p: &p, f: Fields::default().with("token", token.0.token) })
}

pub async fn reset(p: Page, form: Post<Fields>) -> Answer {
    let mut f = form.0;
    let password = f.required(&p, "password");
    if !f.failed() {
        match p.ports().customers.reset_password(f.value("token").to_owned(), password).await {
            Ok(()) => {
                let mut response = p.see_other("/account/sign-in");
                p.notify(&mut response, "ok", p.t("password-set"));
                return Ok(response);
            }
            Err(error) if matches!(error.kind, Kind::Gone | Kind::NotFound) => {
                f.problem = Some(p.t("link-used"));
            }
            Err(error) => f.refuse(&p, &error),
        }
    }
    p.html_as(StatusCode::UNPROCESSABLE_ENTITY, &Reset { p: &p, f })
}

/// Sends the link once more.
pub async fn send_verification(p: Page, request: HttpRequest, _: Post<Empty>) -> Answer {
    let claims = p.claims.clone().ok_or(Fault::SignIn)?;
    p.state.limits.check(Limited::Reset, address(&p, &request)).await?;
    p.ports().customers.request_verification(claims.email.clone()).await?;
    let mut response = p.see_other("/account");
    p.notify(&mut response, "ok", p.t("verify-sent"));
    Ok(response)
}

/// Asks first: programs that look at mails open links too.
pub async fn show_verify(p: Page, token: web::Query<Token>) -> Answer {
    p.html(&Verify { p: &p, token: token.0.token, problem: None })
}

pub async fn verify(p: Page, form: Post<Token>) -> Answer {
    match p.ports().customers.verify_email(form.0.token).await {
        Ok(_) => {
            let mut response = p.see_other("/account");
            p.notify(&mut response, "ok", p.t("email-verified"));
            Ok(response)
        }
        Err(error) if matches!(error.kind, Kind::Gone | Kind::NotFound) => {
            let problem = Some(p.t("link-used"));
            p.html_as(StatusCode::GONE, &Verify { p: &p, token: String::new(), problem })
        }
        Err(error) => Err(error.into()),
    }
}
