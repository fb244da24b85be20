//! What shoppers come for, from the first page to the last.

use serde_json::json;

use crate::{
    driver::{Browser, Scripts},
    harness::{Shape, Shop, text},
    shop::{DemoShop, SHOPPER},
    steps,
    webdriver::Key,
};

#[tokio::test]
async fn a_guest_buys_with_the_keyboard_alone() {
    let shop = DemoShop::start().await;
    let b = Browser::start(&shop.base, Scripts::On).await;
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
    let b = Browser::start(&shop.base, Scripts::Off).await;
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
    let b = Browser::start(&shop.base, Scripts::On).await;

    b.open("/search?q=lamp").await;
    let promised = b.words(".facets [open] li .num").await;
    b.click(".facets [open] li input[type=checkbox]").await;
    b.see(".applied .chip").await;
    b.says_in("#results [role=status]", &format!("{promised} products")).await;
    b.click(".applied .clear").await;
    b.gone(".applied .chip").await;

    let product = steps::several(&shop).await;
    b.open(&format!("/products/{}", product.slug)).await;
    b.click("#product .choice a:not([aria-current]):not(.out)").await;
    b.holds("location.search.includes('variant=')").await;
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
    let b = Browser::start(&shop.base, Scripts::On).await;
    steps::sign_in(&b, "/account/sign-in", SHOPPER).await;
    steps::add(&b, &first).await;
    b.forget_cookies().await;

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

#[tokio::test]
async fn an_open_page_shows_a_review_that_staff_have_just_approved() {
    let shop = Shop::start(Shape::InProcess, &[]).await;
    let mug = shop.buyable(5).await;
    let words =
        json!({"rating": 5, "title": "Keeps tea hot", "body": "For an hour, and looks good doing it."});
    let reviews = format!("/products/{}/reviews", mug.slug);
    let review = shop.customer("carla@example.com").await.post(&reviews, &words).await.expect(201);

    let b = Browser::start(shop.guest.base(), Scripts::On).await;
    b.open(&format!("/products/{}", mug.slug)).await;
    // The reviews come when somebody scrolls to them, and the page listens from then on.
    b.js("window.stayed = true; document.querySelector('#reviews').scrollIntoView()").await;
    b.holds("document.querySelector('live-reviews')?.source?.readyState === EventSource.OPEN").await;
    assert_eq!(b.count("#said article").await, 0);
    let approve = format!("/admin/reviews/{}/approve", text(&review["id"]));
    shop.owner.post(&approve, &json!({})).await.expect(200);
    b.says_in("#said", "Keeps tea hot").await;
    b.holds("window.stayed").await;
    b.close().await;
}
