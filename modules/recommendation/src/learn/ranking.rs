use linfa::{DatasetBase, Error, ParamGuard, traits::FitWith};
use linfa_ftrl::Ftrl;
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

/// How many facts the ranking knows of a candidate.
pub const FEATURES: usize = 12;

/// What is known of a candidate for a visitor. All are about 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Features {
    /// What factors and neighbours say together.
    pub blend: f32,
    /// What the factors say, by the best candidate's.
    pub factors: f32,
    /// What the neighbours say, by the best candidate's.
    pub neighbours: f32,
    /// How strongly it is bought with what was seen, saturating.
    pub rule: f32,
    /// How much it is like what was seen.
    pub likeness: f32,
    /// How recently the reason for it was seen.
    pub recency: f32,
    /// How far its price is from what was seen.
    pub price_distance: f32,
    /// Its stars, few of them counting less.
    pub rating: f32,
    /// How well it sells.
    pub popularity: f32,
    /// The share of what was seen that is of its category.
    pub category: f32,
    /// How far up it was shown; nothing when it is ranked. Who learns from clicks without it learns that what was shown
    /// first is good.
    pub position: f32,
}

impl Features {
    fn row(&self) -> [f32; FEATURES] {
        let f = self;
        [
            1.0,
            f.blend,
            f.factors,
            f.neighbours,
            f.rule,
            f.likeness,
            f.recency,
            f.price_distance,
            f.rating,
            f.popularity,
            f.category,
            f.position,
        ]
    }
}

/// Learns from what was shown what will be clicked: logistic regression by follow-the-regularised-leader (McMahan et al.,
/// *Ad Click Prediction: a View from the Trenches*, KDD 2013), linfa's, fed in mini-batches.
#[derive(Clone, Debug)]
pub struct Ranking {
    /// How fast it learns.
    pub rate: f32,
    /// How many shown products are one step.
    pub batch: usize,
    /// It is not listened to before it has seen so many.
    pub min_shown: u64,
    /// Nor before so many of them were clicked.
    pub min_clicked: u64,
}

impl Default for Ranking {
    fn default() -> Self {
        Self { rate: 0.1, batch: 32, min_shown: 2_000, min_clicked: 100 }
    }
}

/// What was learned.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ranker {
    model: Ftrl<f32>,
    weights: [f32; FEATURES],
    /// Shown products it was learned from.
    pub shown: u64,
    /// Those of them that were clicked.
    pub clicked: u64,
}

impl Ranking {
    /// Learns from products in the order they were shown, and whether each was clicked.
    pub fn fit(&self, shown: &[(Features, bool)]) -> Result<Option<Ranker>, Error> {
        let clicked = shown.iter().filter(|(_, clicked)| *clicked).count() as u64;
        if (shown.len() as u64) < self.min_shown || clicked < self.min_clicked {
            return Ok(None);
        }
        let failed = |error: linfa_ftrl::FtrlError| Error::NotConverged(error.to_string());
        let params = Ftrl::<f32>::params().alpha(self.rate).beta(1.0).l1_ratio(0.001).l2_ratio(0.1);
        let params = params.check().map_err(failed)?;
        let mut model = None;
        for batch in shown.chunks(self.batch) {
            let rows: Vec<f32> = batch.iter().flat_map(|(features, _)| features.row()).collect();
            let records = Array2::from_shape_vec((batch.len(), FEATURES), rows)?;
            let targets: Array1<bool> = batch.iter().map(|(_, clicked)| *clicked).collect();
            model = Some(params.fit_with(model, &DatasetBase::new(records, targets)).map_err(failed)?);
        }
        Ok(model.map(|model| {
            let mut weights = [0.0; FEATURES];
            weights.iter_mut().zip(model.get_weights()).for_each(|(to, weight)| *to = weight);
            Ranker { model, weights, shown: shown.len() as u64, clicked }
        }))
    }
}

impl Ranker {
    /// Orders candidates: the log-odds of a click.
    pub fn score(&self, features: &Features) -> f32 {
        features.row().iter().zip(self.weights).map(|(value, weight)| value * weight).sum()
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    use super::*;

    /// People click what sells and what is near in price, and what is shown first.
    fn clicks(count: usize) -> Vec<(Features, bool)> {
        let mut draws = StdRng::seed_from_u64(5);
        let mut shown = || {
            let features = Features {
                blend: draws.random(),
                popularity: draws.random(),
                price_distance: draws.random(),
                position: draws.random(),
                ..Features::default()
            };
            let f = &features;
            let odds = -3.0 + 3.0 * f.popularity - 2.0 * f.price_distance + 2.0 * f.position;
            let clicked = draws.random::<f32>() < 1.0 / (1.0 + (-odds).exp());
            (features, clicked)
        };
        (0..count).map(|_| shown()).collect()
    }

    #[test]
    fn it_learns_what_is_clicked() {
        let ranker = Ranking::default().fit(&clicks(20_000)).unwrap().unwrap();
        let base = Features { blend: 0.5, popularity: 0.5, price_distance: 0.5, ..Features::default() };
        let score = ranker.score(&base);
        assert!(ranker.score(&Features { popularity: 1.0, ..base }) > score + 0.5);
        assert!(ranker.score(&Features { price_distance: 1.0, ..base }) < score - 0.4);
        let indifferent = ranker.score(&Features { blend: 1.0, ..base }) - score;
        assert!(indifferent.abs() < 0.4, "{indifferent}");
    }

    #[test]
    fn it_is_not_listened_to_before_it_knows_enough() {
        assert!(Ranking::default().fit(&clicks(500)).unwrap().is_none());
        assert!(Ranking::default().fit(&[]).unwrap().is_none());
    }
}
