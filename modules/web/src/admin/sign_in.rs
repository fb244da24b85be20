//! Staff sign in and out.

use actix_web::{HttpRequest, http::StatusCode, web};
use askama::Template;
use contracts::customer::Login;
use serde::Deserialize;
use shared::{Error, Kind};

use crate::{
    Answer, Page,
    app::{at, get, post},
    cookies::Name,
    forms::{Empty, Fields, Post},
    sessions::sign_in,
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/sign-in", [get(show), post(enter)]);
    at(config, "/admin/sign-out", [post(leave)]);
}

#[derive(Template)]
#[template(path = "admin/sign-in.html")]
struct SignIn<'a> {
    p: &'a Page,
    f: Fields,
}

#[derive(Deserialize)]
struct To {
    to: Option<String>,
}

async fn show(p: Page, to: web::Query<To>) -> Answer {
    let f = Fields::default().with("to", to.0.to.unwrap_or_default());
    p.html(&SignIn { p: &p, f })
}

async fn enter(p: Page, request: HttpRequest, form: Post<Fields>) -> Answer {
    let mut f = form.0;
    let (email, password) = (f.parsed(&p, "email"), f.required(&p, "password"));
    let Some(email) = email.filter(|_| !f.failed()) else {
        return p.html_as(StatusCode::UNPROCESSABLE_ENTITY, &SignIn { p: &p, f });
    };
    let session = match sign_in(&p, &request, Login { email, password, user_agent: None }).await {
        Ok(session) if session.claims.permissions.is_empty() => {
            p.ports().customers.log_out(session.claims.sid).await?;
            Err(Error::new(Kind::Unauthenticated, "not_staff", "this account is not staff"))
        }
        other => other,
    };
    match session {
        Ok(session) => {
            let mut response = p.back(f.given("to"), "/admin");
            p.cookies.set(&mut response, Name::Session, session.token);
            Ok(response)
        }
        Err(error) => {
            f.refuse(&p, &error);
            p.html_as(crate::fault::status(&error), &SignIn { p: &p, f })
        }
    }
}

async fn leave(p: Page, _: Post<Empty>) -> Answer {
    if let Some(claims) = &p.claims {
        p.ports().customers.log_out(claims.sid).await?;
    }
    let mut response = p.see_other("/admin/sign-in");
    p.cookies.remove(&mut response, Name::Session);
    Ok(response)
}
