//! Custom fields, pages and what the shop says of itself.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    client::Answer,
    harness::{Shape, Shop, list, text, wait_for},
};

crate::rules! {
    custom_fields_are_shown_searched_and_narrowed_by,
    fields_are_changed_by_who_has_seen_them,
    a_definition_says_which_values_stand_in_its_way,
    only_published_pages_are_read,
    settings_keep_who_changed_them,
    the_footer_links_to_what_is_published,
    the_journal_is_read_in_pages_and_as_a_feed,
}

async fn patch(shop: &Shop, path: &str, seen: &str, body: &Value) -> Answer {
    shop.owner.request(Method::PATCH, path).header("if-match", seen).json(body).send().await
}

/// A text of products that shoppers see, find and narrow by.
async fn origin(shop: &Shop) -> Value {
    let new = json!({
        "owner": "product", "namespace": "care", "key": "origin", "name": "Made in", "kind": "text",
        "visibility": "storefront", "searchable": true, "facet": true,
    });
    shop.owner.post("/admin/metafield_definitions", &new).await.expect(201)
}

async fn custom_fields_are_shown_searched_and_narrowed_by(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (mug, cup) = (shop.goods("Mug", 1000, 5).await, shop.goods("Cup", 1000, 5).await);
    origin(&shop).await;
    let secret = json!({"owner": "product", "namespace": "care", "key": "margin", "name": "Margin", "kind": "decimal"});
    shop.owner.post("/admin/metafield_definitions", &secret).await.expect(201);
    let page = Browser::new(&shop).open(&format!("/products/{}", mug.slug)).await;
    page.never_says("Made in");
    for goods in [&mug, &cup] {
        let values = json!({"care.origin": "Jura <b>", "care.margin": "12.50"});
        let path = format!("/admin/metafields/product/{}", goods.product);
        let fields = patch(&shop, &path, "\"0\"", &values).await.expect(200);
        assert_eq!(fields["fields"][0]["value"], "12.5");
    }
    let view = shop.guest.get(&format!("/products/{}", mug.slug)).await.expect(200);
    assert_eq!(view["metafields"], json!({"care.origin": "Jura <b>"}));
    let public = shop.guest.get(&format!("/metafields/product/{}", mug.product)).await.expect(200);
    assert_eq!(list(&json!({"data": public["fields"]})).len(), 1);
    let page = Browser::new(&shop).open(&format!("/products/{}", mug.slug)).await;
    page.says("Made in").says("Jura <b>").never_says("Margin");

    let total =
        async |query: &str| shop.guest.get(&format!("/products?{query}")).await.expect(200)["total"].clone();
    wait_for("search knows", async || total("q=jura").await == 2).await;
    wait_for("the facet counts", async || {
        let found = shop.guest.get("/products").await.expect(200);
        found["facets"]["attr.care.origin"][0]["count"] == 2
    })
    .await;
    assert_eq!(total("attr.care.origin=jura%20%3Cb%3E").await, 2);
    assert_eq!(total("attr.care.origin=alps").await, 0);
}

async fn fields_are_changed_by_who_has_seen_them(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.goods("Mug", 1000, 5).await;
    origin(&shop).await;
    let path = format!("/admin/metafields/product/{}", mug.product);
    let value = json!({"care.origin": "Jura"});
    shop.owner.patch(&path, &value).await.refused(428, "if_match_required");
    patch(&shop, &path, "\"7\"", &value).await.refused(412, "version");
    let set = patch(&shop, &path, "\"0\"", &value).await;
    assert_eq!(set.header("etag"), "\"1\"");
    set.expect(200);
    patch(&shop, &path, "*", &json!({"care.origin": {"$ne": 1}})).await.refused_at(
        422,
        "kind",
        "/care.origin",
    );
    patch(&shop, &path, "*", &json!({"care.$where": "1"})).await.refused_at(422, "name", "/care.$where");
    patch(&shop, &path, "*", &json!({"$where": "1"})).await.refused(422, "unknown_field");
    patch(&shop, &path, "*", &json!({"care.else": "1"})).await.refused_at(422, "unknown_field", "/care.else");

    let support = shop.staff("support").await;
    support.get(&path).await.expect(200);
    let refused = support.request(Method::PATCH, &path).header("if-match", "*").json(&value).send().await;
    assert_eq!(refused.refused(403, "forbidden")["permission"], "products:write");
    shop.guest.get("/metafields/order/ord_1").await.refused(404, "not_found");
    shop.owner.get("/admin/metafields/nonsense/x").await.refused(404, "not_found");
}

async fn a_definition_says_which_values_stand_in_its_way(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.goods("Mug", 1000, 5).await;
    let definition = origin(&shop).await;
    let values = format!("/admin/metafields/product/{}", mug.product);
    patch(&shop, &values, "*", &json!({"care.origin": "Jura"})).await.expect(200);
    let path = format!("/admin/metafield_definitions/{}", text(&definition["id"]));
    let narrower = json!({"rules": {"choices": ["Alps"]}});
    let refused = patch(&shop, &path, "\"1\"", &narrower).await.refused(409, "definition_in_use");
    assert_eq!(refused["count"], 1);
    assert_eq!(refused["examples"][0]["entity_id"], mug.product.as_str());
    assert_eq!(refused["examples"][0]["value"], "Jura");
    let wider = json!({"kind": "list", "rules": {"items": "text"}});
    patch(&shop, &path, "\"1\"", &wider).await.expect(200);
    let fields = shop.owner.get(&values).await.expect(200);
    assert_eq!((&fields["fields"][0]["value"], &fields["version"]), (&json!(["Jura"]), &json!(2)));
    let dropping = json!({"rules": {"items": "text", "choices": ["Alps"]}, "drop_invalid": true});
    patch(&shop, &path, "\"2\"", &dropping).await.expect(200);
    assert_eq!(shop.owner.get(&values).await.expect(200)["fields"], json!([]));
}

async fn write(shop: &Shop, kind: &str, slug: &str, status: &str, title: &str) -> Value {
    let german = json!({"title": format!("{title} (deutsch)"), "body": "Ein *Satz*."});
    let english = json!({"title": title, "body": "One *sentence*.\n\n<script>alert(1)</script>"});
    let page = json!({"kind": kind, "slug": slug, "status": status, "texts": {"en": english, "de": german}});
    shop.owner.post("/admin/pages", &page).await.expect(201)
}

async fn only_published_pages_are_read(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let page = write(&shop, "page", "help", "draft", "Help <b>").await;
    let browser = Browser::new(&shop);
    shop.guest.get("/pages/help").await.refused(404, "not_found");
    browser.get("/pages/help").await.expect(404);
    let path = format!("/admin/pages/{}", text(&page["id"]));
    shop.owner.patch(&path, &json!({"status": "published"})).await.refused(428, "if_match_required");
    patch(&shop, &path, "\"1\"", &json!({"status": "published"})).await.expect(200);
    patch(&shop, &path, "\"1\"", &json!({"slug": "hilfe"})).await.refused(412, "version");
    let read = shop.guest.get("/pages/help?locale=de-AT").await.expect(200);
    assert_eq!(
        (&read["title"], read["html"].as_str().unwrap().trim()),
        (&json!("Help <b> (deutsch)"), "<p>Ein <em>Satz</em>.</p>")
    );
    let shown = browser.get("/pages/help").await.expect(200);
    assert_eq!(shown.all("h1"), ["Help <b>"]);
    assert_eq!((shown.count(".letter em"), shown.count(".letter script")), (1, 0));
    browser.get("/de/pages/help").await.expect(200).says("Ein Satz");

    patch(&shop, &path, "\"2\"", &json!({"slug": "support", "texts": {"en": {"title": "Support"}}}))
        .await
        .expect(200);
    assert_eq!(browser.get("/pages/help").await.expect(301).location().as_deref(), Some("/pages/support"));
    browser.get("/pages/support").await.expect(200).says("Support");
    patch(&shop, &path, "*", &json!({"status": "draft"})).await.expect(200);
    browser.get("/pages/support").await.expect(404);
    shop.guest.get("/pages/support").await.refused(404, "not_found");
    shop.owner.delete(&path).await.expect(204);
    let support = shop.staff("support").await;
    support.get("/admin/pages").await.refused(403, "forbidden");
}

async fn settings_keep_who_changed_them(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let before = shop.guest.get("/shop").await.expect(200);
    assert_eq!((&before["name"], &before["return_days"]), (&json!("Bodega"), &json!(30)));
    shop.owner.patch("/admin/settings", &json!({"return_days": 14})).await.refused(428, "if_match_required");
    patch(&shop, "/admin/settings", "\"0\"", &json!({"return_days": 14})).await.expect(200);
    assert_eq!(shop.guest.get("/shop").await.expect(200)["return_days"], 14);
    patch(&shop, "/admin/settings", "\"0\"", &json!({"return_days": 9})).await.refused(412, "version");
    patch(&shop, "/admin/settings", "*", &json!({"return_days": 999})).await.refused_at(
        422,
        "out_of_range",
        "/return_days",
    );
    let history = list(&shop.owner.get("/admin/settings/history").await.expect(200));
    assert_eq!(history.len(), 1);
    assert_eq!(history[0]["actor"]["kind"], "staff");
    assert_eq!(history[0]["changes"], json!([{"pointer": "/return_days", "before": 30, "after": 14}]));
    let restore =
        shop.owner.request(Method::POST, "/admin/settings/history/0/restore").header("if-match", "\"1\"");
    let restored = restore.send().await.expect(200);
    assert_eq!((&restored["version"], &restored["return_days"]), (&json!(2), &json!(30)));
    let missing =
        shop.owner.request(Method::POST, "/admin/settings/history/77/restore").header("if-match", "*");
    missing.send().await.refused(404, "not_found");
}

async fn the_footer_links_to_what_is_published(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let browser = Browser::new(&shop);
    assert_eq!(browser.open("/").await.count(".foot a[href^='/pages/']"), 0);
    write(&shop, "page", "terms", "published", "Terms").await;
    let page = write(&shop, "page", "delivery", "published", "Delivery").await;
    write(&shop, "page", "imprint", "draft", "Imprint").await;
    let home = browser.open("/").await;
    assert_eq!(home.all(".foot .legal a"), ["Terms"]);
    assert_eq!(home.count(".foot a[href='/pages/delivery']"), 1);
    assert_eq!(browser.open("/de").await.all(".foot .legal a"), ["Terms (deutsch)"]);
    shop.owner.delete(&format!("/admin/pages/{}", text(&page["id"]))).await.expect(204);
    assert_eq!(browser.open("/").await.count(".foot a[href='/pages/delivery']"), 0);
}

async fn the_journal_is_read_in_pages_and_as_a_feed(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let browser = Browser::new(&shop);
    browser.open("/journal").await.says("Nothing here yet");
    for n in 1..=14 {
        write(&shop, "journal", &format!("post-{n}"), "published", &format!("Post {n}")).await;
    }
    let first = browser.open("/journal").await;
    assert_eq!(first.count(".post"), 12);
    assert_eq!(first.all(".post h2")[0], "Post 14");
    let older = browser.open(&first.attribute("a.btn.ghost", "href")).await;
    assert_eq!(older.all(".post h2"), ["Post 2", "Post 1"]);
    let post = browser.open("/journal/post-3").await;
    assert_eq!((post.all("h1"), post.count(".post")), (vec!["Post 3".to_owned()], 3));
    assert_eq!(browser.get("/pages/post-3").await.expect(301).location().as_deref(), Some("/journal/post-3"));
    let feed = browser.get("/journal.xml").await.expect(200);
    assert!(feed.text.contains("<title>Post 14</title>"), "{}", feed.text);
}
