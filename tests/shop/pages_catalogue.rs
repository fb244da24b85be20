//! Pages of the catalogue, read without JavaScript.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    browser::{Browser, Form},
    harness::{Goods, Shape, Shop, eur, text, variant, wait_for},
    pages_account::{sign_in, sign_out},
    pages_cart::put,
    rules,
};

rules!(
    a_category_narrows_step_by_step,
    a_collection_has_a_page_of_its_own,
    a_search_forgives_and_helps,
    a_product_page_follows_the_chosen_variant,
    a_title_cannot_break_out_of_its_page,
    a_former_address_leads_to_the_new_one,
    a_german_page_says_nothing_in_english,
    a_kept_page_goes_when_its_product_changes,
    what_is_personal_is_on_no_page_of_somebody_else,
    a_browser_remembers_what_it_liked_and_saw,
);

/// Thirty shirts in a category: three colours, two makers, from €10 up by a euro each.
async fn wardrobe(shape: Shape) -> (Shop, Value) {
    let shop = Shop::start(shape, &[]).await;
    let new = json!({"title": "Wardrobe", "description": "For all weathers"});
    let category = shop.owner.post("/admin/categories", &new).await.expect(201);
    for i in 0..30_usize {
        let (colour, maker) = (["red", "green", "blue"][i % 3], ["Nordlicht", "Klein"][i % 2]);
        let mut one = variant(&format!("S-{i}"), 1000 + 100 * i as i64, 5);
        one["options"] = json!({"Colour": colour});
        let options = json!([{"name": "Colour", "values": [colour]}]);
        shop.product(json!({"title": format!("Shirt number {i}"), "brand": maker, "options": options,
            "category_ids": [category["id"]], "variants": [one]}))
            .await;
    }
    wait_for("all are listed", async || {
        shop.guest.get("/categories/wardrobe/products").await.expect(200)["total"] == 30
    })
    .await;
    (shop, category)
}

/// Something at €25 that lists show already.
async fn listed(shop: &Shop) -> Goods {
    let mug = shop.buyable(9).await;
    wait_for("it is listed", async || shop.guest.get("/products").await.expect(200)["total"] == 1).await;
    mug
}

fn page_of(goods: &Goods) -> String {
    format!("/products/{}", goods.slug)
}

async fn a_category_narrows_step_by_step(shape: Shape) {
    let (shop, _) = wardrobe(shape).await;
    let browser = Browser::new(&shop);
    let whole = browser.open("/categories/wardrobe").await.expect(200);
    whole.says("For all weathers").says("30 products").says("24 of 30");

    // More is below what is shown already.
    let more = browser.open(&whole.attribute("a[rel=next]", "href")).await.expect(200);
    let (first, all) = (whole.all("#cards h3"), more.all("#cards h3"));
    assert_eq!((first.len(), all.len(), &all[..24]), (24, 30, first.as_slice()));
    assert_eq!(more.count("a[rel=next]"), 0);

    // Another value of a name widens, another name narrows, and every count tells what a click would show.
    let red = browser.submit(whole.form("#filters").with("option.colour", "red")).await.expect(200);
    red.says("10 products");
    let two = browser.submit(red.form("#filters").and("option.colour", "green")).await.expect(200);
    two.says("20 products");
    let counts = two.all(".opt");
    assert!(counts.contains(&"Klein 10".to_owned()), "{counts:?}");
    let both = browser.submit(two.form("#filters").with("brand", "Klein")).await.expect(200);
    both.says("10 products");
    assert_eq!(both.count("#cards .card"), 10);

    // The order is kept with the filters.
    let dearest = browser.submit(both.form(".tools-row form").with("sort", "-price")).await.expect(200);
    let titles = dearest.all("#cards h3");
    assert_eq!(
        (titles.len(), titles[0].as_str(), titles[9].as_str()),
        (10, "Shirt number 27", "Shirt number 1")
    );

    // A chip takes back its own filter only.
    assert_eq!(dearest.count(".applied .chip"), 3);
    let any_maker = browser.open(&dearest.attribute(".applied li:first-child a", "href")).await.expect(200);
    any_maker.says("20 products");
    assert_eq!(any_maker.count("input[name='option.colour'][checked]"), 2);
    assert_eq!(any_maker.all("#cards h3")[0], "Shirt number 28");
    browser.open(&any_maker.attribute("a.clear", "href")).await.expect(200).says("30 products");

    let priced = whole.form("#filters").with("min_price", "35").with("max_price", "37");
    let priced = browser.submit(priced).await.expect(200);
    priced.says("3 products").says("from €35").says("up to €37");
    let nothing = priced.form("#filters").with("min_price", "900").with("max_price", "");
    browser.submit(nothing).await.expect(200).says("Nothing matches these filters.").says("Clear all");
    // Links get edited and shared: what makes no sense is left out.
    browser
        .open("/categories/wardrobe?page=x&after=x&sort=x&min_price=x&x=x")
        .await
        .expect(200)
        .says("24 of 30");
}

async fn a_search_forgives_and_helps(shape: Shape) {
    let (shop, _) = wardrobe(shape).await;
    let browser = Browser::new(&shop);
    let search = browser.open("/").await.form("form[role=search]");
    let found = browser.submit(search.clone().with("q", "shrit klein")).await.expect(200);
    found.says("Results for “shrit klein”").says("15 products");
    assert_eq!(found.attribute("#q", "value"), "shrit klein");
    let narrowed = browser.submit(found.form("#filters").with("option.colour", "red")).await.expect(200);
    narrowed.says("Results for “shrit klein”").says("5 products");

    let nothing = browser.submit(search.clone().with("q", "zeppelin")).await.expect(200);
    nothing.says("Nothing found.").says("Best sellers");
    assert_eq!(nothing.count("main a.chip[href='/categories/wardrobe']"), 1);
    assert_eq!(nothing.count("main .card"), 4);

    let evil = "\"><script>alert(1)</script>";
    let page = browser.submit(search.with("q", evil)).await.expect(200);
    assert_eq!(page.attribute("#q", "value"), evil);
    assert_eq!(page.count("script:not([nonce])"), 0);
    browser.open("/search/suggest?q=shi").await.expect(200).says("Shirt number");
}

async fn a_product_page_follows_the_chosen_variant(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let one = |colour: &str, price: i64, stock: i64| {
        let mut one = variant(colour, price, stock);
        one["options"] = json!({"Colour": colour});
        one
    };
    let picture = |colour: &str| {
        let options = json!({"Colour": colour});
        json!({"file": format!("{colour}.png"), "alt": format!("A {colour} mug"), "options": options})
    };
    let product = json!({"title": "Mug", "status": "published",
        "options": [{"name": "Colour", "values": ["red", "blue"]}],
        "images": [picture("red"), picture("blue")],
        "variants": [one("red", 2500, 3), one("blue", 2900, 0)]});
    let product = shop.owner.post("/admin/products", &product).await.expect(201);
    let (red, blue) = (text(&product["variants"][0]["id"]), text(&product["variants"][1]["id"]));
    let browser = Browser::new(&shop);

    let first = browser.open("/products/mug").await.expect(200);
    first.says("Only 3 left");
    assert_eq!(first.all(".buy-price .price"), ["€25"]);
    assert_eq!(first.attribute(".gal img", "src"), "/media/red.png");
    assert_eq!(first.form("#buy").value("variant_id"), Some(red.as_str()));
    assert_eq!(first.attribute("#buy input[name=quantity]", "max"), "3");
    // The one that is sold out says so before it is chosen.
    let choice = first.attribute(".choice a.out", "href");
    assert!(choice.ends_with(&blue), "{choice}");

    let second = browser.open(&choice).await.expect(200);
    assert_eq!(second.all(".buy-price .price"), ["€29"]);
    assert_eq!(second.all(".stock"), ["Sold out"]);
    assert_eq!(second.attribute(".gal img", "src"), "/media/blue.png");
    assert_eq!((second.count("#buy .btn[disabled]"), second.count("#buy .btn:not([disabled])")), (1, 0));
    let refused = browser.submit(second.form("#buy")).await.expect(200);
    assert_eq!(refused.path, "/cart");
    refused.says("That is sold out.").says("Your cart is empty");

    // Search engines see one page in two languages, and both offers.
    for page in [&first, &second] {
        let address = |css: &str| page.attribute(css, "href");
        assert!(address("link[rel=canonical]").ends_with("/products/mug"));
        assert!(!address("link[hreflang=en]").contains("/de/"));
        assert!(address("link[hreflang=de]").ends_with("/de/products/mug"));
        assert_eq!(address("link[hreflang=x-default]"), address("link[hreflang=en]"));
        let schema = schema(page);
        let offers = schema["@graph"][0]["offers"].as_array().unwrap();
        let offer = |offer: &Value| (text(&offer["price"]), text(&offer["availability"]));
        let offers: Vec<_> = offers.iter().map(offer).collect();
        let (yes, no) = ("https://schema.org/InStock", "https://schema.org/OutOfStock");
        assert_eq!(offers, [("25.00".to_owned(), yes.to_owned()), ("29.00".to_owned(), no.to_owned())]);
    }
    // A variant of something else is none of this one.
    browser.open("/products/mug?variant=var_nothing").await.expect(200).says("Only 3 left");
}

fn schema(page: &crate::browser::Page) -> Value {
    let scripts = page.all("script[type='application/ld+json']");
    assert_eq!(scripts.len(), 1, "{}", page.what);
    serde_json::from_str(&scripts[0]).unwrap()
}

async fn a_title_cannot_break_out_of_its_page(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let title = "</script></title>\"'><i id=evil onclick=alert(1)>&amp;";
    let description = "<p>Fine <script>alert(2)</script><b onclick=\"alert(3)\">mug</b></p>";
    let product = json!({"title": title, "slug": "evil", "subtitle": title, "brand": title,
        "description": description, "attributes": {"material": title}, "variants": [variant("E", 2500, 9)]});
    let goods = shop.product(product).await;
    wait_for("it is listed", async || shop.guest.get("/products").await.expect(200)["total"] == 1).await;
    let browser = Browser::new(&shop);
    let product = browser.open("/products/evil").await.expect(200);
    assert_eq!(
        (product.all("h1")[0].as_str(), text(&schema(&product)["@graph"][0]["name"]).as_str()),
        (title, title)
    );
    product.says("Fine mug");
    let cart = put(&browser, &goods, 1).await;
    let removed = browser.submit(cart.form(".acts form + form").with("do", "remove")).await.expect(200);
    removed.says(title);
    for page in [product, cart, removed, browser.open("/").await, browser.open("/search?q=script").await] {
        assert_eq!(page.count("#evil, [onclick], script:not([nonce]), body title"), 0, "{}", page.what);
    }
}

async fn a_collection_has_a_page_of_its_own(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let [mug, _] = [shop.buyable(9).await, shop.buyable(9).await];
    let browser = Browser::new(&shop);
    assert_eq!(browser.open("/categories").await.expect(200).count("#h-collections"), 0);
    let new = json!({"title": "Gifts", "description": "Small things", "product_ids": [mug.product]});
    shop.owner.post("/admin/collections", &new).await.expect(201);
    shop.owner.post("/admin/collections", &json!({"title": "Nothing yet"})).await.expect(201);
    wait_for("it is on the list", async || {
        browser.get("/categories").await.expect(200).count("a[href='/collections/gifts']") == 1
    })
    .await;
    assert_eq!(browser.open("/categories").await.count("a[href='/collections/nothing-yet']"), 0);
    wait_for("it shows what is in it", async || {
        browser.get("/collections/gifts").await.expect(200).all("#cards h3").len() == 1
    })
    .await;
    let page = browser.open("/collections/gifts?sort=price").await.expect(200);
    page.says("Small things").says("1 product");
    assert_eq!(page.count(&format!("#cards a[href^='/products/{}']", mug.slug)).min(1), 1);
    browser.get("/collections/nothing").await.expect(404);
    browser.get("/sitemaps/categories.xml").await.expect(200).says("/collections/gifts");
}

async fn a_former_address_leads_to_the_new_one(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(9).await;
    let category = shop.owner.post("/admin/categories", &json!({"title": "Kitchen"})).await.expect(201);
    let browser = Browser::new(&shop);
    wait_for("the category has a page", async || browser.get("/categories/kitchen").await.status == 200)
        .await;
    rename(&shop, &mug, json!({"slug": "cup"})).await;
    browser.open("/products/cup").await.expect(200);
    let path = format!("/admin/categories/{}", text(&category["id"]));
    let rename = |seen: &str| {
        shop.owner
            .request(reqwest::Method::PATCH, &path)
            .header("if-match", seen)
            .json(&json!({"slug": "cooking"}))
    };
    rename("\"99\"").send().await.refused(412, "version");
    assert_eq!(rename("\"1\"").send().await.header("etag"), "\"2\"");
    wait_for("the category has another page", async || {
        browser.get("/categories/cooking").await.status == 200
            && browser.get("/categories/kitchen").await.status == 301
    })
    .await;
    for (former, new) in [
        (page_of(&mug), "/products/cup"),
        (format!("/de{}", page_of(&mug)), "/de/products/cup"),
        (format!("/products/{}", mug.product), "/products/cup"),
        (format!("/de/categories/{}", text(&category["id"])), "/de/categories/cooking"),
        ("/categories/kitchen".to_owned(), "/categories/cooking"),
        ("/de/categories/kitchen?sort=price".to_owned(), "/de/categories/cooking?sort=price"),
    ] {
        assert_eq!(browser.get(&former).await.expect(301).location().as_deref(), Some(new), "{former}");
    }
    for (former, new) in [
        ("/categories/kitchen", "/api/v1/categories/cooking"),
        ("/categories/kitchen/products?sort=price", "/api/v1/categories/cooking/products?sort=price"),
    ] {
        wait_for("the API knows it too", async || {
            let moved = shop.guest.get(former).await;
            (moved.status, moved.header("location")) == (301, new)
        })
        .await;
    }
    for nowhere in ["/products/nothing", "/categories/nothing", "/products/%3Cb%3E"] {
        browser.open(nowhere).await.expect(404).says("We could not find that page");
    }
    // What is not for sale any more is not shown.
    shop.owner.delete(&format!("/admin/products/{}", mug.product)).await.expect(204);
    wait_for("it is gone", async || browser.get("/products/cup").await.status == 404).await;
}

async fn rename(shop: &Shop, goods: &Goods, change: Value) {
    let path = format!("/admin/products/{}", goods.product);
    let request = shop.owner.request(reqwest::Method::PATCH, &path).header("if-match", "*");
    request.json(&change).send().await.expect(200);
}

/// The texts of the shell and the storefront that are sentences in English and something else in German.
fn english() -> Vec<(&'static str, &'static str)> {
    let texts = |file: &'static str| -> BTreeMap<&str, &str> {
        file.lines().filter_map(|line| line.split_once(" = ")).collect()
    };
    let files = [
        (
            include_str!("../../modules/web/locales/en/shell.ftl"),
            include_str!("../../modules/web/locales/de/shell.ftl"),
        ),
        (
            include_str!("../../modules/web/locales/en/storefront.ftl"),
            include_str!("../../modules/web/locales/de/storefront.ftl"),
        ),
        (
            include_str!("../../modules/web/locales/en/account.ftl"),
            include_str!("../../modules/web/locales/de/account.ftl"),
        ),
    ];
    let mut all = Vec::new();
    for (english, german) in files {
        let german = texts(german);
        let differs = |(key, text): &(&str, &str)| german.get(key).is_some_and(|other| other != text);
        let sentence = |text: &str| text.contains(' ') && !text.contains('{');
        all.extend(texts(english).into_iter().filter(|pair| sentence(pair.1) && differs(pair)));
    }
    assert!(all.len() > 80, "{all:?}");
    all
}

async fn a_german_page_says_nothing_in_english(shape: Shape) {
    let (shop, _) = wardrobe(shape).await;
    let english = english();
    let browser = Browser::new(&shop).reading("de");
    assert_eq!(browser.open("/").await.expect(200).path, "/de");
    let pages = [
        "/de",
        "/de/categories/wardrobe",
        "/de/categories/wardrobe?option.colour=red&sort=price",
        "/de/search?q=zeppelin",
        "/de/products/shirt-number-1",
        "/de/wishlist",
        "/de/recent",
        "/de/cart",
        "/de/track",
        "/de/account/sign-in",
        "/de/account/register",
        "/de/account/forgot",
        "/de/nichts",
    ];
    for path in pages {
        let page = browser.open(path).await;
        assert_eq!((page.path.as_str(), page.attribute("html", "lang").as_str()), (path, "de"));
        let said: Vec<_> = english.iter().filter(|(_, text)| page.text.contains(text)).collect();
        assert!(said.is_empty(), "{path} says {said:?}");
        let foreign = page.count("main a[href^='/']:not([href^='/de']):not([href^='/media'])");
        assert_eq!(foreign, 0, "{path} leads out of its language");
    }
    browser.open("/de/products/shirt-number-1").await.says("11 €").says("Nur noch 5 Stück");
}

async fn a_kept_page_goes_when_its_product_changes(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = listed(&shop).await;
    let browser = Browser::new(&shop);
    let paths = [page_of(&mug), "/search?q=mug".into(), "/".into()];
    let mut tags = Vec::new();
    for path in &paths {
        browser.open(path).await.expect(200).says("€25");
        let kept = browser.open(path).await.expect(200);
        let tag = kept.headers["etag"].to_str().unwrap().to_owned();
        browser.get_with(path, &[("if-none-match", &tag)]).await.expect(304);
        tags.push(tag);
    }
    let changed = json!([{"id": mug.variant, "sku": mug.sku, "prices": [eur(3100)], "weight_grams": 300}]);
    rename(&shop, &mug, json!({"variants": changed})).await;
    for (path, tag) in paths.iter().zip(&tags) {
        wait_for(&format!("{path} has the new price"), async || {
            let words = browser.get_with(path, &[("if-none-match", tag)]).await.words();
            words.contains("€31") && !words.contains("€25")
        })
        .await;
    }
    browser.open(&paths[0]).await.says("In stock");
    shop.buy(&mug, 9).await;
    wait_for("it is sold out", async || browser.open(&paths[0]).await.words().contains("Sold out")).await;
}

async fn what_is_personal_is_on_no_page_of_somebody_else(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = listed(&shop).await;
    shop.customer("carla@example.com").await;
    let (carla, other) = (Browser::new(&shop), Browser::new(&shop));
    sign_in(&carla, "carla@example.com").await.expect(200).says("Hello, Carla Customer");
    put(&carla, &mug, 3).await;
    let secrets = ["visitor", "session", "cart"].map(|name| carla.cookie(name).unwrap());
    for path in ["/", &page_of(&mug), "/search?q=mug", "/categories"] {
        // Once as it is made, once as it is kept; who comes first makes it.
        for _ in 0..2 {
            let hers = carla.open(path).await.expect(200);
            let theirs = other.open(path).await.expect(200);
            assert_eq!(hers.attribute("#cart-link", "aria-label"), "Cart, 3 items", "{path}");
            assert_eq!(theirs.attribute("#cart-link", "aria-label"), "Cart, empty", "{path}");
            for page in [hers, theirs] {
                assert!(page.headers["cache-control"].to_str().unwrap().starts_with("private"), "{path}");
                assert_eq!(page.count("input[name=_token]"), 0, "{path} keeps a token");
                for secret in secrets.iter().map(String::as_str).chain(["Carla", "carla@"]) {
                    assert!(!page.text.contains(secret), "{path} keeps {secret}");
                }
            }
        }
    }
    // A notice is for who did it, once.
    sign_out(&carla).await.says("You are signed out.");
    other.open("/").await.never_says("You are signed out.");
    carla.open("/").await.never_says("You are signed out.");
}

async fn a_browser_remembers_what_it_liked_and_saw(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (mug, pot) = (shop.buyable(9).await, shop.goods("Pot", 4000, 9).await);
    let (browser, other) = (Browser::new(&shop), Browser::new(&shop));
    browser.open("/wishlist").await.expect(200).says("Save what you like with the heart");
    let page = browser.open(&page_of(&mug)).await;
    assert_eq!(page.attribute(".wish button", "aria-pressed"), "false");
    let liked = browser.submit(page.form(".wish").with("do", "add")).await.expect(200);
    assert_eq!(liked.path, page_of(&mug));
    assert_eq!(liked.attribute(".wish button", "aria-pressed"), "true");
    let list = browser.open("/wishlist").await.expect(200);
    assert_eq!(list.all(".card h3"), ["Mug"]);
    other.open("/wishlist").await.never_says("Mug");

    // The link shows it to others, who keep their own.
    let link = list.attribute("main a.btn", "href");
    let shared = other.open(&link[link.find("/wishlist").unwrap()..]).await.expect(200);
    assert_eq!(shared.says("A shared wishlist").all(".card h3"), ["Mug"]);
    let emptied = browser.submit(list.form(".wish").with("do", "remove")).await.expect(200);
    emptied.says("Save what you like with the heart");
    assert!(browser.cookie("wishlist").is_none());
    browser.send_form(Form::post("/wishlist").with("product", "made-up").with("do", "add")).await.expect(400);

    browser.open(&page_of(&pot)).await.expect(200);
    assert_eq!(browser.open("/recent").await.expect(200).all(".card h3"), ["Pot", "Mug"]);
    other.open("/recent").await.expect(200).says("What you look at will be here.");
}
