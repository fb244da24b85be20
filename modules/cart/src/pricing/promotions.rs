//! Whether a promotion applies, and what it takes off which line.

use std::cmp::Reverse;

use contracts::cart::{NewPromotion, Promotion, PromotionKind};
use shared::{Money, Result};

use super::Item;

/// Why a promotion does not apply to a cart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Refusal {
    /// The subtotal is below this.
    Minimum(Money),
    /// No line, too few units, or another currency.
    NothingMatches,
}

/// Why the promotion does not apply to the items; none if it does. `subtotal` is theirs, before discounts.
pub fn refusal(promotion: &Promotion, items: &[&Item], subtotal: Money) -> Option<Refusal> {
    let terms = &promotion.terms;
    if terms.kind == PromotionKind::Fixed && terms.currency != Some(subtotal.currency) {
        return Some(Refusal::NothingMatches);
    }
    match terms.minimum_subtotal {
        Some(minimum) if minimum.currency != subtotal.currency => return Some(Refusal::NothingMatches),
        Some(minimum) if subtotal.amount < minimum.amount => return Some(Refusal::Minimum(minimum)),
        _ => {}
    }
    let units: i64 = items.iter().filter(|item| matches(terms, item)).map(|item| item.quantity).sum();
    let scoped = !terms.category_ids.is_empty() || !terms.product_ids.is_empty();
    let needed = match terms.kind {
        PromotionKind::BuyXGetY => buy(terms) + get(terms),
        _ => i64::from(scoped),
    };
    (units < needed).then_some(Refusal::NothingMatches)
}

/// For people: the title, else the code.
pub fn title(promotion: &Promotion) -> String {
    let terms = &promotion.terms;
    terms.title.clone().or_else(|| terms.code.clone()).unwrap_or_else(|| "Discount".into())
}

/// What it takes off each line, never more than is `left` of it.
pub fn off(
    promotion: &Promotion,
    items: &[&Item],
    subtotals: &[Money],
    left: &[Money],
) -> Result<Vec<Money>> {
    let terms = &promotion.terms;
    let weights = |amounts: &[Money]| -> Vec<i64> {
        let weight = |(item, amount): (&&Item, &Money)| if matches(terms, item) { amount.amount } else { 0 };
        items.iter().zip(amounts).map(weight).collect()
    };
    let Some(currency) = left.first().map(|money| money.currency) else {
        return Ok(Vec::new());
    };
    let wanted = match terms.kind {
        PromotionKind::Percentage => {
            let weights = weights(subtotals);
            Money::new(weights.iter().sum(), currency).ratio(terms.value, 100)?.allocate(&weights)
        }
        PromotionKind::Fixed => {
            let weights = weights(left);
            Money::new(terms.value.min(weights.iter().sum()), currency).allocate(&weights)
        }
        PromotionKind::BuyXGetY => reduced_units(terms, items)
            .into_iter()
            .zip(items)
            .map(|(units, item)| item.quote.unit_price.times(units)?.ratio(terms.value, 100))
            .collect::<Result<_>>()?,
        PromotionKind::FreeShipping => vec![Money::zero(currency); items.len()],
    };
    wanted.into_iter().zip(left).map(|(wanted, left)| wanted.min(*left)).collect()
}

/// Whether the line is in the promotion's scope: any of its categories or products.
fn matches(terms: &NewPromotion, item: &Item) -> bool {
    let everything = terms.category_ids.is_empty() && terms.product_ids.is_empty();
    everything
        || terms.product_ids.contains(&item.quote.product_id)
        || item.quote.category_ids.iter().any(|id| terms.category_ids.contains(id))
}

/// How many units of each line are the cheap ones of a full group, the groups being cut from the dearest unit down.
fn reduced_units(terms: &NewPromotion, items: &[&Item]) -> Vec<i64> {
    let (buy, get) = (buy(terms), get(terms));
    let group = buy + get;
    let mut by_price: Vec<usize> = (0..items.len()).filter(|&i| matches(terms, items[i])).collect();
    by_price.sort_by_key(|&i| Reverse(items[i].quote.unit_price.amount));
    let units: i64 = by_price.iter().map(|&i| items[i].quantity).sum();
    let in_full_groups = units - units % group;
    let reduced_of_first = |n: i64| {
        let n = n.min(in_full_groups);
        n / group * get + (n % group - buy).max(0)
    };
    let mut reduced = vec![0; items.len()];
    let mut seen = 0;
    for i in by_price {
        let end = seen + items[i].quantity;
        reduced[i] = reduced_of_first(end) - reduced_of_first(seen);
        seen = end;
    }
    reduced
}

fn buy(terms: &NewPromotion) -> i64 {
    terms.buy_quantity.unwrap_or(1).max(1)
}

fn get(terms: &NewPromotion) -> i64 {
    terms.get_quantity.unwrap_or(1).max(1)
}
