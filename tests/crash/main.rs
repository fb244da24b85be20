//! The real binary dies in the middle of its work, is started again, and owes nobody anything.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../shop/client.rs"]
#[expect(dead_code, reason = "the whole-shop tests use all of it")]
mod client;
#[path = "../shop/harness.rs"]
#[expect(dead_code, reason = "the whole-shop tests use all of it")]
mod harness;

mod books;
mod journal;
mod process;
mod shoppers;

use std::{path::Path, time::Duration};

use harness::{OWNER, wait_for};
use journal::Journal;
use process::Process;
use shared::db::{Db, Options};
use shoppers::Town;

/// One test for each point: twenty-odd shoppers of every kind are at work when the process passes it for the `n`th time.
/// `dies_at!(a_name => "point:n")` expands to
///
/// ```ignore
/// #[tokio::test]
/// async fn a_name() {
///     dies_at("point:n").await;
/// }
/// ```
macro_rules! dies_at {
    ($($name:ident => $point:literal),+ $(,)?) => {$(
        #[tokio::test]
        async fn $name() {
            dies_at($point).await;
        }
    )+};
}

dies_at! {
    after_an_order_was_written_down => "saga.created:12",
    after_stock_was_reserved => "saga.reserved:12",
    after_a_coupon_was_claimed => "saga.claimed:3",
    after_the_provider_authorized => "payment.authorize.sent:12",
    after_a_payment_was_authorized => "saga.authorized:8",
    after_stock_was_sold => "saga.committed:8",
    after_the_provider_captured => "payment.capture.sent:8",
    after_a_payment_was_captured => "saga.captured:8",
    after_an_order_was_placed => "saga.placed:8",
    after_a_cart_was_completed => "saga.completed:8",
    after_money_was_given_back => "saga.voided:2",
    after_a_coupon_was_given_back => "saga.unclaimed:2",
    after_stock_was_given_back => "saga.released:3",
    after_an_order_was_cancelled => "saga.cancelled:3",
    after_the_provider_refunded => "payment.refund.sent:3",
    after_a_message_was_stored => "payment.webhook.stored:20",
}

async fn dies_at(point: &str) {
    let folder = tempfile::tempdir().unwrap();
    let town = town(folder.path()).await;
    let mut journal = Journal::default();
    let mut shop = Process::start(folder.path(), point).await;
    journal.extend(town.go_shopping(&shop.client, 1).await);
    shop.dies().await;
    after_all(folder.path(), &town, journal).await;
}

/// A shop in a new folder, filled and closed again.
async fn town(folder: &Path) -> Town {
    Process::appoint(folder, OWNER);
    let mut shop = Process::start(folder, "").await;
    let town = Town::found(&shop.client).await;
    shop.stop().await;
    town
}

/// Killed five times at moments that nobody chose.
#[tokio::test]
async fn at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let town = town(folder.path()).await;
    let mut journal = Journal::default();
    let mut moment = 0x2545_f491_4f6c_dd1d_u64;
    for round in 1..=5 {
        let mut shop = Process::start(folder.path(), "").await;
        // xorshift: the same five moments in every run.
        moment ^= moment << 13;
        moment ^= moment >> 7;
        moment ^= moment << 17;
        let wait = Duration::from_millis(150 + moment % 850);
        let end = async {
            tokio::time::sleep(wait).await;
            shop.kill()
        };
        let (seen, ()) = futures::future::join(town.go_shopping(&shop.client, round), end).await;
        journal.extend(seen);
        shop.dies().await;
    }
    after_all(folder.path(), &town, journal).await;
}

/// Starts it again and checks that everything is as it was promised.
async fn after_all(folder: &Path, town: &Town, journal: Journal) {
    let mut shop = Process::start(folder, "").await;
    let counter = town.counter(&shop.client).await;
    journal.ask_again(&counter).await;
    wait_for("everything comes to rest", async || counter.is_quiet().await).await;
    journal.is_kept(&counter).await;
    books::add_up_at_the_counter(&counter).await;
    shop.stop().await;

    let orders = format!("sqlite://{}", folder.join("orders.db").display());
    books::add_up_in_the_database(&Db::open(&orders, &Options::default()).await.unwrap()).await;
}
