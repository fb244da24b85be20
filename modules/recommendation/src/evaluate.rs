//! How good recommendations are: on what was wanted later, which the training has not seen.

mod log;
mod metrics;
mod synthetic;

use std::fmt;

use linfa::{
    DatasetBase, Error,
    traits::{Fit, PredictInplace},
};
use ndarray::Array2;
use serde::Serialize;

use crate::learn::{Als, Blend, Interactions, ItemItem, Popularity, Weighting, best};

pub use log::{Log, Split, Wanted};
pub use metrics::{CUT, Estimate, Scores, scores};
pub use synthetic::{Taste, synthetic};

/// How many visitors are scored at a time: all products of all visitors would need too much memory.
const BLOCK: usize = 256;

/// Both estimators and how they are put together.
#[derive(Clone, Debug)]
pub struct Candidates {
    /// What goes together.
    pub item_item: ItemItem,
    /// Tastes.
    pub als: Als,
    /// How much the factors have to say.
    pub share: f32,
}

impl Default for Candidates {
    fn default() -> Self {
        Self { item_item: ItemItem::default(), als: Als::default(), share: 0.6 }
    }
}

impl Candidates {
    /// Trains both.
    pub fn fit(&self, data: &DatasetBase<Interactions, ()>) -> Result<Blend, Error> {
        Ok(Blend { neighbours: self.item_item.fit(data)?, factors: self.als.fit(data)?, share: self.share })
    }
}

/// A line of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// What recommended.
    pub name: String,
    /// How well.
    #[serde(flatten)]
    pub scores: Scores,
}

/// What was compared, on what.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Visitors, products and interactions of the training.
    pub visitors: usize,
    pub products: usize,
    pub training: usize,
    /// Visitors who wanted something new afterwards: all are judged.
    pub judged: usize,
    /// One for each that recommended.
    pub lines: Vec<Line>,
}

/// Trains on what came before and judges by what came after.
pub fn evaluate(split: &Split, candidates: &Candidates) -> Result<Report, Error> {
    let data = DatasetBase::new(split.training.clone(), ());
    let counts = ItemItem { weighting: Weighting::Counts, ..candidates.item_item.clone() }.fit(&data)?;
    let blend = candidates.fit(&data)?;
    let judge = |name: &str, lists: &[Vec<u32>]| Line { name: name.to_owned(), scores: scores(lists, split) };
    let lines = vec![
        judge("popularity", &top(&Popularity::of(data.records()), split)),
        judge("co-occurrence", &top(&counts, split)),
        judge("BM25 item-item", &top(&blend.neighbours, split)),
        judge("ALS", &top(&blend.factors, split)),
        judge("bodega (both)", &top(&blend, split)),
    ];
    Ok(Report::new(split, lines))
}

/// Judges lists of others by the same measures. They are in the order of `split.wanted`.
pub fn judge(name: &str, lists: &[Vec<u32>], split: &Split) -> Report {
    Report::new(split, vec![Line { name: name.to_owned(), scores: scores(lists, split) }])
}

impl Report {
    fn new(split: &Split, lines: Vec<Line>) -> Self {
        Self {
            visitors: split.training.visitors(),
            products: split.training.products(),
            training: split.training.len(),
            judged: split.wanted.len(),
            lines,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { visitors, products, training, judged, lines } = self;
        writeln!(f, "{visitors} visitors, {products} products, {training} interactions, {judged} judged")?;
        write!(
            f,
            "{:<16} {:<23} {:<23} {:<23} {:<23} coverage",
            "", "NDCG@10", "hit-rate@10", "recall@10", "MRR"
        )?;
        for Line { name, scores } in lines {
            let Scores { ndcg, hit_rate, recall, mrr, coverage } = scores;
            write!(f, "\n{name:<16} {ndcg:<23} {hit_rate:<23} {recall:<23} {mrr:<23} {coverage:.3}")?;
        }
        Ok(())
    }
}

/// The ten best for each judged visitor, of what they have not had yet.
pub fn top(model: &(impl PredictInplace<Interactions, Array2<f32>> + Sync), split: &Split) -> Vec<Vec<u32>> {
    let visitors: Vec<u32> = split.wanted.iter().map(|wanted| wanted.visitor).collect();
    let mut lists = Vec::with_capacity(visitors.len());
    for block in visitors.chunks(BLOCK) {
        let rows = split.training.select(block);
        let mut scores = model.default_target(&rows);
        model.predict_inplace(&rows, &mut scores);
        for (row, mut scores) in scores.rows_mut().into_iter().enumerate() {
            rows.row(row).0.iter().for_each(|had| scores[*had as usize] = f32::NEG_INFINITY);
            let mut list: Vec<(u32, f32)> = (0..).zip(scores.iter().copied()).collect();
            list.retain(|(_, score)| *score > f32::NEG_INFINITY);
            best(&mut list, CUT);
            lists.push(list.into_iter().map(|(product, _)| product).collect());
        }
    }
    lists
}
