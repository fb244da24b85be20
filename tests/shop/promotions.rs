//! What offers take off, down to the cent.

use serde_json::{Value, json};

use crate::{
    coupons::{apply, promote},
    harness::{Shape, Shop, adds_up, cart, check_out, eur, list, number, text},
};

crate::rules! {
    a_percentage_is_taken_of_the_matching_lines,
    a_fixed_amount_never_takes_more_than_there_is,
    free_shipping_takes_off_what_shipping_costs,
    buy_two_get_one_takes_off_the_cheapest,
    an_offer_without_a_code_applies_by_itself,
    an_offer_for_a_category_holds_for_what_is_below_it,
    an_order_that_costs_nothing_needs_no_payment,
    terms_that_cannot_be_are_refused,
    shipping_is_free_from_an_amount_on,
    a_price_list_holds_for_its_group_and_quantities,
}

async fn a_percentage_is_taken_of_the_matching_lines(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (mug, pot) = (shop.buyable(10).await, shop.goods("Pot", 3333, 10).await);
    promote(&shop, json!({"code": "POT", "kind": "percentage", "value": 15, "product_ids": [pot.product]}))
        .await;
    let cart = cart(&shop.guest, &[(&mug, 1), (&pot, 1)]).await;
    let cart = apply(&shop.guest, &cart, "pot").await.expect(201);
    adds_up(&cart);
    // 499.95 is rounded half to even.
    assert_eq!(cart["discount_total"], eur(500));
    let of = |variant: &str| {
        let lines = cart["lines"].as_array().unwrap();
        lines.iter().find(|line| line["variant_id"] == variant).unwrap()["discount"].clone()
    };
    assert_eq!((of(&mug.variant), of(&pot.variant)), (eur(0), eur(500)));
    let order = check_out(&shop.guest, &shop.checkout_of(&cart, "tok_ok")).await.expect(201);
    adds_up(&order);
    assert_eq!(order["total"], eur(2500 + 3333 - 500 + 490));
    assert_eq!(order["discounts"][0]["code"], "POT");
}

async fn a_fixed_amount_never_takes_more_than_there_is(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    promote(&shop, json!({"code": "BIG", "kind": "fixed", "value": 999_999, "currency": "EUR"})).await;
    let cart = cart(&shop.guest, &[(&mug, 2)]).await;
    let cart = apply(&shop.guest, &cart, "BIG").await.expect(201);
    adds_up(&cart);
    assert_eq!((&cart["discount_total"], &cart["total"], &cart["tax_total"]), (&eur(5000), &eur(0), &eur(0)));
    let order = check_out(&shop.guest, &shop.checkout_of(&cart, "tok_ok")).await.expect(201);
    adds_up(&order);
    assert_eq!((&order["total"], &order["captured_total"]), (&eur(490), &eur(490)));
}

async fn free_shipping_takes_off_what_shipping_costs(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    promote(&shop, json!({"code": "FREE", "kind": "free_shipping"})).await;
    let cart = cart(&shop.guest, &[(&mug, 1)]).await;
    let cart = apply(&shop.guest, &cart, "FREE").await.expect(201);
    let order = check_out(&shop.guest, &shop.checkout_of(&cart, "tok_ok")).await.expect(201);
    adds_up(&order);
    assert_eq!(
        (&order["shipping_total"], &order["discount_total"], &order["total"]),
        (&eur(490), &eur(490), &eur(2500))
    );
    assert_eq!(order["tax_total"], eur(399));
}

async fn buy_two_get_one_takes_off_the_cheapest(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (mug, pot) = (shop.buyable(10).await, shop.goods("Pot", 4000, 10).await);
    let terms = json!({"title": "3 for 2", "kind": "buy_x_get_y", "value": 100, "buy_quantity": 2, "get_quantity": 1});
    promote(&shop, terms).await;
    let off = async |mugs: i64, pots: i64| {
        let wanted: Vec<_> = [(&mug, mugs), (&pot, pots)].into_iter().filter(|(_, n)| *n > 0).collect();
        let cart = cart(&shop.guest, &wanted).await;
        adds_up(&cart);
        number(&cart["discount_total"]["amount"])
    };
    assert_eq!(off(2, 0).await, 0);
    assert_eq!(off(3, 0).await, 2500);
    assert_eq!(off(1, 2).await, 2500);
    assert_eq!(off(0, 5).await, 4000);
    assert_eq!(off(3, 3).await, 4000 + 2500);
}

async fn an_offer_without_a_code_applies_by_itself(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let terms = json!({"title": "Opening week", "kind": "percentage", "value": 10});
    promote(&shop, terms).await;
    promote(&shop, json!({"code": "FIVE", "kind": "percentage", "value": 5})).await;
    promote(&shop, json!({"code": "HALF", "kind": "percentage", "value": 50})).await;
    let cart = cart(&shop.guest, &[(&mug, 1)]).await;
    assert_eq!(
        (&cart["discount_total"], &cart["discounts"][0]["title"]),
        (&eur(250), &json!("Opening week"))
    );
    // Of those that cannot stand together the better one counts.
    let worse = apply(&shop.guest, &cart, "FIVE").await.expect(201);
    assert_eq!(worse["discount_total"], eur(250));
    let path = format!("/carts/{}/discount_codes/FIVE", text(&cart["id"]));
    shop.guest.delete(&path).await.expect(200);
    let better = apply(&shop.guest, &cart, "HALF").await.expect(201);
    assert_eq!(better["discount_total"], eur(1250));
}

async fn an_offer_for_a_category_holds_for_what_is_below_it(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let category = async |title: &str, parent: Option<&Value>| {
        let new = json!({"title": title, "parent_id": parent});
        shop.owner.post("/admin/categories", &new).await.expect(201)["id"].clone()
    };
    let home = category("Home", None).await;
    let (kitchen, garden) = (category("Kitchen", Some(&home)).await, category("Garden", None).await);
    let product = async |title: &str, category: &Value| {
        let variant = crate::harness::variant(title, 1000, 9);
        shop.product(json!({"title": title, "category_ids": [category], "variants": [variant]})).await
    };
    let (pan, rake) = (product("Pan", &kitchen).await, product("Rake", &garden).await);
    promote(&shop, json!({"title": "Home week", "kind": "percentage", "value": 30, "category_ids": [home]}))
        .await;
    let both = cart(&shop.guest, &[(&pan, 1), (&rake, 1)]).await;
    assert_eq!(both["discount_total"], eur(300));
    assert_eq!(cart(&shop.guest, &[(&rake, 1)]).await["discount_total"], eur(0));
}

async fn an_order_that_costs_nothing_needs_no_payment(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    promote(&shop, json!({"code": "GIFT", "kind": "percentage", "value": 100, "combinable": true})).await;
    promote(&shop, json!({"code": "SEND", "kind": "free_shipping", "combinable": true})).await;
    let cart = cart(&shop.guest, &[(&mug, 1)]).await;
    apply(&shop.guest, &cart, "GIFT").await.expect(201);
    let cart = apply(&shop.guest, &cart, "SEND").await.expect(201);
    let order = check_out(&shop.guest, &shop.checkout_of(&cart, "tok_declined")).await.expect(201);
    assert_eq!((&order["status"], &order["total"]), (&json!("placed"), &eur(0)));
    assert_eq!(shop.stock(&mug).await.on_hand, 9);
    let payment = shop.app.ports.payments.of_order(text(&order["id"]).parse().unwrap()).await.unwrap();
    assert!(payment.is_none_or(|p| p.captured.is_zero()));
}

async fn terms_that_cannot_be_are_refused(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    for (terms, pointer) in [
        (json!({"kind": "percentage", "value": 0}), "/value"),
        (json!({"kind": "percentage", "value": 101}), "/value"),
        (json!({"kind": "fixed", "value": -5, "currency": "EUR"}), "/value"),
        (json!({"kind": "fixed", "value": 5}), "/currency"),
        (json!({"kind": "buy_x_get_y", "value": 100}), "/buy_quantity"),
        (json!({"kind": "percentage", "value": 5, "usage_limit": 0}), "/usage_limit"),
    ] {
        let problem = shop.owner.post("/admin/promotions", &terms).await;
        assert_eq!(problem.body["errors"][0]["pointer"], pointer, "{problem}");
        problem.expect(422);
    }
}

async fn shipping_is_free_from_an_amount_on(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(50).await;
    let tier = |max_weight: Value, price: i64| json!({"max_weight_grams": max_weight, "price": eur(price)});
    let methods = json!([
        {"name": "Standard", "tiers": [tier(json!(1000), 300), tier(json!(null), 900)], "free_above": [eur(20_000)],
            "min_days": 2, "max_days": 4},
        {"name": "Express", "tiers": [tier(json!(null), 1500)], "min_days": 1, "max_days": 1}]);
    let zone = json!({"name": "Austria", "countries": ["AT"], "methods": methods});
    shop.owner.post("/admin/shipping_zones", &zone).await.expect(201);
    let prices = async |units: i64| {
        let cart = cart(&shop.guest, &[(&mug, units)]).await;
        let path = format!("/carts/{}/shipping_options", text(&cart["id"]));
        let options = shop.guest.post(&path, &json!({"address": {"country": "AT"}})).await.expect(200);
        list(&options).iter().map(|option| number(&option["price"]["amount"])).collect::<Vec<_>>()
    };
    assert_eq!(prices(3).await, [300, 1500]);
    assert_eq!(prices(4).await, [900, 1500]);
    assert_eq!(prices(8).await, [0, 1500]);
}

async fn a_price_list_holds_for_its_group_and_quantities(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(50).await;
    let prices =
        |min: i64, amount: i64| json!([{"variant_id": mug.variant, "min_quantity": min, "amount": amount}]);
    let dozen = json!({"name": "Dozen", "currency": "EUR", "prices": prices(12, 2000)});
    let trade = json!({"name": "Trade", "currency": "EUR", "group": "wholesale", "prices": prices(1, 1500)});
    shop.owner.post("/admin/price_lists", &dozen).await.expect(201);
    shop.owner.post("/admin/price_lists", &trade).await.expect(201);

    let ada = shop.customer("ada@example.com").await;
    let id = text(&ada.get("/customers/me").await.expect(200)["id"]);
    let path = format!("/admin/customers/{id}");
    let group = json!({"group": "wholesale"});
    shop.owner
        .request(reqwest::Method::PATCH, &path)
        .header("if-match", "*")
        .json(&group)
        .send()
        .await
        .expect(200);
    let ada = crate::harness::log_in(&shop.guest, "ada@example.com", crate::harness::PASSWORD).await;

    let unit = |cart: &Value| cart["lines"][0]["unit_price"].clone();
    assert_eq!(unit(&cart(&shop.guest, &[(&mug, 11)]).await), eur(2500));
    assert_eq!(unit(&cart(&shop.guest, &[(&mug, 12)]).await), eur(2000));
    let page = ada.get(&format!("/products/{}", mug.slug)).await.expect(200);
    assert_eq!(page["variants"][0]["price"], eur(1500));
    let order = shop.buy_as(&ada, &mug, 1).await;
    assert_eq!(order["subtotal"], eur(1500));
    assert_eq!(
        shop.guest.get(&format!("/products/{}", mug.slug)).await.expect(200)["variants"][0]["price"],
        eur(2500)
    );
}
