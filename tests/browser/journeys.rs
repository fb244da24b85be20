//! What shoppers come for, from the first page to the last.

use crate::{
    driver::{Browser, Scripts},
    shop::{DemoShop, SHOPPER},
    steps,
    webdriver::Key,
};

#[tokio::test]
async fn a_guest_buys_with_the_keyboard_alone() {
    let shop = DemoShop::start().await;
    let b = Browser::start(&shop, Scripts::On).await;
    b.open("/").await;
    b.tab_to("#q").await;
    b.press("mug").await;
    b.press(Key::Enter.typed()).await;
    b.arrives("/search?q=mug").await;
    b.tab_to("#cards h3 a").await;
    b.press(Key::Enter.typed()).await;
    b.arrives("/products/").await;
    b.tab_to("#buy button.accent").await;
    b.press(Key::Enter.typed()).await;
    b.see("dialog#cart[open] .line").await;
    b.tab_to(".drawer-foot a.accent").await;
    b.press(Key::Enter.typed()).await;
    b.arrives("/checkout/contact").await;
    b.tab_to("#f-email").await;
    b.press("keys@example.com").await;
    b.press(Key::Enter.typed()).await;
    b.arrives("/checkout/address").await;
    for (field, text) in [
        ("name", "Ada Lovelace"),
        ("line1", "Hauptstr. 1"),
        ("postal_code", "10115"),
        ("city", "Berlin"),
        ("country", "Germany"),
    ] {
        b.tab_to(&format!("#f-{field}")).await;
        b.press(text).await;
    }
    for arrives in ["/checkout/delivery", "/checkout/payment", "/checkout/review"] {
        b.tab_to(".step.on .btn.lg").await;
        b.press(Key::Enter.typed()).await;
        b.arrives(arrives).await;
        if arrives == "/checkout/delivery" {
            b.tab_to("[name=option]").await;
            b.press(" ").await;
        }
    }
    b.tab_to(".step.on .btn.lg").await;
    b.press(Key::Enter.typed()).await;
    b.arrives("/checkout/thanks/").await;
    b.says("Thank you").await;
    b.close().await;
}

#[tokio::test]
async fn a_guest_buys_without_scripts() {
    let shop = DemoShop::start().await;
    let product = steps::several(&shop).await;
    let b = Browser::start(&shop, Scripts::Off).await;
    steps::add(&b, &product).await;
    b.arrives("/cart").await;
    steps::address(&b, Some("plain@example.com")).await;
    steps::pay(&b, "tok_ok").await;
    b.arrives("/checkout/thanks/").await;
    b.says("plain@example.com").await;
    b.close().await;
}

#[tokio::test]
async fn a_shopper_filters_chooses_and_pays_at_the_third_try() {
    let shop = DemoShop::start().await;
    let b = Browser::start(&shop, Scripts::On).await;

    b.open("/search?q=lamp").await;
    let promised = b.words(".facets [open] li .num").await;
    b.click(".facets [open] li input[type=checkbox]").await;
    b.see(".applied .chip").await;
    assert_eq!(b.words("#results [role=status]").await, format!("{promised} products"));
    b.click(".applied .clear").await;
    b.until("everything again", async || (b.count(".applied .chip").await == 0).then_some(())).await;

    let product = steps::several(&shop).await;
    b.open(&format!("/products/{}", product.slug)).await;
    b.click("#product .choice a:not([aria-current]):not(.out)").await;
    b.until("the variant is in the address", async || b.path().await.contains("variant=").then_some(()))
        .await;
    b.click("#buy button.accent").await;
    b.see("dialog#cart[open] .line").await;

    b.open("/cart").await;
    b.click("details.code summary").await;
    b.fill("#f-code", "NOSUCHCODE").await;
    b.click(".coderow .btn").await;
    b.see("#e-code").await;
    b.fill("#f-code", "WELCOME10").await;
    b.click(".coderow .btn").await;
    b.see(".applied-code").await;
    b.says("10 % off your first order").await;

    steps::address(&b, Some("patient@example.com")).await;
    steps::pay(&b, "tok_declined").await;
    b.arrives("/checkout/payment").await;
    b.says("was declined").await;
    steps::pay(&b, "tok_3ds").await;
    b.arrives("/checkout/pay/").await;
    b.click("[name=accept][value=false]").await;
    b.arrives("/checkout/payment").await;
    steps::pay(&b, "tok_3ds").await;
    b.arrives("/checkout/pay/").await;
    b.click("[name=accept][value=true]").await;
    b.arrives("/checkout/thanks/").await;
    b.says("patient@example.com").await;
    b.close().await;
}

#[tokio::test]
async fn the_carts_before_and_after_signing_in_become_one() {
    let shop = DemoShop::start().await;
    let first = steps::several(&shop).await;
    let second = steps::find(&shop, |x| x.id != first.id).await;
    let b = Browser::start(&shop, Scripts::On).await;
    steps::sign_in(&b, "/account/sign-in", SHOPPER).await;
    steps::add(&b, &first).await;
    b.session.forget_cookies().await;

    steps::add(&b, &second).await;
    b.open("/cart").await;
    assert_eq!(b.count(".basket .line").await, 1);
    steps::sign_in(&b, "/account/sign-in", SHOPPER).await;
    b.open("/cart").await;
    b.says(&first.title).await;
    b.says(&second.title).await;
    assert_eq!(b.count(".basket .line").await, 2);
    b.close().await;
}
