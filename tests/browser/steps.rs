//! What shoppers and staff do, step by step, with the pointer.

use contracts::product::{PriceContext, ProductView};
use shared::Currency;

use crate::{driver::Browser, shop::DemoShop};

/// A product that can be bought and comes in several variants.
pub async fn several(shop: &DemoShop) -> ProductView {
    find(shop, |x| x.variants.len() > 1 && x.variants.iter().all(|v| v.available > 5)).await
}

/// A product that fits and costs enough for every coupon.
pub async fn find(shop: &DemoShop, fits: impl Fn(&ProductView) -> bool) -> ProductView {
    let products = shop.app.ports.products.export(None, 1000).await.unwrap();
    let ids = products.iter().map(|product| product.id).collect();
    let context = PriceContext { currency: Currency::EUR, group: None };
    let views = shop.app.ports.products.views(ids, context).await.unwrap();
    views.into_iter().find(|x| fits(x) && x.variants.iter().any(|v| v.in_stock)).expect("the demo has one")
}

/// Puts the first variant of a product in the cart.
pub async fn add(b: &Browser, product: &ProductView) {
    let variant = product.variants.iter().find(|v| v.in_stock).unwrap();
    b.open(&format!("/products/{}?variant={}", product.slug, variant.id)).await;
    b.click("#buy button.accent").await;
    b.see("dialog#cart[open] .line, .basket .line").await;
}

/// From the cart to the choice of the card.
pub async fn address(b: &Browser, email: Option<&str>) {
    b.open("/checkout").await;
    if let Some(email) = email {
        b.arrives("/checkout/contact").await;
        b.fill("#f-email", email).await;
        b.click("form .btn.lg").await;
    }
    b.arrives("/checkout/address").await;
    for (field, text) in
        [("name", "Ada Lovelace"), ("line1", "Hauptstr. 1"), ("postal_code", "10115"), ("city", "Berlin")]
    {
        b.fill(&format!("#f-{field}"), text).await;
    }
    b.click("#f-country option[value=DE]").await;
    b.click(".step.on .btn.lg").await;
    b.arrives("/checkout/delivery").await;
    b.click("[name=option]").await;
    b.click(".step.on .btn.lg").await;
    b.arrives("/checkout/payment").await;
}

/// Pays with this card, up to the answer.
pub async fn pay(b: &Browser, card: &str) {
    b.click(&format!("[name=card][value={card}]")).await;
    b.click(".step.on .btn.lg").await;
    b.arrives("/checkout/review").await;
    b.click(".step.on .btn.lg").await;
}

pub async fn sign_in(b: &Browser, page: &str, (email, password): (&str, &str)) {
    b.open(page).await;
    b.fill("#f-email", email).await;
    b.fill("#f-password", password).await;
    b.click("main form .btn.lg").await;
    b.holds("!location.pathname.includes('sign-in')").await;
}
