//! What is true of every page: headers, languages, errors, forms.

use crate::{
    browser::{Browser, Form},
    harness::{Shape, Shop},
    rules,
};

rules!(
    every_page_is_protected,
    an_unknown_address_is_a_page_with_a_search,
    the_language_is_in_the_address,
    preferences_are_kept_and_lead_back_to_the_page,
    a_form_of_another_site_is_refused,
    staff_sign_in_and_out,
    what_staff_say_in_the_settings_is_on_every_page,
);

async fn every_page_is_protected(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let page = Browser::new(&shop).open("/").await.expect(200);
    let header = |name: &str| page.headers[name].to_str().unwrap().to_owned();
    let policy = header("content-security-policy");
    let nonce = page.attribute("script[nonce]", "nonce");
    assert!(policy.contains(&format!("script-src 'nonce-{nonce}';")), "{policy}");
    for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe-eval") && !policy.contains("http"), "{policy}");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(page.count("script:not([nonce])"), 0);
    let inline = ["onclick", "onload", "onsubmit", "onchange", "onerror"].map(|name| format!("[{name}]"));
    assert_eq!(page.count(&inline.join(",")), 0, "no inline handlers");
    let cookie = header("set-cookie");
    for attribute in ["__Host-", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
}

async fn an_unknown_address_is_a_page_with_a_search(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let browser = Browser::new(&shop);
    let page = browser.open("/nothing/here").await.expect(404);
    page.says("We could not find that page");
    assert_eq!(page.count("main form[role=search] input[name=q]"), 1);
    browser.open("/de/nichts").await.expect(404).says("Diese Seite gibt es nicht");
    browser.open("/preferences").await.expect(405);
    for hidden in ["/.git/config", "/.env", "/debug"] {
        browser.open(hidden).await.expect(404);
    }
    // The API still answers in its own way.
    assert_eq!(shop.guest.get("/nothing").await.expect(404)["code"], "not_found");
}

async fn the_language_is_in_the_address(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let german = Browser::new(&shop).reading("de-AT,de;q=0.9,en;q=0.5");
    let page = german.open("/").await.expect(200);
    assert_eq!((page.path.as_str(), page.attribute("html", "lang").as_str()), ("/de", "de"));
    let english = Browser::new(&shop).open("/").await.expect(200);
    assert_eq!((english.path.as_str(), english.attribute("html", "lang").as_str()), ("/", "en"));
    assert_eq!(Browser::new(&shop).get("/en/cart").await.expect(308).location().as_deref(), Some("/cart"));
}

async fn preferences_are_kept_and_lead_back_to_the_page(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let browser = Browser::new(&shop);
    let form = browser.open("/").await.form("form.prefs").with("theme", "dark").with("currency", "USD");
    let page = browser.submit(form).await.expect(200);
    assert_eq!((page.path.as_str(), page.attribute("html", "data-theme").as_str()), ("/", "dark"));
    assert_eq!(page.attribute("select[name=currency] option[selected]", "value"), "USD");
    let elsewhere = Form::post("/preferences").with("theme", "light").with("to", "//evil.example/");
    assert_eq!(browser.send_form(elsewhere).await.expect(303).location().as_deref(), Some("/"));
}

async fn a_form_of_another_site_is_refused(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let browser = Browser::new(&shop);
    let form = browser.open("/admin/sign-in").await.form("form");
    let foreign: [&[(&str, &str)]; 4] = [
        &[("sec-fetch-site", "cross-site")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1")],
    ];
    for headers in foreign {
        browser.send_from(form.clone(), headers).await.expect(403).says("came from somewhere else");
    }
    browser.send_from(form.clone().without("_token"), &[]).await.expect(403);
    browser.send_from(form.clone().with("_token", "guessed"), &[]).await.expect(403);
    browser.send_from(form, &[]).await.expect(422);
}

async fn staff_sign_in_and_out(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    shop.customer("carla@example.com").await;
    let browser = Browser::new(&shop);
    let form = browser.open("/admin/sign-in?to=/admin/more").await.form("form");
    let wrong = form.clone().with("email", "owner@example.com").with("password", "wrong");
    let page = browser.submit(wrong).await.expect(401);
    page.says("The e-mail address or the password is wrong.");
    assert_eq!(page.attribute("input[name=email]", "value"), "owner@example.com");
    let shopper = form.clone().with("email", "carla@example.com").with("password", crate::harness::PASSWORD);
    browser.submit(shopper).await.expect(401).says("does not belong to a member of staff");
    assert!(browser.cookie("session").is_none());
    let (email, password) = crate::harness::OWNER;
    let right = form.with("email", email).with("password", password);
    assert_eq!(browser.send_form(right).await.expect(303).location().as_deref(), Some("/admin/more"));
    assert!(browser.cookie("session").is_some());
}

async fn what_staff_say_in_the_settings_is_on_every_page(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let goods = shop.goods("Mug", 2500, 3).await;
    let (english, german) = (Browser::new(&shop), Browser::new(&shop));
    let page = english.open("/").await.expect(200);
    assert_eq!((page.count(".promo"), page.count("[hreflang=de].chip")), (0, 1));
    english.open(&format!("/products/{}", goods.slug)).await.says("Only 3 left");
    let said = serde_json::json!({
        "name": "Mugs & more", "tagline": {"en": "Mugs."}, "return_days": 14, "low_stock_threshold": 2,
        "announcement": {"en": "Closed on Friday.", "de": "Freitag geschlossen."},
        "contact_email": "hello@mugs.example", "social": [{"name": "Pixels", "url": "https://pixels.example/mugs"}],
    });
    let settings = shop.owner.request(reqwest::Method::PATCH, "/admin/settings").header("if-match", "*");
    settings.json(&said).send().await.expect(200);
    let page = english.open("/").await.expect(200);
    for words in
        ["Closed on Friday.", "Mugs & more", "Mugs.", "14 days to decide", "hello@mugs.example", "Pixels"]
    {
        page.says(words);
    }
    english.open(&format!("/products/{}", goods.slug)).await.says("In stock");
    let page = german.open("/de").await.expect(200);
    page.says("Freitag geschlossen.");
    page.says("14 Tage Bedenkzeit");
    // What has no words in a language is said in the first one.
    page.says("Mugs.");
    let silent = serde_json::json!({"announcement": {"en": null, "de": null}});
    let settings = shop.owner.request(reqwest::Method::PATCH, "/admin/settings").header("if-match", "*");
    settings.json(&silent).send().await.expect(200);
    assert_eq!(english.open("/").await.expect(200).count(".promo"), 0);
}
