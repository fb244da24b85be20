//! Lists that are fetched when a page is there already: what goes with a product or the cart, and what is for the visitor.
//!
//! Fetching what stands beside a product also tells that the product was looked at. Who looked is kept only if they have
//! asked for that; the switch is below the list on the home page.

use std::collections::HashMap;

use actix_web::{HttpResponse, web};
use askama::Template;
use contracts::{
    cart::Cart,
    product::{ProductCard, ProductId},
    recommendation::{
        Context, Impression, ImpressionId, Interaction, InteractionKind, Reason, Recommended, Surface,
        Visitor, VisitorId,
    },
};
use serde::Deserialize;

use super::cart;
use crate::{
    Answer, Fault, Page,
    app::{at, get, post},
    cookies::Name,
    forms::OpenPost,
};

/// How many products a row shows.
const ROW: u32 = 4;

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/recommendations/beside/{product}", [get(beside)]);
    at(config, "/recommendations/cart", [get(with_cart)]);
    at(config, "/recommendations/for-you", [get(for_you)]);
    at(config, "/recommendations/remember", [post(remember)]);
}

#[derive(Template)]
#[template(path = "storefront/recommendations.html")]
struct Rows<'a> {
    p: &'a Page,
    rows: Vec<Row>,
    /// Whether the switch is shown.
    switch: bool,
}

/// A heading, why, and products.
struct Row {
    id: &'static str,
    title: String,
    note: Option<String>,
    /// Clicks are told with it.
    impression: ImpressionId,
    cards: Vec<ProductCard>,
}

async fn beside(p: Page, path: web::Path<String>) -> Answer {
    let product: ProductId = path.parse().map_err(|_| Fault::not_found())?;
    let port = &p.ports().recommendations;
    port.record(did(&p, product, InteractionKind::View)).await?;
    let mut context = context(&p, cart::current(&p).await?.as_ref());
    let together = port.bought_together(vec![product], context.clone()).await?;
    context.exclude.extend(together.iter().map(|one| one.product_id));
    let related = port.related(product, context).await?;
    let rows = [
        row(&p, ("together", "bought-together"), Surface::BoughtTogether, Some(product), together).await?,
        row(&p, ("related", "goes-well-with"), Surface::Related, Some(product), related).await?,
    ];
    answer(&p, rows, false)
}

async fn with_cart(p: Page) -> Answer {
    let Some(cart) = cart::current(&p).await? else { return Ok(HttpResponse::NoContent().finish()) };
    let products = cart.lines.iter().map(|line| line.product_id).collect();
    let found = p.ports().recommendations.bought_together(products, context(&p, Some(&cart))).await?;
    let row = row(&p, ("together", "bought-together"), Surface::BoughtTogether, None, found).await?;
    answer(&p, [row], false)
}

async fn for_you(p: Page) -> Answer {
    let context = context(&p, cart::current(&p).await?.as_ref());
    let port = &p.ports().recommendations;
    let row = if p.preferences.remember {
        let found = port.personal(p.remembered(), context).await?;
        row(&p, ("for-you", "for-you"), Surface::Personal, None, found).await?
    } else {
        row(&p, ("trending", "trending"), Surface::Trending, None, port.trending(context).await?).await?
    };
    answer(&p, [row], true)
}

#[derive(Deserialize)]
struct Choice {
    remember: bool,
    to: Option<String>,
}

/// Turned off, all that was kept is erased.
async fn remember(p: Page, form: OpenPost<Choice>) -> Answer {
    let Choice { remember, to } = form.0;
    if !remember {
        p.ports().recommendations.forget(p.remembered()).await?;
    }
    let mut preferences = p.preferences.clone();
    preferences.remember = remember;
    let mut response = p.back(to.as_deref(), "/");
    p.cookies.set_json(&mut response, Name::Preferences, &preferences);
    Ok(response)
}

/// Something from the cart's newest line on: tells that it was put there. That it cannot be told keeps nobody from buying.
pub async fn added(p: &Page, product: ProductId) {
    let told = p.ports().recommendations.record(did(p, product, InteractionKind::CartAdd)).await;
    if let Err(error) = told {
        tracing::warn!(error = %error.chain(), "an interaction was not taken");
    }
}

impl Page {
    /// Who this is to those who recommend: nobody, unless they want to be remembered. The cookie's value is a key, so it is
    /// not what they are known by.
    fn remembered(&self) -> Visitor {
        let customer_id = self.claims.as_ref().map(|claims| claims.sub);
        Visitor { customer_id, visitor_id: Some(VisitorId::derived(&self.visitor)) }
    }
}

fn visitor(p: &Page) -> Visitor {
    if p.preferences.remember { p.remembered() } else { Visitor::default() }
}

fn did(p: &Page, product_id: ProductId, kind: InteractionKind) -> Interaction {
    Interaction { visitor: visitor(p), product_id, kind, at: p.now }
}

fn context(_: &Page, cart: Option<&Cart>) -> Context {
    let exclude = cart.iter().flat_map(|cart| cart.lines.iter().map(|line| line.product_id)).collect();
    Context { exclude, limit: ROW }
}

/// A row as it can be shown; what is shown is told, so that clicks can be learned from.
async fn row(
    p: &Page,
    (id, title): (&'static str, &str),
    surface: Surface,
    product_id: Option<ProductId>,
    found: Vec<Recommended>,
) -> Answer<Option<Row>> {
    let reasons = found.iter().filter_map(|one| one.reason.product_id());
    let ids: Vec<ProductId> = found.iter().map(|one| one.product_id).chain(reasons).collect();
    let views = p.ports().products.views(ids, p.prices()).await?;
    let views: HashMap<ProductId, _> = views.iter().map(|view| (view.id, view)).collect();
    let cards: Vec<ProductCard> = found.iter().filter_map(|one| views.get(&one.product_id)?.card()).collect();
    let Some(first) = found.first().filter(|_| !cards.is_empty()) else { return Ok(None) };
    let because = first.reason.product_id().and_then(|id| views.get(&id));
    let note = because.and_then(|view| p.because(&first.reason, &view.title));
    let impression = Impression {
        id: ImpressionId::random(),
        visitor: visitor(p),
        surface,
        product_id,
        shown: cards.iter().map(|card| card.id).collect(),
        at: p.now,
    };
    let row = Row { id, title: p.t(title), note, impression: impression.id, cards };
    p.ports().recommendations.shown(impression).await?;
    Ok(Some(row))
}

impl Page {
    /// "Because you looked at …". Beside a product nothing needs to be said.
    fn because(&self, reason: &Reason, title: &str) -> Option<String> {
        let key = match reason {
            Reason::Viewed { .. } => "because-viewed",
            Reason::CartAdded { .. } => "because-cart",
            Reason::Bought { .. } => "because-bought",
            _ => return None,
        };
        Some(self.text(key).arg("title", title).to_string())
    }
}

/// The rows that there are; without any the page keeps what it has.
fn answer(p: &Page, rows: impl IntoIterator<Item = Option<Row>>, switch: bool) -> Answer {
    let rows: Vec<Row> = rows.into_iter().flatten().collect();
    if rows.is_empty() && !switch {
        return Ok(HttpResponse::NoContent().finish());
    }
    p.html(&Rows { p, rows, switch })
}
