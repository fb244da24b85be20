use std::collections::HashMap;

use super::{Answers, Indexed, Source};
use crate::{
    catalogue::Card,
    learn::{Features, best, dot},
};

/// At most so many products, the most wanted ones, are compared with a taste: they fit into a processor's cache. The rest is
/// found by its neighbours.
const SCANNED: usize = 5_000;
/// So many of them are candidates.
const TASTE: usize = 100;
/// So many neighbours speak for all sources together, each for its share.
const NEIGHBOURS: usize = 1_200;
/// What is like something says less than what is wanted with it.
const ALIKE: f32 = 0.3;
/// Half of the recency is gone after so many seconds.
const RECENT: f32 = 3_600.0;

/// What speaks for products, from some sources.
pub struct Candidates<'a> {
    model: &'a Indexed,
    /// Sources that the model knows: number in the model, place among the sources, weight.
    known: Vec<(u32, usize, f32)>,
    taste: Vec<f32>,
    wanted: HashMap<u32, Wanted>,
    best_taste: f32,
    best_neighbour: f32,
    tasty: Vec<u32>,
}

/// How near a product is to the sources, and to which most.
#[derive(Clone, Copy, Default)]
struct Wanted {
    sum: f32,
    most: f32,
    source: usize,
    /// Somebody has wanted both.
    together: bool,
}

impl<'a> Candidates<'a> {
    pub fn new(model: &'a Indexed, sources: &[Source]) -> Self {
        let known: Vec<(u32, usize, f32)> = sources
            .iter()
            .enumerate()
            .filter_map(|(place, source)| Some((model.number(source.product)?, place, source.weight)))
            .collect();
        let blend = &model.trained.blend;
        let mut sorted = known.clone();
        sorted.sort_unstable_by_key(|(number, _, _)| *number);
        let numbers: Vec<u32> = sorted.iter().map(|(number, _, _)| *number).collect();
        let weights: Vec<f32> = sorted.iter().map(|(_, _, weight)| *weight).collect();
        let taste = blend.factors.fold_in(&numbers, &weights);
        let mut tasty: Vec<(u32, f32)> = Vec::new();
        if !known.is_empty() {
            let scanned = blend.factors.products().min(SCANNED) as u32;
            tasty.extend((0..scanned).map(|number| (number, dot(&taste, blend.factors.vector(number)))));
            best(&mut tasty, TASTE);
        }
        let mut wanted = HashMap::<u32, Wanted>::new();
        for (number, place, weight) in &known {
            let mut add = |other: u32, score: f32, together: bool| {
                let wanted = wanted.entry(other).or_default();
                wanted.sum += weight * score;
                wanted.together |= together;
                if weight * score > wanted.most {
                    (wanted.most, wanted.source) = (weight * score, *place);
                }
            };
            let mut strongest = 0.0;
            for (other, score) in blend.neighbours.of(*number).take(NEIGHBOURS / known.len()) {
                strongest = score.max(strongest);
                add(other, score, true);
            }
            let unit = if strongest > 0.0 { strongest * ALIKE } else { 1.0 };
            for (other, likeness) in model.trained.alike.get(number).into_iter().flatten() {
                add(*other, unit * likeness, false);
            }
        }
        let best_neighbour = wanted.values().map(|wanted| wanted.sum).fold(f32::MIN_POSITIVE, f32::max);
        let best_taste = tasty.first().map_or(1.0, |(_, score)| score.max(f32::MIN_POSITIVE));
        let tasty = tasty.into_iter().map(|(number, _)| number).collect();
        Self { model, known, taste, wanted, best_taste, best_neighbour, tasty }
    }

    /// All candidates by the blend of both scores, best first.
    pub fn best(&self) -> Vec<(u32, f32)> {
        let mut all: Vec<u32> = self.wanted.keys().copied().collect();
        all.extend(self.tasty.iter().filter(|number| !self.wanted.contains_key(number)));
        let mut all: Vec<(u32, f32)> = all.into_iter().map(|number| (number, self.blend(number).0)).collect();
        let count = all.len();
        best(&mut all, count);
        all
    }

    /// Nobody has wanted it with any of the sources: it is only like one.
    pub fn is_only_alike(&self, number: u32) -> bool {
        self.wanted.get(&number).is_some_and(|wanted| !wanted.together)
    }

    fn blend(&self, number: u32) -> (f32, f32, f32) {
        let blend = &self.model.trained.blend;
        let factors = dot(&self.taste, blend.factors.vector(number)) / self.best_taste;
        let neighbours = self.wanted.get(&number).map_or(0.0, |wanted| wanted.sum / self.best_neighbour);
        (blend.of(factors, neighbours), factors, neighbours)
    }

    /// What is known of a candidate, and which of the sources speaks for it most.
    pub fn features(
        &self,
        number: u32,
        card: &Card,
        sources: &[Source],
        answers: &Answers<'_>,
    ) -> (Features, usize) {
        let trained = &self.model.trained;
        let (blend, factors, neighbours) = self.blend(number);
        let place = self.wanted.get(&number).map(|wanted| wanted.source).or_else(|| {
            let near = |(source, _, weight): &(u32, usize, f32)| {
                weight * trained.blend.factors.likeness(*source, number)
            };
            self.known.iter().max_by(|a, b| near(a).total_cmp(&near(b))).map(|(_, place, _)| *place)
        });
        let place = place.unwrap_or(0);
        let mut features = Features {
            blend,
            factors,
            neighbours,
            rating: card.rating,
            popularity: answers.demand.lists().popularity.get(&card.id).copied().unwrap_or(0.0),
            ..Features::default()
        };
        if let Some(source) = sources.get(place) {
            let age = answers.now.since(source.at).as_secs_f32();
            features.recency = RECENT / (RECENT + age);
            if let Some(seen) = &source.card {
                features.price_distance = card.price_distance(seen);
            }
            if let Some(known) = self.model.number(source.product) {
                features.likeness = trained.likenesses.likeness(known, number);
                let rule = trained.rules.of(known).iter().find(|rule| rule.product == number);
                features.rule = rule.map_or(0.0, |rule| rule.strength() / (1.0 + rule.strength()));
            }
            let same = |source: &&Source| {
                let seen = source.card.as_ref().and_then(|card| card.category());
                seen.is_some() && seen == card.category()
            };
            features.category = sources.iter().filter(same).count() as f32 / sources.len() as f32;
        }
        (features, place)
    }
}
