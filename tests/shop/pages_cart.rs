//! The cart, used without JavaScript.

use serde_json::json;

use crate::{
    browser::{Browser, Form, Page},
    coupons::promote,
    harness::{Goods, Shape, Shop, eur},
    pages_account::sign_in,
    rules,
};

rules!(
    a_line_is_changed_removed_and_brought_back,
    a_cart_holds_no_more_than_there_is,
    a_line_is_saved_for_later,
    a_code_takes_something_off,
    a_meter_tells_what_is_missing_to_free_delivery,
    a_cart_of_somebody_else_is_not_opened,
    another_site_changes_nothing_in_a_cart,
);

/// Puts units into the cart from the product's page, and comes to the cart.
pub async fn put(browser: &Browser, goods: &Goods, units: i64) -> Page {
    let form = browser.open(&format!("/products/{}", goods.slug)).await.expect(200).form("#buy");
    let cart = browser.submit(form.with("quantity", &units.to_string())).await.expect(200);
    assert_eq!(cart.path, "/cart");
    cart
}

/// The form with the number of units of the first line.
fn units(cart: &Page) -> Form {
    cart.form(".acts form:has(.qty)")
}

/// The form that takes the first line out.
fn away(cart: &Page, how: &str) -> Form {
    cart.form(".acts form:not(:has(.qty))").with("do", how)
}

fn in_header(page: &Page) -> String {
    page.attribute("#cart-link", "aria-label")
}

async fn a_line_is_changed_removed_and_brought_back(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (mug, pot) = (shop.buyable(9).await, shop.goods("Pot", 4050, 9).await);
    let browser = Browser::new(&shop);
    let empty = browser.open("/cart").await.expect(200);
    assert_eq!(in_header(empty.says("Your cart is empty")), "Cart, empty");
    let first = put(&browser, &mug, 2).await;
    assert_eq!(in_header(first.says("Added to your cart.")), "Cart, 2 items");
    let cart = put(&browser, &pot, 1).await;
    assert_eq!(
        (cart.all(".line h3"), cart.all(".line .sum")),
        (vec!["Mug".to_owned(), "Pot".to_owned()], vec!["€50.00".to_owned(), "€40.50".to_owned()])
    );
    assert_eq!(cart.all(".sums .total"), ["Total", "€90.50"]);
    cart.says("Including €14.45 VAT");

    let more = browser.submit(units(&cart).with("quantity", "3")).await.expect(200);
    assert_eq!(
        (more.all(".sums .total")[1].as_str(), in_header(&more).as_str()),
        ("€115.50", "Cart, 4 items")
    );
    assert_eq!(units(&more).value("quantity"), Some("3"));
    for wrong in ["-1", "x", "1e9", "99999999999999999999"] {
        browser.send_form(units(&more).with("quantity", wrong)).await;
        let still = browser.open("/cart").await.expect(200);
        assert_eq!(units(&still).value("quantity"), Some("3"), "{wrong}");
    }

    // Both ways of taking the first line out have a way back.
    let ways: [fn(&Page) -> Form; 2] =
        [|cart| units(cart).with("quantity", "0"), |cart| away(cart, "remove")];
    let mut cart = more;
    for way in ways {
        let removed = browser.submit(way(&cart)).await.expect(200);
        assert_eq!(removed.says("was removed.").count(".line"), 1);
        cart = browser.submit(removed.form(".notice form")).await.expect(200);
        assert_eq!((cart.path.as_str(), cart.all(".sums .total")[1].as_str()), ("/cart", "€115.50"));
    }
    browser.open("/cart").await.never_says("was removed");
}

async fn a_cart_holds_no_more_than_there_is(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(5).await;
    let browser = Browser::new(&shop);
    let cart = put(&browser, &mug, 4).await;
    let refused = browser.submit(units(&cart).with("quantity", "6")).await.expect(200);
    assert_eq!(units(refused.says("Only 5 left")).value("quantity"), Some("4"));
    put(&browser, &mug, 2).await.says("Only 5 left").never_says("Added to your cart.");

    // Somebody else is faster: the cart says so, and offers what there is.
    shop.buy(&mug, 3).await;
    let short = browser.open("/cart").await.expect(200);
    short.says("Only 2 left").says("Take the last 2");
    let taken = browser.submit(short.form(".what > form").with("quantity", "2")).await.expect(200);
    assert_eq!(taken.never_says("Only 2 left").all(".line .sum"), ["€50.00"]);
    shop.buy(&mug, 2).await;
    browser.open("/cart").await.expect(200).says("Sold out").never_says("Take the last");
}

async fn a_line_is_saved_for_later(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(9).await;
    let browser = Browser::new(&shop);
    let cart = put(&browser, &mug, 2).await;
    let saved = browser.submit(away(&cart, "save")).await.expect(200);
    assert_eq!(in_header(saved.says("Mug is on your wishlist.").says("Your cart is empty")), "Cart, empty");
    assert_eq!(browser.open("/wishlist").await.expect(200).all(".card h3"), ["Mug"]);
    // A line that is not there any more is no error: another tab has been faster.
    browser.submit(away(&cart, "remove")).await.expect(200).says("Your cart is empty");
}

async fn a_code_takes_something_off(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(9).await;
    promote(&shop, json!({"code": "TEN", "kind": "percentage", "value": 10, "title": "Welcome"})).await;
    let browser = Browser::new(&shop);
    let cart = put(&browser, &mug, 2).await;
    let form = cart.form(".coderow");
    let unknown = browser.submit(form.clone().with("code", "NOPE <b>")).await.expect(422);
    unknown.says("We do not know this code.");
    assert_eq!(unknown.attribute("#f-code", "value"), "NOPE <b>");
    assert_eq!(
        (unknown.attribute("#f-code", "aria-describedby").as_str(), unknown.count("#e-code")),
        ("e-code", 1)
    );
    browser.submit(form.clone().with("code", " ")).await.expect(422).says("This is needed.");

    let applied = browser.submit(form.with("code", "ten")).await.expect(200);
    applied.says("The code is in force.");
    assert_eq!(
        (applied.all(".sums .off"), applied.all(".sums .total")[1].as_str()),
        (vec!["−€5.00".to_owned()], "€45.00")
    );
    let removed = browser.submit(applied.form(".applied-code")).await.expect(200);
    assert_eq!((removed.count(".applied-code"), removed.all(".sums .total")[1].as_str()), (0, "€50.00"));
}

async fn a_meter_tells_what_is_missing_to_free_delivery(shape: Shape) {
    let shop = Shop::start(shape, &[("shop.default_country", "AT")]).await;
    let mug = shop.buyable(9).await;
    let free = json!([eur(6000)]);
    let method = json!({"name": "Standard", "tiers": [{"price": eur(900)}], "free_above": free, "min_days": 1,
        "max_days": 2});
    let zone = json!({"name": "Austria", "countries": ["AT"], "methods": [method]});
    shop.owner.post("/admin/shipping_zones", &zone).await.expect(201);
    let browser = Browser::new(&shop);
    let cart = put(&browser, &mug, 2).await;
    cart.says("€10.00 more for free delivery");
    assert_eq!(
        (cart.attribute(".meter progress", "value"), cart.attribute(".meter progress", "max")),
        ("5000".to_owned(), "6000".to_owned())
    );
    browser.submit(units(&cart).with("quantity", "3")).await.expect(200).says("Delivery is free");
}

async fn a_cart_of_somebody_else_is_not_opened(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(9).await;
    shop.customer("carla@example.com").await;
    shop.customer("bob@example.com").await;
    let carla = Browser::new(&shop);
    sign_in(&carla, "carla@example.com").await.expect(200);
    put(&carla, &mug, 2).await;
    let hers = carla.cookie("cart").unwrap();
    let changed = format!("{}{}", &hers[..hers.len() - 2], if hers.ends_with("AA") { "BB" } else { "AA" });
    let (guest, bob) = (Browser::new(&shop), Browser::new(&shop));
    sign_in(&bob, "bob@example.com").await.expect(200);
    for stranger in [guest, bob] {
        for cookie in
            ["", "made-up", "{\"id\":\"cart_00000000000000000000000000\",\"count\":3}", &changed, &hers]
        {
            stranger.set_cookie("cart", cookie);
            stranger.open("/cart").await.expect(200).says("Your cart is empty");
            stranger.open("/checkout/contact").await.expect(200).says("Your cart is empty");
        }
        stranger.set_cookie("cart", &hers);
        assert_eq!(in_header(&put(&stranger, &mug, 1).await), "Cart, 1 item");
    }
    assert_eq!(in_header(&carla.open("/cart").await.expect(200)), "Cart, 2 items");
}

async fn another_site_changes_nothing_in_a_cart(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(9).await;
    let browser = Browser::new(&shop);
    let cart = put(&browser, &mug, 2).await;
    let add = browser.open(&format!("/products/{}", mug.slug)).await.form("#buy");
    let forms = [
        add,
        units(&cart).with("quantity", "5"),
        away(&cart, "remove"),
        cart.form(".coderow").with("code", "X"),
    ];
    let foreign: [&[(&str, &str)]; 3] = [
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
    ];
    for form in &forms {
        for headers in foreign {
            let refused = browser.send_from(form.clone(), headers).await.expect(403);
            refused.says("That form came from somewhere else");
        }
    }
    // Whoever does not say where a form comes from needs its token.
    browser.send_from(forms[1].clone().with("_token", "guessed"), &[]).await.expect(403);
    let other = Browser::new(&shop);
    put(&other, &mug, 1).await;
    other.send_from(forms[1].clone(), &[]).await.expect(403);
    assert_eq!(in_header(&browser.open("/cart").await), "Cart, 2 items");
    browser.send_from(forms[1].clone(), &[]).await.expect(303);
    assert_eq!(in_header(&browser.open("/cart").await), "Cart, 5 items");
}
