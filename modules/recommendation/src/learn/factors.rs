use linfa::{
    DatasetBase, Error,
    traits::{Fit, PredictInplace},
};
use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut2, Axis};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Interactions;

/// How many rows are solved side by side: their products with the Gram matrix become one matrix product.
const BLOCK: usize = 128;

/// Factorisation of implicit feedback by alternating least squares.
///
/// After Hu, Koren and Volinsky, *Collaborative Filtering for Implicit Feedback Datasets* (ICDM 2008): visitor `u` wants
/// product `i` (`p = 1`) with confidence `c = 1 + α w`, or is not known to (`p = 0`, `c = 1`); found are vectors that
/// minimise
///
/// `Σ c (p - x·y)² + λ (Σ s(u) |x|² + Σ s(i) |y|²)`
///
/// With one side fixed the other is a ridge regression per row, `(YᵀY + Yᵀ(C - 1)Y + λ s I) x = Yᵀ C p`, whose matrix is
/// never built: a few steps of conjugate gradient from the last solution do (Takács, Pilászy and Tikk, *Applications of
/// the Conjugate Gradient Method for Implicit Feedback Collaborative Filtering*, RecSys 2011). The penalty grows with what
/// is known, so that one λ does for small shops and large ones: `s = k̄ (k / k̄)^ν`, where `k` is the confidence in all that
/// a row wants and `k̄` its mean over the rows of that side. (`ν = 1` is what Rendle, Krichene, Zhang and Koren found best in
/// *Revisiting the Performance of iALS on Item Recommendation Benchmarks*, RecSys 2022, on far denser data; here 0 is.)
#[derive(Clone, Debug)]
pub struct Als {
    /// The length of the vectors.
    pub dimensions: usize,
    /// How often both sides are solved.
    pub iterations: usize,
    /// Conjugate gradient steps of each solution.
    pub steps: usize,
    /// α: how much more is believed of what was wanted.
    pub confidence: f32,
    /// λ.
    pub penalty: f32,
    /// ν.
    pub exponent: f32,
    /// How much less a visitor says of a product who wants more of them than most, 0 (no less) to 1: the `w` of somebody
    /// who wants `n` products is multiplied by `(mean n / n)^evenness`. BM25 does the same by its document frequency.
    pub evenness: f32,
    /// Draws the first vectors.
    pub seed: u64,
}

impl Default for Als {
    fn default() -> Self {
        Self {
            dimensions: 64,
            iterations: 15,
            steps: 3,
            confidence: 1.0,
            penalty: 0.25,
            exponent: 0.0,
            evenness: 0.5,
            seed: 1,
        }
    }
}

/// What was found: a vector for each product, and what a visitor's vector is solved from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Factors {
    dimensions: usize,
    products: Vec<f32>,
    /// `YᵀY`.
    gram: Vec<f32>,
    confidence: f32,
    /// λ and what goes with it, of the visitors' side.
    penalty: f32,
    exponent: f32,
    steps: usize,
}

impl Fit<Interactions, (), Error> for Als {
    type Object = Factors;

    fn fit(&self, data: &DatasetBase<Interactions, ()>) -> Result<Factors, Error> {
        if self.dimensions == 0 {
            return Err(Error::Parameters("an empty vector says nothing".into()));
        }
        let visitors = &self.even(data.records());
        let products = visitors.transposed();
        let mut draws = StdRng::seed_from_u64(self.seed);
        let mut first = |rows| {
            Array2::from_shape_simple_fn((rows, self.dimensions), || {
                (draws.random::<f32>() - 0.5) / (self.dimensions as f32).sqrt()
            })
        };
        let (mut x, mut y) = (first(visitors.visitors()), first(visitors.products()));
        for _ in 0..self.iterations {
            self.solve(visitors, y.view(), &mut x);
            self.solve(&products, x.view(), &mut y);
        }
        let gram = y.t().dot(&y);
        Ok(Factors {
            dimensions: self.dimensions,
            gram: gram.into_raw_vec_and_offset().0,
            products: y.into_raw_vec_and_offset().0,
            confidence: self.confidence,
            penalty: self.penalty_of(visitors),
            exponent: self.exponent,
            steps: self.steps,
        })
    }
}

impl Als {
    /// See [`Als::evenness`].
    fn even(&self, visitors: &Interactions) -> Interactions {
        let mean = visitors.len() as f32 / visitors.visitors().max(1) as f32;
        let scale = |row| (mean / visitors.row(row).0.len().max(1) as f32).powf(self.evenness);
        let scales: Vec<f32> = (0..visitors.visitors()).map(scale).collect();
        visitors.reweighted(|row, _, weight| weight * scales[row])
    }

    /// `λ k̄^(1-ν)`.
    fn penalty_of(&self, rows: &Interactions) -> f32 {
        let known: f32 = (0..rows.visitors()).map(|row| known(rows.row(row).1, self.confidence)).sum();
        let mean = (known / rows.visitors().max(1) as f32).max(1.0);
        self.penalty * mean.powf(1.0 - self.exponent)
    }

    fn solve(&self, data: &Interactions, fixed: ArrayView2<'_, f32>, solved: &mut Array2<f32>) {
        let gram = fixed.t().dot(&fixed);
        let system = System {
            gram: gram.view(),
            fixed: fixed.view(),
            confidence: self.confidence,
            penalty: self.penalty_of(data),
            exponent: self.exponent,
        };
        let rows = solved.as_slice_mut().expect("built in standard layout");
        rows.par_chunks_mut(BLOCK * self.dimensions).enumerate().for_each(|(block, rows)| {
            let count = rows.len() / self.dimensions;
            let solved = ArrayViewMut2::from_shape((count, self.dimensions), rows).expect("whole rows");
            let wanted = |row: usize| data.row(block * BLOCK + row);
            system.improve(&wanted, solved, self.steps);
        });
    }
}

/// One side's regressions.
struct System<'a> {
    gram: ArrayView2<'a, f32>,
    fixed: ArrayView2<'a, f32>,
    confidence: f32,
    penalty: f32,
    exponent: f32,
}

impl System<'_> {
    /// Takes `steps` of conjugate gradient for each row of `solved`, which wants what `wanted` says.
    fn improve<'d>(
        &self,
        wanted: &impl Fn(usize) -> (&'d [u32], &'d [f32]),
        mut solved: ArrayViewMut2<'_, f32>,
        steps: usize,
    ) {
        let count = solved.nrows();
        let penalties: Array1<f32> = (0..count)
            .map(|row| {
                let known = known(wanted(row).1, self.confidence);
                self.penalty * known.max(1.0).powf(self.exponent)
            })
            .collect();
        // r = b - A x
        let mut residual = self.product(wanted, &solved.view(), &penalties);
        residual.mapv_inplace(|a| -a);
        for (row, mut r) in residual.rows_mut().into_iter().enumerate() {
            let r = r.as_slice_mut().expect("rows are contiguous");
            let (others, weights) = wanted(row);
            for (other, weight) in others.iter().zip(weights) {
                add(r, 1.0 + self.confidence * weight, self.vector(*other));
            }
        }
        let mut direction = residual.clone();
        let mut errors: Array1<f32> = residual.rows().into_iter().map(|r| r.dot(&r)).collect();
        for _ in 0..steps {
            let image = self.product(wanted, &direction.view(), &penalties);
            for row in 0..count {
                let error = errors[row];
                let curvature = direction.row(row).dot(&image.row(row));
                if error <= 1e-20 || curvature <= 0.0 {
                    continue;
                }
                let step = error / curvature;
                solved.row_mut(row).scaled_add(step, &direction.row(row));
                residual.row_mut(row).scaled_add(-step, &image.row(row));
                let r = residual.row(row);
                errors[row] = r.dot(&r);
                let keep = errors[row] / error;
                direction.row_mut(row).zip_mut_with(&r, |d, r| *d = r + keep * *d);
            }
        }
    }

    /// `A x` of each row.
    fn product<'d>(
        &self,
        wanted: &impl Fn(usize) -> (&'d [u32], &'d [f32]),
        x: &ArrayView2<'_, f32>,
        penalties: &Array1<f32>,
    ) -> Array2<f32> {
        let mut image = x.dot(&self.gram);
        for (row, mut image) in image.axis_iter_mut(Axis(0)).enumerate() {
            let image = image.as_slice_mut().expect("rows are contiguous");
            let x = x.row(row);
            let x = x.to_slice().expect("rows are contiguous");
            add(image, penalties[row], x);
            let (others, weights) = wanted(row);
            for (other, weight) in others.iter().zip(weights) {
                let y = self.vector(*other);
                add(image, self.confidence * weight * dot(y, x), y);
            }
        }
        image
    }

    fn vector(&self, row: u32) -> &[f32] {
        self.fixed.row(row as usize).to_slice().expect("rows are contiguous")
    }
}

impl Factors {
    /// The vector of somebody who wants these, solved anew: two rounds of conjugate gradient from nothing.
    pub fn fold_in(&self, products: &[u32], weights: &[f32]) -> Vec<f32> {
        let mut vector = vec![0.0; self.dimensions];
        let view = ArrayViewMut2::from_shape((1, self.dimensions), &mut vector).expect("one row");
        self.system().improve(&|_| (products, weights), view, 2 * self.steps);
        vector
    }

    /// How much somebody with this vector wants the product: about 0 to 1.
    pub fn score(&self, vector: &[f32], product: u32) -> f32 {
        dot(vector, self.vector(product))
    }

    /// The cosine of two products' vectors.
    pub fn likeness(&self, a: u32, b: u32) -> f32 {
        let (a, b) = (self.vector(a), self.vector(b));
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(f32::MIN_POSITIVE)
    }

    /// The product's vector.
    pub fn vector(&self, product: u32) -> &[f32] {
        &self.products[product as usize * self.dimensions..][..self.dimensions]
    }

    /// How many products there are.
    pub fn products(&self) -> usize {
        self.products.len() / self.dimensions
    }

    fn matrix(&self) -> ArrayView2<'_, f32> {
        ArrayView2::from_shape((self.products(), self.dimensions), &self.products).expect("whole rows")
    }

    fn system(&self) -> System<'_> {
        let shape = (self.dimensions, self.dimensions);
        System {
            gram: ArrayView2::from_shape(shape, &self.gram).expect("a square"),
            fixed: self.matrix(),
            confidence: self.confidence,
            penalty: self.penalty,
            exponent: self.exponent,
        }
    }
}

impl PredictInplace<Interactions, Array2<f32>> for Factors {
    /// Visitors are folded in: they need not be those of the training.
    fn predict_inplace(&self, visitors: &Interactions, scores: &mut Array2<f32>) {
        let mut vectors = Array2::zeros((visitors.visitors(), self.dimensions));
        self.system().improve(&|row| visitors.row(row), vectors.view_mut(), 2 * self.steps);
        scores.assign(&vectors.dot(&self.matrix().t()));
    }

    fn default_target(&self, visitors: &Interactions) -> Array2<f32> {
        Array2::zeros((visitors.visitors(), visitors.products()))
    }
}

/// The confidence in all that a row wants.
fn known(weights: &[f32], confidence: f32) -> f32 {
    weights.len() as f32 + confidence * weights.iter().sum::<f32>()
}

/// Eight sums side by side, which the compiler makes vector instructions of.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (mut lanes, a, b) = ([0.0_f32; 8], a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a.zip(b) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f32>() + rest
}

/// `to += scale * from`.
fn add(to: &mut [f32], scale: f32, from: &[f32]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += scale * from);
}

#[cfg(test)]
mod tests {
    use linfa::traits::Predict;
    use rand::seq::IndexedRandom;

    use super::*;

    /// Forty visitors with one of two tastes, each with five of the taste's ten products.
    fn tastes() -> Interactions {
        let mut draws = StdRng::seed_from_u64(3);
        let entries = (0..40_u32).flat_map(|visitor| {
            let taste: Vec<u32> = (0..10).map(|p| (visitor % 2) * 10 + p).collect();
            let wanted: Vec<u32> = taste.sample(&mut draws, 5).copied().collect();
            wanted.into_iter().map(move |p| (visitor, p, 1.0))
        });
        Interactions::new(40, 20, entries.collect::<Vec<_>>())
    }

    fn fitted() -> Factors {
        Als { dimensions: 6, ..Als::default() }.fit(&DatasetBase::new(tastes(), ())).unwrap()
    }

    #[test]
    fn tastes_are_told_apart() {
        let (data, model) = (tastes(), fitted());
        let scores: Array2<f32> = model.predict(&DatasetBase::new(data, ()));
        for (visitor, row) in scores.rows().into_iter().enumerate() {
            let own: f32 = (0..10).map(|p| row[(visitor % 2) * 10 + p]).sum();
            assert!(own > 0.8 * row.sum(), "{visitor}: {own} of {}", row.sum());
        }
        let mean = |others: std::ops::Range<u32>| {
            others.clone().map(|other| model.likeness(0, other)).sum::<f32>() / others.len() as f32
        };
        assert!(mean(1..10) > mean(11..20) + 0.1);
    }

    #[test]
    fn one_and_many_are_folded_in_alike() {
        let (data, model) = (tastes(), fitted());
        let (products, weights) = data.row(7);
        let vector = model.fold_in(products, weights);
        let scores: Array2<f32> = model.predict(&DatasetBase::new(data.select(&[3, 7]), ()));
        for product in 0..20 {
            assert!((scores[[1, product]] - model.score(&vector, product as u32)).abs() < 1e-4);
        }
    }

    /// The gradient of the loss is zero where the regression is solved.
    #[test]
    fn conjugate_gradient_solves_the_normal_equations() {
        let (data, model) = (tastes(), fitted());
        let (products, weights) = data.row(0);
        let mut vector = vec![0.0; 6];
        let view = ArrayViewMut2::from_shape((1, 6), &mut vector).unwrap();
        model.system().improve(&|_| (products, weights), view, 30);
        let known: f32 = weights.iter().map(|w| 1.0 + model.confidence * w).sum();
        for d in 0..6 {
            let mut gradient = model.penalty * known.powf(model.exponent) * vector[d];
            for product in 0..20 {
                let wanted = products.contains(&product);
                let (p, c) = if wanted { (1.0, 1.0 + model.confidence) } else { (0.0, 1.0) };
                gradient -= c * (p - model.score(&vector, product)) * model.vector(product)[d];
            }
            assert!(gradient.abs() < 1e-3, "{gradient}");
        }
    }

    #[test]
    fn the_same_seed_finds_the_same() {
        assert_eq!(fitted().products, fitted().products);
        assert!(Als { dimensions: 0, ..Als::default() }.fit(&DatasetBase::new(tastes(), ())).is_err());
    }

    #[test]
    fn inner_products_have_no_length_limit() {
        let a: Vec<f32> = (0..19).map(|n| n as f32).collect();
        assert_eq!(dot(&a, &a), (0..19).map(|n| (n * n) as f32).sum::<f32>());
    }
}
