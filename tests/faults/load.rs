//! Visitors and shoppers who come at a steady rate, whether they are served or not.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::Method;
use tokio::{
    sync::oneshot,
    task::{JoinHandle, JoinSet},
};

use crate::{
    client::Client,
    figures::{Figures, Seen},
    journal::{Journal, Purchase},
    shop::{EVERY, Shop},
    shoppers::{Counter, KINDS, Kind, Town},
};

/// Every so manyth buys something; the others look.
const BUYS: usize = 8;

/// People who keep coming until [`Load::end`].
pub struct Load {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Traffic>,
}

/// What they have seen.
#[derive(Default)]
pub struct Traffic {
    /// Looks at pages and lists.
    pub looks: Figures,
    /// Plain purchases, each a cart and a checkout.
    pub purchases: Figures,
    /// What was bought, in whatever way.
    pub journal: Journal,
}

#[expect(clippy::large_enum_variant, reason = "one at a time is on its way")]
enum Visit {
    Look(Seen),
    Buy(Option<Purchase>, Option<Seen>),
}

impl Load {
    pub async fn start(shop: &Shop) -> Self {
        let counter = Arc::new(shop.town.counter(&shop.guest).await);
        let (town, (stop, stopped)) = (shop.town.clone(), oneshot::channel());
        Self { stop, task: tokio::spawn(come(town, counter, stopped)) }
    }

    /// Nobody comes any more; whoever is there gets an answer.
    pub async fn end(self) -> Traffic {
        self.stop.send(()).ok();
        self.task.await.unwrap()
    }

    /// What they see in so long a time.
    pub async fn of(shop: &Shop, time: Duration) -> Traffic {
        let load = Self::start(shop).await;
        tokio::time::sleep(time).await;
        load.end().await
    }
}

async fn come(town: Arc<Town>, counter: Arc<Counter>, mut stopped: oneshot::Receiver<()>) -> Traffic {
    let mut ticks = tokio::time::interval(EVERY);
    let mut at_work = JoinSet::new();
    for number in 0.. {
        tokio::select! {
            biased;
            _ = &mut stopped => break,
            _ = ticks.tick() => {}
        }
        let (town, counter) = (town.clone(), counter.clone());
        if number % BUYS == 0 {
            at_work.spawn(async move { buy(&town, &counter, number / BUYS).await });
        } else {
            at_work.spawn(async move { look(&town, &counter.guest, number).await });
        }
    }
    let (mut looks, mut purchases, mut journal) = (Vec::new(), Vec::new(), Vec::new());
    for visit in at_work.join_all().await {
        match visit {
            Visit::Look(seen) => looks.push(seen),
            Visit::Buy(purchase, seen) => {
                journal.extend(purchase);
                purchases.extend(seen);
            }
        }
    }
    let (looks, purchases) = (looks.into_iter().collect(), purchases.into_iter().collect());
    Traffic { looks, purchases, journal: journal.into_iter().collect() }
}

async fn look(town: &Town, guest: &Client, number: usize) -> Visit {
    let goods = &town.goods[number % 2];
    let path = match number % 3 {
        0 => format!("/products/{}", goods.slug),
        1 => format!("/api/v1/products/{}", goods.slug),
        _ => "/api/v1/products".to_owned(),
    };
    let asked = Instant::now();
    let answer = guest.root(Method::GET, &path).try_send().await;
    let status = answer.map_or(0, |answer| answer.status);
    Visit::Look(Seen { asked, took: asked.elapsed(), status })
}

/// Every other one simply buys; between them comes one of every kind.
async fn buy(town: &Town, counter: &Counter, number: usize) -> Visit {
    let kind = if number.is_multiple_of(2) { Kind::Pays } else { KINDS[number / 2 % KINDS.len()] };
    let email = format!("shopper-{number}-{}@example.com", crate::harness::fresh());
    let asked = Instant::now();
    let purchase = town.shop_alone(&counter.guest, &counter.owner, kind, email).await;
    let took = asked.elapsed();
    let status = purchase.as_ref().map_or(503, |p| p.answer.as_ref().map_or(0, |answer| answer.status));
    let seen = (kind == Kind::Pays).then_some(Seen { asked, took, status });
    Visit::Buy(purchase, seen)
}
