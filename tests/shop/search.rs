//! Finding things: forgiving text, honest counts, pages that join without gaps.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Shape, Shop, all, eur, list, number, text, variant, wait_for};

crate::rules! {
    a_mistyped_word_finds_what_was_meant,
    a_facet_counts_what_a_click_on_it_finds,
    names_narrow_and_values_of_one_name_widen,
    lists_are_sorted_as_asked,
    pages_join_to_the_whole_list,
    a_made_up_cursor_is_refused,
    what_is_typed_is_completed,
    changes_are_found_soon,
    a_category_lists_what_is_below_it,
    only_published_products_are_shown,
    a_collection_shows_what_was_picked,
    a_cursor_of_staff_lists_is_checked_too,
}

/// Sixty products: mugs, shirts and lamps in three colours by two makers.
async fn stocked(shape: Shape) -> Shop {
    let shop = Shop::start(shape, &[]).await;
    for i in 0..60_usize {
        let kind = ["Mug", "Shirt", "Lamp"][i % 3];
        let colour = ["red", "green", "blue"][(i / 3) % 3];
        let maker = ["Nordlicht", "Klein"][(i / 9) % 2];
        let material = ["stone", "wool", "steel"][i % 3];
        let mut one =
            variant(&format!("S-{i}"), 1000 + 100 * ((i as i64 * 37) % 60), if i % 10 == 0 { 0 } else { 5 });
        one["options"] = json!({"Colour": colour});
        shop.product(
            json!({"title": format!("{kind} number {i}"), "brand": maker, "tags": [kind.to_lowercase()],
            "attributes": {"material": material},
            "options": [{"name": "Colour", "values": [colour]}], "variants": [one]}),
        )
        .await;
    }
    wait_for("all sixty are found", async || total(&shop, "").await == 60).await;
    shop
}

async fn find(shop: &Shop, query: &str) -> Value {
    shop.guest.get(&format!("/products?{query}")).await.expect(200)
}

async fn total(shop: &Shop, query: &str) -> i64 {
    number(&find(shop, query).await["total"])
}

async fn a_mistyped_word_finds_what_was_meant(shape: Shape) {
    let shop = stocked(shape).await;
    for query in ["q=shrit", "q=SHIRT", "q=shirts", "q=shi", "q=klein%20shrit"] {
        let found = list(&find(&shop, query).await);
        assert!(!found.is_empty() && text(&found[0]["title"]).starts_with("Shirt"), "{query}: {found:?}");
    }
    assert_eq!(total(&shop, "q=shirt").await, 20);
    assert_eq!(text(&list(&find(&shop, "q=S-17").await)[0]["title"]), "Lamp number 17");
    for nothing in ["q=zeppelin", "q=%27%20or%201%3D1%20--", "q=%F0%9F%8D%95"] {
        assert_eq!(total(&shop, nothing).await, 0, "{nothing}");
    }
    assert_eq!(total(&shop, "q=%20%20").await, 60);
}

async fn a_facet_counts_what_a_click_on_it_finds(shape: Shape) {
    let shop = stocked(shape).await;
    for query in ["", "q=mug", "brand=Klein", "option.colour=red&min_price=2000", "tag=lamp&in_stock=true"] {
        let result = find(&shop, query).await;
        let facets: BTreeMap<String, Vec<Value>> = serde_json::from_value(result["facets"].clone()).unwrap();
        assert!(facets.contains_key("brand"), "{result}");
        for (name, values) in facets {
            for value in values {
                // A click sets the value of its name; what was chosen under other names stays.
                let others = query
                    .split('&')
                    .filter(|part| !part.is_empty() && !part.starts_with(&format!("{name}=")));
                let clicked = others
                    .chain([format!("{name}={}", text(&value["value"])).as_str()])
                    .collect::<Vec<_>>()
                    .join("&");
                assert_eq!(total(&shop, &clicked).await, number(&value["count"]), "{query} then {clicked}");
            }
        }
    }
    let without = find(&shop, "facets=false").await;
    assert_eq!(without["facets"], json!({}));
}

async fn names_narrow_and_values_of_one_name_widen(shape: Shape) {
    let shop = stocked(shape).await;
    let (mugs, lamps) = (total(&shop, "tag=mug").await, total(&shop, "tag=lamp").await);
    assert_eq!(total(&shop, "tag=mug&tag=lamp").await, mugs + lamps);
    let both = total(&shop, "tag=mug&brand=Klein").await;
    assert!(0 < both && both < mugs);
    assert_eq!(both + total(&shop, "tag=mug&brand=Nordlicht").await, mugs);
    assert_eq!(total(&shop, "tag=mug&attr.material=wool").await, 0);
    assert_eq!(total(&shop, "option.colour=red&option.colour=blue").await, 39);
    assert_eq!(total(&shop, "option.COLOUR=Red").await, 21);
    let priced = find(&shop, "min_price=2000&max_price=3000&limit=100").await;
    assert!(!list(&priced).is_empty());
    assert!(list(&priced).iter().all(|card| (2000..=3000).contains(&number(&card["price"]["amount"]))));
    assert_eq!(total(&shop, "in_stock=false").await, 6);
    assert_eq!(total(&shop, "in_stock=true").await, 54);
}

async fn lists_are_sorted_as_asked(shape: Shape) {
    let shop = stocked(shape).await;
    let prices = async |sort: &str| {
        let cards = list(&find(&shop, &format!("sort={sort}&limit=100")).await);
        cards.iter().map(|card| number(&card["price"]["amount"])).collect::<Vec<_>>()
    };
    let up = prices("price").await;
    assert!(up.is_sorted() && up.len() == 60, "{up:?}");
    let down = prices("-price").await;
    assert!(down.iter().rev().is_sorted(), "{down:?}");
    assert_eq!(list(&find(&shop, "sort=newest").await)[0]["title"], "Lamp number 59");
    for sort in ["popular", "rating", "relevance"] {
        assert_eq!(prices(sort).await.len(), 60);
    }
    for wrong in ["password_hash", "price%20desc", "PRICE", ""] {
        let answer = shop.guest.get(&format!("/products?sort={wrong}")).await;
        answer.refused_at(422, "invalid_value", "?sort");
    }
}

async fn pages_join_to_the_whole_list(shape: Shape) {
    let shop = stocked(shape).await;
    for query in ["sort=price", "sort=-price", "sort=newest", "q=number", "brand=Klein&sort=popular"] {
        let whole = list(&find(&shop, &format!("{query}&limit=100")).await);
        let (mut pages, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = find(&shop, &format!("{query}&limit=7{cursor}")).await;
            assert!(list(&page).len() <= 7);
            pages.extend(list(&page));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let ids = |cards: &[Value]| cards.iter().map(|card| text(&card["id"])).collect::<Vec<_>>();
        assert_eq!(ids(&pages), ids(&whole), "{query}");
    }
    for wrong in ["0", "-1", "101", "1000000000", "NaN", "", "7.5"] {
        let answer = shop.guest.get(&format!("/products?limit={wrong}")).await;
        assert_eq!(
            (answer.status, answer.body["errors"][0]["pointer"].as_str()),
            (422, Some("?limit")),
            "{answer}"
        );
    }
}

async fn a_made_up_cursor_is_refused(shape: Shape) {
    let shop = stocked(shape).await;
    let page = find(&shop, "sort=price&limit=7").await;
    let cursor = text(&page["next_cursor"]);
    let reversed: String = cursor.chars().rev().collect();
    for forged in ["x", "AAAAAAAAAAAA", "%25", &cursor[1..], &reversed] {
        let answer = shop.guest.get(&format!("/products?sort=price&limit=7&cursor={forged}")).await;
        answer.refused(400, "invalid_cursor");
    }
    // The cursor of one search is no cursor of another.
    let other = shop.guest.get(&format!("/products?sort=price&q=mug&cursor={cursor}")).await;
    other.refused(400, "invalid_cursor");
}

async fn what_is_typed_is_completed(shape: Shape) {
    let shop = stocked(shape).await;
    shop.owner.post("/admin/categories", &json!({"title": "Mugs and cups"})).await.expect(201);
    wait_for("the category is suggested", async || {
        let found = shop.guest.get("/search/suggest?q=mu").await.expect(200);
        found["categories"][0]["title"] == "Mugs and cups"
    })
    .await;
    let found = shop.guest.get("/search/suggest?q=mu&limit=3").await.expect(200);
    assert_eq!(found["products"].as_array().unwrap().len(), 3);
    assert!(text(&found["products"][0]["title"]).starts_with("Mug"));
    assert!(
        found["terms"].as_array().unwrap().iter().any(|term| term.as_str().unwrap().to_lowercase() == "mug"),
        "{found}"
    );
    shop.guest.get("/search/suggest").await.refused_at(422, "required", "?q");
    shop.guest.get("/search/suggest?q=mu&limit=0").await.expect(422);
    let empty = shop.guest.get("/search/suggest?q=").await.expect(200);
    assert_eq!(empty["products"], json!([]));
}

async fn changes_are_found_soon(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(1).await;
    wait_for("it is found", async || total(&shop, "q=mug").await == 1).await;
    let page = async || shop.guest.get(&format!("/products/{}", mug.product)).await.expect(200);
    assert_eq!(page().await["variants"][0]["price"], eur(2500));

    let path = format!("/admin/products/{}", mug.product);
    let patch = json!({"title": "Beaker", "variants": [{"sku": mug.sku, "prices": [eur(1900)]}]});
    shop.owner.request(Method::PATCH, &path).header("if-match", "*").json(&patch).send().await.expect(200);
    let changed = page().await;
    assert_eq!((&changed["title"], &changed["variants"][0]["price"]), (&json!("Beaker"), &eur(1900)));
    wait_for("the search knows", async || {
        let found = find(&shop, "q=beaker").await;
        found["data"][0]["price"] == eur(1900) && total(&shop, "q=mug").await == 0
    })
    .await;

    let slug = json!({"slug": "good-beaker"});
    shop.owner.request(Method::PATCH, &path).header("if-match", "*").json(&slug).send().await.expect(200);
    let moved = shop.guest.get(&format!("/products/{}", mug.slug)).await;
    assert_eq!((moved.status, moved.header("location")), (301, "/api/v1/products/good-beaker"), "{moved}");
    assert_eq!(shop.guest.get("/products/good-beaker").await.expect(200)["id"], mug.product);

    shop.buy(&mug, 1).await;
    assert_eq!(page().await["variants"][0]["in_stock"], false);
    wait_for("the list shows it sold out", async || {
        find(&shop, "q=beaker").await["data"][0]["in_stock"] == false
    })
    .await;
    shop.owner.delete(&path).await.expect(204);
    shop.guest.get("/products/good-beaker").await.refused(404, "not_found");
    wait_for("it is found no more", async || total(&shop, "").await == 0).await;
}

async fn a_category_lists_what_is_below_it(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let category = async |title: &str, parent: Option<&Value>| {
        let new = json!({"title": title, "parent_id": parent});
        shop.owner.post("/admin/categories", &new).await.expect(201)["id"].clone()
    };
    let home = category("Home", None).await;
    let kitchen = category("Kitchen", Some(&home)).await;
    let knives = category("Knives", Some(&kitchen)).await;
    let product =
        json!({"title": "Paring knife", "category_ids": [knives], "variants": [variant("KNIFE", 900, 3)]});
    shop.product(product).await;
    for key in ["home", "kitchen", "knives", home.as_str().unwrap()] {
        wait_for(key, async || {
            let found = shop.guest.get(&format!("/categories/{key}/products")).await.expect(200);
            found["total"] == 1
        })
        .await;
        assert_eq!(total(&shop, &format!("category={key}")).await, 1);
    }
    wait_for("the tree counts it", async || {
        let tree = list(&shop.guest.get("/categories").await.expect(200));
        tree[0]["product_count"] == 1 && tree[0]["children"][0]["children"][0]["slug"] == "knives"
    })
    .await;
    let path = format!("/admin/categories/{}", text(&home));
    shop.owner.patch(&path, &json!({"parent_id": knives})).await.refused(422, "cycle");
    shop.owner.patch(&path, &json!({"parent_id": home})).await.refused(422, "cycle");
    shop.owner.delete(&path).await.refused(409, "category_not_empty");
    shop.guest.get("/categories/nowhere/products").await.refused(404, "not_found");
    let garden = category("Garden", None).await;
    shop.owner
        .patch(&format!("/admin/categories/{}", text(&kitchen)), &json!({"parent_id": garden}))
        .await
        .expect(200);
    wait_for("it has moved", async || {
        total(&shop, "category=garden").await == 1 && total(&shop, "category=home").await == 0
    })
    .await;
}

async fn only_published_products_are_shown(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let draft = shop
        .product(json!({"title": "Secret", "status": "draft", "variants": [variant("SECRET", 900, 3)]}))
        .await;
    let mug = shop.buyable(1).await;
    wait_for("the mug is found", async || total(&shop, "").await == 1).await;
    shop.guest.get(&format!("/products/{}", draft.slug)).await.refused(404, "not_found");
    shop.guest.get(&format!("/products/{}", draft.product)).await.refused(404, "not_found");
    let line = json!({"variant_id": draft.variant, "quantity": 1});
    let refused = shop.guest.post("/carts", &json!({"lines": [line]})).await;
    assert!((400..500).contains(&refused.status), "{refused}");
    let staff = all(&shop.owner, "/admin/products").await;
    assert_eq!(
        staff.iter().map(|p| &p["id"]).collect::<Vec<_>>(),
        [&json!(mug.product), &json!(draft.product)]
    );
    assert_eq!(all(&shop.owner, "/admin/products?status=draft").await.len(), 1);
    assert_eq!(all(&shop.owner, "/admin/products?q=SECRET").await.len(), 1);
}

async fn a_collection_shows_what_was_picked(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (mug, _pot) = (shop.buyable(1).await, shop.goods("Pot", 100, 1).await);
    let new = json!({"title": "Gifts", "product_ids": [mug.product]});
    let collection = shop.owner.post("/admin/collections", &new).await.expect(201);
    wait_for("the pick is shown", async || {
        let found = shop.guest.get("/collections/gifts/products").await.expect(200);
        found["total"] == 1 && found["data"][0]["id"] == mug.product
    })
    .await;
    assert_eq!(list(&shop.guest.get("/collections").await.expect(200))[0]["slug"], "gifts");
    shop.owner.delete(&format!("/admin/collections/{}", text(&collection["id"]))).await.expect(204);
    wait_for("it is gone", async || list(&shop.guest.get("/collections").await.expect(200)).is_empty()).await;
}

async fn a_cursor_of_staff_lists_is_checked_too(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    for i in 0..3 {
        shop.goods(&format!("Thing {i}"), 100, 1).await;
    }
    let page = shop.owner.get("/admin/products?limit=2").await.expect(200);
    let cursor = text(&page["next_cursor"]);
    assert_eq!(
        list(&shop.owner.get(&format!("/admin/products?limit=2&cursor={cursor}")).await.expect(200)).len(),
        1
    );
    for path in [
        "/admin/products",
        "/admin/orders",
        "/admin/customers",
        "/admin/inventory/levels",
        "/admin/promotions",
    ] {
        shop.owner.get(&format!("{path}?cursor=x")).await.refused(400, "invalid_cursor");
        shop.owner.get(&format!("{path}?limit=0")).await.refused(422, "out_of_range");
        shop.owner.get(&format!("{path}?limit=101")).await.refused(422, "out_of_range");
        shop.owner.get(&format!("{path}?secret=1")).await.refused(422, "unknown_field");
    }
    shop.owner.get(&format!("/admin/orders?cursor={cursor}")).await.refused(400, "invalid_cursor");
}
