//! What is answered: candidates, their order, and why.

mod candidates;
mod lists;

use std::{collections::HashSet, sync::Arc};

use contracts::{
    product::{CategoryId, ProductId},
    recommendation::{Context, InteractionKind, Reason, Recommended, Visitor},
};
use shared::Time;

use crate::{
    activity::{Activity, Seen},
    catalogue::{Card, Catalogue},
    demand::Demand,
    learn::Features,
    trained::Trained,
};

use candidates::Candidates;
use lists::List;

/// So many of the last doings decide what is personal.
const LAST: usize = 20;
/// How much each of them counts beside the one after it.
const FADE: f32 = 0.85;
/// So many of the best candidates are looked at closely.
const CLOSE: usize = 80;

/// All that an answer is made of. Borrowed for one answer.
pub struct Answers<'a> {
    pub catalogue: &'a Catalogue,
    pub activity: &'a Activity,
    pub demand: &'a Demand,
    pub trained: Option<&'a Indexed>,
    pub per_category: usize,
    pub now: Time,
}

/// A model with its products found by id.
pub struct Indexed {
    pub trained: Trained,
    index: std::collections::HashMap<ProductId, u32>,
}

impl Indexed {
    /// Ready for answers.
    pub fn new(trained: Trained) -> Self {
        let index = trained.products.iter().copied().zip(0..).collect();
        Self { trained, index }
    }

    fn number(&self, product: ProductId) -> Option<u32> {
        self.index.get(&product).copied()
    }
}

/// Something that speaks for others like it.
struct Source {
    product: ProductId,
    weight: f32,
    kind: InteractionKind,
    at: Time,
    card: Option<Arc<Card>>,
}

impl Answers<'_> {
    pub fn related(&self, product: ProductId, context: &Context) -> Vec<Recommended> {
        let source = self.source(product, InteractionKind::View, self.now, 1.0);
        let card = source.card.clone();
        let mut list = self.list(context, [product]);
        let reason = |_: &Source| Reason::Related { product_id: product };
        list.extend(self.learned(&[source], &list, reason));
        self.fill(list, card.iter())
    }

    pub fn bought_together(&self, products: &[ProductId], context: &Context) -> Vec<Recommended> {
        let mut list = self.list(context, products.iter().copied());
        if let Some(model) = self.trained {
            let mut found = Vec::<Recommended>::new();
            for (product_id, number) in products.iter().filter_map(|id| Some((*id, model.number(*id)?))) {
                for rule in model.trained.rules.of(number) {
                    let other = model.trained.products[rule.product as usize];
                    match found.iter_mut().find(|known| known.product_id == other) {
                        Some(known) => known.score += rule.strength(),
                        None => found.push(Recommended {
                            product_id: other,
                            score: rule.strength(),
                            reason: Reason::BoughtTogether { product_id },
                        }),
                    }
                }
            }
            found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.product_id.cmp(&b.product_id)));
            list.extend(found);
        }
        list.finish()
    }

    pub fn personal(&self, visitor: Visitor, context: &Context) -> Vec<Recommended> {
        let sources = self.sources(self.activity.of(visitor));
        let mut list = self.list(context, sources.iter().map(|source| source.product));
        let reason = |source: &Source| match source.kind {
            InteractionKind::View => Reason::Viewed { product_id: source.product },
            InteractionKind::CartAdd => Reason::CartAdded { product_id: source.product },
            InteractionKind::Purchase => Reason::Bought { product_id: source.product },
        };
        list.extend(self.learned(&sources, &list, reason));
        self.fill(list, sources.iter().filter_map(|source| source.card.as_ref()))
    }

    pub fn trending(&self, context: &Context) -> Vec<Recommended> {
        let lists = self.demand.lists();
        let mut list = self.list(context, []);
        let trend = |(product_id, score): &(ProductId, f32)| Recommended {
            product_id: *product_id,
            score: *score,
            reason: Reason::Trending,
        };
        list.extend(lists.trending.iter().map(trend));
        list.finish()
    }

    pub fn recently_viewed(&self, visitor: Visitor, context: &Context) -> Vec<Recommended> {
        let seen = self.activity.of(visitor);
        let viewed = seen.iter().filter(|seen| seen.kind == InteractionKind::View);
        let mut list = self.list(context, []);
        list.per_category = usize::MAX;
        list.extend(viewed.map(|seen| Recommended {
            product_id: seen.product,
            score: seen.at.seconds() as f32,
            reason: Reason::RecentlyViewed,
        }));
        list.finish()
    }

    /// What is known now of products that were shown to the visitor, or beside a product.
    pub fn features(
        &self,
        visitor: Visitor,
        beside: Option<ProductId>,
        shown: &[ProductId],
    ) -> Vec<Features> {
        let sources = match beside {
            Some(product) => vec![self.source(product, InteractionKind::View, self.now, 1.0)],
            None => self.sources(self.activity.of(visitor)),
        };
        let candidates = self.trained.map(|model| Candidates::new(model, &sources));
        let places = shown.iter().enumerate();
        places
            .map(|(place, product)| {
                let card = self.catalogue.get(*product);
                let number = self.trained.and_then(|model| model.number(*product));
                let known = candidates.as_ref().zip(number).zip(card);
                let features = known
                    .map(|((candidates, number), card)| candidates.features(number, &card, &sources, self).0);
                Features { position: 1.0 / (place as f32 + 1.0), ..features.unwrap_or_default() }
            })
            .collect()
    }

    /// Candidates of the model in the order of the ranking. Those that `list` would not take are not looked at.
    fn learned(
        &self,
        sources: &[Source],
        list: &List<'_>,
        reason: impl Fn(&Source) -> Reason,
    ) -> Vec<Recommended> {
        let Some(model) = self.trained.filter(|_| !sources.is_empty()) else { return Vec::new() };
        let candidates = Candidates::new(model, sources);
        let mut found = Vec::with_capacity(CLOSE);
        for (number, blend) in candidates.best() {
            let product_id = model.trained.products[number as usize];
            let Some(card) = list.takes(product_id) else { continue };
            let (features, source) = candidates.features(number, &card, sources, self);
            let ranker = model.trained.ranker.as_ref();
            let score = ranker.map_or(blend, |ranker| ranker.score(&features));
            let source = &sources[source];
            let similar = candidates.is_only_alike(number);
            let reason =
                if similar { Reason::Similar { product_id: source.product } } else { reason(source) };
            found.push(Recommended { product_id, score, reason });
            if found.len() == CLOSE {
                break;
            }
        }
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found
    }

    /// Where there is room, and all there is before the first training: what sells best of the kinds that were seen, then of
    /// all.
    fn fill<'c>(&self, mut list: List<'_>, seen: impl Iterator<Item = &'c Arc<Card>>) -> Vec<Recommended> {
        let mut tried = HashSet::new();
        for category in seen.flat_map(|card| &card.categories).copied().map(Some).chain([None]) {
            if list.is_full() {
                break;
            }
            if tried.insert(category) {
                list.extend(self.best_sellers(category));
            }
        }
        list.finish()
    }

    fn best_sellers(&self, category_id: Option<CategoryId>) -> Vec<Recommended> {
        let lists = self.demand.lists();
        let sellers = match category_id {
            Some(category) => lists.of_category.get(&category),
            None => Some(&lists.sellers),
        };
        let seller = |(product_id, score): &(ProductId, f32)| Recommended {
            product_id: *product_id,
            score: *score,
            reason: Reason::BestSeller { category_id },
        };
        sellers.into_iter().flatten().map(seller).collect()
    }

    /// The last doings, each product once, with what each has to say.
    fn sources(&self, seen: Vec<Seen>) -> Vec<Source> {
        let mut sources: Vec<Source> = Vec::new();
        for Seen { product, kind, at } in seen {
            if sources.iter().any(|source| source.product == product) {
                continue;
            }
            let faded = FADE.powi(sources.len() as i32);
            sources.push(self.source(product, kind, at, faded * crate::model::weight(kind).sqrt()));
            if sources.len() == LAST {
                break;
            }
        }
        sources
    }

    fn source(&self, product: ProductId, kind: InteractionKind, at: Time, weight: f32) -> Source {
        Source { product, weight, kind, at, card: self.catalogue.get(product) }
    }

    fn list(&self, context: &Context, also: impl IntoIterator<Item = ProductId>) -> List<'_> {
        let excluded: HashSet<ProductId> = context.exclude.iter().copied().chain(also).collect();
        List::new(self.catalogue, excluded, context.limit.clamp(1, 50) as usize, self.per_category)
    }
}
