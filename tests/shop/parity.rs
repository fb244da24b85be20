//! Whichever way the shop runs, the same life of it comes to the same: the same answers, and the same business in the end.
//!
//! A script made from a seed is lived in one process on embedded databases, with every call serialised, on the servers
//! that the environment names, and in pieces with a broker between them. `BODEGA_TEST_OPERATIONS` says how long it is,
//! `BODEGA_TEST_SEED` makes it another one.

mod books;
mod evening;
mod names;
mod offers;
mod people;
mod script;
mod shoppers;
mod staff;

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::Value;
use shared::testing;

use crate::harness::{Shape, Shop};
use script::Script;

/// Patience where a slow machine must not make a difference, and no limits to how fast one asks.
const SETTINGS: [(&str, &str); 11] = [
    ("gateway.limits.login_per_address", "1000000"),
    ("gateway.limits.login_per_account", "1000000"),
    ("gateway.limits.reset_per_address", "1000000"),
    ("gateway.limits.register_per_address", "1000000"),
    ("gateway.limits.review_per_address", "1000000"),
    ("payment.test.confirm_after_seconds", "1"),
    ("order.checkout_deadline_seconds", "25"),
    ("order.supersede_seconds", "600"),
    ("product.refresh_seconds", "1"),
    ("review.auto_approve", "verified"),
    ("gateway.limits.checkout_per_address", "1000000"),
];

/// No server, even if there is one.
const EMBEDDED: [(&str, &str); 5] = [
    ("database.products", ""),
    ("database.customers", ""),
    ("database.orders", ""),
    ("database.metadata", ""),
    ("cache.url", "memory"),
];

/// A way to run a shop: its name, how the modules reach each other, and what else it takes.
struct Way(&'static str, Shape, &'static [(&'static str, &'static str)]);

/// How a shop lived, and where that led.
struct Life {
    way: &'static str,
    outcomes: Vec<String>,
    books: Value,
    took: Duration,
}

#[tokio::test]
async fn the_same_script_ends_the_same() {
    compare(29, &[]).await;
}

#[tokio::test]
async fn the_same_script_ends_the_same_where_money_is_taken_with_the_goods() {
    compare(1029, &[("order.capture", "at_fulfillment")]).await;
}

/// A number that somebody wants to be another one.
#[expect(clippy::disallowed_methods, reason = "a test has no settings")]
fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).ok().and_then(|number| number.parse().ok()).unwrap_or(usual)
}

/// The ways to run a shop that are at hand.
fn ways() -> Vec<Way> {
    let mut ways = vec![Way("embedded", Shape::InProcess, &EMBEDDED)];
    let servers = testing::documents(Path::new("/"), "any").unwrap().starts_with("mongodb");
    if servers {
        ways.push(Way("on servers", Shape::InProcess, &[]));
    }
    ways.push(Way("loopback", Shape::Loopback, &[]));
    #[cfg(feature = "distributed")]
    if testing::rabbitmq().is_some() {
        ways.push(Way("split", Shape::Split, &[]));
    }
    ways
}

/// Lives the script of a seed in every way, and compares each with the first.
async fn compare(seed: u64, settings: &[(&str, &str)]) {
    let seed = number("BODEGA_TEST_SEED", seed);
    let mut first: Option<Life> = None;
    for way in ways() {
        let settings = [&SETTINGS, settings, way.2].concat();
        let life = live(&way, &settings, seed).await;
        eprintln!("{}", life.summary());
        match &first {
            Some(first) => first.must_equal(&life),
            None => first = Some(life),
        }
    }
}

async fn live(way: &Way, settings: &[(&str, &str)], seed: u64) -> Life {
    let began = Instant::now();
    let Way(way, shape, _) = *way;
    let shop = Shop::start(shape, settings).await;
    let mut script = Script::begin(&shop, seed).await;
    script.live(number("BODEGA_TEST_OPERATIONS", 400) as usize).await;
    let books = script.books().await;
    Life { way, outcomes: script.outcomes, books, took: began.elapsed() }
}

impl Life {
    /// How many operations ended how.
    fn summary(&self) -> String {
        let mut classes = BTreeMap::<String, usize>::new();
        for outcome in &self.outcomes {
            let ended = outcome.split_once(": ").map_or("", |(_, ended)| ended);
            let mut words = ended.split(' ');
            let (status, said) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let refused = status >= "4";
            *classes
                .entry(if refused { format!("{status} {said}") } else { status.to_owned() })
                .or_default() += 1;
        }
        let Self { way, outcomes, took, books } = self;
        let count = |list: &str, members: &[&str]| {
            let mut counts = BTreeMap::<String, usize>::new();
            for item in books[list].as_array().into_iter().flatten() {
                let words: Vec<_> =
                    members.iter().map(|member| item[member].as_str().unwrap_or("-")).collect();
                *counts.entry(words.join(" ")).or_default() += 1;
            }
            counts
        };
        format!(
            "{way}: {} operations in {:.1} s, {classes:?}\n  orders {:?}\n  reviews {:?}, products {:?}, {} mails",
            outcomes.len(),
            took.as_secs_f64(),
            count("orders", &["status", "payment_status", "fulfillment_status"]),
            count("reviews", &["status"]),
            count("products", &["status"]),
            books["mails"]
                .as_object()
                .map_or(0, |mails| mails.values().filter_map(Value::as_u64).sum::<u64>()),
        )
    }

    fn must_equal(&self, other: &Self) {
        let outcomes = self.outcomes.iter().zip(&other.outcomes).filter(|(one, other)| one != other);
        let outcomes: Vec<_> = outcomes.map(|(one, other)| names::side_by_side(one, other)).collect();
        let books = names::differences(&self.books, &other.books);
        let same_length = self.outcomes.len() == other.outcomes.len();
        assert!(
            outcomes.is_empty() && books.is_empty() && same_length,
            "{} and {} differ: {} and {} operations, {} outcomes and {} places of the books.\n{}\n{}",
            self.way,
            other.way,
            self.outcomes.len(),
            other.outcomes.len(),
            outcomes.len(),
            books.len(),
            outcomes.iter().take(20).cloned().collect::<Vec<_>>().join("\n"),
            books.iter().take(60).cloned().collect::<Vec<_>>().join("\n"),
        );
    }
}
