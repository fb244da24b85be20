//! The steps up to the last one.

use actix_web::{HttpRequest, http::StatusCode, web};
use askama::Template;
use contracts::{
    cart::{Cart, Destination, PriceRequest, PricedCart},
    customer::SavedAddress,
    shipping::ShippingOption,
};
use serde::Deserialize;
use shared::Kind;

use super::draft::{Draft, Step};
use crate::{
    Answer, Fault, Page,
    cookies::Name,
    forms::{Fields, Post},
    storefront::{
        address::{AddressForm, BILLING, SHIPPING, countries},
        cart,
    },
};

#[derive(Template)]
#[template(path = "storefront/checkout.html")]
pub struct CheckoutPage<'a> {
    pub p: &'a Page,
    pub step: Step,
    pub draft: Draft,
    pub cart: Cart,
    /// With the chosen delivery, once it is chosen.
    pub priced: Option<PricedCart>,
    pub options: Vec<ShippingOption>,
    pub countries: Vec<(String, String)>,
    pub saved: Vec<SavedAddress>,
    pub f: Fields,
}

impl CheckoutPage<'_> {
    /// Every step with how it stands.
    pub fn steps(&self) -> [Step; 5] {
        Step::ALL
    }

    /// Is this step behind us?
    pub fn done(&self, step: &Step) -> bool {
        *step < self.draft.missing()
    }

    /// The fields of the delivery address.
    pub fn shipping(&self) -> AddressForm {
        SHIPPING
    }

    /// The fields of the billing address.
    pub fn billing(&self) -> AddressForm {
        BILLING
    }

    /// The key of a step's title.
    pub fn title(&self, step: &Step) -> &'static str {
        match step {
            Step::Contact => "step-contact",
            Step::Address => "step-address",
            Step::Delivery => "step-delivery",
            Step::Payment => "step-payment",
            Step::Review => "step-review",
        }
    }

    /// A finished step in a few lines.
    pub fn summary(&self, step: &Step) -> Vec<String> {
        let (p, draft) = (self.p, &self.draft);
        match step {
            Step::Contact => draft.email.iter().map(ToString::to_string).collect(),
            Step::Address => {
                draft.address.as_ref().map(|address| p.address_lines(address)).unwrap_or_default()
            }
            Step::Delivery => {
                let chosen = self.options.iter().find(|option| Some(option.id) == draft.option);
                chosen.map(|option| vec![p.arrives(option), option.name.clone()]).unwrap_or_default()
            }
            Step::Payment => draft.card.iter().map(|card| p.t(&self.card_title(card))).collect(),
            Step::Review => Vec::new(),
        }
    }

    /// Is this the delivery to begin with: the chosen one, or the first?
    pub fn preferred(&self, option: &ShippingOption) -> bool {
        let first = || self.options.first().is_some_and(|first| first.id == option.id);
        self.draft.option.map_or_else(first, |chosen| chosen == option.id)
    }

    /// The key of a card's name.
    pub fn card_title(&self, card: &str) -> String {
        format!("card-{}", card.trim_start_matches("tok_").replace('_', "-"))
    }

    /// The key of what a card does.
    pub fn card_text(&self, card: &str) -> String {
        format!("{}-text", self.card_title(card))
    }

    /// The test provider's cards.
    pub fn cards(&self) -> [&'static str; 6] {
        ["tok_ok", "tok_declined", "tok_insufficient_funds", "tok_3ds", "tok_timeout", "tok_lost_reply"]
    }
}

pub async fn begin(p: Page) -> Answer {
    let draft = Draft::read(&p);
    Ok(p.see_other(&draft.missing().path()))
}

#[derive(Deserialize)]
pub struct Prefill {
    /// A saved address to begin with.
    address: Option<String>,
}

pub async fn show(p: Page, step: web::Path<String>, prefill: web::Query<Prefill>) -> Answer {
    let step = Step::parse(&step).ok_or_else(Fault::not_found)?;
    let draft = Draft::read(&p);
    if step > draft.missing() {
        return Ok(p.see_other(&draft.missing().path()));
    }
    let mut f = form(&p, step, &draft);
    if let (Some(id), Ok(customer)) = (&prefill.address, p.customer()) {
        let saved = p.ports().customers.addresses(customer).await?;
        if let Some(saved) = saved.iter().find(|saved| saved.id.to_string() == *id) {
            f = SHIPPING.filled(f, &saved.address);
        }
    }
    page(&p, StatusCode::OK, step, draft, f).await
}

pub async fn show_review(p: Page, _: HttpRequest) -> Answer {
    let draft = Draft::read(&p);
    if draft.missing() < Step::Review {
        return Ok(p.see_other(&draft.missing().path()));
    }
    page(&p, StatusCode::OK, Step::Review, draft, Fields::default()).await
}

/// The step's form as it was left.
pub fn form(p: &Page, step: Step, draft: &Draft) -> Fields {
    let f = Fields::default();
    match step {
        Step::Contact => f.with("email", draft.email.as_ref().map(ToString::to_string).unwrap_or_default()),
        Step::Address => {
            let f = match &draft.address {
                Some(address) => SHIPPING.filled(f, address),
                None => f.with("country", p.country().code()),
            };
            match &draft.billing {
                Some(billing) => BILLING.filled(f, billing),
                None => f.with("same", "on").with("billing_country", p.country().code()),
            }
        }
        Step::Delivery => f.with("option", draft.option.map(|option| option.to_string()).unwrap_or_default()),
        Step::Payment => f.with("card", draft.card.clone().unwrap_or_else(|| "tok_ok".into())),
        Step::Review => f,
    }
}

/// Shows a step; without a cart, the cart.
pub async fn page(p: &Page, status: StatusCode, step: Step, mut draft: Draft, f: Fields) -> Answer {
    let Some(cart) = cart::current(p).await?.filter(|cart| !cart.lines.is_empty()) else {
        return Ok(p.see_other("/cart"));
    };
    let options = match draft.destination() {
        Some(destination) => options(p, &cart, destination).await?,
        None => Vec::new(),
    };
    if draft.option.is_some_and(|chosen| !options.iter().any(|option| option.id == chosen)) {
        // What was chosen is not offered any more.
        draft.option = None;
        if step > Step::Delivery {
            let mut response = p.see_other(&Step::Delivery.path());
            p.cookies.set_json(&mut response, Name::Checkout, &draft);
            return Ok(response);
        }
    }
    let priced = price(p, &cart, &draft).await?;
    let countries = match step {
        Step::Address => countries(p).await?,
        _ => Vec::new(),
    };
    let saved = match p.customer() {
        Ok(customer) if step == Step::Address => p.ports().customers.addresses(customer).await?,
        _ => Vec::new(),
    };
    p.html_as(status, &CheckoutPage { p, step, draft, cart, priced, options, countries, saved, f })
}

async fn options(p: &Page, cart: &Cart, destination: Destination) -> Answer<Vec<ShippingOption>> {
    Ok(p.ports().carts.shipping_options(cart.id, destination, p.viewer()).await?)
}

/// What it all costs, once the delivery is known. A cart that cannot be bought as it is has no such price yet.
pub async fn price(p: &Page, cart: &Cart, draft: &Draft) -> Answer<Option<PricedCart>> {
    let (Some(email), Some(destination), Some(option)) = (&draft.email, draft.destination(), draft.option)
    else {
        return Ok(None);
    };
    let request =
        PriceRequest { viewer: p.viewer(), email: email.clone(), destination, shipping_option_id: option };
    match p.ports().carts.price(cart.id, request).await {
        Ok(priced) => Ok(Some(priced)),
        Err(error) if matches!(error.kind, Kind::Internal | Kind::Unavailable) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

pub async fn save(p: Page, step: web::Path<String>, form: Post<Fields>) -> Answer {
    let step = Step::parse(&step).filter(|step| *step < Step::Review).ok_or_else(Fault::not_found)?;
    let mut draft = Draft::read(&p);
    if step > draft.missing() {
        return Ok(p.see_other(&draft.missing().path()));
    }
    let mut f = form.0;
    match step {
        Step::Contact => draft.email = f.parsed(&p, "email"),
        Step::Address => {
            let address = SHIPPING.read(&p, &mut f);
            let same = f.ticked("same");
            let billing = if same { None } else { BILLING.read(&p, &mut f) };
            if address.as_ref().map(Destination::from) != draft.destination() {
                draft.option = None;
            }
            if !f.failed() {
                (draft.address, draft.billing) = (address, billing);
            }
        }
        Step::Delivery => match f.value("option").parse() {
            Ok(option) => draft.option = Some(option),
            Err(_) => f.fail("option", p.t("choose-delivery")),
        },
        Step::Payment => {
            let card = f.required(&p, "card");
            draft.card = Some(card).filter(|card| card.starts_with("tok_") && card.len() < 64);
            if draft.card.is_none() {
                f.fail("card", p.t("choose-card"));
            }
        }
        Step::Review => {}
    }
    if f.failed() {
        return page(&p, StatusCode::UNPROCESSABLE_ENTITY, step, draft, f).await;
    }
    let next = draft.missing().min(step.next());
    let mut response = p.see_other(&next.path());
    p.cookies.set_json(&mut response, Name::Checkout, &draft);
    Ok(response)
}
