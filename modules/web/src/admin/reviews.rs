//! The moderation of reviews.

use actix_web::{HttpResponse, web};
use askama::Template;
use contracts::{
    customer::Permission,
    review::{Hold, ModeratedReview, QueueFilter, Report, ReviewId, ReviewStatus},
};
use serde::Deserialize;
use shared::{Error, Kind, PageRequest, Result};

use crate::{
    Answer, Fault, Page,
    app::{at, get, post},
    forms::{Fields, Post},
    page::Undo,
};

/// Reviews on a page.
const PER_PAGE: u32 = 20;

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/reviews", [get(list)]);
    at(config, "/admin/reviews/{id}", [post(decide)]);
    at(config, "/admin/reviews/{id}/reply", [post(reply)]);
}

/// The views, in order: the name in the address, and the key of the title.
const VIEWS: [(&str, &str); 4] = [
    ("", "reviews-view-pending"),
    ("reported", "reviews-view-reported"),
    ("approved", "reviews-view-approved"),
    ("rejected", "reviews-view-rejected"),
];

fn filter(view: &str) -> QueueFilter {
    let (status, reported) = match view {
        "reported" => (None, true),
        "approved" => (Some(ReviewStatus::Approved), false),
        "rejected" => (Some(ReviewStatus::Rejected), false),
        _ => (Some(ReviewStatus::Pending), false),
    };
    QueueFilter { status, product_id: None, reported }
}

#[derive(Template)]
#[template(path = "admin/reviews.html")]
struct Queue<'a> {
    p: &'a Page,
    view: String,
    /// Each with what was said against it.
    reviews: Vec<(ModeratedReview, Vec<Report>)>,
    /// May decide, not only read.
    decides: bool,
    more: Option<String>,
}

impl Queue<'_> {
    fn views(&self) -> [(&'static str, &'static str); 4] {
        VIEWS
    }
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    view: String,
    cursor: Option<String>,
}

async fn list(p: Page, asked: web::Query<Asked>) -> Answer {
    p.staff(Permission::ReviewsRead)?;
    let Asked { view, cursor } = asked.0;
    let reviews = &p.ports().reviews;
    let found = reviews.queue(filter(&view), PageRequest { limit: PER_PAGE, cursor }).await?;
    let with_reports = found.data.into_iter().map(|review| async move {
        let said = if review.reports > 0 { reviews.reports(review.review.id).await? } else { Vec::new() };
        Ok::<_, Error>((review, said))
    });
    let reviews = futures::future::try_join_all(with_reports).await?;
    let decides = p.may(&Permission::ReviewsWrite);
    p.html(&Queue { p: &p, view, reviews, decides, more: found.next_cursor })
}

fn parse(id: &str) -> Answer<ReviewId> {
    id.parse().map_err(|_| Fault::not_found())
}

/// Approves, rejects or takes a decision back.
async fn decide(p: Page, id: web::Path<String>, form: Post<Fields>) -> Answer {
    let actor = p.staff(Permission::ReviewsWrite)?;
    let (id, f) = (parse(&id)?, form.0);
    let reviews = &p.ports().reviews;
    let before = reviews.find(id).await?;
    let version = f.value("version").parse().ok();
    let (decided, text) = match f.value("do") {
        "approve" => (reviews.approve(id, version, actor).await, "reviews-approved"),
        "reopen" => (reviews.reopen(id, version, actor).await, "reviews-reopened"),
        _ => (reviews.reject(id, f.value("reason").to_owned(), version, actor).await, "reviews-rejected"),
    };
    answer(&p, &f, decided, text, |after| Some(undo(&p, &f, &before, after)))
}

/// The form that makes it what it was. Reports that were dismissed do not come back.
fn undo(p: &Page, f: &Fields, before: &ModeratedReview, after: &ModeratedReview) -> Undo {
    let (what, reason) = match before.review.status {
        ReviewStatus::Approved => ("approve", None),
        ReviewStatus::Rejected => ("reject", before.review.rejection_reason.as_deref()),
        ReviewStatus::Pending => ("reopen", None),
    };
    let fields = [
        ("do", what.to_owned()),
        ("reason", reason.unwrap_or_default().to_owned()),
        ("version", after.review.version.to_string()),
        ("to", f.value("to").to_owned()),
    ];
    Undo {
        action: p.link(&format!("/admin/reviews/{}", after.review.id)),
        label: p.t("undo"),
        fields: fields.map(|(name, value)| (name.to_owned(), value)).into(),
    }
}

async fn reply(p: Page, id: web::Path<String>, form: Post<Fields>) -> Answer {
    p.staff(Permission::ReviewsWrite)?;
    let (id, f) = (parse(&id)?, form.0);
    let text = f.given("text").map(ToOwned::to_owned);
    let said = if text.is_some() { "reviews-replied" } else { "reviews-reply-removed" };
    let replied = p.ports().reviews.reply(id, text, f.value("version").parse().ok()).await;
    answer(&p, &f, replied, said, |_| None)
}

/// Back to the queue with what has happened.
fn answer(
    p: &Page,
    f: &Fields,
    done: Result<ModeratedReview>,
    text: &str,
    undo: impl FnOnce(&ModeratedReview) -> Option<Undo>,
) -> Answer<HttpResponse> {
    let mut response = p.back(f.given("to"), "/admin/reviews");
    match done {
        Ok(after) => p.notify_undoable(&mut response, "ok", p.t(text), undo(&after)),
        Err(error) if matches!(error.kind, Kind::Internal | Kind::NotFound) => return Err(error.into()),
        Err(error) => {
            let (code, detail) = match error.fields.first() {
                Some(field) => (field.code.as_str(), &field.detail),
                None => (error.code.as_ref(), &error.detail),
            };
            p.notify(&mut response, "bad", p.error(code, detail));
        }
    }
    Ok(response)
}

impl Page {
    /// Why a rule wants somebody to look.
    pub fn hold(&self, hold: &Hold) -> String {
        self.t(match hold {
            Hold::Links => "reviews-hold-links",
            Hold::Shouting => "reviews-hold-shouting",
            Hold::Rate => "reviews-hold-rate",
        })
    }
}
