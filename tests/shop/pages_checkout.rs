//! From the cart to the order and what becomes of it, without JavaScript.

use serde_json::{Value, json};

use crate::{
    browser::{Browser, Form, Page},
    harness::{Goods, Shape, Shop, Stock, eur, eventually, text},
    pages_account::sign_in,
    pages_cart::put,
    rules,
};

rules!(
    a_guest_buys_step_by_step,
    a_declined_card_is_replaced_by_another,
    a_bank_may_ask_first,
    an_order_sent_twice_is_one_order,
    a_changed_price_is_shown_before_it_is_paid,
    what_is_sold_meanwhile_leads_back_to_the_cart,
    a_lost_reply_ends_in_one_order,
    an_order_is_shown_to_who_may_see_it,
    an_order_is_cancelled_and_ordered_again,
);

/// The address that a test does not care for.
fn addressed(form: Form) -> Form {
    form.with("name", "Ada Lovelace")
        .with("line1", "Hauptstr. 1")
        .with("postal_code", "10115")
        .with("city", "Berlin")
}

/// A guest goes through the steps up to the last one.
async fn review(browser: &Browser, card: &str) -> Page {
    let contact = browser.open("/checkout").await.expect(200);
    let address =
        browser.submit(contact.form("main form").with("email", "ada@example.com")).await.expect(200);
    let delivery = browser.submit(addressed(address.form("main form"))).await.expect(200);
    let payment = browser.submit(delivery.form("main form")).await.expect(200);
    let review = browser.submit(payment.form("main form").with("card", card)).await.expect(200);
    assert_eq!(review.path, "/checkout/review");
    review
}

/// A visitor with one of it in the cart, before the last step.
async fn before_buying(shop: &Shop, goods: &Goods, card: &str) -> (Browser, Page) {
    let browser = Browser::new(shop);
    put(&browser, goods, 1).await;
    let review = review(&browser, card).await;
    (browser, review)
}

/// The last step's form.
fn last(review: &Page) -> Form {
    review.form("form[data-once]")
}

/// Looks again, as the page of somebody who waits does by itself.
async fn settled(browser: &Browser, page: Page) -> Page {
    let path = page.path.clone();
    eventually("the order is settled", async || {
        let page = browser.open(&path).await.expect(200);
        (page.count("[data-waits]") == 0).then_some(page)
    })
    .await
}

/// The page that says thank you, and the order that it is for.
async fn thanked(shop: &Shop, page: &Page) -> Value {
    page.says("Thank you").says("ada@example.com");
    let id = page.path.trim_start_matches("/checkout/thanks/").split('?').next().unwrap();
    let order = shop.order(&json!(id)).await;
    page.says(&text(&order["number"]));
    assert_eq!((&order["status"], &order["captured_total"]), (&json!("placed"), &order["total"]));
    order
}

async fn a_guest_buys_step_by_step(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(5).await;
    let browser = Browser::new(&shop);
    assert_eq!(browser.open("/checkout").await.expect(200).path, "/cart");
    put(&browser, &mug, 2).await;
    // No step can be left out.
    for ahead in ["address", "delivery", "payment", "review"] {
        assert_eq!(browser.open(&format!("/checkout/{ahead}")).await.expect(200).path, "/checkout/contact");
    }
    browser.open("/checkout/nothing").await.expect(404);

    let contact = browser.open("/checkout").await.expect(200);
    let wrong = browser.submit(contact.form("main form").with("email", "ada@")).await.expect(422);
    assert_eq!(wrong.says("That is not an e-mail address.").attribute("#f-email", "value"), "ada@");
    let address = browser.submit(wrong.form("main form").with("email", "ada@example.com")).await.expect(200);
    assert_eq!(address.path, "/checkout/address");

    // What was right is kept, what was wrong is said, and the field is named.
    let form = addressed(address.form("main form"));
    let long = "1".repeat(21);
    let wrong = browser.submit(form.clone().with("postal_code", &long).with("city", "")).await.expect(422);
    let value = |name: &str| wrong.attribute(&format!("#f-{name}"), "value");
    assert_eq!(
        (value("name").as_str(), value("line1").as_str(), value("postal_code")),
        ("Ada Lovelace", "Hauptstr. 1", long)
    );
    assert_eq!(wrong.count(".problems a[href='#f-city']"), 1);
    let abroad = browser.submit(form.clone().with("country", "US")).await.expect(200);
    assert_eq!(abroad.says("We do not deliver to this address yet.").path, "/checkout/delivery");
    browser.submit(form.clone().without("country")).await.expect(422);
    let bill = form.without("same");
    browser.submit(bill.clone()).await.expect(422).says("This is needed.");
    let bill = bill.with("billing_name", "Analytical Engines").with("billing_line1", "Ring 2");
    let bill = bill.with("billing_postal_code", "20095").with("billing_city", "Hamburg");
    let delivery = browser.submit(bill).await.expect(200);
    assert_eq!(delivery.path, "/checkout/delivery");

    delivery.says("Standard").says("€4.90").says("Hauptstr. 1");
    browser.submit(delivery.form("main form").without("option")).await.expect(422).says("Choose a delivery.");
    let payment = browser.submit(delivery.form("main form")).await.expect(200);
    let strange = payment.form("main form").with("card", "4111111111111111");
    browser.submit(strange).await.expect(422).says("Choose how to pay.").never_says("4111");
    let review = browser.submit(payment.form("main form")).await.expect(200);
    review.says("Place order for €54.90").says("10115 Berlin, Germany");
    // A finished step can be looked at again, as it was left.
    let again = browser.open("/checkout/address").await.expect(200).form("main form");
    assert_eq!(
        (again.value("city"), again.value("billing_city"), again.value("same")),
        (Some("Berlin"), Some("Hamburg"), None)
    );

    let thanks = browser.submit(last(&review)).await.expect(200);
    let order = thanked(&shop, &thanks).await;
    assert_eq!(thanks.attribute("#cart-link", "aria-label"), "Cart, empty");
    assert_eq!((&order["total"], &order["billing_address"]["city"]), (&eur(5490), &json!("Hamburg")));
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 3, reserved: 0 });
    shop.mail("ada@example.com", "order_placed").await;
    let page = browser.open(&thanks.attribute(".thanks a.btn", "href")).await.expect(200);
    page.says("In preparation").says("Billed to").says("€54.90");
    // What was entered does not stay behind, and going back buys nothing.
    assert!(browser.cookie("checkout").is_none() && browser.cookie("cart").is_none());
    assert_eq!(browser.submit(last(&review)).await.expect(200).path, "/cart");
    assert_eq!(shop.orders("placed").await.len(), 1);
}

async fn a_declined_card_is_replaced_by_another(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(5).await;
    let (browser, mut page) = before_buying(&shop, &mug, "tok_declined").await;
    for (next, why) in [
        ("tok_insufficient_funds", "The card was declined."),
        ("tok_ok", "There is not enough money on the card."),
    ] {
        let payment = browser.submit(last(&page)).await.expect(200);
        assert_eq!(payment.says(why).path, "/checkout/payment");
        page = browser.submit(payment.form("main form").with("card", next)).await.expect(200);
    }
    thanked(&shop, &browser.submit(last(&page)).await.expect(200)).await;
    assert_eq!((shop.orders("placed").await.len(), shop.orders("cancelled").await.len()), (1, 2));
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 4, reserved: 0 });
}

async fn a_bank_may_ask_first(shape: Shape) {
    let shop = Shop::start(shape, &[("payment.test.confirm_after_seconds", "600")]).await;
    let mug = shop.buyable(5).await;
    let (browser, review) = before_buying(&shop, &mug, "tok_3ds").await;
    let bank = browser.submit(last(&review)).await.expect(200);
    bank.says("Confirm your payment").says("€29.90");
    assert_eq!(shop.orders("pending").await.len(), 1);
    let stranger = bank.path.replace("token=", "token=x");
    browser.open(&stranger).await.expect(404);

    let refused = browser.submit(bank.form("main form").with("accept", "false")).await.expect(200);
    let payment = settled(&browser, refused).await;
    assert_eq!(payment.path, "/checkout/payment");
    let review = browser.submit(payment.form("main form").with("card", "tok_3ds")).await.expect(200);
    let bank = browser.submit(last(&review)).await.expect(200);
    let yes = bank.form("main form").with("accept", "true");
    let accepted = browser.submit(yes.clone()).await.expect(200);
    let thanks = settled(&browser, accepted).await;
    let order = thanked(&shop, &thanks).await;
    // The same yes again is the same order, and a no comes too late.
    for late in [yes.clone(), yes.with("accept", "false")] {
        assert_eq!(thanked(&shop, &browser.submit(late).await.expect(200)).await["id"], order["id"]);
    }
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 4, reserved: 0 });
}

async fn an_order_sent_twice_is_one_order(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(5).await;
    let (browser, review) = before_buying(&shop, &mug, "tok_ok").await;
    let form = last(&review);
    let sent = futures::join!(
        browser.send_form(form.clone()),
        browser.send_form(form.clone()),
        browser.send_form(form.clone())
    );
    let late = browser.send_form(form).await;
    let to = late.location().unwrap();
    assert!(to.starts_with("/checkout/thanks/"), "{to}");
    for answer in [sent.0, sent.1, sent.2] {
        assert_eq!(answer.expect(303).location().as_ref(), Some(&to));
    }
    thanked(&shop, &browser.open(&to).await.expect(200)).await;
    assert_eq!(shop.orders("placed").await.len(), 1);
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 4, reserved: 0 });
}

async fn a_changed_price_is_shown_before_it_is_paid(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(5).await;
    let (browser, review) = before_buying(&shop, &mug, "tok_ok").await;
    let path = format!("/admin/products/{}", mug.product);
    let changed = json!([{"id": mug.variant, "sku": mug.sku, "prices": [eur(3100)], "weight_grams": 300}]);
    let patch = shop.owner.request(reqwest::Method::PATCH, &path).header("if-match", "*");
    patch.json(&json!({"variants": changed})).send().await.expect(200);
    let again = browser.submit(last(&review)).await.expect(200);
    assert_eq!(again.path, "/checkout/review");
    again.says("A price has changed. Please check the new total.").says("Place order for €35.90");
    assert!(shop.orders("placed").await.is_empty());
    let order = thanked(&shop, &browser.submit(last(&again)).await.expect(200)).await;
    assert_eq!(order["total"], eur(3590));
}

async fn what_is_sold_meanwhile_leads_back_to_the_cart(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (mug, pot) = (shop.buyable(1).await, shop.goods("Pot", 4000, 5).await);
    let browser = Browser::new(&shop);
    put(&browser, &mug, 1).await;
    put(&browser, &pot, 1).await;
    let page = review(&browser, "tok_ok").await;
    shop.buy(&mug, 1).await;
    let cart = browser.submit(last(&page)).await.expect(200);
    assert_eq!(cart.says("That is sold out.").path, "/cart");
    assert_eq!(cart.all(".line .err"), ["Sold out"]);
    let without =
        browser.submit(cart.form(".acts form:not(:has(.qty))").with("do", "remove")).await.expect(200);
    assert_eq!(without.all(".line h3"), ["Pot"]);
    // Everything that was entered is still there; only the card is chosen again.
    let payment = browser.open("/checkout").await.expect(200);
    assert_eq!(payment.path, "/checkout/payment");
    let page = browser.submit(payment.form("main form")).await.expect(200);
    let order = thanked(&shop, &browser.submit(last(&page)).await.expect(200)).await;
    assert_eq!((&order["subtotal"], order["lines"].as_array().unwrap().len()), (&eur(4000), 1));
}

async fn a_lost_reply_ends_in_one_order(shape: Shape) {
    let shop = Shop::start(shape, &[("order.checkout_deadline_seconds", "1")]).await;
    let mug = shop.buyable(5).await;
    let (browser, review) = before_buying(&shop, &mug, "tok_lost_reply").await;
    // Whoever is told to wait asks again with the same form, as often as it takes.
    let mut form = last(&review);
    let thanks = eventually("the shop knows how it ended", async || {
        let page = browser.submit(form.clone()).await;
        if page.status == 200 {
            return Some(page);
        }
        assert_eq!(page.status, 503, "{}", page.words());
        form = page.form("form[data-resends]");
        None
    })
    .await;
    thanked(&shop, &settled(&browser, thanks).await).await;
    assert_eq!(shop.orders("placed").await.len(), 1);
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 4, reserved: 0 });
}

async fn an_order_is_shown_to_who_may_see_it(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(5).await;
    let carla = shop.customer("carla@example.com").await;
    shop.customer("bob@example.com").await;
    let order = shop.buy_as(&carla, &mug, 2).await;
    let (path, number) = (format!("/orders/{}", text(&order["id"])), text(&order["number"]));
    let with_token = format!("{path}?token={}", text(&order["token"]));
    let guest = Browser::new(&shop);
    let page = guest.open(&with_token).await.expect(200);
    page.says(&number).says("Hauptstr. 1").says("2 × €25.00");
    assert!(page.headers["cache-control"].to_str().unwrap().contains("no-store"));
    assert_eq!(page.attribute("meta[name=referrer]", "content"), "same-origin");
    let to_sign_in = guest.get(&path).await.expect(303).location().unwrap();
    assert!(to_sign_in.starts_with("/account/sign-in?to=%2Forders%2F"), "{to_sign_in}");
    let other = shop.buy(&mug, 1).await;
    let nothing = format!("/orders/ord_{}", "0".repeat(26));
    for wrong in [
        format!("{path}?token={}", text(&other["token"])),
        format!("{path}?token="),
        format!("{nothing}?token={}", text(&order["token"])),
        "/orders/made-up?token=x".into(),
    ] {
        guest.open(&wrong).await.expect(404).never_says(&number);
    }

    let (owner, stranger) = (Browser::new(&shop), Browser::new(&shop));
    sign_in(&owner, "carla@example.com").await.expect(200).says(&number);
    owner.open(&path).await.expect(200).says(&number);
    sign_in(&stranger, "bob@example.com").await.expect(200).never_says(&number);
    stranger.open(&path).await.expect(404).never_says(&number);
    for what in ["cancel", "reorder"] {
        stranger.send_form(Form::post(&format!("{path}/{what}"))).await.expect(404);
        guest.send_form(Form::post(&format!("{path}/{what}?token=x"))).await.expect(404);
    }
    assert_eq!(shop.order(&order["id"]).await["status"], "placed");

    // The number and the address together find it; which of them is wrong is not told.
    let form = guest.open("/track").await.expect(200).form("main form");
    let wrong_email = form.clone().with("number", &number).with("email", "eve@example.com");
    let wrong_number = form.clone().with("number", "B-0000-0000").with("email", "ada@example.com");
    let missed = guest.submit(wrong_email).await.expect(404);
    assert_eq!(
        missed.says("We found no order with this number and address.").attribute("#f-number", "value"),
        number
    );
    guest.submit(wrong_number).await.expect(404).says("We found no order with this number and address.");
    guest.submit(form.clone()).await.expect(422).says("This is needed.");
    let right = form.with("number", &number.to_lowercase()).with("email", "ADA@example.com");
    assert_eq!(guest.submit(right).await.expect(200).path, with_token);
}

async fn an_order_is_cancelled_and_ordered_again(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (mug, pot) = (shop.buyable(5).await, shop.goods("Pot", 4000, 1).await);
    let browser = Browser::new(&shop);
    put(&browser, &mug, 2).await;
    put(&browser, &pot, 1).await;
    let page = review(&browser, "tok_ok").await;
    let thanks = browser.submit(last(&page)).await.expect(200);
    let order = thanked(&shop, &thanks).await;
    let page = browser.open(&thanks.attribute(".thanks a.btn", "href")).await.expect(200);

    // The pot was the last one, so that only the mugs come again.
    let again = browser.submit(page.form("form[action*='/reorder']")).await.expect(200);
    again.says("Not available any more: Pot");
    assert_eq!((again.path.as_str(), again.all(".line h3")), ("/cart", vec!["Mug".to_owned()]));
    assert_eq!(again.attribute("#cart-link", "aria-label"), "Cart, 2 items");

    let cancel = page.form("form[action*='/cancel']");
    let cancelled = browser.submit(cancel.clone()).await.expect(200);
    cancelled.says("The order is cancelled.").says("Cancelled");
    assert_eq!(cancelled.count("form[action*='/cancel']"), 0);
    shop.order_becomes(&order["id"], "cancelled").await;
    eventually("everything is back", async || {
        (shop.stock(&mug).await.on_hand == 5 && shop.stock(&pot).await.on_hand == 1).then_some(())
    })
    .await;
    browser.submit(cancel).await.expect(200);
    assert_eq!(shop.order(&order["id"]).await["refunded_total"], order["total"]);
    let full = browser.submit(page.form("form[action*='/reorder']")).await.expect(200);
    full.says("Everything is in your cart.");
    assert_eq!(full.attribute("#cart-link", "aria-label"), "Cart, 5 items");
}
