//! What staff come for.

use serde_json::json;

use crate::{
    client::Client,
    driver::{Browser, Scripts},
    harness::{eur, fresh, log_in},
    shop::{DemoShop, OWNER, SUPPORT},
    steps,
    webdriver::Key,
};

/// Opens the newest order that waits to be sent.
async fn open_order(b: &Browser) {
    b.open("/admin/orders?view=to-fulfil").await;
    b.click("tbody tr td a").await;
    b.see("#ship, h1 + .badge").await;
}

#[tokio::test]
async fn staff_ship_and_refund() {
    let shop = DemoShop::start().await;
    let b = Browser::start(&shop.base, Scripts::On).await;
    steps::sign_in(&b, "/admin/sign-in", OWNER).await;
    open_order(&b).await;
    b.click("#ship summary").await;
    b.fill("#ship [name=tracking_number]", "00340434161094042557").await;
    b.click("#ship .btn.accent").await;
    b.says("00340434161094042557").await;
    let delivered = "[name=status][value=delivered]";
    b.click(delivered).await;
    b.gone(delivered).await;
    b.click("#refund summary").await;
    b.fill("#refund [name=amount]", "1.00").await;
    b.fill("#refund [name=reason]", "A scratch").await;
    b.click("#refund .btn.bad").await;
    b.says_in("[aria-labelledby=pay]", "A scratch").await;
    b.close().await;
}

#[tokio::test]
async fn support_sees_orders_but_no_way_to_refund() {
    let shop = DemoShop::start().await;
    let b = Browser::start(&shop.base, Scripts::On).await;
    steps::sign_in(&b, "/admin/sign-in", SUPPORT).await;
    open_order(&b).await;
    b.see("[aria-labelledby=pay]").await;
    assert_eq!(b.count("#refund, form[action$=refund]").await, 0);

    // Who does without the button is refused as well.
    let order = b.path().await.split(['/', '?']).nth(3).unwrap().to_owned();
    let client = log_in(&Client::new(shop.base.clone()), SUPPORT.0, SUPPORT.1).await;
    let refund = json!({"amount": eur(100), "reason": "A scratch"});
    let refused = client.post_once(&format!("/admin/orders/{order}/refunds"), &refund, &fresh()).await;
    refused.refused(403, "forbidden");
    b.close().await;
}

/// The queue of the demo has some reviews that wait.
#[tokio::test]
async fn reviews_are_moderated_with_the_keyboard_alone() {
    let shop = DemoShop::start().await;
    let b = Browser::start(&shop.base, Scripts::On).await;
    steps::sign_in(&b, "/admin/sign-in", OWNER).await;
    b.open("/admin/reviews").await;
    let waiting = b.count("[data-review]").await;
    assert!(waiting > 2, "{waiting} wait");
    for (key, place) in [("j", 0), ("j", 1), ("j", 2), ("k", 1)] {
        b.press(key).await;
        b.holds(&format!("document.activeElement === document.querySelectorAll('[data-review]')[{place}]"))
            .await;
    }
    let second = b.attribute("[data-review]:focus", "aria-labelledby").await;
    b.press("a").await;
    b.says("The review is public").await;
    b.gone(&format!("#{second}")).await;
    assert_eq!(b.count("[data-review]").await, waiting - 1);

    b.press("j").await;
    let first = b.attribute("[data-review]:focus", "aria-labelledby").await;
    b.press("r").await;
    b.see("input[name=reason]:focus").await;
    b.press("Off topic").await;
    b.press(Key::Enter.typed()).await;
    b.says("The review is not public").await;
    b.gone(&format!("#{first}")).await;
    assert_eq!(b.count("[data-review]").await, waiting - 2);
    b.close().await;
}
