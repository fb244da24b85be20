use std::collections::HashMap;

use linfa::{
    DatasetBase, Error,
    traits::{Fit, PredictInplace},
};
use linfa_reduction::Pca;
use ndarray::Array2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{best, dot};

/// What products are like, for those that nobody has wanted yet: the principal components (linfa's PCA) of their facts
/// (brand, categories, tags, attributes). A fact weighs the more the fewer products share it.
#[derive(Clone, Debug)]
pub struct Attributes {
    /// How many components are kept.
    pub dimensions: usize,
    /// How many of the commonest facts are looked at.
    pub facts: usize,
    /// From so many products, spread evenly, the components are found; all are then described by them.
    pub sample: usize,
}

impl Default for Attributes {
    fn default() -> Self {
        Self { dimensions: 24, facts: 256, sample: 4_000 }
    }
}

/// A unit vector for each product that has facts, and zeros for others.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Likenesses {
    dimensions: usize,
    vectors: Vec<f32>,
}

impl Attributes {
    /// Learns from the facts of each product.
    pub fn fit(&self, products: &[Vec<String>]) -> Result<Likenesses, Error> {
        let facts = self.common(products);
        let chosen: Vec<usize> =
            (0..products.len()).step_by(products.len().div_ceil(self.sample).max(1)).collect();
        let dimensions = self.dimensions.min(facts.len() / 2).min(chosen.len() / 2);
        if dimensions == 0 {
            return Ok(Likenesses { dimensions: 0, vectors: Vec::new() });
        }
        let described = |chosen: &[usize]| {
            let mut described = Array2::<f64>::zeros((chosen.len(), facts.len()));
            for (mut row, product) in described.rows_mut().into_iter().zip(chosen) {
                let known = products[*product].iter().filter_map(|fact| facts.get(fact.as_str()));
                known.for_each(|(column, weight)| row[*column] = *weight);
            }
            described
        };
        let pca = Pca::params(dimensions)
            .fit(&DatasetBase::from(described(&chosen)))
            .map_err(|error| Error::NotConverged(error.to_string()))?;
        // Where the facts have fewer dimensions than were asked for, fewer are found.
        let dimensions = pca.components().nrows();
        let all: Vec<usize> = (0..products.len()).collect();
        let mut vectors = Vec::with_capacity(products.len() * dimensions);
        for block in all.chunks(1_000) {
            let records = described(block);
            let mut embedded = pca.default_target(&records);
            pca.predict_inplace(&records, &mut embedded);
            for (row, facts) in embedded.rows().into_iter().zip(records.rows()) {
                let length = row.dot(&row).sqrt();
                let scale = if length > 1e-9 && facts.sum() > 0.0 { 1.0 / length } else { 0.0 };
                vectors.extend(row.iter().map(|x| (x * scale) as f32));
            }
        }
        Ok(Likenesses { dimensions, vectors })
    }

    /// Facts that at least two products share, by column and weight.
    fn common<'a>(&self, products: &'a [Vec<String>]) -> HashMap<&'a str, (usize, f64)> {
        let mut counts = HashMap::<&str, usize>::new();
        products.iter().flatten().for_each(|fact| *counts.entry(fact).or_default() += 1);
        let mut shared: Vec<(&str, usize)> = counts.into_iter().filter(|(_, count)| *count > 1).collect();
        shared.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        shared.truncate(self.facts);
        let weight = |count: usize| (products.len() as f64 / count as f64).ln();
        shared.iter().enumerate().map(|(column, (fact, count))| (*fact, (column, weight(*count)))).collect()
    }
}

impl Likenesses {
    /// The cosine of two products: -1 to 1; 0 where nothing is known.
    pub fn likeness(&self, a: u32, b: u32) -> f32 {
        dot(self.vector(a), self.vector(b))
    }

    /// The products most like each of `of`, best first.
    pub fn nearest(&self, of: &[u32], limit: usize) -> Vec<Vec<(u32, f32)>> {
        let all = self.vectors.len().checked_div(self.dimensions).unwrap_or(0) as u32;
        let nearest = |product: &u32| {
            let others = (0..all).filter(|other| other != product);
            let mut list: Vec<(u32, f32)> = others.map(|o| (o, self.likeness(*product, o))).collect();
            list.retain(|(_, likeness)| *likeness > 0.1);
            best(&mut list, limit);
            list
        };
        of.par_iter().map(nearest).collect()
    }

    fn vector(&self, product: u32) -> &[f32] {
        self.vectors.get(product as usize * self.dimensions..).map_or(&[], |rest| &rest[..self.dimensions])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(product: usize) -> Vec<String> {
        let (kind, colour) = (["lamp", "chair", "mug"][product % 3], ["red", "blue"][product / 3 % 2]);
        vec![format!("category:{kind}"), format!("tag:{kind}s"), format!("colour:{colour}")]
    }

    #[test]
    fn what_shares_more_facts_is_more_alike() {
        let products: Vec<Vec<String>> = (0..30).map(facts).collect();
        let model = Attributes::default().fit(&products).unwrap();
        assert!(model.likeness(0, 6) > 0.99, "the same facts");
        assert!(model.likeness(0, 3) > model.likeness(0, 1), "both lamps rather than both red");
        let nearest = model.nearest(&[0], 4).remove(0);
        assert!(nearest.iter().all(|(product, _)| product % 6 == 0), "{nearest:?}");
    }

    #[test]
    fn nothing_is_like_what_nothing_is_known_of() {
        let mut products: Vec<Vec<String>> = (0..30).map(facts).collect();
        products.push(Vec::new());
        let model = Attributes::default().fit(&products).unwrap();
        assert!((0..30).all(|other| model.likeness(30, other) == 0.0));
        let empty = Attributes::default().fit(&[]).unwrap();
        assert!(empty.nearest(&[0], 3)[0].is_empty() && empty.likeness(0, 1) == 0.0);
    }
}
