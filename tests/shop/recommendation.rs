//! What somebody may also want: over the API, from real orders.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    browser::{Browser, Form},
    harness::{Goods, Shape, Shop, cart, check_out, list, text, wait_for},
};

crate::rules! {
    what_is_bought_together_is_recommended_together,
    the_next_answer_reflects_the_last_click,
    a_visitor_is_known_only_by_an_id_they_send,
    what_was_shown_and_clicked_is_taken,
    staff_see_and_train_the_model,
    pages_show_what_goes_together_and_remember_only_who_wants_it,
}

/// A kettle and tea that five people have bought together, and a chair that five others have.
async fn stocked(shape: Shape) -> (Shop, [Goods; 3]) {
    let shop = Shop::start(shape, &[("recommendation.threads", "1")]).await;
    let kettle = shop.goods("Kettle", 4000, 50).await;
    let tea = shop.goods("Tea", 900, 50).await;
    let chair = shop.goods("Chair", 9900, 50).await;
    for _ in 0..5 {
        for goods in [vec![(&kettle, 1), (&tea, 2)], vec![(&chair, 1)]] {
            let cart = cart(&shop.guest, &goods).await;
            check_out(&shop.guest, &shop.checkout_of(&cart, "tok_ok")).await.expect(201);
        }
    }
    let heard = async || {
        let status = shop.owner.get("/admin/recommendations").await.expect(200);
        status["interactions"] == 15 && status["products"] == 3
    };
    wait_for("orders and products are heard of", heard).await;
    let model = shop.owner.post("/admin/recommendations/train", &json!({})).await.expect(200);
    assert_eq!((&model["rules"], &model["products"]), (&json!(2), &json!(3)), "{model}");
    (shop, [kettle, tea, chair])
}

fn titles(answer: &Value) -> Vec<String> {
    list(answer).iter().map(|one| text(&one["title"])).collect()
}

async fn what_is_bought_together_is_recommended_together(shape: Shape) {
    let (shop, [kettle, tea, _]) = stocked(shape).await;
    let path = format!("/products/{}/bought_together", kettle.product);
    let answer = shop.guest.get(&path).await.expect(200);
    assert_eq!(titles(&answer), ["Tea"]);
    let first = &answer["data"][0];
    assert_eq!(first["reason"], json!({"kind": "bought_together", "product_id": kettle.product}));
    assert_eq!((&first["because"], &first["price"]["amount"]), (&json!("Kettle"), &json!(900)));

    let cart = cart(&shop.guest, &[(&tea, 1)]).await;
    let answer = shop.guest.get(&format!("{path}?cart_id={}", text(&cart["id"]))).await.expect(200);
    assert!(titles(&answer).is_empty(), "it is in the cart");

    let change = json!({"variant_id": tea.variant, "delta": -40, "reason": "broken"});
    shop.owner.post("/admin/inventory/adjustments", &change).await.expect(201);
    let sold_out = async || titles(&shop.guest.get(&path).await.expect(200)).is_empty();
    wait_for("it is sold out", sold_out).await;
}

async fn the_next_answer_reflects_the_last_click(shape: Shape) {
    let (shop, [kettle, _, chair]) = stocked(shape).await;
    let visitor = "vis_".to_owned() + &"0".repeat(25) + "4";
    let see = async |goods: &Goods, kind: &str| {
        let seen = json!({"product_id": goods.product, "kind": kind, "visitor_id": visitor});
        shop.guest.post("/recommendations/interactions", &seen).await.expect(204);
    };
    let path = format!("/recommendations?visitor_id={visitor}");
    see(&kettle, "view").await;
    let answer = shop.guest.get(&path).await.expect(200);
    assert_eq!(titles(&answer)[0], "Tea");
    assert_eq!(answer["data"][0]["reason"], json!({"kind": "viewed", "product_id": kettle.product}));
    see(&chair, "view").await;
    assert_eq!(titles(&shop.guest.get(&path).await.expect(200)), ["Tea"], "what was just seen is not news");
    let recent = format!("/recommendations/recently_viewed?visitor_id={visitor}");
    assert_eq!(titles(&shop.guest.get(&recent).await.expect(200)), ["Chair", "Kettle"]);

    shop.guest
        .request(Method::DELETE, &format!("/recommendations/visitors/{visitor}"))
        .send()
        .await
        .expect(204);
    assert!(titles(&shop.guest.get(&recent).await.expect(200)).is_empty());
    let strangers = shop.guest.get(&path).await.expect(200);
    assert_eq!(strangers["data"][0]["reason"]["kind"], "best_seller");
}

async fn a_visitor_is_known_only_by_an_id_they_send(shape: Shape) {
    let (shop, [kettle, ..]) = stocked(shape).await;
    let seen = json!({"product_id": kettle.product, "kind": "view"});
    shop.guest.post("/recommendations/interactions", &seen).await.expect(204);
    let recent = shop.guest.get("/recommendations/recently_viewed").await.expect(200);
    assert!(titles(&recent).is_empty());

    let ada = shop.customer("ada@example.com").await;
    ada.post("/recommendations/interactions", &seen).await.expect(204);
    assert_eq!(titles(&ada.get("/recommendations/recently_viewed").await.expect(200)), ["Kettle"]);
    assert!(titles(&shop.guest.get("/recommendations/recently_viewed").await.expect(200)).is_empty());

    let bought = json!({"product_id": kettle.product, "kind": "purchase"});
    shop.guest.post("/recommendations/interactions", &bought).await.expect(422);
    shop.guest.get("/recommendations?visitor_id=nobody").await.expect(422);
    shop.guest.get("/recommendations?limit=51").await.expect(422);
}

async fn what_was_shown_and_clicked_is_taken(shape: Shape) {
    let (shop, [kettle, tea, chair]) = stocked(shape).await;
    let list =
        json!({"surface": "related", "product_id": kettle.product, "shown": [tea.product, chair.product]});
    let shown = shop.guest.post("/recommendations/impressions", &list).await.expect(201);
    let path = format!("/recommendations/impressions/{}/clicks", text(&shown["id"]));
    for _ in 0..2 {
        shop.guest.post(&path, &json!({"product_id": tea.product})).await.expect(204);
    }
    let empty = json!({"surface": "related", "shown": []});
    shop.guest.post("/recommendations/impressions", &empty).await.expect(422);
    let model = shop.owner.post("/admin/recommendations/train", &json!({})).await.expect(200);
    assert_eq!(model["impressions"], 2);
}

async fn staff_see_and_train_the_model(shape: Shape) {
    let (shop, _) = stocked(shape).await;
    let overview = shop.owner.get("/admin/recommendations").await.expect(200);
    assert_eq!(overview["models"][0]["current"], true);
    assert_eq!(overview["model"]["id"], overview["models"][0]["id"]);
    shop.guest.post("/admin/recommendations/train", &json!({})).await.expect(401);
    let support = shop.staff("support").await;
    support.post("/admin/recommendations/train", &json!({})).await.expect(403);
}

async fn pages_show_what_goes_together_and_remember_only_who_wants_it(shape: Shape) {
    let (shop, [kettle, tea, chair]) = stocked(shape).await;
    let browser = Browser::new(&shop);
    let beside = |goods: &Goods| format!("/recommendations/beside/{}", goods.product);
    let product = browser.open(&format!("/products/{}", kettle.slug)).await.expect(200);
    assert_eq!(product.attribute("[hx-get*=beside]", "hx-get"), beside(&kettle));
    let rows = browser.get(&beside(&kettle)).await.expect(200);
    rows.says("Often bought together").says("Tea");
    assert!(rows.attribute("[data-impression]", "data-impression").starts_with("imp_"));

    let for_you = "/recommendations/for-you";
    browser.get(for_you).await.expect(200).says("We do not keep what you look at.").never_says("Because");
    let choose = |remember: &str| Form::post("/recommendations/remember").with("remember", remember);
    browser.send_form(choose("true")).await.expect(303);
    browser.get(&beside(&kettle)).await.expect(200);
    browser.get(for_you).await.expect(200).says("For you").says("Because you looked at Kettle").says("Tea");
    browser.send_form(choose("false")).await.expect(303);
    browser.send_form(choose("true")).await.expect(303);
    browser.get(for_you).await.expect(200).never_says("Because");

    browser.send_form(Form::post("/cart/lines").with("variant_id", &tea.variant)).await.expect(303);
    browser.get("/recommendations/cart").await.expect(200).says("Kettle").never_says("Chair");
    browser.get("/recommendations/beside/nothing").await.expect(404);
    browser.get(&beside(&chair)).await.expect(200).never_says("Tea");
}
