//! What can be taken of the stock.

use std::collections::BTreeMap;

use contracts::product::{VariantId, stock::StockLine};
use shared::{Result, values};

use super::faults::Faults;

/// The most units a line, a level or an adjustment may have.
pub const MAX_UNITS: i64 = 1_000_000;

/// What shoppers see of a variant that is not tracked: always enough.
pub const UNTRACKED: i64 = MAX_UNITS;

/// One sum per variant, in the order of their ids, so that two buyers lock in the same order.
pub fn sum(lines: &[StockLine]) -> Result<Vec<(VariantId, i64)>> {
    let mut sums = BTreeMap::<VariantId, i64>::new();
    let mut faults = Faults::default();
    for (i, line) in lines.iter().enumerate() {
        let pointer = format!("/lines/{i}/quantity");
        faults.check(
            (1..=MAX_UNITS).contains(&line.quantity),
            pointer,
            "out_of_range",
            "must be 1 to 1,000,000",
        );
        let sum = sums.entry(line.variant_id).or_default();
        *sum = sum.saturating_add(line.quantity);
    }
    faults.done()?;
    Ok(sums.into_iter().collect())
}

/// How much to take from each place, first places first; `None` if all together have not enough.
pub fn take<P: Copy>(places: &[(P, i64)], quantity: i64) -> Option<Vec<(P, i64)>> {
    let mut missing = quantity;
    let mut parts = Vec::new();
    for &(place, available) in places {
        let part = available.min(missing);
        if part > 0 {
            parts.push((place, part));
            missing -= part;
        }
    }
    (missing == 0).then_some(parts)
}

/// Whether it came into stock or went out of it.
pub fn flipped(before: i64, after: i64) -> bool {
    (before > 0) != (after > 0)
}

/// Why stock was changed, as a person typed it.
pub fn reason(text: &str) -> Result<String> {
    values::text("/reason", text, 200)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_of_one_variant_are_summed_and_sorted() {
        let (a, b) = (VariantId::new(), VariantId::new());
        let line = |variant_id, quantity| StockLine { variant_id, quantity };
        assert_eq!(sum(&[line(b, 1), line(a, 2), line(b, 3)]).unwrap(), [(a, 2), (b, 4)]);
        assert_eq!(sum(&[line(a, 0)]).unwrap_err().fields[0].pointer, "/lines/0/quantity");
    }

    proptest! {
        #[test]
        fn what_is_taken_is_what_was_asked_and_never_more_than_there_is(
            places in prop::collection::vec(0_i64..20, 0..5),
            quantity in 1_i64..50,
        ) {
            let places: Vec<(usize, i64)> = places.into_iter().enumerate().collect();
            let total: i64 = places.iter().map(|p| p.1).sum();
            match take(&places, quantity) {
                None => prop_assert!(total < quantity),
                Some(parts) => {
                    prop_assert_eq!(parts.iter().map(|p| p.1).sum::<i64>(), quantity);
                    prop_assert!(parts.iter().all(|&(place, part)| part > 0 && part <= places[place].1));
                }
            }
        }
    }
}
