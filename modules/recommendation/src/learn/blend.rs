use linfa::traits::PredictInplace;
use ndarray::{Array2, ArrayViewMut1, Zip};
use serde::{Deserialize, Serialize};

use super::{Factors, Interactions, Neighbours};

/// Factors and neighbours together: each finds what the other overlooks. Neighbours know what goes with one product,
/// factors what a taste as a whole wants.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Blend {
    /// The taste.
    pub factors: Factors,
    /// What goes together.
    pub neighbours: Neighbours,
    /// How much the factors have to say: 0 to 1.
    pub share: f32,
}

impl Blend {
    /// The two scores of a product, each by the best of its kind, as one.
    pub fn of(&self, factors: f32, neighbours: f32) -> f32 {
        self.share * factors + (1.0 - self.share) * neighbours
    }
}

impl PredictInplace<Interactions, Array2<f32>> for Blend {
    fn predict_inplace(&self, visitors: &Interactions, scores: &mut Array2<f32>) {
        self.factors.predict_inplace(visitors, scores);
        let mut others = self.neighbours.default_target(visitors);
        self.neighbours.predict_inplace(visitors, &mut others);
        for (mut row, mut other) in scores.rows_mut().into_iter().zip(others.rows_mut()) {
            by_the_best(&mut row);
            by_the_best(&mut other);
            Zip::from(row).and(other).for_each(|a, b| *a = self.of(*a, *b));
        }
    }

    fn default_target(&self, visitors: &Interactions) -> Array2<f32> {
        self.factors.default_target(visitors)
    }
}

/// Scales so that the best is 1.
fn by_the_best(row: &mut ArrayViewMut1<'_, f32>) {
    let best = row.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    row.mapv_inplace(|score| score / best);
}

/// What everybody wants, for everybody the same: what any other must beat.
#[derive(Clone, Debug)]
pub struct Popularity(Vec<f32>);

impl Popularity {
    /// Each product's number of visitors.
    pub fn of(data: &Interactions) -> Self {
        let mut visitors = vec![0.0; data.products()];
        for visitor in 0..data.visitors() {
            data.row(visitor).0.iter().for_each(|product| visitors[*product as usize] += 1.0);
        }
        Self(visitors)
    }
}

impl PredictInplace<Interactions, Array2<f32>> for Popularity {
    fn predict_inplace(&self, _: &Interactions, scores: &mut Array2<f32>) {
        for mut row in scores.rows_mut() {
            row.iter_mut().zip(&self.0).for_each(|(score, visitors)| *score = *visitors);
        }
    }

    fn default_target(&self, visitors: &Interactions) -> Array2<f32> {
        Array2::zeros((visitors.visitors(), visitors.products()))
    }
}

#[cfg(test)]
mod tests {
    use linfa::{
        DatasetBase,
        traits::{Fit, Predict},
    };

    use super::*;
    use crate::learn::{Als, ItemItem};

    #[test]
    fn a_blend_lies_between_its_parts() {
        let entries = (0..30_u32).flat_map(|v| (0..3).map(move |i| (v, (v % 3) * 4 + (v / 3 + i) % 4, 1.0)));
        let data = DatasetBase::new(Interactions::new(30, 12, entries), ());
        let factors = Als { dimensions: 4, ..Als::default() }.fit(&data).unwrap();
        let neighbours = ItemItem::default().fit(&data).unwrap();
        let scores = |share| -> Array2<f32> {
            Blend { factors: factors.clone(), neighbours: neighbours.clone(), share }.predict(&data)
        };
        let (none, half, all) = (scores(0.0), scores(0.5), scores(1.0));
        assert!((half[[0, 3]] - (none[[0, 3]] + all[[0, 3]]) / 2.0).abs() < 1e-5);
        let popular: Array2<f32> = Popularity::of(data.records()).predict(&data);
        assert_eq!(popular.row(0), popular.row(29));
    }
}
