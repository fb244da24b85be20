//! What is wanted, with time: sums that fade.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use arc_swap::ArcSwap;
use contracts::{
    product::{CategoryId, ProductId},
    recommendation::{Interaction, InteractionKind},
};
use shared::Time;

use crate::{catalogue::Catalogue, learn::best, model};

const DAY: f64 = 86_400.0;
/// Half of what was wanted so long ago still counts, in seconds: for what is new, for what is usual, for what sells.
const NEW: f64 = 3.0 * DAY;
const USUAL: f64 = 30.0 * DAY;
const SALES: f64 = 90.0 * DAY;
/// A product is wanted so much usually before anything is known of it: a single look is no trend.
const PRIOR: f64 = 5.0;
/// How long the lists are: longer than any answer, as some of it will be sold out or in the cart.
const LONGEST: usize = 400;

/// Sums of all products.
pub struct Demand {
    sums: Mutex<Sums>,
    lists: ArcSwap<Lists>,
}

struct Sums {
    /// All sums are as of then: a later event weighs more in place of the earlier ones less, so nothing has to fade.
    since: Time,
    products: HashMap<ProductId, Sum>,
}

#[derive(Clone, Copy, Default)]
struct Sum {
    new: f64,
    usual: f64,
    sales: f64,
}

/// What is most wanted, best first.
#[derive(Debug, Default)]
pub struct Lists {
    /// What sells best.
    pub sellers: Vec<(ProductId, f32)>,
    /// The same by category.
    pub of_category: HashMap<CategoryId, Vec<(ProductId, f32)>>,
    /// What is wanted more than usual.
    pub trending: Vec<(ProductId, f32)>,
    /// How well each sells: 0 to 1.
    pub popularity: HashMap<ProductId, f32>,
}

impl Demand {
    /// Nothing is wanted yet.
    pub fn new(now: Time) -> Self {
        Self { sums: Mutex::new(Sums { since: now, products: HashMap::new() }), lists: ArcSwap::default() }
    }

    /// Somebody wanted something.
    pub fn add(&self, interaction: &Interaction) {
        self.lock().add(interaction, 1.0);
    }

    /// It has turned out that nobody did.
    pub fn remove(&self, interaction: &Interaction) {
        self.lock().add(interaction, -1.0);
    }

    /// Forgets all and counts anew.
    pub fn rebuild<'a>(&self, interactions: impl Iterator<Item = &'a Interaction>, now: Time) {
        let mut sums = Sums { since: now, products: HashMap::new() };
        interactions.for_each(|interaction| sums.add(interaction, 1.0));
        *self.lock() = sums;
    }

    /// The lists as they were last made.
    pub fn lists(&self) -> Arc<Lists> {
        self.lists.load_full()
    }

    /// Makes the lists anew, of what can be bought.
    pub fn list(&self, catalogue: &Catalogue, now: Time) {
        let cards = catalogue.all();
        let (mut ids, mut sellers, mut trends) = (Vec::new(), Vec::new(), Vec::new());
        {
            let sums = self.lock();
            let faded = |half_life: f64| (-(seconds(sums.since, now)) / half_life).exp2();
            let (new_faded, usual_faded, sales_faded) = (faded(NEW), faded(USUAL), faded(SALES));
            for (number, card) in (0..).zip(cards.iter().filter(|card| card.is_sellable())) {
                let sum = sums.products.get(&card.id).copied().unwrap_or_default();
                let usual = sum.usual * usual_faded;
                // What nobody has bought comes after all that somebody has, in the order it is looked at.
                sellers.push((number, (sum.sales * sales_faded + 1e-4 * usual) as f32));
                let rate = sum.new * new_faded / NEW;
                let trend = rate / ((usual + PRIOR) / USUAL);
                if trend > 1.0 {
                    trends.push((number, trend as f32));
                }
                ids.push(card.clone());
            }
        }
        let count = sellers.len();
        best(&mut sellers, count);
        best(&mut trends, LONGEST);
        let top = sellers.first().map_or(1.0, |(_, sales)| sales.max(f32::MIN_POSITIVE));
        let named =
            |list: &[(u32, f32)]| list.iter().map(|(number, x)| (ids[*number as usize].id, *x)).collect();
        let mut of_category = HashMap::<CategoryId, Vec<(ProductId, f32)>>::new();
        for (number, sales) in &sellers {
            let card = &ids[*number as usize];
            for category in &card.categories {
                let list = of_category.entry(*category).or_default();
                if list.len() < LONGEST {
                    list.push((card.id, *sales));
                }
            }
        }
        let popularity =
            sellers.iter().map(|(number, sales)| (ids[*number as usize].id, (sales / top).sqrt())).collect();
        sellers.truncate(LONGEST);
        let lists = Lists { sellers: named(&sellers), of_category, trending: named(&trends), popularity };
        self.lists.store(Arc::new(lists));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Sums> {
        self.sums.lock().expect("nobody panics while holding the sums")
    }
}

impl Sums {
    fn add(&mut self, interaction: &Interaction, times: f64) {
        let grown = |half_life: f64| (seconds(self.since, interaction.at) / half_life).exp2();
        let (new, usual, sales) = (grown(NEW), grown(USUAL), grown(SALES));
        let weight = times * f64::from(model::weight(interaction.kind));
        let sum = self.products.entry(interaction.product_id).or_default();
        // What is taken away may be older than what the sums were made of.
        sum.new = (sum.new + weight * new).max(0.0);
        sum.usual = (sum.usual + weight * usual).max(0.0);
        if interaction.kind == InteractionKind::Purchase {
            sum.sales = (sum.sales + times * sales).max(0.0);
        }
    }
}

/// From one moment to another; negative if that was before.
fn seconds(from: Time, to: Time) -> f64 {
    (to.micros() - from.micros()) as f64 / 1e6
}
