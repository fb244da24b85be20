//! Large made-up data: the same seed makes the same shop, and a second run goes on where the first stopped.

mod products;

use std::{fmt, time::Instant};

use contracts::Ports;
use contracts::product::{ImportOutcome, ImportResult, Product};
use futures::{StreamExt, TryStreamExt};
use indicatif::{ProgressBar, ProgressStyle};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use serde::Serialize;
use shared::{Clock, Result, Time};

use crate::demo::{
    media,
    past::{Bought, Past, Terms},
    people::People,
    shop,
};

/// Products in one call.
const BATCH: u64 = 200;
/// Orders in one call.
const ORDERS: usize = 200;
/// How many products the made-up orders are drawn from: enough for variety, little enough to keep in memory.
const POOL: usize = 4_000;
/// The made-up orders lie in so many days before now.
const DAYS: u64 = 420;

/// How far long work is, for people at a terminal. Nothing is shown elsewhere.
pub struct Progress(ProgressBar);

impl Progress {
    /// On standard error if that is a terminal and `visible`.
    pub fn new(visible: bool) -> Self {
        Self(if visible { ProgressBar::new(0) } else { ProgressBar::hidden() })
    }

    /// A new stretch of work: `total` steps.
    pub fn begin(&self, what: &str, total: u64) {
        let style = ProgressStyle::with_template("{msg:12} {bar:40} {percent:>3}%  {eta} left");
        self.0.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        self.0.set_length(total);
        self.0.set_message(what.to_owned());
        self.0.reset();
    }

    /// So many steps more.
    pub fn advance(&self, steps: u64) {
        self.0.inc(steps);
    }

    /// So many of something whose total nobody knows.
    pub fn tell(&self, what: &str, count: u64) {
        let style = ProgressStyle::with_template("{spinner} {msg} {pos}");
        self.0.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        self.0.set_message(what.to_owned());
        self.0.set_position(count);
    }

    /// Takes it off the terminal.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// What was loaded. Counts are of what was asked for, whether or not it was there before.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    pub products: u64,
    /// Those of the products that were new.
    pub created: u64,
    /// Those that could not be taken, such as one whose SKU belongs to another product.
    pub failed: u64,
    pub customers: u64,
    pub orders: u64,
    pub milliseconds: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { products, created, failed, customers, orders, milliseconds } = self;
        write!(
            f,
            "loaded {products} products ({created} new, {failed} failed), {customers} customers and {orders} orders"
        )?;
        write!(f, " in {}.{:01} s", milliseconds / 1000, milliseconds % 1000 / 100)
    }
}

impl Report {
    /// Counts what became of a batch of products.
    pub(crate) fn count(&mut self, outcomes: &[ImportOutcome]) {
        self.products += outcomes.len() as u64;
        for outcome in outcomes {
            match &outcome.result {
                ImportResult::Created => self.created += 1,
                ImportResult::Updated | ImportResult::Unchanged => {}
                ImportResult::Failed { code, pointer, detail } => {
                    self.failed += 1;
                    tracing::warn!(slug = outcome.slug, code, pointer, detail, "a product was not taken");
                }
            }
        }
    }
}

/// Makes `products` products and then `orders` orders of them. Those of the same seed that are there already stay as
/// they are. Memory does not grow with the numbers.
pub async fn synthetic(
    ports: &Ports,
    clock: &dyn Clock,
    products: u64,
    orders: u64,
    seed: u64,
    progress: &Progress,
) -> Result<Report> {
    let started = Instant::now();
    let mut report = Report::default();
    make_products(ports, products, seed, progress, &mut report).await?;
    if orders > 0 {
        report.orders = orders;
        make_orders(ports, clock.now(), orders, seed, progress).await?;
    }
    progress.finish();
    report.milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(report)
}

async fn make_products(
    ports: &Ports,
    count: u64,
    seed: u64,
    progress: &Progress,
    report: &mut Report,
) -> Result<()> {
    let words = products::Words::load()?;
    media::store(ports, words.pictures(), progress).await?;
    progress.begin("products", count);
    let batches = (0..count).step_by(BATCH as usize).map(|first| {
        let batch = (first..count.min(first + BATCH)).map(|index| words.product(seed, index));
        ports.products.import(batch.collect(), false)
    });
    // While one batch is written the next is made and checked.
    let mut outcomes = futures::stream::iter(batches).buffered(2);
    while let Some(batch) = outcomes.try_next().await? {
        progress.advance(batch.len() as u64);
        report.count(&batch);
    }
    Ok(())
}

async fn make_orders(ports: &Ports, now: Time, count: u64, seed: u64, progress: &Progress) -> Result<()> {
    shop::open(ports).await?;
    let terms = Terms::load(ports, now).await?;
    let people = People::load()?;
    let pool = sellable(ports, seed).await?;
    if pool.is_empty() {
        return Ok(());
    }
    progress.begin("orders", count);
    let made = (0..count).map(|index| order(seed, index, count, &pool, &people).record(&terms));
    let mut batches = futures::stream::iter(made).chunks(ORDERS);
    while let Some(batch) = batches.next().await {
        let (orders, payments): (Vec<_>, Vec<_>) =
            batch.into_iter().collect::<Result<Vec<_>>>()?.into_iter().unzip();
        let size = orders.len() as u64;
        ports.orders.import(orders).await?;
        ports.payments.import(payments).await?;
        progress.advance(size);
    }
    Ok(())
}

/// A fair sample of the published products, whatever their number.
async fn sellable(ports: &Ports, seed: u64) -> Result<Vec<Product>> {
    let mut rng = generator(seed, "pool", 0);
    let (mut pool, mut seen, mut after) = (Vec::new(), 0_usize, None);
    loop {
        let page = ports.products.export(after, 500).await?;
        let Some(last) = page.last() else { return Ok(pool) };
        after = Some(last.id);
        for product in page.into_iter().filter(|p| p.published_at.is_some() && !p.variants.is_empty()) {
            seen += 1;
            if pool.len() < POOL {
                pool.push(product);
            } else if let Some(place) = pool.get_mut(rng.random_range(0..seen)) {
                *place = product;
            }
        }
    }
}

/// The order of this index: one of a third as many buyers takes one to four things, best sellers more often.
fn order<'a>(seed: u64, index: u64, count: u64, pool: &'a [Product], people: &People) -> Past<'a> {
    let mut rng = generator(seed, "order", index);
    let buyer = rng.random_range(0..count.div_ceil(3));
    let mut buyers_own = generator(seed, "buyer", buyer);
    let country = people.any_country(&mut buyers_own);
    let person = people.person(country, &format!("{seed}-{buyer}"), &mut buyers_own);
    let mut bought: Vec<Bought<'a>> = Vec::new();
    for _ in 0..rng.random_range(1..=4) {
        let product = &pool[(rng.random::<f64>().powi(2) * pool.len() as f64) as usize];
        let variant = &product.variants[rng.random_range(0..product.variants.len())];
        if bought.iter().all(|other| other.variant.id != variant.id) {
            bought.push(Bought { product, variant, quantity: quantity(&mut rng) });
        }
    }
    let age = rng.random_range(600..DAYS * 86_400);
    Past {
        seed: format!("synthetic:{seed}:{index}"),
        person,
        customer_id: None,
        bought,
        age,
        luck: rng.random(),
    }
}

/// Mostly one.
pub(crate) fn quantity(rng: &mut impl Rng) -> i64 {
    match rng.random_range(0..100) {
        0..88 => 1,
        88..97 => 2,
        _ => rng.random_range(3..=4),
    }
}

/// A generator of its own for each thing, so that nothing depends on what was made before it.
pub(crate) fn generator(seed: u64, what: &str, index: u64) -> StdRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&index.to_le_bytes());
    for (byte, letter) in bytes[16..].iter_mut().zip(what.bytes()) {
        *byte = letter;
    }
    StdRng::from_seed(bytes)
}
