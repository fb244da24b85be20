//! What customers think of a product: to read, to write, to find helpful, to report.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, http::header, web};
use askama::Template;
use contracts::{
    product::ProductView,
    review::{
        Aggregate, NewReport, NewReview, ProductReviews, Review, ReviewFilter, ReviewId, ReviewPatch,
        ReviewSort, ReviewStatus,
    },
};
use serde::{Deserialize, Serialize};
use shared::{Kind, PageRequest, limits::Limited};

use crate::{
    Answer, Fault, Page,
    app::{at, get, post},
    forms::{Fields, Post},
    page::Undo,
    sessions::address,
};

/// Reviews shown at a time.
const PER_PAGE: u32 = 6;

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/products/{key}/reviews", [get(list)]);
    at(config, "/products/{key}/reviews/events", [get(events)]);
    at(config, "/products/{key}/reviews/new", [get(show_form), post(write)]);
    at(config, "/products/{key}/reviews/delete", [post(delete)]);
    at(config, "/reviews/{id}/vote", [post(vote)]);
    at(config, "/reviews/{id}/report", [get(show_report), post(report)]);
}

/// What the query string asks for; nonsense is left out, because people edit and share links.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct Asked {
    #[serde(skip_serializing_if = "Option::is_none")]
    sort: Option<ReviewSort>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rating: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

impl Asked {
    fn parse(query: &str) -> Self {
        let mut asked = Self::default();
        for (name, value) in serde_html_form::from_str::<Vec<(String, String)>>(query).unwrap_or_default() {
            match name.as_str() {
                "sort" => asked.sort = serde_json::from_value(value.into()).ok(),
                "rating" => asked.rating = value.parse().ok().filter(|stars| (1..=5).contains(stars)),
                "cursor" => asked.cursor = Some(value).filter(|cursor| cursor.len() < 400),
                _ => {}
            }
        }
        asked
    }

    fn filter(&self) -> ReviewFilter {
        ReviewFilter { sort: self.sort.unwrap_or_default(), rating: self.rating }
    }
}

/// The reviews of a product, and the links around them.
struct List<'a> {
    x: &'a ProductView,
    found: ProductReviews,
    asked: Asked,
    /// Where they are, without the language.
    path: String,
}

/// A row of the histogram.
struct Bar {
    stars: u8,
    count: i64,
    percent: i64,
    link: String,
    on: bool,
}

impl List<'_> {
    fn link(&self, p: &Page, asked: &Asked) -> String {
        let query = serde_html_form::to_string(asked).unwrap_or_default();
        if query.is_empty() { p.link(&self.path) } else { format!("{}?{query}", p.link(&self.path)) }
    }

    /// Five stars first. The chosen row leads back to all.
    fn bars(&self, p: &Page) -> Vec<Bar> {
        let Aggregate { count: all, histogram, .. } = self.found.aggregate;
        let bar = |(stars, count): (u8, i64)| {
            let on = self.asked.rating == Some(stars);
            let asked = Asked { rating: Some(stars).filter(|_| !on), cursor: None, ..self.asked.clone() };
            let percent = if all > 0 { (count * 100 + all / 2) / all } else { 0 };
            Bar { stars, count, percent, link: self.link(p, &asked), on }
        };
        (1..=5).zip(histogram).map(bar).rev().collect()
    }

    /// Key of the title, link, chosen.
    fn orders(&self, p: &Page) -> Vec<(&'static str, String, bool)> {
        let orders = [
            (ReviewSort::Newest, "reviews-newest"),
            (ReviewSort::Helpful, "reviews-helpful"),
            (ReviewSort::Highest, "reviews-highest"),
            (ReviewSort::Lowest, "reviews-lowest"),
        ];
        let order = |(sort, title)| {
            let asked = Asked { sort: Some(sort), cursor: None, ..self.asked.clone() };
            (title, self.link(p, &asked), self.asked.filter().sort == sort)
        };
        orders.map(order).into()
    }

    fn more(&self, p: &Page) -> Option<String> {
        let cursor = self.found.next_cursor.clone()?;
        Some(self.link(p, &Asked { cursor: Some(cursor), ..self.asked.clone() }))
    }

    /// The first of what is shown.
    fn here(&self, p: &Page) -> String {
        self.link(p, &Asked { cursor: None, ..self.asked.clone() })
    }

    fn all(&self, p: &Page) -> String {
        self.link(p, &Asked::default())
    }
}

#[derive(Template)]
#[template(path = "storefront/reviews.html")]
struct Whole<'a> {
    p: &'a Page,
    r: List<'a>,
}

#[derive(Template)]
#[template(path = "storefront/reviews.html", block = "region")]
struct Region<'a> {
    p: &'a Page,
    r: List<'a>,
}

#[derive(Template)]
#[template(path = "storefront/reviews-form.html")]
struct Form<'a> {
    p: &'a Page,
    x: &'a ProductView,
    own: Option<Review>,
    f: Fields,
}

#[derive(Template)]
#[template(path = "storefront/reviews-report.html")]
struct ReportForm<'a> {
    p: &'a Page,
    review: Review,
    f: Fields,
}

async fn product(p: &Page, key: &str) -> Answer<ProductView> {
    Ok(p.ports().products.view(key.to_owned(), p.prices()).await?)
}

async fn list(p: Page, request: HttpRequest, key: web::Path<String>) -> Answer {
    let x = product(&p, &key).await?;
    if *key != x.slug {
        return Ok(p.moved(&format!("/products/{}/reviews", x.slug)));
    }
    let asked = Asked::parse(&p.query);
    p.public(&request, async |p| {
        let page = PageRequest { limit: PER_PAGE, cursor: asked.cursor.clone() };
        let found = p.ports().reviews.list(x.id, asked.filter(), page).await?;
        let r = List { path: format!("/products/{}/reviews", x.slug), x: &x, found, asked };
        let html = if p.fragment { Region { p, r }.render()? } else { Whole { p, r }.render()? };
        Ok((html, vec![format!("reviews:{}", x.id), format!("product:{}", x.id), "products".to_owned()]))
    })
    .await
}

/// Says when a review of the product has become public.
async fn events(p: Page, key: web::Path<String>) -> Answer {
    let x = product(&p, &key).await?;
    let events = p.state.live.listen(x.id)?;
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(events))
}

async fn show_form(p: Page, key: web::Path<String>) -> Answer {
    let customer = p.customer()?;
    let x = product(&p, &key).await?;
    let own = p.ports().reviews.own(x.id, customer).await?;
    let f = own.as_ref().map_or_else(Fields::default, |own| {
        let f = Fields::default().with("rating", own.rating);
        f.with("title", &own.title).with("body", &own.body)
    });
    p.html(&Form { p: &p, x: &x, own, f })
}

async fn write(p: Page, request: HttpRequest, key: web::Path<String>, form: Post<Fields>) -> Answer {
    let (customer, mut f) = (p.customer()?, form.0);
    let x = product(&p, &key).await?;
    let own = p.ports().reviews.own(x.id, customer).await?;
    let (title, body) = (f.required(&p, "title"), f.required(&p, "body"));
    let rating = f.value("rating").parse().unwrap_or_default();
    if rating == 0 {
        f.fail("rating", p.t("reviews-choose-stars"));
    }
    if !f.failed() {
        let reviews = &p.ports().reviews;
        let written = match (limited(&p, &request).await, &own) {
            (Err(limited), _) => Err(limited),
            (Ok(()), Some(own)) => {
                let (rating, title, body) = (Some(rating), Some(title), Some(body));
                reviews.update(own.id, ReviewPatch { rating, title, body, pictures: None }, customer).await
            }
            (Ok(()), None) => {
                reviews.create(x.id, NewReview { rating, title, body, pictures: Vec::new() }, customer).await
            }
        };
        match written {
            Ok(review) => {
                let public = review.status == ReviewStatus::Approved;
                let text = if public { "reviews-thanks" } else { "reviews-thanks-pending" };
                let mut response = p.see_other(&format!("/products/{}/reviews", x.slug));
                p.notify(&mut response, "ok", p.t(text));
                return Ok(response);
            }
            Err(error) if error.kind == Kind::Internal => return Err(error.into()),
            Err(error) => f.refuse(&p, &error),
        }
    }
    p.html_as(StatusCode::UNPROCESSABLE_ENTITY, &Form { p: &p, x: &x, own, f })
}

async fn limited(p: &Page, request: &HttpRequest) -> shared::Result<()> {
    p.state.limits.check(Limited::Review, address(p, request)).await
}

async fn delete(p: Page, key: web::Path<String>, _: Post<crate::forms::Empty>) -> Answer {
    let customer = p.customer()?;
    let x = product(&p, &key).await?;
    if let Some(own) = p.ports().reviews.own(x.id, customer).await? {
        p.ports().reviews.delete(own.id, customer).await?;
    }
    let mut response = p.see_other(&format!("/products/{}/reviews", x.slug));
    p.notify(&mut response, "ok", p.t("reviews-deleted"));
    Ok(response)
}

fn parse(id: &str) -> Answer<ReviewId> {
    id.parse().map_err(|_| Fault::not_found())
}

#[derive(Deserialize)]
struct Vote {
    to: Option<String>,
    #[serde(rename = "do", default)]
    what: String,
}

/// The page around the button is the same for everybody: who is not signed in is asked to, and comes back to the
/// reviews.
async fn vote(p: Page, request: HttpRequest, id: web::Path<String>, form: Post<Vote>) -> Answer {
    let (id, Vote { to, what }) = (parse(&id)?, form.0);
    let Some(customer) = p.claims.as_ref().map(|claims| claims.sub) else {
        let to = serde_html_form::to_string([("to", to.unwrap_or_default())]).unwrap_or_default();
        return Ok(p.redirect(&format!("{}?{to}", p.link("/account/sign-in"))));
    };
    limited(&p, &request).await?;
    let reviews = &p.ports().reviews;
    let takes_back = what == "take-back";
    let voted =
        if takes_back { reviews.unvote(id, customer).await } else { reviews.vote(id, customer).await };
    let mut response = p.back(to.as_deref(), "/");
    match voted {
        Ok(_) if takes_back => p.notify(&mut response, "ok", p.t("reviews-vote-taken-back")),
        Ok(_) => {
            let fields = [("to", to.unwrap_or_default()), ("do", "take-back".to_owned())];
            let undo = Undo {
                action: p.link(&format!("/reviews/{id}/vote")),
                fields: fields.map(|(name, value)| (name.to_owned(), value)).into(),
                label: p.t("undo"),
            };
            p.notify_undoable(&mut response, "ok", p.t("reviews-voted"), Some(undo));
        }
        Err(error) if error.kind == Kind::Forbidden => {
            p.notify(&mut response, "bad", p.error(&error.code, &error.detail));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(response)
}

/// A review that everybody may see.
async fn public(p: &Page, id: &str) -> Answer<Review> {
    let review = p.ports().reviews.find(parse(id)?).await?.review;
    if review.status == ReviewStatus::Approved { Ok(review) } else { Err(Fault::not_found()) }
}

async fn show_report(p: Page, id: web::Path<String>) -> Answer {
    p.customer()?;
    let review = public(&p, &id).await?;
    p.html(&ReportForm { p: &p, review, f: Fields::default() })
}

async fn report(p: Page, request: HttpRequest, id: web::Path<String>, form: Post<Fields>) -> Answer {
    let (customer, mut f) = (p.customer()?, form.0);
    let review = public(&p, &id).await?;
    let reason = f.required(&p, "reason");
    if !f.failed() {
        let told = match limited(&p, &request).await {
            Ok(()) => p.ports().reviews.report(review.id, NewReport { reason }, customer).await,
            Err(limited) => Err(limited),
        };
        match told {
            Ok(()) => {
                let mut response = p.see_other(&format!("/products/{}/reviews", review.product_id));
                p.notify(&mut response, "ok", p.t("reviews-reported"));
                return Ok(response);
            }
            Err(error) if error.kind == Kind::Internal => return Err(error.into()),
            Err(error) => f.refuse(&p, &error),
        }
    }
    p.html_as(StatusCode::UNPROCESSABLE_ENTITY, &ReportForm { p: &p, review, f })
}

impl Page {
    /// Where a review stands, as a tone and a word.
    pub fn judged(&self, status: &ReviewStatus) -> (&'static str, String) {
        let (tone, key) = match status {
            ReviewStatus::Pending => ("warn", "reviews-is-pending"),
            ReviewStatus::Approved => ("ok", "reviews-is-approved"),
            ReviewStatus::Rejected => ("bad", "reviews-is-rejected"),
        };
        (tone, self.t(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_string_is_read_leniently() {
        let asked = Asked::parse("sort=helpful&rating=4&cursor=c&evil=1");
        assert_eq!(serde_html_form::to_string(&asked).unwrap(), "sort=helpful&rating=4&cursor=c");
        assert_eq!(Asked::parse("sort=random&rating=6"), Asked::default());
    }
}
