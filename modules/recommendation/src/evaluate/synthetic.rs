use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::Log;

/// A made-up world in which people have tastes.
#[derive(Clone, Copy, Debug)]
pub struct Taste {
    pub visitors: u32,
    pub products: u32,
    pub interactions: u32,
    /// How many tastes there are. A product belongs to one or two, a visitor has up to three.
    pub tastes: u32,
    /// How often somebody wants just anything.
    pub noise: f64,
    /// How often the next thing is what goes with the last one.
    pub together: f64,
    /// The same seed makes the same world.
    pub seed: u64,
}

impl Default for Taste {
    fn default() -> Self {
        Self {
            visitors: 2_000,
            products: 2_000,
            interactions: 100_000,
            tastes: 40,
            noise: 0.15,
            together: 0.15,
            seed: 7,
        }
    }
}

/// What these people do, in the order they do it. Few products are wanted by many (the popularity within a taste falls
/// with the place, as Zipf's law says), some people do much more than others, and each wants a thing once.
pub fn synthetic(world: &Taste) -> Log {
    let mut draws = StdRng::seed_from_u64(world.seed);
    let shelves = shelves(world, &mut draws);
    let partners: Vec<[u32; 3]> = (0..world.products)
        .map(|product| {
            let shelf = &shelves[(product % world.tastes) as usize];
            std::array::from_fn(|_| shelf[draws.random_range(0..shelf.len())])
        })
        .collect();
    let people: Vec<[u32; 3]> =
        (0..world.visitors).map(|_| std::array::from_fn(|_| draws.random_range(0..world.tastes))).collect();
    let mut had = vec![std::collections::HashSet::new(); world.visitors as usize];
    let mut last = vec![None::<u32>; world.visitors as usize];
    let mut events = Vec::with_capacity(world.interactions as usize);
    let mut at = 0;
    while events.len() < world.interactions as usize {
        at += 1;
        // Squared: some come much more often.
        let visitor = (draws.random::<f64>().powi(2) * f64::from(world.visitors)) as u32;
        let product = match last[visitor as usize] {
            _ if draws.random_bool(world.noise) => draws.random_range(0..world.products),
            Some(last) if draws.random_bool(world.together) => {
                partners[last as usize][draws.random_range(0..3)]
            }
            _ => {
                // Half of the time the first taste, then the second, then the third.
                let tastes = people[visitor as usize];
                let taste = tastes[(draws.random::<f64>().powi(2) * 3.0) as usize];
                let shelf = &shelves[taste as usize];
                shelf[zipf(shelf.len(), draws.random())]
            }
        };
        last[visitor as usize] = Some(product);
        if had[visitor as usize].insert(product) {
            events.push((visitor, product, at, 1.0));
        } else if at > 50 * i64::from(world.interactions) {
            break;
        }
    }
    let names = |prefix: char, count: u32| (0..count).map(|n| format!("{prefix}{n}")).collect();
    Log { visitors: names('v', world.visitors), products: names('p', world.products), events }
}

/// The products of each taste, the most wanted first.
fn shelves(world: &Taste, draws: &mut StdRng) -> Vec<Vec<u32>> {
    let mut shelves = vec![Vec::new(); world.tastes as usize];
    for product in 0..world.products {
        shelves[(product % world.tastes) as usize].push(product);
        if draws.random_bool(0.3) {
            shelves[draws.random_range(0..world.tastes as usize)].push(product);
        }
    }
    shelves
}

/// A place out of `count`, the chance of which falls about as one by the place.
fn zipf(count: usize, luck: f64) -> usize {
    (((count as f64 + 1.0).powf(luck)) as usize - 1).min(count - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{Candidates, evaluate};

    fn small() -> Taste {
        Taste { visitors: 300, products: 200, interactions: 6_000, tastes: 8, ..Taste::default() }
    }

    #[test]
    fn the_same_seed_makes_the_same_world() {
        let (one, other) = (synthetic(&small()), synthetic(&small()));
        assert_eq!(one.events, other.events);
        assert_ne!(one.events, synthetic(&Taste { seed: 8, ..small() }).events);
        assert!(one.events.is_sorted_by_key(|(_, _, at, _)| *at));
    }

    #[test]
    fn what_is_learned_beats_popularity_and_co_occurrence() {
        let split = synthetic(&small()).split(0.2);
        let report = evaluate(&split, &Candidates::default()).unwrap();
        let ndcg = |name: &str| report.lines.iter().find(|l| l.name == name).unwrap().scores.ndcg;
        let both = ndcg("bodega (both)");
        assert!(both.low > ndcg("popularity").high, "{report:#?}");
        assert!(both.mean > ndcg("co-occurrence").mean, "{report:#?}");
    }
}
