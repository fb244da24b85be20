//! Products, stock, promotions, shipping, taxes and staff, as staff change them without JavaScript.

use serde_json::{Value, json};

use crate::{
    browser::{Browser, Form, Page},
    caching::pixel,
    coupons::apply,
    harness::{OWNER, PASSWORD, Shape, Shop, cart, eur, text},
    rules,
};

rules!(
    a_product_with_options_and_a_picture_is_in_the_shop,
    what_was_entered_survives_errors_and_conflicts,
    many_products_change_at_once_and_back,
    an_adjustment_sent_twice_moves_goods_once,
    categories_move_and_come_back,
    a_collection_is_put_together_and_comes_back,
    two_people_at_one_collection_see_what_differs,
    a_promotion_of_the_admin_works_in_a_cart,
    zones_and_rates_are_changed_and_come_back,
    staff_are_added_and_the_last_owner_stays,
    support_sees_no_more_than_it_may,
);

async fn sign_in(shop: &Shop, email: &str, password: &str) -> Browser {
    let browser = Browser::new(shop);
    let form = browser.open("/admin/sign-in?to=/admin/more").await.form("form");
    browser.submit(form.with("email", email).with("password", password)).await.expect(200);
    browser
}

async fn owner(shop: &Shop) -> Browser {
    sign_in(shop, OWNER.0, OWNER.1).await
}

/// A filled form for a new product.
async fn new_product(browser: &Browser) -> Form {
    let form = browser.open("/admin/products/new").await.expect(200).form("#product");
    form.with("title", "Tall Mug")
        .with("v0-sku", "TALL")
        .with("v0-price.EUR", "24,90")
        .with("v0-stock", "4")
        .with("status", "published")
        .with("o0-option", "Colour")
        .with("o0-values", "Sage #8a9a7b, Clay")
}

async fn a_product_with_options_and_a_picture_is_in_the_shop(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let browser = owner(&shop).await;
    let editor = browser.submit_picture(new_product(&browser).await, "pictures", &pixel()).await.expect(200);
    editor.says("The product is there.");
    assert_eq!(editor.attribute("input[name='v0-sku']", "value"), "TALL");
    assert_eq!(editor.attribute("input[name='v1-sku']", "value"), "TALL-CLAY");
    assert_eq!(editor.count(".media li"), 1);
    let form = editor.form("#product").with("i0-alt", "A tall mug").with("i0-shows", "Colour=Clay");
    let editor = browser.submit(form.with("v1-price.EUR", "29.90")).await.expect(200);
    editor.says("Saved.");
    assert_eq!(editor.attribute("input[name='i0-alt']", "value"), "A tall mug");

    Browser::new(&shop).open("/products/tall-mug").await.expect(200).says("Tall Mug").says("Clay");
    let product = shop.guest.get("/products/tall-mug").await.expect(200);
    let prices: Vec<&Value> =
        product["variants"].as_array().unwrap().iter().map(|v| &v["price"]["amount"]).collect();
    assert_eq!(prices, [2490, 2990]);
    assert_eq!(product["images"][0]["alt"], "A tall mug");

    let removed = browser.submit(editor.form("#product").with("do", "drop:0")).await.expect(200);
    assert_eq!(removed.count(".media li"), 0);
    let back = browser.submit(removed.form(".notice form")).await.expect(200);
    assert_eq!(back.attribute("input[name='i0-alt']", "value"), "A tall mug");
}

async fn what_was_entered_survives_errors_and_conflicts(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let browser = owner(&shop).await;
    let wrong = new_product(&browser).await.with("v0-price.EUR", "cheap").with("title", "<b>Mug</b>");
    let page = browser.submit(wrong).await.expect(422);
    page.says("That is not an amount.");
    assert_eq!(page.attribute("input[name=title]", "value"), "<b>Mug</b>");
    let editor = browser.submit(new_product(&browser).await).await.expect(200);
    let path = editor.path.clone();
    let first = editor.form("#product").with("title", "Theirs").with("brand", "Halden");
    browser.submit(first).await.expect(200);

    let second = editor.form("#product").with("title", "Ours").with("subtitle", "Stoneware");
    let conflict = browser.submit(second).await.expect(409);
    conflict.says("Somebody else has changed this meanwhile").says("Theirs").says("Halden");
    assert_eq!(conflict.attribute("input[name=title]", "value"), "Ours");
    assert_eq!(conflict.attribute("input[name=subtitle]", "value"), "Stoneware");
    assert_eq!(browser.open(&path).await.attribute("input[name=title]", "value"), "Theirs");
    let replaced = browser.submit(conflict.form("#product")).await.expect(200);
    assert_eq!(replaced.attribute("input[name=title]", "value"), "Ours");

    let taken = new_product(&browser).await.with("title", "Another").with("slug", "another");
    let page = browser.submit(taken).await.expect(422);
    page.says("This SKU belongs to another product.");
    browser.get("/admin/products/prod_nothing").await.expect(404);
}

async fn many_products_change_at_once_and_back(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (mug, bowl) = (shop.goods("Mug", 1000, 3).await, shop.goods("Bowl", 3000, 3).await);
    let browser = owner(&shop).await;
    let list = async || browser.open("/admin/products").await.expect(200);
    let chosen = list().await.form(".many").with("id", &mug.product);
    let archived = browser.submit(chosen.with("do", "archived")).await.expect(200);
    archived.says("1 product changed.").says("Archived");
    shop.guest.get(&format!("/products/{}", mug.slug)).await.refused(404, "not_found");
    browser.submit(archived.form(".notice form")).await.expect(200).says("That has been taken back.");
    shop.guest.get(&format!("/products/{}", mug.slug)).await.expect(200);

    let chosen = list().await.form(".many").with("id", &bowl.product).with("percent", "−10 %");
    browser.submit(chosen.with("do", "price")).await.expect(200).says("1 product changed.");
    let cheaper = shop.guest.get(&format!("/products/{}", bowl.slug)).await.expect(200);
    assert_eq!(cheaper["variants"][0]["price"], eur(2700));
    let nothing = list().await.form(".many").with("do", "published");
    browser.submit(nothing).await.says("Choose products first.");
    let found = browser.open("/admin/products?q=bowl").await.expect(200);
    assert_eq!(found.count(".many tbody tr"), 1);
    browser.open("/admin/products?q=nothing").await.says("No product matches.");
}

async fn an_adjustment_sent_twice_moves_goods_once(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(5).await;
    let browser = owner(&shop).await;
    browser.open("/admin/inventory?low=1").await.expect(200).says(&mug.sku);
    let path = format!("/admin/inventory/{}", mug.variant);
    let form = browser.open(&path).await.expect(200).form("section form");
    let form = form.with("delta", "+7").with("reason", "Goods received");
    let after = browser.submit(form.clone()).await.expect(200);
    after.says("12 on hand").says("Goods received");
    browser.submit(form.clone()).await.expect(200);
    assert_eq!(shop.stock(&mug).await.on_hand, 12);
    browser.submit(after.form(".notice form")).await.expect(200);
    assert_eq!(shop.stock(&mug).await.on_hand, 5);
    let fresh = browser.open(&path).await.form("section form").with("delta", "-9").with("reason", "Lost");
    let refused = browser.submit(fresh).await.expect(422);
    refused.says("There are not that many that are free.");
    assert_eq!(refused.attribute("input[name=reason]", "value"), "Lost");
}

/// The titles of the tree, in order.
fn titles(page: &Page) -> Vec<String> {
    page.all("tbody th b")
}

async fn categories_move_and_come_back(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let browser = owner(&shop).await;
    let add = async |title: &str| {
        let form = browser.open("/admin/categories/new").await.form("#category").with("title", title);
        browser.submit(form).await.expect(200)
    };
    add("Cups").await;
    let plates = add("Plates").await;
    let list = browser.open("/admin/categories").await.expect(200);
    assert_eq!(titles(&list), ["Cups", "Plates"]);
    let up = format!("form[action$='{}/move']", plates.path.trim_start_matches("/admin"));
    let moved = browser.submit(list.form(&up).with("do", "up")).await.expect(200);
    assert_eq!(titles(&moved), ["Plates", "Cups"]);

    let stale = plates.form("#category");
    let renamed = browser.submit(browser.open(&plates.path).await.form("#category").with("title", "Dishes"));
    renamed.await.expect(200);
    let conflict = browser.submit(stale.with("description", "Flat")).await.expect(409);
    conflict.says("Dishes");
    assert_eq!(conflict.all("textarea[name=description]"), ["Flat"]);
    let deleted = browser.submit(conflict.form("form[action$=delete]")).await.expect(200);
    assert_eq!(titles(&deleted), ["Cups"]);
    let back = browser.submit(deleted.form(".notice form")).await.expect(200);
    assert_eq!(back.attribute("input[name=title]", "value"), "Dishes");
}

/// The products of a collection's form, in order.
fn picks(page: &Page) -> Vec<String> {
    page.all("#picks tr:has([name=product]) th b")
}

async fn a_collection_is_put_together_and_comes_back(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (mug, bowl) = (shop.goods("Mug", 1000, 3).await, shop.goods("Bowl", 3000, 3).await);
    let browser = owner(&shop).await;
    browser.open("/admin/collections").await.expect(200).says("will be here");
    browser.open("/admin/search?q=collec").await.expect(200).says("Collections");
    let form = browser.open("/admin/collections/new").await.expect(200).form("#collection");
    let found = browser.submit(form.with("find", "mug").with("do", "save")).await.expect(200);
    found.says("Mug").never_says("Saved.");
    let add = |goods: &str| format!("add:{goods}");
    let with_mug = found.form("#collection").with("do", &add(&mug.product));
    let with_mug = browser.submit(with_mug).await.expect(200);
    with_mug.says("Is in it");
    let with_both = with_mug.form("#collection").with("find", "bowl").with("do", &add(&bowl.product));
    let with_both = browser.submit(with_both).await.expect(200);
    assert_eq!(picks(&with_both), ["Mug", "Bowl"]);
    assert_eq!(with_both.attribute("#collection", "data-dirty"), "unsaved");
    browser.submit(with_both.form("#collection").with("do", "save")).await.expect(422);

    let form = with_both.form("#collection").with("title", "Gifts").with("do", "save");
    let editor = browser.submit(form).await.expect(200);
    editor.says("Saved.").says("2 products");
    assert_eq!(editor.attribute("input[name=slug]", "value"), "gifts");
    let moved = browser.submit(editor.form("#collection").with("do", &format!("up:{}", bowl.product))).await;
    assert_eq!(picks(&moved.expect(200)), ["Bowl", "Mug"]);
    let last_first = editor.form("#collection").without("place").and("place", "1").and("place", "1");
    let sorted = browser.submit(last_first.with("do", "save")).await.expect(200);
    assert_eq!(picks(&sorted), ["Bowl", "Mug"]);
    assert_eq!(sorted.attribute("#collection", "data-dirty"), "");
    let saved = shop.guest.get("/collections").await.expect(200)["data"][0].clone();
    assert_eq!(saved["product_ids"], json!([bowl.product, mug.product]));

    let taken = browser.open("/admin/collections/new").await.form("#collection").with("title", "Gifts");
    browser
        .submit(taken.with("slug", "gifts"))
        .await
        .expect(422)
        .says("This address belongs to something else.");
    let deleted = browser.submit(sorted.form("form[action$=delete]")).await.expect(200);
    deleted.says("Gifts was deleted.");
    assert_eq!(deleted.count("tbody tr"), 0);
    let back = browser.submit(deleted.form(".notice form")).await.expect(200);
    assert_eq!(picks(&back), ["Bowl", "Mug"]);
    browser.open("/admin/collections").await.expect(200).says("Gifts").says("/gifts");
    browser.get("/admin/collections/col_nothing").await.expect(404);
}

async fn two_people_at_one_collection_see_what_differs(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (mug, bowl) = (shop.goods("Mug", 1000, 3).await, shop.goods("Bowl", 3000, 3).await);
    let new = json!({"title": "Gifts", "product_ids": [mug.product]});
    let made = shop.owner.post("/admin/collections", &new).await.expect(201);
    let browser = owner(&shop).await;
    let path = format!("/admin/collections/{}", text(&made["id"]));
    let editor = browser.open(&path).await.expect(200);
    let theirs = editor.form("#collection").with("title", "Presents").and("product", &bowl.product);
    browser.submit(theirs).await.expect(200).says("Saved.");

    let ours = editor.form("#collection").with("description", "For friends").with("do", "save");
    let conflict = browser.submit(ours).await.expect(409);
    conflict.says("Somebody else has changed this meanwhile").says("Presents").says("Mug, Bowl");
    assert_eq!(conflict.all("textarea[name=description]"), ["For friends"]);
    assert_eq!(picks(&conflict), ["Mug"]);
    let replaced = browser.submit(conflict.form("#collection").with("do", "save")).await.expect(200);
    assert_eq!(replaced.attribute("input[name=title]", "value"), "Gifts");

    let long = "A description that no cookie can hold. ".repeat(80);
    let large = browser.submit(replaced.form("#collection").with("description", &long)).await.expect(200);
    large.says("it is gone for good");
    let gone = browser.submit(large.form("form[action$=delete]")).await.expect(200);
    gone.says("Gifts was deleted.");
    assert_eq!(gone.count(".notice form"), 0);
}

async fn a_promotion_of_the_admin_works_in_a_cart(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(5).await;
    let browser = owner(&shop).await;
    let form = browser.open("/admin/promotions/new").await.expect(200).form("#promotion");
    let form = form.with("title", "Spring").with("code", "SPRING").with("percent", "20");
    let preview = browser.submit(form.clone().with("products", &mug.slug).with("do", "preview")).await;
    preview.expect(200).says("Applies to 1 product");
    let wrong = browser.submit(form.clone().with("percent", "200")).await.expect(422);
    assert_eq!(wrong.attribute("input[name=percent]", "aria-invalid"), "true");
    let editor = browser.submit(form.with("ends_at", "2099-12-31")).await.expect(200);
    editor.says("Saved.").says("Active");
    assert_eq!(editor.attribute("input[name=ends_at]", "value"), "2099-12-31");

    let cart = cart(&shop.guest, &[(&mug, 1)]).await;
    let with = apply(&shop.guest, &cart, "spring").await.expect(201);
    assert_eq!(with["discount_total"], eur(500));
    let list = browser.open("/admin/promotions").await.expect(200);
    let off = browser.submit(list.form("form[action$=switch]").with("to", "off")).await.expect(200);
    off.says("The promotion is off.");
    assert_eq!(
        shop.guest.get(&format!("/carts/{}", text(&with["id"]))).await.expect(200)["discount_total"],
        eur(0)
    );
    let stale = browser.submit(editor.form("#promotion").with("percent", "30")).await.expect(409);
    assert_eq!(stale.attribute("input[name=percent]", "value"), "30");
}

async fn zones_and_rates_are_changed_and_come_back(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let browser = owner(&shop).await;
    let new = browser.open("/admin/shipping/new").await.expect(200).form("#zone");
    let new = new.with("name", "Austria").with("countries", "at").with("m0-name", "Parcel");
    let new = new.with("m0-tier_price.0", "9,50").with("m0-tier_currency.0", "EUR").with("m0-min_days", "2");
    let taken = browser.submit(new.clone().with("countries", "DE")).await.expect(422);
    taken.says("One of these countries is in another zone.");
    let zone = browser.submit(new.with("m0-max_days", "3").with("m0-free.EUR", "80")).await.expect(200);
    assert_eq!(zone.attribute("input[name='m0-tier_price.0']", "value"), "9.50");
    browser.submit(zone.form("#zone").with("m0-name", "Post")).await.expect(200).says("Saved.");
    let conflict = browser.submit(zone.form("#zone").with("m0-carrier", "Owl")).await.expect(409);
    conflict.says("Post");
    let deleted = browser.submit(conflict.form("form[action$=delete]")).await.expect(200);
    deleted.never_says("2–3 working days");
    browser.submit(deleted.form(".notice form")).await.expect(200);
    browser.open("/admin/shipping").await.says("2–3 working days").says("€9.50");

    let form = browser.open("/admin/taxes").await.expect(200).form("main section form.stack");
    let rate = form.with("country", "AT").with("name", "VAT 5.5 %").with("rate", "5.5");
    let rates = browser.submit(rate).await.expect(200);
    rates.says("5.5 %");
    let at = rates.all("tbody tr b").iter().position(|name| name.contains("Austria")).unwrap();
    let rows = rates.count("form[action$=delete]");
    assert_eq!((at, rows), (0, 2));
    let gone = browser.submit(rates.form("form[action$=delete]")).await.expect(200);
    assert_eq!(gone.count("form[action$=delete]"), 1);
    browser.submit(gone.form(".notice form")).await.expect(200).says("5.5 %");
}

async fn staff_are_added_and_the_last_owner_stays(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let browser = owner(&shop).await;
    let page = browser.open("/admin/staff").await.expect(200);
    let alone = browser.submit(page.form("form[action$=role]").with("role", "support")).await.expect(200);
    alone.says("The last owner stays");
    let add = page.form("main section form.stack").with("email", "sam@example.com").with("name", "Sam");
    let short = browser.submit(add.clone().with("password", "short")).await.expect(422);
    assert_eq!(short.attribute("input[name=email]", "value"), "sam@example.com");
    let added = browser.submit(add.with("password", PASSWORD).with("role", "support")).await.expect(200);
    added.says("Sam works here now.");
    let sam = sign_in(&shop, "sam@example.com", PASSWORD).await;
    sam.open("/admin/products").await.expect(200);
}

async fn support_sees_no_more_than_it_may(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    shop.staff("support").await;
    let browser = sign_in(&shop, "support@example.com", PASSWORD).await;
    let products = browser.open("/admin/products").await.expect(200);
    assert_eq!(products.count(".side a[href='/admin/staff'], a[href='/admin/products/new']"), 0);
    for path in ["/admin/staff", "/admin/products/new", "/admin/collections/new", "/admin/promotions/new"] {
        browser.open(path).await.expect(403);
    }
    let role = Form::post("/admin/staff/cus_nobody/role").with("role", "owner");
    browser.send_form(role).await.expect(403);
    let guest = Browser::new(&shop);
    let to = guest.get("/admin/products").await.expect(303).location().unwrap();
    assert!(to.starts_with("/admin/sign-in"), "{to}");
    for path in ["/de/admin/products", "/de/admin/inventory", "/de/admin/categories", "/de/admin/collections"]
    {
        browser.open(path).await.expect(200);
    }
}
