//! What a cart costs: one pure function, [`price`], and nothing else computes prices.
//!
//! All amounts are minor units of the cart's currency. Where a fraction would remain, and how it is rounded:
//!
//! 1. Subtotals need no rounding: `unit_price * quantity` for each line.
//! 2. **Discounts.** A percentage is taken of the undiscounted subtotal of the matching lines together, rounded half
//!    to even once for each promotion, then allocated to those lines by largest remainder. A fixed amount is capped by
//!    what is left of the matching lines and allocated in proportion to what is left. Of a buy-x-get-y the matching
//!    units are sorted from the dearest down and cut into groups of `buy + get`; in each full group the `get` cheapest
//!    cost `value` percent less, rounded half to even for each line. No line is ever discounted below zero.
//! 3. **Tax** is taken of each discounted line by itself, half to even: `amount * rate / (10000 + rate)` where prices
//!    include it, `amount * rate / 10000` where it is added. Shipping, after its discount, is taxed at the standard
//!    rate of the destination. A line's rate is the one of its class and region, else of its class in the whole
//!    country, else the standard rate (but nothing for the class `zero`); a country without rates has no tax.
//! 4. **Totals** are sums of these rounded parts, so the parts always sum to the total.
//!
//! Which promotions: all combinable ones that apply together, or one of the others alone, whichever makes the cheapest
//! total; of equals the one with a code, because the shopper asked for it. Within a set buy-x-get-y comes first, then
//! percentages, fixed amounts and free shipping, each by age.
//!
//! More units never make a cart cheaper as long as the unit prices stay and no promotion needs a minimum or a number
//! of units. This holds exactly for prices that include tax and promotions that match all lines, of which at most one
//! combinable one is a percentage. Otherwise a cent of a discount may move to a line with another rate, or to one that
//! has nothing left, so it holds up to one minor unit for each line and promotion. The order of the lines does not
//! matter: the function sorts them by id.

mod promotions;
mod taxes;
#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;

use contracts::{
    cart::{Discount, LineId, Promotion, PromotionKind, TaxLine, Totals},
    product::Quote,
};
use shared::{Currency, Money, Result};

pub use promotions::{Refusal, refusal};
pub use taxes::Taxes;

/// A line to price.
#[derive(Clone, Debug)]
pub struct Item {
    /// The cart's and later the order's.
    pub line_id: LineId,
    /// 1 or more.
    pub quantity: i64,
    /// Today's price and everything promotions and taxes look at.
    pub quote: Quote,
}

/// Everything the price depends on.
#[derive(Clone, Copy, Debug)]
pub struct Basket<'a> {
    /// Of every amount.
    pub currency: Currency,
    /// In any order.
    pub items: &'a [Item],
    /// The automatic ones and those of the cart's codes; whether they apply to these items is decided here.
    pub promotions: &'a [&'a Promotion],
    /// Of the destination.
    pub taxes: &'a Taxes,
    /// The price of the shipping option; none while it is not chosen.
    pub shipping: Option<Money>,
}

/// What it comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Priced {
    /// In the order of the items.
    pub lines: Vec<LinePrice>,
    /// What the shipping loses by promotions.
    pub shipping_discount: Money,
    /// The tax on what is left of it.
    pub shipping_tax: Money,
    /// The promotions that take something off. Free shipping is here with nothing while no shipping is chosen.
    pub discounts: Vec<Discount>,
    /// The sums.
    pub totals: Totals,
    /// Whether `total` contains the tax already.
    pub prices_include_tax: bool,
    /// One for each rate, the highest first.
    pub tax_lines: Vec<TaxLine>,
}

/// What a line comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinePrice {
    /// `unit_price * quantity`.
    pub subtotal: Money,
    /// What promotions take off.
    pub discount: Money,
    /// Within `subtotal - discount`, or on top of it.
    pub tax: Money,
    /// With tax.
    pub total: Money,
    /// 1900 is 19 %.
    pub tax_rate_basis_points: i64,
}

impl Priced {
    /// The lines after their discounts, without shipping: what `free_above` looks at.
    pub fn discounted_subtotal(&self) -> Result<Money> {
        self.totals.subtotal.sub(self.totals.discount)?.add(self.shipping_discount)
    }
}

/// Prices a basket. `Invalid/amount_too_large` beyond what a shop may write down.
pub fn price(basket: &Basket<'_>) -> Result<Priced> {
    let mut order: Vec<usize> = (0..basket.items.len()).collect();
    order.sort_by_key(|&i| basket.items[i].line_id);
    let items: Vec<&Item> = order.iter().map(|&i| &basket.items[i]).collect();

    let (together, alone): (Vec<_>, Vec<_>) =
        basket.promotions.iter().copied().partition(|p| p.terms.combinable);
    let mut best = price_with(basket, &items, together)?;
    for promotion in by_age(alone) {
        let other = price_with(basket, &items, vec![promotion])?;
        if rank(&other) < rank(&best) {
            best = other;
        }
    }
    best.totals.check(best.prices_include_tax)?;

    let mut lines = best.lines.clone();
    for (line, i) in best.lines.iter().zip(order) {
        lines[i] = *line;
    }
    Ok(Priced { lines, ..best })
}

/// What all items cost before discounts and taxes.
pub fn subtotal(items: &[&Item], currency: Currency) -> Result<Money> {
    items.iter().try_fold(Money::zero(currency), |sum, item| sum.add(line_subtotal(item)?))
}

fn line_subtotal(item: &Item) -> Result<Money> {
    item.quote.unit_price.times(item.quantity)
}

/// The cheapest first; of equals the one with a code.
fn rank(priced: &Priced) -> (i64, bool) {
    (priced.totals.total.amount, priced.discounts.iter().all(|d| d.code.is_none()))
}

fn by_age(mut promotions: Vec<&Promotion>) -> Vec<&Promotion> {
    let kind = |kind| match kind {
        PromotionKind::BuyXGetY => 0,
        PromotionKind::Percentage => 1,
        PromotionKind::Fixed => 2,
        PromotionKind::FreeShipping => 3,
    };
    promotions.sort_by_key(|p| (kind(p.terms.kind), p.id));
    promotions
}

/// What the promotions leave of lines and shipping.
struct Discounted {
    left: Vec<Money>,
    shipping_left: Money,
    discounts: Vec<Discount>,
}

fn price_with(basket: &Basket<'_>, items: &[&Item], promotions: Vec<&Promotion>) -> Result<Priced> {
    let currency = basket.currency;
    let subtotals: Vec<Money> = items.iter().map(|item| line_subtotal(item)).collect::<Result<_>>()?;
    let subtotal = Money::sum(currency, subtotals.iter().copied())?;
    let shipping = basket.shipping.unwrap_or(Money::zero(currency));
    let after = discount(basket, items, &subtotals, by_age(promotions))?;

    let mut sums = taxes::Sums::new(basket.taxes, currency);
    let mut lines = Vec::with_capacity(items.len());
    for ((item, subtotal), left) in items.iter().zip(&subtotals).zip(&after.left) {
        let taxed = sums.take(*left, &item.quote.tax_class)?;
        lines.push(LinePrice {
            subtotal: *subtotal,
            discount: subtotal.sub(*left)?,
            tax: taxed.tax,
            total: taxed.total,
            tax_rate_basis_points: taxed.rate_basis_points,
        });
    }
    let shipping_tax = match basket.shipping {
        Some(_) => sums.take(after.shipping_left, taxes::STANDARD)?.tax,
        None => Money::zero(currency),
    };
    let shipping_discount = shipping.sub(after.shipping_left)?;
    let discount = Money::sum(currency, lines.iter().map(|line| line.discount))?.add(shipping_discount)?;
    let tax = Money::sum(currency, lines.iter().map(|line| line.tax))?.add(shipping_tax)?;
    let prices_include_tax = basket.taxes.included();
    let goods = subtotal.sub(discount)?.add(shipping)?;
    let total = if prices_include_tax { goods } else { goods.add(tax)? };
    Ok(Priced {
        lines,
        shipping_discount,
        shipping_tax,
        discounts: after.discounts,
        totals: Totals { subtotal, discount, shipping, tax, total },
        prices_include_tax,
        tax_lines: sums.into_lines(),
    })
}

/// Applies the promotions one after the other to what the ones before have left.
fn discount(
    basket: &Basket<'_>,
    items: &[&Item],
    subtotals: &[Money],
    promotions: Vec<&Promotion>,
) -> Result<Discounted> {
    let zero = Money::zero(basket.currency);
    let subtotal = Money::sum(basket.currency, subtotals.iter().copied())?;
    let mut after = Discounted {
        left: subtotals.to_vec(),
        shipping_left: basket.shipping.unwrap_or(zero),
        discounts: Vec::new(),
    };
    for promotion in promotions {
        if refusal(promotion, items, subtotal).is_some() {
            continue;
        }
        let mut amount = zero;
        let off_lines = promotions::off(promotion, items, subtotals, &after.left)?;
        for (left, off) in after.left.iter_mut().zip(off_lines) {
            *left = left.sub(off)?;
            amount = amount.add(off)?;
        }
        let frees_shipping = promotion.terms.kind == PromotionKind::FreeShipping;
        if frees_shipping {
            amount = amount.add(after.shipping_left)?;
            after.shipping_left = zero;
        }
        if !amount.is_zero() || (frees_shipping && basket.shipping.is_none()) {
            after.discounts.push(Discount {
                promotion_id: promotion.id,
                code: promotion.terms.code.clone(),
                title: promotions::title(promotion),
                amount,
            });
        }
    }
    Ok(after)
}
