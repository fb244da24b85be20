//! What staff come for.

use crate::{
    driver::{Browser, Scripts},
    shop::{DemoShop, OWNER, SUPPORT},
    steps,
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
    let b = Browser::start(&shop, Scripts::On).await;
    steps::sign_in(&b, "/admin/sign-in", OWNER).await;
    open_order(&b).await;
    b.click("#ship summary").await;
    b.fill("#ship [name=tracking_number]", "00340434161094042557").await;
    b.click("#ship .btn.accent").await;
    b.says("00340434161094042557").await;
    let delivered = "[name=status][value=delivered]";
    b.click(delivered).await;
    b.until("the parcel has arrived", async || (b.count(delivered).await == 0).then_some(())).await;
    b.click("#refund summary").await;
    b.fill("#refund [name=amount]", "1.00").await;
    b.fill("#refund [name=reason]", "A scratch").await;
    b.click("#refund .btn.bad").await;
    b.until("the refund is listed", async || {
        b.words("[aria-labelledby=pay]").await.contains("A scratch").then_some(())
    })
    .await;
    b.close().await;
}

#[tokio::test]
async fn support_sees_orders_but_no_way_to_refund() {
    let shop = DemoShop::start().await;
    let b = Browser::start(&shop, Scripts::On).await;
    steps::sign_in(&b, "/admin/sign-in", SUPPORT).await;
    open_order(&b).await;
    b.see("[aria-labelledby=pay]").await;
    assert_eq!(b.count("#refund, form[action$=refund]").await, 0);
    b.close().await;
}
