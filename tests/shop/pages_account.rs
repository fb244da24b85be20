//! The account, used without JavaScript.

use serde_json::Value;

use crate::{
    browser::{Browser, Form, Page},
    harness::{PASSWORD, Shape, Shop, text},
    pages_cart::put,
    rules,
};

rules!(
    signing_in_brings_the_cart_along,
    a_wrong_password_is_not_shown_again,
    registering_tells_nobody_who_is_known,
    a_link_in_a_mail_works_once,
    an_address_is_saved_changed_and_brought_back,
    a_session_is_ended_from_elsewhere,
    everything_that_is_known_can_be_taken_along_or_deleted,
    nobody_is_sent_to_another_site,
    pages_of_the_account_ask_who_is_there,
);

const EMAIL: &str = "carla@example.com";

/// Signs in by the form.
pub async fn sign_in(browser: &Browser, email: &str) -> Page {
    sign_in_with(browser, "/account/sign-in", email, PASSWORD).await
}

async fn sign_in_with(browser: &Browser, path: &str, email: &str, password: &str) -> Page {
    let form = browser.open(path).await.expect(200).form("main form");
    browser.submit(form.with("email", email).with("password", password)).await
}

/// Signs out by the form, and comes to the home page.
pub async fn sign_out(browser: &Browser) -> Page {
    let form = browser.open("/account").await.expect(200).form("form[action$='/sign-out']");
    browser.submit(form).await.expect(200)
}

/// A customer in a browser.
async fn signed_in(shop: &Shop) -> Browser {
    let browser = Browser::new(shop);
    sign_in(&browser, EMAIL).await.expect(200).says("Hello, Carla Customer");
    browser
}

/// The path of the link in a mail.
async fn mailed(shop: &Shop, template: &str) -> String {
    let body = text(&shop.mail(EMAIL, template).await["text"]);
    let link =
        body.split_whitespace().find(|word| word.contains("?token=")).unwrap_or_else(|| panic!("{body}"));
    let host = link.find("://").unwrap() + 3;
    link[host + link[host..].find('/').unwrap()..].to_owned()
}

async fn signing_in_brings_the_cart_along(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (mug, pot) = (shop.buyable(9).await, shop.goods("Pot", 4000, 9).await);
    shop.customer(EMAIL).await;
    let (phone, desk) = (signed_in(&shop).await, Browser::new(&shop));
    put(&phone, &mug, 2).await;
    put(&desk, &pot, 1).await;
    put(&desk, &mug, 1).await;
    let cart = sign_in_with(&desk, "/account/sign-in?to=/cart", EMAIL, PASSWORD).await.expect(200);
    assert_eq!(
        (cart.path.as_str(), cart.attribute("#cart-link", "aria-label").as_str()),
        ("/cart", "Cart, 3 items")
    );
    assert_eq!(cart.all(".line h3"), ["Mug", "Pot"]);
    assert_eq!(phone.open("/cart").await.expect(200).all(".line h3"), ["Mug", "Pot"]);
    // The cart stays with the account, not with the browser.
    assert_eq!(sign_out(&desk).await.attribute("#cart-link", "aria-label"), "Cart, empty");
    desk.open("/cart").await.expect(200).says("Your cart is empty");
    sign_in(&desk, EMAIL).await.expect(200);
    assert_eq!(desk.open("/cart").await.expect(200).all(".line h3"), ["Mug", "Pot"]);
}

async fn a_wrong_password_is_not_shown_again(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    shop.customer(EMAIL).await;
    let browser = Browser::new(&shop);
    let secret = "my other password";
    let known = sign_in_with(&browser, "/account/sign-in?to=/cart", EMAIL, secret).await.expect(401);
    known.says("The e-mail address or the password is wrong.");
    assert_eq!(
        (known.attribute("#f-email", "value"), known.text.contains(secret)),
        (EMAIL.to_owned(), false)
    );
    let unknown = sign_in_with(&browser, "/account/sign-in", "eve@example.com", secret).await.expect(401);
    assert_eq!(unknown.words(), known.words());
    sign_in_with(&browser, "/account/sign-in", "carla@", secret).await.expect(422);
    sign_in_with(&browser, "/account/sign-in", EMAIL, "").await.expect(422).says("This is needed.");
    assert!(browser.cookie("session").is_none());
    // Where it led to is kept over the mistake.
    let right = known.form("main form").with("password", PASSWORD);
    assert_eq!(browser.submit(right).await.expect(200).path, "/cart");
}

async fn registering_tells_nobody_who_is_known(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    shop.customer(EMAIL).await;
    let browser = Browser::new(&shop);
    let form = browser.open("/account/register?to=/cart").await.expect(200).form("main form");
    let form = form.with("name", "Carla <b>Customer</b>").with("password", PASSWORD);
    let known = browser.submit(form.clone().with("email", EMAIL)).await.expect(200);
    let new = browser.submit(form.clone().with("email", "dora@example.com")).await.expect(200);
    assert_eq!(known.says("Thank you. We have sent you a mail.").words(), new.words());
    assert_eq!(known.path.replace("carla", "dora"), new.path);
    assert_eq!(new.attribute("#f-email", "value"), "dora@example.com");
    shop.mail("dora@example.com", "verify_email").await;
    let signed_in = browser.submit(new.form("main form").with("password", PASSWORD)).await.expect(200);
    assert_eq!(signed_in.path, "/cart");
    browser.open("/account").await.expect(200).says("Hello, Carla <b>Customer</b>");

    // What is wrong is said at its field, in the reader's language, without the password.
    let german = Browser::new(&shop).reading("de");
    let form = german.open("/de/account/register").await.expect(200).form("main form").with("name", "Dora");
    let weak = form.with("email", "d@example.com").with("password", "password");
    let weak = german.submit(weak).await.expect(422);
    weak.says("nicht leicht zu erraten").never_says("attackers");
    assert_eq!((weak.attribute("#f-name", "value").as_str(), weak.count("#f-password[value]")), ("Dora", 0));
    assert_eq!(weak.count("#f-password[aria-invalid=true]"), 1);
}

async fn a_link_in_a_mail_works_once(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    shop.customer(EMAIL).await;
    let elsewhere = signed_in(&shop).await;
    let browser = Browser::new(&shop);
    let verify = mailed(&shop, "verify_email").await;
    let form = browser.open(&verify).await.expect(200).form("main form");
    browser.submit(form.clone()).await.expect(200).says("Your e-mail address is confirmed.");
    browser.submit(form).await.expect(410).says("This link has been used");
    let form = browser.open("/account/forgot").await.expect(200).form("main form");
    browser.submit(form.clone().with("email", "x")).await.expect(422);
    let known = browser.submit(form.clone().with("email", EMAIL)).await.expect(200);
    let unknown = browser.submit(form.with("email", "eve@example.com")).await.expect(200);
    assert_eq!(known.says("Look into your mail").words(), unknown.words().replace("eve@", "carla@"));

    let link = mailed(&shop, "reset_password").await;
    // Programs that look at mails open links too: only the form uses it up.
    browser.open(&link).await.expect(200);
    let form = browser.open(&link).await.expect(200).form("main form");
    browser.submit(form.clone().with("password", "short")).await.expect(422).says("at least 8 characters");
    let new = "a brand new password";
    let done = browser.submit(form.clone().with("password", new)).await.expect(200);
    assert_eq!(done.says("The new password is set.").path, "/account/sign-in");
    browser
        .submit(form.with("password", "yet another one"))
        .await
        .expect(422)
        .says("This link has been used");
    sign_in(&browser, EMAIL).await.expect(401);
    sign_in_with(&browser, "/account/sign-in", EMAIL, new).await.expect(200).says("Hello, Carla Customer");
    // Whoever was in with the old one is out.
    assert!(elsewhere.open("/account").await.path.starts_with("/account/sign-in"));
}

async fn an_address_is_saved_changed_and_brought_back(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    shop.customer(EMAIL).await;
    shop.customer("bob@example.com").await;
    let browser = signed_in(&shop).await;
    browser.open("/account/addresses").await.expect(200).says("There is no address yet.");
    let form = browser.open("/account/addresses/new").await.expect(200).form(".acct-main form");
    let form = form.with("name", "Carla \"C\" <b>").with("line1", "Hauptstr. 1").with("postal_code", "10115");
    let wrong = browser.submit(form.clone()).await.expect(422);
    assert_eq!(wrong.says("This is needed.").attribute("#f-name", "value"), "Carla \"C\" <b>");
    let saved = browser.submit(form.with("city", "Berlin")).await.expect(200);
    saved.says("The address is saved.").says("Carla \"C\" <b>").says("10115 Berlin, Germany");
    let link = saved.attribute(".panels a", "href");
    let form = browser.open(&link).await.expect(200).form(".acct-main form");
    assert_eq!(form.value("line1"), Some("Hauptstr. 1"));
    browser.submit(form.clone().with("line1", "")).await.expect(422);
    let changed = browser.submit(form.with("line1", "Ring 2")).await.expect(200);
    changed.says("Ring 2").never_says("Hauptstr. 1");

    let stranger = Browser::new(&shop);
    sign_in(&stranger, "bob@example.com").await.expect(200);
    stranger.open(&link).await.expect(404).never_says("Ring 2");
    for path in [link.clone(), format!("{link}/delete")] {
        stranger.send_form(Form::post(&path).with("name", "Bob")).await.expect(404);
    }

    let deleted = browser.submit(changed.form(".panels form")).await.expect(200);
    deleted.says("The address is deleted.").says("There is no address yet.");
    let again = browser.submit(deleted.form(".notice form")).await.expect(200);
    again.says("Ring 2").says("Carla \"C\" <b>");
}

async fn a_session_is_ended_from_elsewhere(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    shop.customer(EMAIL).await;
    let (phone, desk) = (signed_in(&shop).await, signed_in(&shop).await);
    let details = desk.open("/account/details").await.expect(200);
    assert_eq!(details.count("form[action$='/end']"), details.count(".ords li") - 1);
    let mut page = details;
    while page.count("form[action$='/end']") > 0 {
        page = desk.submit(page.form("form[action$='/end']")).await.expect(200);
        page.says("That browser is signed out.");
    }
    assert!(phone.get("/account").await.expect(303).location().unwrap().starts_with("/account/sign-in"));
    desk.open("/account").await.expect(200).says("Hello, Carla Customer");

    // A new password ends all others too.
    let phone = signed_in(&shop).await;
    let form = page.form("form[action$='/account/password']");
    let wrong =
        form.clone().with("current_password", "guessed it").with("new_password", "a brand new password");
    let wrong = desk.submit(wrong).await.expect(422);
    assert!(wrong.says("That is not the current password.").count("[value='guessed it']") == 0);
    let weak = form.clone().with("current_password", PASSWORD).with("new_password", "short");
    desk.submit(weak).await.expect(422).says("at least 8 characters");
    phone.open("/account").await.expect(200);
    let right = form.with("current_password", PASSWORD).with("new_password", "a brand new password");
    desk.submit(right).await.expect(200).says("The password is changed.");
    phone.get("/account").await.expect(303);
    desk.open("/account").await.expect(200);
}

async fn everything_that_is_known_can_be_taken_along_or_deleted(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(9).await;
    let client = shop.customer(EMAIL).await;
    let order = shop.buy_as(&client, &mug, 1).await;
    let browser = signed_in(&shop).await;
    let name = browser.open("/account/details").await.expect(200).form("form[action$='/account/details']");
    browser.submit(name.clone().with("name", " ")).await.expect(422).says("This is needed.");
    browser.submit(name.with("name", "Carla Changed")).await.expect(200).says("Saved.");
    browser.open("/account/orders").await.expect(200).says(&text(&order["number"])).says("In preparation");

    let export = browser.open("/account/export").await.expect(200);
    assert!(export.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    assert!(export.headers["cache-control"].to_str().unwrap().contains("no-store"));
    let known: Value = serde_json::from_str(&export.text).unwrap();
    assert_eq!(
        (&known["customer"]["name"], &known["orders"][0]["number"]),
        (&"Carla Changed".into(), &order["number"])
    );
    assert!(!export.text.contains("argon2"), "no hash of a password");

    put(&browser, &mug, 1).await;
    let form = browser.open("/account/delete").await.expect(200).form(".acct-main form");
    browser.submit(form.clone().with("password", "")).await.expect(422);
    let wrong = browser.submit(form.clone().with("password", "guessed it")).await.expect(422);
    assert!(!wrong.says("That is not the current password.").text.contains("guessed it"));
    let gone = browser.submit(form.with("password", PASSWORD)).await.expect(200);
    assert_eq!((gone.says("Your account is deleted.").path.as_str(), browser.cookie("session")), ("/", None));
    assert_eq!(gone.attribute("#cart-link", "aria-label"), "Cart, empty");
    assert!(browser.open("/account").await.path.starts_with("/account/sign-in"));
    sign_in(&browser, EMAIL).await.expect(401);
    assert_eq!(shop.order(&order["id"]).await["status"], "placed");
}

async fn nobody_is_sent_to_another_site(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    shop.customer(EMAIL).await;
    let evil = [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "evil.example",
    ];
    let signed_in = signed_in(&shop).await;
    for to in evil {
        let local = |location: Option<String>| {
            let location = location.unwrap();
            assert!(
                location.starts_with('/') && !location[1..].starts_with(['/', '\\', '\t']),
                "{to}: {location}"
            );
        };
        let browser = Browser::new(&shop);
        let query = serde_html_form::to_string([("to", to)]).unwrap();
        let path = format!("/account/sign-in?{query}");
        local(signed_in.get(&path).await.expect(303).location());
        let form = browser.open(&path).await.expect(200).form("main form").with("email", EMAIL);
        let answer = browser.send_form(form.with("password", PASSWORD)).await.expect(303);
        local(answer.location());
        for path in ["/wishlist", "/preferences"] {
            let form = Form::post(path).with("to", to).with("do", "add").with("theme", "dark");
            let form = form.with("product", &format!("prod_{}", "0".repeat(26)));
            local(browser.send_form(form).await.expect(303).location());
        }
    }
}

async fn pages_of_the_account_ask_who_is_there(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    shop.customer(EMAIL).await;
    let browser = signed_in(&shop).await;
    let session = browser.cookie("session").unwrap();
    let paths = [
        "/account",
        "/account/orders",
        "/account/addresses",
        "/account/addresses/new",
        "/account/details",
        "/account/delete",
        "/account/export",
        "/de/account/orders",
    ];
    for path in paths {
        let page = browser.open(path).await.expect(200);
        assert!(page.headers["cache-control"].to_str().unwrap().contains("no-store"), "{path}");
    }
    sign_out(&browser).await.says("You are signed out.");
    // Not with a cookie that somebody has kept, either.
    for cookie in [None, Some(session.as_str()), Some("made-up")] {
        if let Some(cookie) = cookie {
            browser.set_cookie("session", cookie);
        }
        for path in paths {
            let language = if path.starts_with("/de") { "/de" } else { "" };
            let query = serde_html_form::to_string([("to", path)]).unwrap();
            let asked = browser.get(path).await.expect(303).location();
            assert_eq!(asked, Some(format!("{language}/account/sign-in?{query}")));
        }
        for path in ["/account/details", "/account/delete", "/account/password", "/account/addresses"] {
            let form = Form::post(path).with("password", PASSWORD).with("name", "Eve");
            let asked = browser.send_form(form).await.expect(303).location().unwrap();
            assert!(asked.starts_with("/account/sign-in"), "{path}: {asked}");
        }
    }
    let back = sign_in_with(&browser, "/account/orders", EMAIL, PASSWORD).await.expect(200);
    assert_eq!(back.path, "/account/orders");
}
