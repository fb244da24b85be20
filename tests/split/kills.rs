//! One process after the other is killed while people buy.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use futures::future::{join, join_all};
use serde_json::json;

use crate::{
    client::{Answer, Request},
    cluster::SERVICES,
    harness::fresh,
    journal::{Journal, Purchase},
    shop::{DEADLINE, Shop},
};

const SHOPPERS: usize = 4;

/// How long somebody asks again and again before giving up: whose gateway died in the middle of it is told for 40 s that
/// the same command is being carried out.
const PATIENCE: Duration = Duration::from_secs(90);

/// What the shoppers were told, in passing and at last.
#[derive(Default, Debug)]
struct Told {
    acknowledged: AtomicUsize,
    refused: AtomicUsize,
    unknown: AtomicUsize,
    /// Answers to be asked again: 503, and 409 while the first request is still at work.
    later: AtomicUsize,
    slowest_ms: AtomicUsize,
}

pub async fn each_process_is_killed_while_people_buy(shop: &Shop) {
    let (over, told) = (AtomicBool::new(false), Told::default());
    let shoppers = join_all((0..SHOPPERS).map(|_| buy_until(shop, &over, &told)));
    let killing = async {
        for (i, service) in SERVICES.into_iter().chain(["gateway"]).enumerate() {
            let begun = Instant::now();
            let number = i % 2 + 1;
            shop.cluster.stop(service, number, "KILL").await;
            shop.cluster.again(service, number).await;
            println!("kills: {service}-{number} was away for {:.1?}; so far {told:?}", begun.elapsed());
        }
        over.store(true, Ordering::Relaxed);
    };
    let (journals, ()) = join(shoppers, killing).await;
    println!("kills: checkouts: {told:?}");
    assert!(
        told.acknowledged.load(Ordering::Relaxed) > 0 && told.unknown.load(Ordering::Relaxed) == 0,
        "{told:?}"
    );
    assert!(told.slowest_ms.load(Ordering::Relaxed) as u128 <= DEADLINE.as_millis(), "{told:?}");
    shop.owes_nobody_anything(journals.into_iter().flatten().collect()).await;
}

async fn buy_until(shop: &Shop, over: &AtomicBool, told: &Told) -> Vec<Purchase> {
    let mut bought = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let line = json!({"lines": [{"variant_id": shop.town.goods[1].variant, "quantity": 2}]});
        let cart = || shop.guest.request(reqwest::Method::POST, "/carts").json(&line);
        let Some(cart) = insist(cart, told, |answer| answer.status == 201).await else { continue };
        let email = format!("shopper-{}@example.com", fresh());
        let mut purchase = Purchase::new(shop.town.checkout_of(&cart.body, &email, "tok_ok"));
        purchase.answer = insist(|| purchase.request(&shop.guest), told, Purchase::is_final).await;
        let count = match &purchase.answer {
            Some(answer) if answer.status == 201 => &told.acknowledged,
            Some(_) => &told.refused,
            None => &told.unknown,
        };
        count.fetch_add(1, Ordering::Relaxed);
        bought.push(purchase);
    }
    bought
}

/// Asks until there is an answer that stays, with the same key.
async fn insist(ask: impl Fn() -> Request, told: &Told, stays: impl Fn(&Answer) -> bool) -> Option<Answer> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let asked = Instant::now();
        // The client refuses a 500.
        let answer = ask().try_send().await;
        told.slowest_ms.fetch_max(asked.elapsed().as_millis() as usize, Ordering::Relaxed);
        if let Ok(answer) = answer {
            if stays(&answer) {
                return Some(answer);
            }
            assert!([409, 429, 503].contains(&answer.status), "{answer}");
        }
        told.later.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    None
}

/// Buys once, however often that has to be asked for.
pub async fn buys(shop: &Shop) -> Journal {
    let (over, told) = (AtomicBool::new(false), Told::default());
    let once = async { over.store(true, Ordering::Relaxed) };
    let (bought, ()) = join(buy_until(shop, &over, &told), once).await;
    assert_eq!(told.acknowledged.load(Ordering::Relaxed), 1, "{told:?}");
    Journal::from_iter(bought)
}

/// The answer that stays: asks with the same key until there is one.
pub async fn answered(shop: &Shop, purchase: &Purchase) -> Option<Answer> {
    insist(|| purchase.request(&shop.guest), &Told::default(), Purchase::is_final).await
}
