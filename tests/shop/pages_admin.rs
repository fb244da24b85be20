//! The admin's pages: what staff do, what they may not do, and that its figures are true.

use serde_json::json;

use crate::{
    browser::{Browser, Form, Page},
    harness::{OWNER, PASSWORD, Shape, Shop, text},
    rules,
};

rules!(
    staff_ship_and_refund,
    a_refund_form_sent_twice_refunds_once,
    support_sees_no_refund_and_cannot_send_one,
    figures_equal_a_recount,
    orders_are_found_by_view_and_words,
    a_stale_customer_form_shows_both_values,
    the_admin_speaks_german,
    the_palette_finds_what_the_person_may_open,
);

/// Somebody of the staff at the admin.
async fn at_work(shop: &Shop, email: &str, password: &str) -> Browser {
    let browser = Browser::new(shop);
    let form = browser.open("/admin/sign-in").await.form("form");
    browser.submit(form.with("email", email).with("password", password)).await.expect(200);
    browser
}

async fn owner(shop: &Shop) -> Browser {
    at_work(shop, OWNER.0, OWNER.1).await
}

async fn order_page(browser: &Browser, order: &serde_json::Value) -> Page {
    browser.open(&format!("/admin/orders/{}", text(&order["id"]))).await.expect(200)
}

/// The name of the only quantity field in a form.
fn quantity(order: &serde_json::Value) -> String {
    format!("line_{}", text(&order["lines"][0]["id"]))
}

async fn staff_ship_and_refund(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let goods = shop.buyable(5).await;
    let order = shop.buy(&goods, 2).await;
    let staff = owner(&shop).await;

    let page = order_page(&staff, &order).await;
    page.says("To fulfil").says("Paid");
    let form = page.form("form[action$='/ship']");
    assert_eq!(form.value(&quantity(&order)), Some("2"), "everything that is left is offered");
    let part = form.with(&quantity(&order), "1").with("carrier", "DHL").with("tracking_number", "T-1");
    staff.submit(part).await.expect(200).says("The parcel is created").says("Partly shipped").says("T-1");
    let rest = order_page(&staff, &order).await.form("form[action$='/ship']");
    assert_eq!(rest.value(&quantity(&order)), Some("1"));
    let too_many = rest.with(&quantity(&order), "2");
    let page = staff.submit(too_many).await.expect(422);
    page.says("That is more than there is left");
    assert_eq!(
        page.form("form[action$='/ship']").value(&quantity(&order)),
        Some("2"),
        "what was entered stays"
    );

    let form = order_page(&staff, &order).await.form("form[action$='/refund']");
    staff.submit(form.with("reason", "scratched")).await.expect(422).says("Choose items or enter an amount");
    let form = order_page(&staff, &order).await.form("form[action$='/refund']");
    let one = form.with(&quantity(&order), "1").with("reason", "scratched");
    staff
        .submit(one)
        .await
        .expect(200)
        .says("The refund is on its way")
        .says("Partly refunded")
        .says("scratched");
    let refunded = shop.order(&order["id"]).await;
    assert_eq!(refunded["refunds"][0]["lines"][0]["quantity"], 1);
    assert_eq!(refunded["shipments"][0]["tracking_number"], "T-1");

    let form = order_page(&staff, &order).await.form("form[action*='/shipments/']");
    staff.submit(form.with("status", "delivered")).await.expect(200).says("Delivered");
    let slip = format!("/admin/orders/{}/packing-slip", text(&order["id"]));
    staff.open(&slip).await.expect(200).says(&goods.sku).says("Ada Lovelace");
}

async fn a_refund_form_sent_twice_refunds_once(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let goods = shop.buyable(5).await;
    let order = shop.buy(&goods, 1).await;
    let staff = owner(&shop).await;
    let form = order_page(&staff, &order).await.form("form[action$='/refund']");
    let form = form.with("amount", "5,50").with("reason", "late");
    let twice = form.clone();
    staff.send_form(form).await.expect(303);
    staff.send_form(twice).await.expect(303);
    let order = shop.order(&order["id"]).await;
    assert_eq!(order["refunded_total"]["amount"], 550, "{order}");
    assert_eq!(order["refunds"].as_array().unwrap().len(), 1);
}

async fn support_sees_no_refund_and_cannot_send_one(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let goods = shop.buyable(5).await;
    let order = shop.buy(&goods, 1).await;
    shop.staff("support").await;
    let support = at_work(&shop, "support@example.com", PASSWORD).await;
    let page = order_page(&support, &order).await;
    assert_eq!(page.count("form[action$='/refund'], form[action$='/cancel'], form[action$='/capture']"), 0);
    assert_eq!(page.count("form[action$='/ship']"), 1, "support ships");
    assert_eq!(page.count("a[href='/admin/staff']"), 0);
    let own = owner(&shop).await;
    let stolen = order_page(&own, &order).await.form("form[action$='/refund']");
    let stolen = stolen.with("amount", "1.00").with("reason", "for me");
    support.send_form(stolen).await.expect(403);
    assert_eq!(shop.order(&order["id"]).await["refunded_total"]["amount"], 0);
    // Shoppers and strangers get no further than the door.
    let stranger = Browser::new(&shop);
    for path in ["/admin", "/admin/orders", "/admin/customers", "/admin/system", "/admin/search"] {
        let to = stranger.get(path).await.expect(303).location();
        assert!(to.as_deref().is_some_and(|to| to.starts_with("/admin/sign-in?to=")), "{path}: {to:?}");
    }
}

async fn figures_equal_a_recount(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let goods = shop.buyable(50).await;
    let mut net = 0;
    for units in [1, 2, 3] {
        net += shop.buy(&goods, units).await["total"]["amount"].as_i64().unwrap();
    }
    let cancelled = shop.buy(&goods, 4).await;
    let staff = owner(&shop).await;
    let form = order_page(&staff, &cancelled).await.form("form[action$='/cancel']");
    staff.submit(form.with("reason", "wrong size")).await.expect(200);
    shop.order_becomes(&cancelled["id"], "cancelled").await;
    let page = staff.open("/admin?days=7").await.expect(200);
    let figures = page.all(".kpi b");
    let money = |amount: i64| format!("€{}.{:02}", amount / 100, amount % 100);
    assert_eq!(figures[1], "3", "{figures:?}");
    assert_eq!(figures[0], money(net), "{figures:?}");
    assert_eq!(figures[2], money(net / 3), "{figures:?}");
    assert_eq!(figures[3], "6", "{figures:?}");
    page.says("3 orders to fulfil");
}

async fn orders_are_found_by_view_and_words(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let goods = shop.buyable(5).await;
    let order = shop.buy(&goods, 1).await;
    let number = text(&order["number"]);
    let staff = owner(&shop).await;
    for shown in ["", "?view=to-fulfil", "?q=ada%40", "?from=2020-01-01", &format!("?q={number}")] {
        let page = staff.open(&format!("/admin/orders{shown}")).await.expect(200);
        assert_eq!(page.count("tbody tr"), 1, "{shown}");
    }
    for hidden in ["?view=cancelled", "?q=nobody", "?to=2020-01-01"] {
        staff.open(&format!("/admin/orders{hidden}")).await.expect(200).says("No orders here");
    }
}

async fn a_stale_customer_form_shows_both_values(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let carla = shop.customer("carla@example.com").await;
    let me = carla.get("/customers/me").await.expect(200);
    let staff = owner(&shop).await;
    let path = format!("/admin/customers/{}", text(&me["id"]));
    let form = staff.open(&path).await.expect(200).form("form[data-dirty]");
    let first = form.clone();
    staff.submit(first.with("group", "wholesale")).await.expect(200).says("Saved");
    let page = staff.submit(form.with("name", "Carla Nova")).await.expect(409);
    page.says("Somebody else has changed this meanwhile").says("Carla Customer").says("Carla Nova");
    let again = page.form("form[data-dirty]");
    assert_eq!(again.value("name"), Some("Carla Nova"), "what was entered stays");
    staff.submit(again).await.expect(200);
    assert_eq!(carla.get("/customers/me").await.expect(200)["name"], json!("Carla Nova"));
}

async fn the_admin_speaks_german(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let goods = shop.buyable(5).await;
    let order = shop.buy(&goods, 1).await;
    let staff = owner(&shop).await;
    staff.open("/de/admin").await.expect(200).says("Nettoumsatz").never_says("Net sales");
    let page = staff.open(&format!("/de/admin/orders/{}", text(&order["id"]))).await.expect(200);
    page.says("Lieferschein").says("Zu versenden").never_says("To fulfil");
    staff.open("/de/admin/system").await.expect(200).says("Hintergrundaufgaben");
}

async fn the_palette_finds_what_the_person_may_open(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let goods = shop.buyable(5).await;
    let order = shop.buy(&goods, 1).await;
    let staff = owner(&shop).await;
    let number = text(&order["number"]);
    let page = staff.open(&format!("/admin/search?q={number}")).await.expect(200);
    assert_eq!(page.count(&format!("a[href='/admin/orders/{}']", text(&order["id"]))), 1);
    staff.open("/admin/search?q=syst").await.expect(200).says("System");
    // A form without a token from nowhere changes nothing.
    let forged = Form::post(&format!("/admin/orders/{}/cancel", text(&order["id"])));
    staff.send_from(forged, &[("sec-fetch-site", "cross-site")]).await.expect(403);
}
