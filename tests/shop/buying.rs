//! From the shelf to the mail: what everybody comes for.

use reqwest::Method;
use serde_json::json;

use crate::harness::{
    Shape, Shop, Stock, address, adds_up, cart, check_out, eur, eventually, list, number, text, wait_for,
};

crate::rules! {
    a_guest_buys_and_everybody_concerned_knows,
    an_order_keeps_what_was_agreed_when_the_catalogue_changes,
    a_customer_finds_their_orders,
    an_order_is_found_by_number_and_address,
    everything_about_an_order_can_be_read_by_its_token,
    a_product_with_options_is_bought_by_variant,
    goods_that_are_not_counted_are_always_there,
}

async fn a_guest_buys_and_everybody_concerned_knows(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;

    let lines = json!([{"variant_id": mug.variant, "quantity": 2}]);
    let cart = shop.guest.post("/carts", &json!({"currency": "EUR", "lines": lines})).await.expect(201);
    adds_up(&cart);
    assert_eq!(cart["subtotal"], eur(5000));
    assert_eq!((&cart["tax_total"], &cart["prices_include_tax"]), (&eur(798), &json!(true)));
    assert_eq!((&cart["shipping_total"], &cart["total"]), (&eur(0), &eur(5000)));
    assert_eq!(cart["lines"][0]["sku"], mug.sku);

    let path = format!("/carts/{}/shipping_options", text(&cart["id"]));
    let options = list(&shop.guest.post(&path, &json!({"address": address("DE")})).await.expect(200));
    assert_eq!((options.len(), &options[0]["id"], &options[0]["price"]), (1, &json!(shop.method), &eur(490)));
    assert!(options[0]["delivery"]["from"].as_str() <= options[0]["delivery"]["to"].as_str());

    let answer = check_out(&shop.guest, &shop.checkout_of(&cart, "tok_ok")).await;
    let location = answer.header("location").to_owned();
    let order = answer.expect(201);
    adds_up(&order);
    assert_eq!(location, format!("/api/v1/orders/{}", text(&order["id"])));
    assert_eq!((&order["status"], &order["payment_status"]), (&json!("placed"), &json!("captured")));
    assert_eq!((&order["total"], &order["captured_total"]), (&eur(5490), &eur(5490)));
    assert!(text(&order["number"]).starts_with("B-"));
    let moves = order["timeline"].as_array().unwrap();
    assert!(
        moves.iter().any(|m| m["from"] == "pending" && m["to"] == "placed" && m["actor"]["kind"] == "guest")
    );

    let path = format!("/orders/{}?token={}", text(&order["id"]), text(&order["token"]));
    let by_token = shop.guest.get(&path).await.expect(200);
    assert_eq!((&by_token["id"], &by_token["total"]), (&order["id"], &order["total"]));
    assert_eq!(shop.order(&order["id"]).await["number"], order["number"]);
    assert_eq!(shop.stock(&mug).await, Stock { on_hand: 8, reserved: 0 });

    let mail = shop.mail("ada@example.com", "order_placed").await;
    assert!(text(&mail["text"]).contains(&text(&order["number"])), "{mail}");
    assert!(text(&mail["html"]).contains(&text(&order["token"])), "{mail}");

    let ledger =
        list(&shop.owner.get(&format!("/admin/orders/{}/ledger", text(&order["id"]))).await.expect(200));
    assert!(!ledger.is_empty());
    assert_eq!(ledger.iter().map(|entry| number(&entry["amount"]["amount"])).sum::<i64>(), 0, "{ledger:?}");

    let taken = eventually("the cart is the order's", async || {
        let cart = shop.guest.get(&format!("/carts/{}", text(&cart["id"]))).await.expect(200);
        (cart["order_id"] == order["id"]).then_some(cart)
    })
    .await;
    let more = shop.guest.post(&format!("/carts/{}/lines", text(&taken["id"])), &lines[0]).await;
    assert_eq!(more.refused(409, "cart_completed")["order_id"], order["id"]);
    assert_eq!(shop.mails("ada@example.com", "order_placed").await.len(), 1);
}

async fn an_order_keeps_what_was_agreed_when_the_catalogue_changes(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let cart = cart(&shop.guest, &[(&mug, 1)]).await;

    // Nobody sends prices: what counts is the price of the moment in which the order is made.
    let dearer = json!({"title": "Finer mug", "variants": [{"sku": mug.sku, "prices": [eur(3000)]}]});
    let path = format!("/admin/products/{}", mug.product);
    shop.owner.request(Method::PATCH, &path).header("if-match", "*").json(&dearer).send().await.expect(200);
    let order = check_out(&shop.guest, &shop.checkout_of(&cart, "tok_ok")).await.expect(201);
    assert_eq!((&order["subtotal"], &order["lines"][0]["title"]), (&eur(3000), &json!("Finer mug")));

    let cheaper = json!({"title": "Plain mug", "variants": [{"sku": mug.sku, "prices": [eur(100)]}]});
    shop.owner.request(Method::PATCH, &path).header("if-match", "*").json(&cheaper).send().await.expect(200);
    shop.owner.delete(&path).await.expect(204);
    let kept = shop.order(&order["id"]).await;
    assert_eq!((&kept["total"], &kept["lines"][0]["title"]), (&eur(3490), &json!("Finer mug")));
}

async fn a_customer_finds_their_orders(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let (ada, bob) = (shop.customer("ada@example.com").await, shop.customer("bob@example.com").await);
    let first = shop.buy_as(&ada, &mug, 1).await;
    let second = shop.buy_as(&ada, &mug, 2).await;

    let orders = list(&ada.get("/orders").await.expect(200));
    assert_eq!(orders.iter().map(|o| &o["id"]).collect::<Vec<_>>(), [&second["id"], &first["id"]]);
    assert_eq!((&orders[0]["units"], &orders[0]["total"]), (&json!(2), &eur(5490)));
    let found = ada.get(&format!("/orders/{}", text(&first["id"]))).await.expect(200);
    assert_eq!((&found["number"], &found["customer_id"]), (&first["number"], &orders[0]["customer_id"]));
    assert!(list(&bob.get("/orders").await.expect(200)).is_empty());

    let one = ada.get("/orders?limit=1").await.expect(200);
    let rest = ada.get(&format!("/orders?limit=1&cursor={}", text(&one["next_cursor"]))).await.expect(200);
    assert_eq!((&list(&rest)[0]["id"], &rest["next_cursor"]), (&first["id"], &json!(null)));
}

async fn an_order_is_found_by_number_and_address(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let order = shop.buy(&mug, 1).await;
    let ask = async |number: &str, email: &str| {
        shop.guest.post("/orders/track", &json!({"number": number, "email": email})).await
    };
    let number = text(&order["number"]);
    assert_eq!(ask(&number, "ADA@example.com").await.expect(200)["id"], order["id"]);
    let wrong_address = ask(&number, "eve@example.com").await.refused(404, "not_found");
    let wrong_number = ask("B-2222-2222", "ada@example.com").await.refused(404, "not_found");
    assert_eq!(wrong_address["detail"], wrong_number["detail"]);
}

async fn everything_about_an_order_can_be_read_by_its_token(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let (order, other) = (shop.buy(&mug, 1).await, shop.buy(&mug, 1).await);
    let path = |token: &str| format!("/orders/{}?token={token}", text(&order["id"]));
    let own = text(&order["token"]);
    shop.guest.get(&path(&own)).await.expect(200);
    let mut forged = own.clone();
    let last = forged.pop().unwrap();
    forged.push(if last == 'a' { 'b' } else { 'a' });
    for wrong in ["", "x", &text(&other["token"]), &own[..own.len() - 4], &forged[..forged.len() - 1]] {
        shop.guest.get(&path(wrong)).await.refused(404, "not_found");
    }
    let note = json!({"text": "Rings twice"});
    shop.owner.post(&format!("/admin/orders/{}/notes", text(&order["id"])), &note).await.expect(201);
    let seen = shop.guest.get(&path(&own)).await.expect(200);
    assert!(!seen.to_string().contains("Rings twice"), "{seen}");
    assert!(shop.order(&order["id"]).await.to_string().contains("Rings twice"));
}

async fn a_product_with_options_is_bought_by_variant(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let variants: Vec<_> = ["S", "M"]
        .iter()
        .flat_map(|size| ["red", "blue"].map(|colour| (size, colour)))
        .map(|(size, colour)| {
            json!({"sku": format!("SHIRT-{size}-{colour}"), "options": {"Size": size, "Colour": colour},
                "prices": [eur(if *size == "S" { 1900 } else { 2100 })], "stock": 3})
        })
        .collect();
    let shirt = shop
        .product(json!({"title": "Shirt", "variants": variants, "options": [
            {"name": "Size", "values": ["S", "M"]},
            {"name": "Colour", "values": [{"value": "red", "label": "Red", "swatch": "#c00000"}, "blue"]}]}))
        .await;
    let page = shop.guest.get(&format!("/products/{}", shirt.slug)).await.expect(200);
    let found = page["variants"].as_array().unwrap().iter().find(|v| v["sku"] == "SHIRT-M-blue").unwrap();
    assert_eq!(
        (&found["price"], &found["available"], &found["in_stock"]),
        (&eur(2100), &json!(3), &json!(true))
    );
    let blue =
        crate::harness::Goods { variant: text(&found["id"]), sku: text(&found["sku"]), ..shirt.clone() };
    let order = shop.buy(&blue, 2).await;
    assert_eq!((&order["lines"][0]["sku"], &order["subtotal"]), (&json!("SHIRT-M-blue"), &eur(4200)));
    assert_eq!(shop.stock(&blue).await, Stock { on_hand: 1, reserved: 0 });
    assert_eq!(shop.stock(&shirt).await, Stock { on_hand: 3, reserved: 0 });

    let again = json!({"title": "Other", "variants": [{"sku": "SHIRT-M-blue", "prices": [eur(1)]}]});
    shop.owner.post("/admin/products", &again).await.refused(409, "sku_taken");
}

async fn goods_that_are_not_counted_are_always_there(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let song = json!({"title": "Song", "variants": [{"sku": "SONG", "prices": [eur(99)], "tracked": false}]});
    let song = shop.product(song).await;
    for _ in 0..3 {
        let order = shop.buy(&song, 500).await;
        assert_eq!(order["subtotal"], eur(49_500));
    }
    wait_for("the list shows it in stock", async || {
        let page = shop.guest.get("/products?q=song").await.expect(200);
        page["data"][0]["in_stock"] == true
    })
    .await;
}
