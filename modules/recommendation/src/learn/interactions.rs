use linfa::dataset::Records;
use sprs::{CsMatI, TriMatI};

/// Who wanted what, and how much: visitors by products, sparse, in rows. The records of every estimator here.
#[derive(Clone, Debug)]
pub struct Interactions(CsMatI<f32, u32>);

impl Interactions {
    /// From visitor, product and weight; the weights of repeated ones add up.
    ///
    /// # Panics
    /// If an entry is outside of `visitors` and `products`.
    pub fn new(visitors: usize, products: usize, entries: impl IntoIterator<Item = (u32, u32, f32)>) -> Self {
        let mut triplets = TriMatI::new((visitors, products));
        for (visitor, product, weight) in entries {
            triplets.add_triplet(visitor as usize, product as usize, weight);
        }
        Self(triplets.to_csr())
    }

    /// What the visitor wanted, in ascending order, and how much.
    pub fn row(&self, visitor: usize) -> (&[u32], &[f32]) {
        let range = self.0.indptr().outer_inds_sz(visitor);
        (&self.0.indices()[range.clone()], &self.0.data()[range])
    }

    /// The same as pairs.
    pub fn entries(&self, visitor: usize) -> impl Iterator<Item = (u32, f32)> + '_ {
        let (products, weights) = self.row(visitor);
        products.iter().copied().zip(weights.iter().copied())
    }

    /// Products by visitors.
    pub fn transposed(&self) -> Self {
        Self(self.0.transpose_view().to_csr())
    }

    /// These rows alone, in this order.
    pub fn select(&self, visitors: &[u32]) -> Self {
        let entries = visitors.iter().zip(0..).flat_map(|(visitor, row)| {
            self.entries(*visitor as usize).map(move |(product, weight)| (row, product, weight))
        });
        Self::new(visitors.len(), self.products(), entries)
    }

    /// With each weight as `weight` makes it from row, column and value.
    pub(super) fn reweighted(&self, weight: impl Fn(usize, usize, f32) -> f32) -> Self {
        let mut matrix = self.0.clone();
        for (row, mut vector) in matrix.outer_iterator_mut().enumerate() {
            for (column, value) in vector.iter_mut() {
                *value = weight(row, column, *value);
            }
        }
        Self(matrix)
    }

    /// Rows.
    pub fn visitors(&self) -> usize {
        self.0.rows()
    }

    /// Columns.
    pub fn products(&self) -> usize {
        self.0.cols()
    }

    /// How many visitors want how many products.
    pub fn len(&self) -> usize {
        self.0.nnz()
    }

    /// Nobody wants anything.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Records for Interactions {
    type Elem = f32;

    fn nsamples(&self) -> usize {
        self.visitors()
    }

    fn nfeatures(&self) -> usize {
        self.products()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_entries_add_up_and_rows_are_sorted() {
        let data = Interactions::new(2, 3, [(1, 2, 1.0), (1, 0, 2.0), (1, 2, 0.5)]);
        assert_eq!(data.row(0), (&[][..], &[][..]));
        assert_eq!(data.row(1), (&[0, 2][..], &[2.0, 1.5][..]));
        assert_eq!(data.transposed().row(2), (&[1][..], &[1.5][..]));
        assert_eq!(data.select(&[1, 0]).row(0), data.row(1));
    }
}
