//! Who is behind nginx dies, or goes in peace.

use std::time::{Duration, Instant};

use futures::future::{join, join_all};
use serde_json::Value;

use crate::{
    cluster::{Cluster, signal, within},
    harness::{all, cart, fresh, wait_for},
    journal::{Journal, Purchase},
    kills,
    load::{Load, Traffic},
    shop::Shop,
};

/// How long a process may take to go.
const DRAIN: Duration = Duration::from_secs(25);

const POSTS: usize = 6;

pub async fn f18_a_gateway_is_killed_in_the_middle_of_a_post(shop: &Shop) {
    let counter = shop.counter().await;
    let mut purchases = Vec::new();
    for _ in 0..POSTS {
        let cart = cart(&shop.guest, &[(&shop.town.goods[1], 2)]).await;
        let email = format!("shopper-{}@example.com", fresh());
        purchases.push(Purchase::new(shop.town.checkout_of(&cart, &email, "tok_ok")));
    }
    let seen = std::fs::read_to_string(shop.cluster.path().join("nginx/access.log")).unwrap().lines().count();
    // Nobody gets an answer while payment stands still.
    let payments = ["payment-1", "payment-2"].map(|name| shop.cluster.pid(name));
    payments.iter().for_each(|pid| signal(*pid, "STOP"));
    let posts = join_all(purchases.iter().map(|purchase| purchase.request(&shop.guest).try_send()));
    let killing = async {
        let pending = async || all(&counter.owner, "/admin/orders?status=pending").await.len() >= POSTS;
        within(Duration::from_secs(3), "all are at work", pending).await;
        shop.cluster.stop("gateway", 1, "KILL").await;
        payments.iter().for_each(|pid| signal(*pid, "CONT"));
    };
    let (answers, ()) = join(posts, killing).await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    let broken = answers.iter().filter(|answer| answer.status == 503).count();
    let placed = answers.iter().filter(|answer| answer.status == 201).count();
    shop.cluster.again("gateway", 1).await;

    let log = || std::fs::read_to_string(shop.cluster.path().join("nginx/access.log")).unwrap();
    let posted = || -> Vec<Value> {
        let lines =
            log().lines().skip(seen).map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>();
        lines.into_iter().filter(|line| line["path"] == "/api/v1/checkout").collect()
    };
    wait_for("nginx has written it down", async || posted().len() >= POSTS).await;
    let twice = posted().iter().filter(|line| line["upstream"].as_str().unwrap().contains(',')).count();

    // With the same key everybody gets an order, and each cart is one.
    let begun = Instant::now();
    let again = join_all(purchases.iter().map(|purchase| kills::answered(shop, purchase))).await;
    let waited = begun.elapsed();
    for ((purchase, first), again) in purchases.iter_mut().zip(answers).zip(again) {
        let again = again.unwrap_or_else(|| panic!("no answer that stays: {first}"));
        assert_eq!(again.status, 201, "{again}");
        assert!(first.status != 201 || first.bytes == again.bytes, "{first} {again}");
        purchase.answer = Some(again);
    }
    let journal = Journal::from_iter(purchases);
    println!(
        "F18: of {POSTS} POSTs {broken} broke off (503), {placed} went on, {twice} were repeated by nginx"
    );
    println!("F18: asked again with the same key, all had their order after {waited:.1?}");
    assert!(broken > 0 && placed > 0 && broken + placed == POSTS, "{broken} {placed}");
    assert_eq!(twice, 0);
    shop.owes_nobody_anything(journal).await;
}

pub async fn f27_every_process_is_restarted(shop: &Shop) {
    let load = Load::start(shop).await;
    let (mut slowest, begun) = ((Duration::ZERO, String::new()), Instant::now());
    for (service, number) in Cluster::instances() {
        let told = Instant::now();
        shop.cluster.stop(service, number, "TERM").await;
        slowest = slowest.max((told.elapsed(), format!("{service}-{number}")));
        shop.cluster.again(service, number).await;
        // Whoever restarts the next one waits until this one is known again.
        within(DRAIN, "it is known", async || shop.cluster.passing(service).await == Some(2)).await;
        if service == "gateway" {
            within(DRAIN, "nginx knows it", async || shop.cluster.upstreams().len() == 2).await;
        }
    }
    let took = begun.elapsed();
    let Traffic { looks, purchases, journal } = load.end().await;
    let placed = purchases.with_status(201);
    println!("F27: {} restarts in {took:.0?}; slowest to go: {slowest:.1?}", Cluster::instances().len());
    println!(
        "F27: looks: {looks}; purchases: {purchases}, {placed} placed, {} without an answer",
        purchases.with_status(0)
    );
    let failed = looks.count() + purchases.count() - looks.with_status(200) - placed;
    println!("F27: {failed} failed requests");
    assert!(slowest.0 <= DRAIN, "{slowest:?}");
    shop.owes_nobody_anything(journal).await;
    assert_eq!(failed, 0);
}
