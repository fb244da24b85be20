//! The shop in pieces: two processes of every module over RabbitMQ, two gateways behind nginx, all of them killed,
//! restarted and missed. Nobody loses anything, and whoever needs nothing of what is away notices nothing.
//!
//! One cluster serves all experiments, one after the other: they are one test that says of each how it went.
//! `BODEGA_TEST_EXPERIMENTS=f10,missing` runs only those whose name contains one of these.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "each experiment tells its figures")]

#[path = "../crash/books.rs"]
mod books;
#[path = "../shop/client.rs"]
#[expect(dead_code, reason = "the whole-shop tests use all of it")]
mod client;
#[path = "../faults/figures.rs"]
#[expect(dead_code, reason = "the fault tests use all of it")]
mod figures;
#[path = "../shop/harness.rs"]
#[expect(dead_code, reason = "the whole-shop tests use all of it")]
mod harness;
#[path = "../crash/journal.rs"]
mod journal;
#[path = "../faults/load.rs"]
#[expect(dead_code, reason = "the fault tests use all of it")]
mod load;
#[path = "../crash/shoppers.rs"]
#[expect(dead_code, reason = "the crash tests use all of it")]
mod shoppers;

mod cluster;
mod shop;
mod tls;

mod broker;
mod discovery;
mod gateways;
mod journey;
mod kills;
mod missing;

use std::{panic::AssertUnwindSafe, time::Instant};

use futures::{FutureExt, future::LocalBoxFuture};

use crate::shop::Shop;

type Experiment = for<'a> fn(&'a Shop) -> LocalBoxFuture<'a, ()>;

const EXPERIMENTS: [(&str, Experiment); 8] = [
    ("journey", |shop| journey::a_whole_journey_is_one_trace(shop).boxed_local()),
    ("kills", |shop| kills::each_process_is_killed_while_people_buy(shop).boxed_local()),
    ("f10", |shop| broker::f10_the_broker_is_killed(shop).boxed_local()),
    ("f12", |shop| broker::f12_the_broker_has_no_memory_left(shop).boxed_local()),
    ("f17", |shop| discovery::f17_consul_is_killed(shop).boxed_local()),
    ("f18", |shop| gateways::f18_a_gateway_is_killed_in_the_middle_of_a_post(shop).boxed_local()),
    ("f27", |shop| gateways::f27_every_process_is_restarted(shop).boxed_local()),
    ("missing", |shop| missing::without_a_module_the_others_go_on(shop).boxed_local()),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_split_shop_keeps_its_promises() {
    let shop = Shop::open().await;
    let (mut passed, mut failed) = (0, Vec::new());
    for (name, experiment) in EXPERIMENTS.iter().filter(|(name, _)| wanted(name)) {
        let begun = Instant::now();
        println!("\n==> {name}");
        let ended = AssertUnwindSafe(experiment(&shop)).catch_unwind().await;
        // What it has stopped is there again for the next.
        shop.cluster.complete().await;
        println!("{name}: {} in {:.0?}", if ended.is_ok() { "passed" } else { "FAILED" }, begun.elapsed());
        match ended {
            Ok(()) => passed += 1,
            Err(_) => failed.push(*name),
        }
    }
    println!("\n{passed} passed, {} failed", failed.len());
    assert!(failed.is_empty(), "{failed:?}");
}

#[expect(clippy::disallowed_methods, reason = "a test has no settings")]
fn wanted(name: &str) -> bool {
    let names = std::env::var("BODEGA_TEST_EXPERIMENTS").unwrap_or_default();
    names.is_empty() || names.split(',').any(|part| name.contains(part))
}
