//! Taxes and zones: what is in the price, what comes on top, and where nothing goes.

use serde_json::{Value, json};

use crate::harness::{Shape, Shop, address, adds_up, cart, check_out, eur, list, number, tax, text, zone};

crate::rules! {
    a_tax_that_prices_contain_does_not_change_the_total,
    a_tax_that_prices_do_not_contain_comes_on_top,
    a_class_and_a_region_have_rates_of_their_own,
    nothing_is_sent_outside_all_zones,
    a_method_of_another_zone_is_no_choice,
    a_country_is_in_one_zone,
    a_bad_address_is_named_by_its_line,
}

/// The sums of the tax by rate are the sum of the tax.
#[track_caller]
fn taxes_add_up(order: &Value) {
    adds_up(order);
    let lines = order["tax_lines"].as_array().unwrap();
    let sum: i64 = lines.iter().map(|line| number(&line["tax"]["amount"])).sum();
    assert_eq!(sum, number(&order["tax_total"]["amount"]), "{order}");
    for line in lines {
        let (net, tax) = (number(&line["net"]["amount"]), number(&line["tax"]["amount"]));
        let exact = net * number(&line["rate_basis_points"]);
        // Each line of the order may be rounded by up to half a cent.
        assert!((tax * 10_000 - exact).abs() <= 10_000 * 4, "{line}");
    }
}

async fn a_tax_that_prices_contain_does_not_change_the_total(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (mug, pot) = (shop.buyable(10).await, shop.goods("Pot", 1999, 10).await);
    let cart = cart(&shop.guest, &[(&mug, 1), (&pot, 3)]).await;
    let order = check_out(&shop.guest, &shop.checkout_of(&cart, "tok_ok")).await.expect(201);
    taxes_add_up(&order);
    assert_eq!((&order["total"], &order["prices_include_tax"]), (&eur(2500 + 5997 + 490), &json!(true)));
    // 399.16 of the mug, 957.50 and a bit of the pots, 78.24 of the shipping.
    assert_eq!(order["tax_total"], eur(399 + 958 + 78));
}

async fn a_tax_that_prices_do_not_contain_comes_on_top(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let method = zone(&shop.owner, "America", &["US"], 1000).await;
    tax(&shop.owner, "US", 825, false).await;
    let cart = cart(&shop.guest, &[(&mug, 3)]).await;
    let path = format!("/carts/{}/shipping_options", text(&cart["id"]));
    shop.guest.post(&path, &json!({"address": address("US")})).await.expect(200);
    let seen = shop.guest.get(&format!("/carts/{}", text(&cart["id"]))).await.expect(200);
    adds_up(&seen);
    assert_eq!((&seen["prices_include_tax"], &seen["total"]), (&json!(false), &eur(7500 + 619)));
    let mut body = shop.checkout_of(&cart, "tok_ok");
    (body["shipping_address"], body["shipping_option_id"]) = (address("US"), method.into());
    let order = check_out(&shop.guest, &body).await.expect(201);
    taxes_add_up(&order);
    assert_eq!((&order["tax_total"], &order["total"]), (&eur(619 + 82), &eur(7500 + 1000 + 701)));
    assert_eq!(order["captured_total"], order["total"]);
}

async fn a_class_and_a_region_have_rates_of_their_own(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let rate = |region: Option<&str>, class: &str, points: i64| json!({"country": "DE", "region": region, "tax_class": class, "name": class, "rate_basis_points": points, "included": true});
    shop.owner.post("/admin/tax_rates", &rate(None, "reduced", 700)).await.expect(201);
    shop.owner.post("/admin/tax_rates", &rate(Some("Helgoland"), "reduced", 0)).await.expect(201);
    let variant = crate::harness::variant("BOOK", 1070, 10);
    let book = shop.product(json!({"title": "Book", "tax_class": "reduced", "variants": [variant]})).await;
    let buy = async |region: Option<&str>| {
        let mut body = shop.order_for(&shop.guest, &book, 1, "tok_ok").await;
        body["shipping_address"]["region"] = json!(region);
        let order = check_out(&shop.guest, &body).await.expect(201);
        taxes_add_up(&order);
        number(&order["lines"][0]["tax"]["amount"])
    };
    assert_eq!(buy(None).await, 70);
    assert_eq!(buy(Some("Bayern")).await, 70);
    assert_eq!(buy(Some("Helgoland")).await, 0);
    let rates = list(&shop.owner.get("/admin/tax_rates").await.expect(200));
    assert_eq!(rates.len(), 3);
    // The same place and class again is a change, not a second rate.
    shop.owner.post("/admin/tax_rates", &rate(None, "reduced", 500)).await.expect(201);
    assert_eq!(list(&shop.owner.get("/admin/tax_rates").await.expect(200)).len(), 3);
    assert_eq!(buy(None).await, 51);
}

async fn nothing_is_sent_outside_all_zones(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let cart = cart(&shop.guest, &[(&mug, 1)]).await;
    let path = format!("/carts/{}/shipping_options", text(&cart["id"]));
    let options = shop.guest.post(&path, &json!({"address": {"country": "FR"}})).await.expect(200);
    assert_eq!(options["data"], json!([]));
    let mut body = shop.checkout_of(&cart, "tok_ok");
    body["shipping_address"] = address("FR");
    check_out(&shop.guest, &body).await.refused(422, "not_shippable");
    assert_eq!(shop.stock(&mug).await.reserved, 0);
    assert!(shop.orders("cancelled").await.is_empty());
}

async fn a_method_of_another_zone_is_no_choice(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let french = zone(&shop.owner, "France", &["FR"], 1).await;
    let mut body = shop.order_for(&shop.guest, &mug, 1, "tok_ok").await;
    body["shipping_option_id"] = french.into();
    check_out(&shop.guest, &body).await.refused_at(422, "shipping_option", "/shipping_option_id");
    body["shipping_option_id"] = format!("sopt_{}", "0".repeat(26)).into();
    check_out(&shop.guest, &body).await.refused_at(422, "shipping_option", "/shipping_option_id");
}

async fn a_country_is_in_one_zone(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let again = json!({"name": "Neighbours", "countries": ["FR", "DE"], "methods": []});
    shop.owner.post("/admin/shipping_zones", &again).await.refused(409, "country_taken");
    let zones = list(&shop.owner.get("/admin/shipping_zones").await.expect(200));
    assert_eq!(zones.len(), 1);
    let path = format!("/admin/shipping_zones/{}", text(&zones[0]["id"]));
    let wider = json!({"name": "Europe", "countries": ["FR", "DE"], "methods": zones[0]["methods"]});
    let changed = shop.owner.put(&path, &wider).await.expect(200);
    assert_eq!(changed["methods"][0]["id"], shop.method);
    shop.owner.delete(&path).await.expect(204);
    shop.owner.delete(&path).await.refused(404, "not_found");
}

async fn a_bad_address_is_named_by_its_line(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let body = shop.order_for(&shop.guest, &mug, 1, "tok_ok").await;
    for (member, value, code) in [
        ("name", json!(""), "required"),
        ("city", json!("   "), "required"),
        ("line1", json!("x".repeat(201)), "too_long"),
        ("name", json!("Ada\u{0}"), "characters"),
        ("name", json!("Ada\u{202e}avdA"), "characters"),
        ("country", json!("de"), "invalid_value"),
        ("country", json!("ZZ"), "invalid_value"),
        ("postal_code", json!(10115), "type"),
        ("planet", json!("Mars"), "unknown_field"),
    ] {
        let mut wrong = body.clone();
        wrong["shipping_address"][member] = value.clone();
        let pointer = format!("/shipping_address/{member}");
        check_out(&shop.guest, &wrong).await.refused_at(422, code, &pointer);
        let mut wrong = body.clone();
        wrong["billing_address"] = address("DE");
        wrong["billing_address"][member] = value;
        check_out(&shop.guest, &wrong).await.refused_at(422, code, &format!("/billing_address/{member}"));
    }
    let mut without = body.clone();
    without["shipping_address"].as_object_mut().unwrap().remove("city");
    check_out(&shop.guest, &without).await.refused_at(422, "required", "/shipping_address/city");
    check_out(&shop.guest, &body).await.expect(201);
}
