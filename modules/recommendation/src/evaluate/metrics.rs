use std::{collections::HashSet, fmt};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::Serialize;

use super::Split;

/// How long the judged lists are.
pub const CUT: usize = 10;
/// How many times the judged visitors are drawn anew for the confidence intervals.
const DRAWS: usize = 1_000;

/// A mean over the judged visitors with its 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    pub mean: f64,
    pub low: f64,
    pub high: f64,
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mean, low, high } = self;
        f.pad(&format!("{mean:.4} ({low:.4}-{high:.4})"))
    }
}

/// How good lists of ten are. Every number is 0 to 1, more is better.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Scores {
    /// The share of visitors with at least one hit.
    pub hit_rate: Estimate,
    /// The share of what was wanted that was in the list.
    pub recall: Estimate,
    /// Hits, those further up counting more (Järvelin and Kekäläinen 2002), by the best list there could be.
    pub ndcg: Estimate,
    /// One by the place of the first hit.
    pub mrr: Estimate,
    /// The share of all products that is in any list.
    pub coverage: f64,
}

/// Judges lists, one for each of the split's visitors who wanted something.
pub fn scores(lists: &[Vec<u32>], split: &Split) -> Scores {
    let judged: Vec<[f64; 4]> =
        lists.iter().zip(&split.wanted).map(|(list, wanted)| judge(list, &wanted.products)).collect();
    let [hit_rate, recall, ndcg, mrr] = intervals(&judged);
    let shown: HashSet<u32> = lists.iter().flat_map(|list| list.iter().take(CUT)).copied().collect();
    let coverage = shown.len() as f64 / split.training.products().max(1) as f64;
    Scores { hit_rate, recall, ndcg, mrr, coverage }
}

/// Hit, recall, NDCG and reciprocal rank of one list.
fn judge(list: &[u32], wanted: &[u32]) -> [f64; 4] {
    let gain = |place: usize| 1.0 / (place as f64 + 2.0).log2();
    let places = list.iter().take(CUT).enumerate().filter(|(_, product)| wanted.contains(product));
    let hits: Vec<usize> = places.map(|(place, _)| place).collect();
    let ideal: f64 = (0..wanted.len().min(CUT)).map(gain).sum();
    [
        f64::from(u8::from(!hits.is_empty())),
        hits.len() as f64 / wanted.len() as f64,
        hits.iter().map(|place| gain(*place)).sum::<f64>() / ideal,
        hits.first().map_or(0.0, |place| 1.0 / (*place as f64 + 1.0)),
    ]
}

/// Percentile bootstrap (Efron 1979): the same number of visitors is drawn with repetition, again and again.
fn intervals(judged: &[[f64; 4]]) -> [Estimate; 4] {
    let mean = |of: &mut dyn Iterator<Item = &[f64; 4]>| {
        let mut sums = [0.0; 4];
        of.for_each(|one| sums.iter_mut().zip(one).for_each(|(sum, x)| *sum += x));
        sums.map(|sum| sum / judged.len().max(1) as f64)
    };
    let means = mean(&mut judged.iter());
    let mut draws = StdRng::seed_from_u64(1);
    let mut drawn: Vec<[f64; 4]> = Vec::with_capacity(DRAWS);
    for _ in 0..if judged.is_empty() { 0 } else { DRAWS } {
        drawn.push(mean(&mut (0..judged.len()).map(|_| &judged[draws.random_range(0..judged.len())])));
    }
    std::array::from_fn(|metric| {
        let mut all: Vec<f64> = drawn.iter().map(|means| means[metric]).collect();
        all.sort_by(f64::total_cmp);
        let at = |share: f64| all.get((share * all.len() as f64) as usize).copied().unwrap_or(means[metric]);
        Estimate { mean: means[metric], low: at(0.025), high: at(0.975) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{evaluate::Wanted, learn::Interactions};

    #[test]
    fn a_list_is_judged_as_the_books_say() {
        let [hit, recall, ndcg, mrr] = judge(&[7, 1, 9, 2], &[1, 2, 3]);
        assert_eq!((hit, mrr), (1.0, 0.5));
        assert!((recall - 2.0 / 3.0).abs() < 1e-12);
        let dcg = 1.0 / 3.0_f64.log2() + 1.0 / 5.0_f64.log2();
        let ideal = 1.0 + 1.0 / 3.0_f64.log2() + 0.5;
        assert!((ndcg - dcg / ideal).abs() < 1e-12);
        assert_eq!(judge(&[1, 2], &[3]), [0.0; 4]);
        let late: Vec<u32> = (10..20).chain([3]).collect();
        assert_eq!(judge(&late, &[3]), [0.0; 4], "the eleventh place is not shown");
    }

    #[test]
    fn intervals_hold_the_mean_and_shrink_with_more_visitors() {
        let width = |n: u32| {
            let wanted = |visitor| Wanted { visitor, products: vec![visitor % 2] };
            let split = Split {
                training: Interactions::new(n as usize, 4, []),
                wanted: (0..n).map(wanted).collect(),
                at: 0,
            };
            let Scores { hit_rate, coverage, .. } = scores(&vec![vec![0]; n as usize], &split);
            assert_eq!((hit_rate.mean, coverage), (0.5, 0.25));
            assert!(hit_rate.low <= 0.5 && hit_rate.high >= 0.5);
            hit_rate.high - hit_rate.low
        };
        assert!(width(1_000) < width(100));
    }
}
