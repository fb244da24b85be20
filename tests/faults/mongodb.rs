//! MongoDB changes its primary, loses it, and is away.

use std::time::{Duration, Instant};

use futures::future::join_all;
use mongodb::{Client, bson::doc};
use reqwest::Method;
use serde_json::json;

use crate::{
    harness::{OWNER, cart, fresh, wait_for},
    journal::Journal,
    load::{Load, Traffic},
    rounds,
    shop::{DEADLINE, Shop},
};

/// For how long nothing may be sold while there is no primary.
const STALL: Duration = Duration::from_secs(5);

/// How soon after MongoDB is back something is sold again: an election comes first.
const BACK: Duration = Duration::from_secs(10);

const MEMBERS: [&str; 3] = ["mongodb1", "mongodb2", "mongodb3"];

/// F8.
#[tokio::test]
async fn f8_no_reservation_is_lost_with_the_primary() {
    let shop = Shop::open(&["postgres", "mongodb"], &[]).await;
    let server = Client::with_uri_str(shop.servers.mongodb().unwrap()).await.unwrap();
    let mut journal = Journal::default();
    for _ in 0..rounds() {
        let load = Load::start(&shop).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        // The connection may end with the answer.
        server.database("admin").run_command(doc! {"replSetStepDown": 10}).await.ok();
        tokio::time::sleep(Duration::from_secs(5)).await;
        journal.extend(goes_on("stepped down", load.end().await));

        let load = Load::start(&shop).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let primary = primary(&shop, &server).await;
        shop.servers.stop(primary, "KILL").await;
        tokio::time::sleep(Duration::from_secs(6)).await;
        journal.extend(goes_on("killed", load.end().await));
        shop.servers.again(primary).await;
    }
    shop.owes_nobody_anything(journal).await;
}

fn goes_on(what: &str, traffic: Traffic) -> Journal {
    let Traffic { looks, purchases, journal } = traffic;
    let stall = purchases.longest_gap(201);
    println!("F8 {what}: nothing sold for {stall:?}; looks: {looks}; purchases: {purchases}");
    assert!(stall <= STALL, "{what}: {stall:?}");
    assert!(looks.slowest().max(purchases.slowest()) <= DEADLINE, "{what}: {looks} {purchases}");
    journal
}

/// Which member is the primary.
async fn primary(shop: &Shop, server: &Client) -> &'static str {
    let hello = server.database("admin").run_command(doc! {"hello": 1}).await.unwrap();
    let (_, port) = hello.get_str("primary").unwrap().rsplit_once(':').unwrap();
    MEMBERS.into_iter().find(|member| shop.servers.port(member) == port).unwrap()
}

#[tokio::test]
async fn without_mongodb_what_is_known_is_shown_and_who_wants_more_is_told_when_to_come_back() {
    let shop = Shop::open(&["postgres", "mongodb"], &[("database.acquire_timeout_ms", "1000")]).await;
    let guest = &shop.guest;
    let cart = cart(guest, &[(&shop.town.goods[1], 2)]).await;
    let body = shop.town.checkout_of(&cart, "ada@example.com", "tok_ok");
    let known = ["/api/v1/products".to_owned(), format!("/api/v1/products/{}", shop.town.goods[1].slug)];
    let before = join_all(known.iter().map(|path| guest.root(Method::GET, path).send())).await;

    join_all(MEMBERS.map(|member| shop.servers.stop(member, "KILL"))).await;
    for (path, before) in known.iter().zip(&before) {
        let answer = guest.root(Method::GET, path).send().await;
        assert_eq!((answer.status, &answer.bytes), (200, &before.bytes), "{answer}");
    }
    let key = fresh();
    let line = json!({"lines": [{"variant_id": shop.town.goods[1].variant, "quantity": 1}]});
    let begun = Instant::now();
    guest.get(&format!("/products/{}", shop.town.goods[0].slug)).await.refused(503, "unavailable");
    guest.post("/carts", &line).await.refused(503, "unavailable");
    guest.post_once("/checkout", &body, &key).await.refused(503, "unavailable");
    let ready = guest.root(Method::GET, "/readyz").send().await.refused(503, "unavailable");
    assert_eq!(ready["failing"], json!(["products database", "metadata database"]), "{ready}");
    assert!(begun.elapsed() < DEADLINE, "{:?}", begun.elapsed());
    guest.post("/sessions", &json!({"email": OWNER.0, "password": OWNER.1})).await.expect(201);

    for member in MEMBERS {
        shop.servers.again(member).await;
    }
    let up = Instant::now();
    wait_for("the order is placed", async || {
        let answer = guest.post_once("/checkout", &body, &key).await;
        assert!([201, 409, 503].contains(&answer.status), "{answer}");
        answer.status == 201
    })
    .await;
    println!("without MongoDB: sold again after {:?}", up.elapsed());
    assert!(up.elapsed() <= BACK, "{:?}", up.elapsed());
    guest.root(Method::GET, "/readyz").send().await.expect(200);
}
