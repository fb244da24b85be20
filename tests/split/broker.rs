//! RabbitMQ is killed, throws everybody out, and has no memory left.

use std::time::{Duration, Instant};

use shared::{Time, time::system_clock};

use crate::{
    cluster::{Cluster, within},
    kills,
    load::{Load, Traffic},
    shop::{DEADLINE, Shop},
};

/// How soon every process is connected again, and how soon everything has come to rest after an alarm.
const BACK: Duration = Duration::from_secs(5);
const DRAINED: Duration = Duration::from_secs(30);

const ALARM: Duration = Duration::from_secs(20);

pub async fn f10_the_broker_is_killed(shop: &Shop) {
    let load = Load::start(shop).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = connections(shop);
    shop.cluster.stop_server("rabbitmq", "KILL").await;
    shop.cluster.server_again("rabbitmq").await;
    let killed = everybody_is_back(shop, &before, Some(system_clock().now())).await;
    tokio::time::sleep(Duration::from_secs(3)).await;

    let before = connections(shop);
    shop.cluster.rabbitmq(&["close_all_connections", "experiment"]).await;
    let closed = everybody_is_back(shop, &before, None).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let Traffic { looks, purchases, journal } = load.end().await;
    println!(
        "F10: all connected {killed:.1?} after it took connections; {closed:.1?} without one when thrown out"
    );
    println!("F10: looks: {looks}; purchases: {purchases}, {} placed", purchases.with_status(201));
    assert!(killed <= BACK && closed <= BACK, "{killed:?} {closed:?}");
    assert!(looks.slowest() <= DEADLINE && purchases.slowest() <= 2 * DEADLINE, "{looks} {purchases}");
    shop.owes_nobody_anything(journal).await;
}

/// When each process said that it had lost a connection, and that it had one again.
struct Said {
    lost: Vec<Time>,
    back: Vec<Time>,
}

fn connections(shop: &Shop) -> Vec<Said> {
    let instances = Cluster::instances().into_iter();
    let said = instances.map(|(service, n)| shop.cluster.said(&format!("{service}-{n}")));
    let when = |said: &str, what: &str| {
        let lines = said.lines().filter(|line| line.contains(what));
        let read = |line| serde_json::from_str::<serde_json::Value>(line).unwrap();
        lines.map(|line| serde_json::from_value(read(line)["timestamp"].clone()).unwrap()).collect()
    };
    said.map(|said| Said {
        lost: when(&said, "no connection to the broker"),
        back: when(&said, "the broker is back"),
    })
    .collect()
}

/// Waits until every process has lost both of its connections and has them again. Says how long the slowest was without
/// one, counted from `since` if that is later than its loss.
async fn everybody_is_back(shop: &Shop, before: &[Said], since: Option<Time>) -> Duration {
    let mut longest = 0;
    within(Duration::from_secs(30), "everybody is connected", async || {
        let now = connections(shop);
        longest = 0;
        now.iter().zip(before).all(|(now, before)| {
            let (lost, back) = (&now.lost[before.lost.len()..], &now.back[before.back.len()..]);
            let (Some(first), Some(last)) = (lost.first(), back.last()) else { return false };
            let begun = since.map_or(*first, |since| since.max(*first));
            longest = longest.max(last.micros() - begun.micros());
            back.len() >= 2 && back.len() == lost.len()
        })
    })
    .await;
    Duration::from_micros(longest.try_into().unwrap())
}

pub async fn f12_the_broker_has_no_memory_left(shop: &Shop) {
    let load = Load::start(shop).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    shop.cluster.rabbitmq(&["set_vm_memory_high_watermark", "0.00001"]).await;
    let alarm = Instant::now();
    tokio::time::sleep(ALARM).await;
    shop.cluster.rabbitmq(&["set_vm_memory_high_watermark", "0.6"]).await;
    let healed = Instant::now();
    let journal = kills::buys(shop).await;
    let first = healed.elapsed();
    let Traffic { looks, purchases, journal: more } = load.end().await;
    println!("F12: looks: {looks}; purchases: {purchases}, {} placed", purchases.with_status(201));
    println!("F12: an alarm of {:.0?}; somebody bought {first:.1?} after it", healed - alarm);
    assert!(looks.slowest() <= DEADLINE && purchases.slowest() <= 2 * DEADLINE, "{looks} {purchases}");
    let mut all = journal;
    all.extend(more);
    let counter = shop.counter().await;
    within(DRAINED, "everything comes to rest", async || counter.is_quiet().await).await;
    println!("F12: drained {:.1?} after the alarm", healed.elapsed());
    shop.owes_nobody_anything(all).await;
}
