//! `/dev/mail`: what the shop has sent, for development. And the test provider's extra step.

use actix_web::{HttpResponse, http::header, web};
use contracts::notification::Mail;
use serde::Deserialize;

use super::middleware::Page;
use crate::{
    app::State,
    problem::Answer,
    query::{Query, page},
    router::{at, get, post},
    routes,
};

/// Nothing of this exists in production.
pub fn configure(config: &mut web::ServiceConfig, development: bool) {
    if !development {
        return;
    }
    at(config, "/dev/mail", [get(list)]);
    at(config, "/dev/mail.json", [get(list_json)]);
    at(config, "/dev/mail/{id}", [get(mail)]);
    at(config, "/test-payments/{reference}", [get(step), post(answer_step)]);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MailQuery {
    to: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

async fn list(state: web::Data<State>, query: Query<MailQuery>) -> Answer {
    let MailQuery { to, limit, cursor } = query.0;
    let mails = state.ports.notifications.mails(to, page(limit.or(Some(100)), cursor)?).await?;
    let rows: String = mails.data.iter().map(row).collect();
    let empty =
        if rows.is_empty() { "<p>No mail yet. Place an order or register an account.</p>" } else { "" };
    Ok(html("Mail", &format!("<h1>Mail</h1>{empty}<table>{rows}</table>")))
}

fn row(mail: &Mail) -> String {
    let (to, subject) = (escape(&mail.to), escape(&mail.subject));
    format!(
        "<tr><td>{}</td><td>{to}</td><td><a href=\"/dev/mail/{}\">{subject}</a></td></tr>",
        mail.created_at, mail.id
    )
}

async fn list_json(state: web::Data<State>, query: Query<MailQuery>) -> Answer {
    let MailQuery { to, limit, cursor } = query.0;
    Ok(HttpResponse::Ok().json(state.ports.notifications.mails(to, page(limit, cursor)?).await?))
}

async fn mail(state: web::Data<State>, path: web::Path<String>) -> Answer {
    let mail = state.ports.notifications.mail(routes::id(&path)?).await?;
    let (subject, to, text) = (escape(&mail.subject), escape(&mail.to), escape(&mail.text));
    let frame = escape(&mail.html);
    let body = format!(
        "<p><a href=\"/dev/mail\">All mail</a></p><h1>{subject}</h1><p>To {to}, {}</p>\
         <iframe sandbox=\"allow-popups\" srcdoc=\"{frame}\"></iframe><h2>As text</h2><pre>{text}</pre>",
        mail.created_at
    );
    Ok(html(&subject, &body))
}

async fn step(reference: web::Path<String>) -> Answer {
    let reference = escape(&reference);
    let body = format!(
        "<h1>Your bank asks: is this you?</h1><p>This is the test provider's extra step for {reference}.</p>\
         <form method=\"post\"><button name=\"accept\" value=\"true\">Yes, pay</button> \
         <button name=\"accept\" value=\"false\">No</button></form>"
    );
    Ok(html("Confirm payment", &body))
}

#[derive(Deserialize)]
struct StepAnswer {
    accept: bool,
}

async fn answer_step(
    state: web::Data<State>,
    reference: web::Path<String>,
    form: web::Form<StepAnswer>,
) -> Answer {
    state.ports.payments.confirm_test_step(reference.into_inner(), form.accept).await?;
    let said =
        if form.accept { "Paid. You can close this page." } else { "Refused. You can close this page." };
    Ok(html("Thank you", &format!("<h1>{said}</h1>")))
}

fn html(title: &str, body: &str) -> HttpResponse {
    let mut response = HttpResponse::Ok().content_type("text/html; charset=utf-8").body(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>body{{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}}\
         table{{width:100%;border-collapse:collapse}}td{{padding:.4rem;border-top:1px solid #ccc}}\
         iframe{{width:100%;height:32rem;border:1px solid #ccc}}pre{{white-space:pre-wrap}}</style>{body}"
    ));
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-src 'self'; form-action 'self'";
    let policy = header::HeaderValue::from_static(policy);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response.extensions_mut().insert(Page);
    response
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
