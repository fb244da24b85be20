//! Accounts: who one is, how long one is believed, and what a mailed link is worth.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    client::Client,
    harness::{PASSWORD, Shape, Shop, cart, check_out, list, log_in, text, wait_for},
};

crate::rules! {
    registering_does_not_tell_who_has_an_account,
    logging_in_does_not_tell_who_has_an_account,
    an_address_is_confirmed_once,
    a_new_password_ends_every_session_and_its_link,
    changing_the_password_ends_the_other_sessions,
    a_refresh_token_works_once_and_its_reuse_ends_the_session,
    logging_out_is_out,
    sessions_are_listed_and_ended_elsewhere,
    guest_orders_belong_to_the_account_after_its_address_is_confirmed,
    an_address_book_is_kept,
    an_erased_account_is_gone,
    everything_known_of_somebody_can_be_taken_along,
    one_password_in_two_spellings_is_one_password,
    passwords_that_are_guessed_first_are_refused,
    tokens_of_others_are_no_tokens,
    too_many_logins_are_told_to_wait,
}

fn registration(email: &str) -> Value {
    json!({"email": email, "password": PASSWORD, "name": "Ada"})
}

/// The token in the link of the newest mail of a kind.
async fn mailed(shop: &Shop, to: &str, template: &str) -> String {
    let mail = shop.mail(to, template).await;
    let body = text(&mail["text"]);
    let token = body.split("?token=").nth(1).unwrap_or_else(|| panic!("no link: {body}"));
    token.split(|c: char| c.is_whitespace()).next().unwrap().to_owned()
}

async fn tokens(client: &Client, email: &str) -> Value {
    client.post("/sessions", &json!({"email": email, "password": PASSWORD})).await.expect(201)
}

/// Whether an access token is believed.
async fn is_in(client: &Client) -> bool {
    let answer = client.get("/customers/me").await;
    if answer.status == 401 {
        answer.refused(401, "invalid_token");
        return false;
    }
    answer.expect(200);
    true
}

async fn registering_does_not_tell_who_has_an_account(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let first = shop.guest.post("/customers", &registration("ada@example.com")).await;
    let mut again = registration("ADA@example.com");
    again["password"] = "another fine password".into();
    let second = shop.guest.post("/customers", &again).await;
    assert_eq!((first.status, second.status), (201, 201));
    let members = |body: &Value| body.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(members(&first.body), members(&second.body));
    assert_eq!((&first.body["email"], &first.body["name"]), (&second.body["email"], &second.body["name"]));
    assert_eq!(
        (&first.body["version"], &first.body["email_verified"]),
        (&second.body["version"], &json!(false))
    );
    // The owner hears of it, and nothing has changed.
    shop.mail("ada@example.com", "registration_repeated").await;
    log_in(&shop.guest, "ada@example.com", PASSWORD).await;
    let wrong = json!({"email": "ada@example.com", "password": "another fine password"});
    shop.guest.post("/sessions", &wrong).await.refused(401, "invalid_credentials");
    assert_eq!(shop.mails("ada@example.com", "verify_email").await.len(), 1);
}

async fn logging_in_does_not_tell_who_has_an_account(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    shop.customer("ada@example.com").await;
    let try_with = async |email: &str, password: &str| {
        let answer = shop.guest.post("/sessions", &json!({"email": email, "password": password})).await;
        let problem = answer.refused(401, "invalid_credentials");
        (problem["detail"].clone(), problem["title"].clone())
    };
    let known = try_with("ada@example.com", "wrong password").await;
    assert_eq!(known, try_with("eve@example.com", "wrong password").await);
    assert_eq!(known, try_with("ada@example.com", "short").await);
    assert_eq!(known, try_with("ada@example.com", &"long".repeat(1000)).await);
    for (path, email) in [
        ("/password_resets", "eve@example.com"),
        ("/password_resets", "ada@example.com"),
        ("/email_verifications", "eve@example.com"),
        ("/email_verifications", "ada@example.com"),
    ] {
        let answer = shop.guest.post(path, &json!({"email": email})).await;
        assert_eq!((answer.status, answer.bytes.len()), (202, 0), "{answer}");
    }
    shop.mail("ada@example.com", "reset_password").await;
    assert!(shop.mails("eve@example.com", "reset_password").await.is_empty());
}

async fn an_address_is_confirmed_once(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let ada = shop.customer("ada@example.com").await;
    let token = mailed(&shop, "ada@example.com", "verify_email").await;
    assert_eq!(ada.get("/customers/me").await.expect(200)["email_verified"], false);
    let confirm =
        async |token: &str| shop.guest.post(&format!("/email_verifications/{token}"), &json!({})).await;
    for wrong in ["x", &token[..token.len() - 3], &token.replace("tok_", "cus_")] {
        confirm(wrong).await.refused(404, "not_found");
    }
    assert_eq!(confirm(&token).await.expect(200)["email_verified"], true);
    confirm(&token).await.refused(410, "token_used");
    assert_eq!(ada.get("/customers/me").await.expect(200)["email_verified"], true);
    // A link of one kind is not a link of another.
    shop.guest.post("/password_resets", &json!({"email": "ada@example.com"})).await.expect(202);
    let reset = mailed(&shop, "ada@example.com", "reset_password").await;
    confirm(&reset).await.refused(404, "not_found");
}

async fn a_new_password_ends_every_session_and_its_link(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let ada = shop.customer("ada@example.com").await;
    let session = tokens(&shop.guest, "ada@example.com").await;
    shop.guest.post("/password_resets", &json!({"email": "ada@example.com"})).await.expect(202);
    let token = mailed(&shop, "ada@example.com", "reset_password").await;
    let reset = async |password: &str| {
        shop.guest.post(&format!("/password_resets/{token}"), &json!({"password": password})).await
    };
    reset("short").await.refused_at(422, "weak_password", "/password");
    assert_eq!(reset("a brand new password").await.status, 204);
    reset("another new password").await.refused(410, "token_used");
    wait_for("the session is over", async || !is_in(&ada).await).await;
    let refresh = json!({"refresh_token": session["refresh_token"]});
    shop.guest.post("/sessions/refresh", &refresh).await.refused(401, "invalid_grant");
    let old = json!({"email": "ada@example.com", "password": PASSWORD});
    shop.guest.post("/sessions", &old).await.refused(401, "invalid_credentials");
    assert!(is_in(&log_in(&shop.guest, "ada@example.com", "a brand new password").await).await);
}

async fn changing_the_password_ends_the_other_sessions(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let here = shop.customer("ada@example.com").await;
    let there = log_in(&shop.guest, "ada@example.com", PASSWORD).await;
    let change = |current: &str, new: &str| json!({"current_password": current, "new_password": new});
    let path = "/customers/me/password";
    here.put(path, &change("wrong password", "a brand new password"))
        .await
        .refused(403, "invalid_credentials");
    here.put(path, &change(PASSWORD, "password")).await.expect(422);
    here.put(path, &change(PASSWORD, "a brand new password")).await.expect(204);
    wait_for("the other session is over", async || !is_in(&there).await).await;
    assert!(is_in(&here).await);
}

async fn a_refresh_token_works_once_and_its_reuse_ends_the_session(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    shop.customer("ada@example.com").await;
    let first = tokens(&shop.guest, "ada@example.com").await;
    assert_eq!(first["token_type"], "Bearer");
    assert!(first["expires_in"].as_i64().is_some_and(|seconds| (1..=600).contains(&seconds)));
    let refresh = async |tokens: &Value| {
        shop.guest.post("/sessions/refresh", &json!({"refresh_token": tokens["refresh_token"]})).await
    };
    let second = refresh(&first).await.expect(200);
    let third = refresh(&second).await.expect(200);
    assert_ne!(second["refresh_token"], third["refresh_token"]);
    let bearer = shop.guest.with_token(&text(&third["access_token"]));
    assert!(is_in(&bearer).await);
    let other = log_in(&shop.guest, "ada@example.com", PASSWORD).await;
    // Whoever comes with a used one has stolen it, or was stolen from.
    refresh(&first).await.refused(401, "invalid_grant");
    refresh(&third).await.refused(401, "invalid_grant");
    wait_for("the session is over", async || !is_in(&bearer).await).await;
    assert!(is_in(&other).await);
    refresh(&json!({"refresh_token": "made up"})).await.refused(401, "invalid_grant");
}

async fn logging_out_is_out(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let ada = shop.customer("ada@example.com").await;
    let session = tokens(&shop.guest, "ada@example.com").await;
    let here = shop.guest.with_token(&text(&session["access_token"]));
    here.delete("/sessions/current").await.expect(204);
    assert!(!is_in(&here).await);
    let refresh = json!({"refresh_token": session["refresh_token"]});
    shop.guest.post("/sessions/refresh", &refresh).await.refused(401, "invalid_grant");
    assert!(is_in(&ada).await);
    shop.guest.delete("/sessions/current").await.refused(401, "unauthenticated");
}

async fn sessions_are_listed_and_ended_elsewhere(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (ada, bob) = (shop.customer("ada@example.com").await, shop.customer("bob@example.com").await);
    let phone = log_in(&shop.guest, "ada@example.com", PASSWORD).await;
    let sessions = list(&ada.get("/customers/me/sessions").await.expect(200));
    assert_eq!(sessions.len(), 2);
    for session in &sessions {
        let path = format!("/customers/me/sessions/{}", text(&session["id"]));
        bob.delete(&path).await.refused(404, "not_found");
    }
    let newest = sessions.iter().max_by_key(|session| text(&session["created_at"])).unwrap();
    ada.delete(&format!("/customers/me/sessions/{}", text(&newest["id"]))).await.expect(204);
    wait_for("the phone is out", async || !is_in(&phone).await).await;
    assert!(is_in(&ada).await);
    assert_eq!(list(&ada.get("/customers/me/sessions").await.expect(200)).len(), 1);
}

async fn guest_orders_belong_to_the_account_after_its_address_is_confirmed(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let order = shop.buy(&mug, 1).await;
    let ada = shop.customer("ada@example.com").await;
    assert!(list(&ada.get("/orders").await.expect(200)).is_empty());
    ada.get(&format!("/orders/{}", text(&order["id"]))).await.refused(404, "not_found");
    let token = mailed(&shop, "ada@example.com", "verify_email").await;
    shop.guest.post(&format!("/email_verifications/{token}"), &json!({})).await.expect(200);
    wait_for("the order is hers", async || !list(&ada.get("/orders").await.expect(200)).is_empty()).await;
    ada.get(&format!("/orders/{}", text(&order["id"]))).await.expect(200);
}

async fn an_address_book_is_kept(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let ada = shop.customer("ada@example.com").await;
    let path = "/customers/me/addresses";
    let mut home = crate::harness::address("DE");
    let saved = ada.post(path, &home).await.expect(201);
    assert_eq!(saved["address"]["city"], "Berlin");
    home["city"] = "Potsdam".into();
    let own = format!("{path}/{}", text(&saved["id"]));
    assert_eq!(ada.put(&own, &home).await.expect(200)["address"]["city"], "Potsdam");
    assert_eq!(list(&ada.get(path).await.expect(200)).len(), 1);
    home["country"] = "Germany".into();
    assert_eq!(ada.put(&own, &home).await.refused_at(422, "invalid_value", "/country")["status"], 422);
    ada.delete(&own).await.expect(204);
    ada.delete(&own).await.refused(404, "not_found");
    assert!(list(&ada.get(path).await.expect(200)).is_empty());
}

async fn an_erased_account_is_gone(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let ada = shop.customer("ada@example.com").await;
    ada.post("/customers/me/addresses", &crate::harness::address("DE")).await.expect(201);
    let order = shop.buy_as(&ada, &mug, 1).await;
    let id = text(&ada.get("/customers/me").await.expect(200)["id"]);
    ada.delete("/customers/me").await.expect(204);
    wait_for("the session is over", async || ada.get("/customers/me").await.status == 401).await;
    let login = json!({"email": "ada@example.com", "password": PASSWORD});
    shop.guest.post("/sessions", &login).await.refused(401, "invalid_credentials");
    let left = shop.owner.get(&format!("/admin/customers/{id}")).await;
    assert!(!left.body.to_string().contains("ada@"), "{left}");
    wait_for("the order has forgotten her", async || {
        !shop.order(&order["id"]).await.to_string().contains("Lovelace")
    })
    .await;
    let kept = shop.order(&order["id"]).await;
    assert_eq!(kept["total"], order["total"]);
    // The address is free again, for somebody new.
    shop.customer("ada@example.com").await;
}

async fn everything_known_of_somebody_can_be_taken_along(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let ada = shop.customer("ada@example.com").await;
    ada.post("/customers/me/addresses", &crate::harness::address("DE")).await.expect(201);
    let order = shop.buy_as(&ada, &mug, 1).await;
    let review = json!({"rating": 5, "title": "Warm", "body": "And light."});
    ada.post(&format!("/products/{}/reviews", mug.slug), &review).await.expect(201);
    ada.patch("/customers/me", &json!({"name": "Augusta Ada"})).await.expect(200);
    let all = ada.get("/customers/me/export").await.expect(200);
    assert_eq!((&all["customer"]["name"], &all["orders"][0]["id"]), (&json!("Augusta Ada"), &order["id"]));
    assert_eq!(
        (all["addresses"].as_array().unwrap().len(), all["sessions"].as_array().unwrap().len()),
        (1, 1)
    );
    assert_eq!(all["reviews"][0]["title"], "Warm");
    assert!(!all.to_string().contains("argon2"));
}

async fn one_password_in_two_spellings_is_one_password(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let new = json!({"email": "zoe@example.com", "password": "caf\u{e9} caf\u{e9}", "name": "Zoë"});
    shop.guest.post("/customers", &new).await.expect(201);
    log_in(&shop.guest, "zoe@example.com", "cafe\u{301} cafe\u{301}").await;
    log_in(&shop.guest, " ZOE@EXAMPLE.COM ", "caf\u{e9} caf\u{e9}").await;
}

async fn passwords_that_are_guessed_first_are_refused(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    for weak in ["", "1234567", "password123", "aaaaaaaaaa", &"ab".repeat(65)] {
        let new = json!({"email": "ada@example.com", "password": weak, "name": "Ada"});
        shop.guest.post("/customers", &new).await.refused_at(422, "weak_password", "/password");
    }
    let longest = json!({"email": "ada@example.com", "password": "ab".repeat(64), "name": "Ada"});
    shop.guest.post("/customers", &longest).await.expect(201);
}

async fn tokens_of_others_are_no_tokens(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    shop.customer("ada@example.com").await;
    let good = text(&tokens(&shop.guest, "ada@example.com").await["access_token"]);
    let parts: Vec<&str> = good.split('.').collect();
    // {"alg":"none"}
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", parts[1]);
    let cut = format!("{}.{}.{}", parts[0], parts[1], &parts[2][..parts[2].len() - 4]);
    for wrong in ["", "x", "a.b.c", &unsigned, &cut, &format!("{good}x")] {
        let client = shop.guest.with_token(wrong);
        client.get("/customers/me").await.refused(401, "invalid_token");
        // A token that is not right is never taken for none.
        client.get(&format!("/products/{}", mug.slug)).await.refused(401, "invalid_token");
    }
    let basic = shop.guest.request(Method::GET, "/customers/me").header("authorization", "Basic YTpi");
    basic.send().await.refused(401, "invalid_token");
    shop.guest.get("/customers/me").await.refused(401, "unauthenticated");
    let keys = shop.guest.root(Method::GET, "/oauth/jwks.json").send().await.expect(200);
    assert!(keys["keys"][0]["kid"].is_string() && keys["keys"][0]["d"].is_null(), "{keys}");
    let cart = cart(&shop.guest, &[(&mug, 1)]).await;
    check_out(&shop.guest.with_token("x"), &shop.checkout_of(&cart, "tok_ok"))
        .await
        .refused(401, "invalid_token");
}

async fn too_many_logins_are_told_to_wait(shape: Shape) {
    let few = [
        ("gateway.limits.login_per_account", "3"),
        ("gateway.limits.register_per_address", "2"),
        ("gateway.limits.reset_per_address", "2"),
        ("gateway.limits.checkout_per_address", "2"),
    ];
    let shop = Shop::start(shape, &few).await;
    let mug = shop.buyable(10).await;
    let wrong = json!({"email": "ada@example.com", "password": "wrong password"});
    for _ in 0..3 {
        shop.guest.post("/sessions", &wrong).await.refused(401, "invalid_credentials");
    }
    let refused = shop.guest.post("/sessions", &wrong).await;
    assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|seconds| (1..=60).contains(&seconds)));
    refused.refused(429, "rate_limited");
    // Others are not kept waiting by that.
    log_in(&shop.guest, "owner@example.com", "bodega-owner").await;
    for i in 0..3 {
        let answer = shop.guest.post("/customers", &registration(&format!("c{i}@example.com"))).await;
        assert_eq!(answer.status, if i < 2 { 201 } else { 429 }, "{answer}");
        let answer = shop.guest.post("/password_resets", &json!({"email": "ada@example.com"})).await;
        assert_eq!(answer.status, if i < 2 { 202 } else { 429 }, "{answer}");
        let body = shop.order_for(&shop.guest, &mug, 1, "tok_ok").await;
        let answer = check_out(&shop.guest, &body).await;
        assert_eq!(answer.status, if i < 2 { 201 } else { 429 }, "{answer}");
    }
}
