//! Name, password, where one is signed in, what the shop knows, and the end of the account.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use askama::Template;
use contracts::customer::{Customer, CustomerPatch, Login, Session, SessionId};
use shared::Kind;

use crate::{
    Answer, Fault, Page,
    cookies::Name,
    forms::{Empty, Fields, Post},
    sessions,
};

#[derive(Template)]
#[template(path = "storefront/account-details.html")]
struct Details<'a> {
    p: &'a Page,
    customer: Customer,
    sessions: Vec<Session>,
    /// The session of this browser.
    current: SessionId,
    f: Fields,
}

#[derive(Template)]
#[template(path = "storefront/account-delete.html")]
struct Delete<'a> {
    p: &'a Page,
    f: Fields,
}

async fn page(p: &Page, status: StatusCode, f: Fields) -> Answer {
    let claims = p.claims.as_ref().ok_or(Fault::SignIn)?;
    let ports = p.ports();
    let (customer, sessions) =
        futures::try_join!(ports.customers.find(claims.sub), ports.customers.sessions(claims.sub))?;
    p.html_as(status, &Details { p, customer, sessions, current: claims.sid, f })
}

pub async fn show(p: Page) -> Answer {
    page(&p, StatusCode::OK, Fields::default()).await
}

pub async fn rename(p: Page, form: Post<Fields>) -> Answer {
    let (id, mut f) = (p.customer()?, form.0);
    let name = f.required(&p, "name");
    if !f.failed() {
        let patch = CustomerPatch { name: Some(name), group: None };
        match p.ports().customers.update(id, patch, None).await {
            Ok(_) => return done(&p, "details-saved"),
            Err(error) => f.refuse(&p, &error),
        }
    }
    page(&p, StatusCode::UNPROCESSABLE_ENTITY, f).await
}

fn done(p: &Page, key: &str) -> Answer {
    let mut response = p.see_other("/account/details");
    p.notify(&mut response, "ok", p.t(key));
    Ok(response)
}

pub async fn change_password(p: Page, request: HttpRequest, form: Post<Fields>) -> Answer {
    let claims = p.claims.clone().ok_or(Fault::SignIn)?;
    let mut f = form.0;
    let (current, new) = (f.required(&p, "current_password"), f.required(&p, "new_password"));
    if let Err(limited) = p.state.limits.login(sessions::address(&p, &request), &claims.email).await {
        f.refuse(&p, &limited);
    }
    if !f.failed() {
        match p.ports().customers.change_password(claims.sub, current, new, Some(claims.sid)).await {
            Ok(()) => return done(&p, "password-changed"),
            Err(error) if error.code == "invalid_credentials" => {
                f.fail("current_password", p.t("password-wrong"));
            }
            Err(error) => {
                for wrong in &error.fields {
                    f.fail("new_password", p.error(&wrong.code, &wrong.detail));
                }
                if error.fields.is_empty() {
                    f.refuse(&p, &error);
                }
            }
        }
    }
    page(&p, StatusCode::UNPROCESSABLE_ENTITY, f).await
}

pub async fn end_session(p: Page, id: web::Path<String>, _: Post<Empty>) -> Answer {
    let own = p.ports().customers.sessions(p.customer()?).await?;
    let session = own.iter().find(|session| session.id.to_string() == *id).ok_or_else(Fault::not_found)?;
    p.ports().customers.log_out(session.id).await?;
    done(&p, "session-ended")
}

pub async fn end_other_sessions(p: Page, _: Post<Empty>) -> Answer {
    let claims = p.claims.clone().ok_or(Fault::SignIn)?;
    let customers = &p.ports().customers;
    for session in customers.sessions(claims.sub).await? {
        if session.id != claims.sid {
            customers.log_out(session.id).await?;
        }
    }
    done(&p, "sessions-ended")
}

/// Everything the shop knows of somebody, to be taken along.
pub async fn export(p: Page) -> Answer {
    let export = p.ports().everything_of(p.customer()?).await?;
    Ok(HttpResponse::Ok()
        .insert_header(("content-disposition", "attachment; filename=\"account.json\""))
        .insert_header(("cache-control", "private, no-store"))
        .json(export))
}

pub async fn show_delete(p: Page) -> Answer {
    p.customer()?;
    p.html(&Delete { p: &p, f: Fields::default() })
}

/// Whoever wants to delete the account proves once more that it is theirs.
pub async fn delete(p: Page, request: HttpRequest, form: Post<Fields>) -> Answer {
    let claims = p.claims.clone().ok_or(Fault::SignIn)?;
    let mut f = form.0;
    let password = f.required(&p, "password");
    if !f.failed() {
        let login = Login { email: claims.email.clone(), password, user_agent: None };
        match sessions::sign_in(&p, &request, login).await {
            Ok(_) => {
                p.ports().customers.delete(claims.sub).await?;
                let mut response = p.see_other("/");
                for personal in [Name::Session, Name::Cart, Name::Checkout, Name::Recent] {
                    p.cookies.remove(&mut response, personal);
                }
                p.notify(&mut response, "ok", p.t("account-deleted"));
                return Ok(response);
            }
            Err(error) if error.kind == Kind::Unauthenticated => f.fail("password", p.t("password-wrong")),
            Err(error) => f.refuse(&p, &error),
        }
    }
    p.html_as(StatusCode::UNPROCESSABLE_ENTITY, &Delete { p: &p, f })
}

impl Page {
    /// What a browser calls itself, in short: `Firefox, Linux`.
    pub fn browser(&self, user_agent: &Option<String>) -> String {
        let agent = user_agent.as_deref().unwrap_or_default();
        // More than one name is in most of them; the first of these is the right one.
        let first = |names: &[(&str, &'static str)]| {
            names.iter().find(|(sign, _)| agent.contains(sign)).map(|(_, name)| *name)
        };
        let browser =
            first(&[("Firefox/", "Firefox"), ("Edg/", "Edge"), ("Chrome/", "Chrome"), ("Safari/", "Safari")]);
        let system = first(&[
            ("Android", "Android"),
            ("iPhone", "iPhone"),
            ("iPad", "iPad"),
            ("Windows", "Windows"),
            ("Mac OS", "macOS"),
            ("Linux", "Linux"),
        ]);
        match (browser, system) {
            (Some(browser), Some(system)) => format!("{browser}, {system}"),
            (Some(one), None) | (None, Some(one)) => one.to_owned(),
            (None, None) => self.t("session-unknown"),
        }
    }
}
