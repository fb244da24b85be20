//! What is learned of all interactions: made in the background, never changed, swapped as a whole.

use std::collections::{BTreeMap, HashMap};

use contracts::{
    product::ProductId,
    recommendation::{Interaction, InteractionKind, VisitorId},
};
use linfa::{DatasetBase, traits::Fit};
use serde::{Deserialize, Serialize};
use shared::{Error, Result};

use crate::{
    evaluate::{Candidates, Log},
    learn::{
        Attributes, Blend, BoughtTogether, Features, Interactions, Likenesses, Neighbours, Ranker, Ranking,
        Rules,
    },
    model::{self, Settings, Who},
};

/// Fewer neighbours than these, and products that are like it are added.
const FEW: usize = 10;
/// So many of those.
const ALIKE: usize = 30;
/// Doing the same again and again says no more than so much.
const MOST: f32 = 10.0;

/// What is trained from.
pub struct Material {
    pub interactions: Vec<Interaction>,
    /// Every product with its facts.
    pub products: Vec<(ProductId, Vec<String>)>,
    /// What was shown, the oldest first, and whether it was clicked.
    pub shown: Vec<(Features, bool)>,
}

/// A model.
#[derive(Serialize, Deserialize)]
pub struct Trained {
    /// Products by number, the most wanted first.
    pub products: Vec<ProductId>,
    pub blend: Blend,
    pub rules: Rules,
    pub likenesses: Likenesses,
    /// What is like those products that have few neighbours.
    pub alike: HashMap<u32, Vec<(u32, f32)>>,
    pub ranker: Option<Ranker>,
    /// How many visitors it knows.
    pub visitors: u64,
    /// What it was trained from.
    pub interactions: u64,
}

/// Learns all there is to learn. Takes its time: not for an async thread.
pub fn train(material: &Material, candidates: &Candidates, settings: &Settings) -> Result<Trained> {
    let numbered = Numbered::new(material);
    let data = DatasetBase::new(numbered.log.interactions(), ());
    let failed = |error: linfa::Error| Error::internal(error.to_string());
    let blend = candidates.fit(&data).map_err(failed)?;
    let bought = BoughtTogether {
        min_baskets: settings.min_support,
        min_confidence: settings.min_confidence,
        min_lift: settings.min_lift,
        ..BoughtTogether::default()
    };
    let rules = bought.fit(&DatasetBase::new(numbered.baskets(material), ())).map_err(failed)?;
    let facts: HashMap<ProductId, &Vec<String>> =
        material.products.iter().map(|(product, facts)| (*product, facts)).collect();
    let facts: Vec<Vec<String>> = numbered
        .products
        .iter()
        .map(|product| facts.get(product).cloned().cloned().unwrap_or_default())
        .collect();
    let likenesses = Attributes::default().fit(&facts).map_err(failed)?;
    let alike = alike(&blend.neighbours, &likenesses);
    let ranker = Ranking::default().fit(&material.shown).map_err(failed)?;
    Ok(Trained {
        visitors: numbered.log.visitors.len() as u64,
        interactions: material.interactions.len() as u64,
        products: numbered.products,
        blend,
        rules,
        likenesses,
        alike,
        ranker,
    })
}

fn alike(neighbours: &Neighbours, likenesses: &Likenesses) -> HashMap<u32, Vec<(u32, f32)>> {
    let lonely = |product: &u32| neighbours.of(*product).count() < FEW;
    let lonely: Vec<u32> = (0..neighbours.products() as u32).filter(lonely).collect();
    let lists = likenesses.nearest(&lonely, ALIKE);
    lonely.into_iter().zip(lists).filter(|(_, list)| !list.is_empty()).collect()
}

/// The shop's interactions as a log with the names it is evaluated by.
pub fn log(interactions: &[Interaction]) -> Log {
    let material = Material { interactions: interactions.to_vec(), products: Vec::new(), shown: Vec::new() };
    Numbered::new(&material).log
}

/// Visitors and products by number.
struct Numbered {
    products: Vec<ProductId>,
    log: Log,
    index: HashMap<ProductId, u32>,
}

impl Numbered {
    fn new(material: &Material) -> Self {
        let mut wanted = BTreeMap::<ProductId, usize>::new();
        material.products.iter().for_each(|(product, _)| *wanted.entry(*product).or_default() += 0);
        material.interactions.iter().for_each(|one| *wanted.entry(one.product_id).or_default() += 1);
        let mut products: Vec<ProductId> = wanted.keys().copied().collect();
        products.sort_by_key(|product| std::cmp::Reverse(wanted[product]));
        let index: HashMap<ProductId, u32> = products.iter().copied().zip(0..).collect();

        // A visitor who has become a customer is that customer.
        let known = |one: &Interaction| Some((one.visitor.visitor_id?, one.visitor.customer_id?));
        let customers: HashMap<VisitorId, _> = material.interactions.iter().filter_map(known).collect();
        let mut numbers = HashMap::<Who, u32>::new();
        let mut sums = BTreeMap::<(u32, u32), (i64, f32)>::new();
        for one in &material.interactions {
            let who = match Who::of(one.visitor) {
                Some(Who::Anonymous(id)) => {
                    customers.get(&id).map_or(Who::Anonymous(id), |customer| Who::Customer(*customer))
                }
                Some(who) => who,
                None => continue,
            };
            let next = numbers.len() as u32;
            let visitor = *numbers.entry(who).or_insert(next);
            let sum = sums.entry((visitor, index[&one.product_id])).or_insert((one.at.micros(), 0.0));
            *sum = (sum.0.min(one.at.micros()), (sum.1 + model::weight(one.kind)).min(MOST));
        }
        let events =
            sums.into_iter().map(|((visitor, product), (at, weight))| (visitor, product, at, weight));
        let events: Vec<_> = events.collect();
        // Names of visitors would be personal, and nobody needs them.
        let visitors = (0..numbers.len()).map(|number| number.to_string()).collect();
        let names = products.iter().map(ToString::to_string).collect();
        Self { log: Log { visitors, products: names, events }, products, index }
    }

    /// What was bought by the same visitor at the same moment.
    fn baskets(&self, material: &Material) -> Interactions {
        let mut baskets = HashMap::<(Who, i64), u32>::new();
        let mut entries = Vec::new();
        for one in material.interactions.iter().filter(|one| one.kind == InteractionKind::Purchase) {
            if let Some(who) = Who::of(one.visitor) {
                let next = baskets.len() as u32;
                let basket = *baskets.entry((who, one.at.micros())).or_insert(next);
                entries.push((basket, self.index[&one.product_id], 1.0));
            }
        }
        Interactions::new(baskets.len(), self.products.len(), entries)
    }
}
