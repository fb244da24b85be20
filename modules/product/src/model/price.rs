//! What a variant costs.

use contracts::product::{PriceContext, QuantityPrice, Variant, VariantId};
use shared::{Currency, Money, Time};

/// A unit price that a price list offers.
#[derive(Clone, Debug)]
pub struct Offer {
    pub variant_id: VariantId,
    pub currency: Currency,
    /// Only for customers of this group.
    pub group: Option<String>,
    pub starts_at: Option<Time>,
    pub ends_at: Option<Time>,
    pub min_quantity: i64,
    pub amount: i64,
}

impl Offer {
    fn applies(&self, variant: VariantId, context: &PriceContext, now: Time) -> bool {
        self.variant_id == variant
            && self.currency == context.currency
            && (self.group.is_none() || self.group == context.group)
            && self.starts_at.is_none_or(|start| start <= now)
            && self.ends_at.is_none_or(|end| now < end)
    }
}

/// What a variant costs in one context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    pub unit: Money,
    /// A former price, if it was higher.
    pub compare_at: Option<Money>,
}

/// The price for `quantity`: of all offers that apply to currency, group, quantity and date, those of a list with a
/// group before those of one without, then the lowest; else the variant's own. `None`: not sold in this currency.
pub fn price(
    variant: &Variant,
    offers: &[Offer],
    context: &PriceContext,
    quantity: i64,
    now: Time,
) -> Option<Price> {
    let best = offers
        .iter()
        .filter(|offer| offer.min_quantity <= quantity && offer.applies(variant.id, context, now))
        .min_by_key(|offer| (offer.group.is_none(), offer.amount))
        .map(|offer| Money::new(offer.amount, offer.currency));
    let unit = best.or_else(|| in_currency(&variant.prices, context.currency))?;
    let former = in_currency(&variant.compare_at_prices, context.currency);
    Some(Price { unit, compare_at: former.filter(|former| former.amount > unit.amount) })
}

/// Lower unit prices from a quantity on, ascending.
pub fn quantity_prices(
    variant: &Variant,
    offers: &[Offer],
    context: &PriceContext,
    now: Time,
) -> Vec<QuantityPrice> {
    let mut steps: Vec<i64> = offers
        .iter()
        .filter(|offer| offer.min_quantity > 1 && offer.applies(variant.id, context, now))
        .map(|offer| offer.min_quantity)
        .collect();
    steps.sort_unstable();
    steps.dedup();
    let Some(mut last) = price(variant, offers, context, 1, now).map(|p| p.unit.amount) else {
        return Vec::new();
    };
    let mut prices = Vec::new();
    for min_quantity in steps {
        let Some(step) = price(variant, offers, context, min_quantity, now) else { continue };
        if step.unit.amount < last {
            last = step.unit.amount;
            prices.push(QuantityPrice { min_quantity, price: step.unit });
        }
    }
    prices
}

fn in_currency(prices: &[Money], currency: Currency) -> Option<Money> {
    prices.iter().find(|price| price.currency == currency).copied()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn variant() -> Variant {
        Variant {
            id: VariantId::new(),
            sku: "S".into(),
            title: "T".into(),
            options: BTreeMap::new(),
            prices: vec![Money::new(1000, Currency::EUR)],
            compare_at_prices: vec![Money::new(900, Currency::EUR)],
            barcode: None,
            weight_grams: 0,
            tracked: true,
            available: 0,
        }
    }

    fn offer(variant: &Variant, group: Option<&str>, min_quantity: i64, amount: i64) -> Offer {
        Offer {
            variant_id: variant.id,
            currency: Currency::EUR,
            group: group.map(str::to_owned),
            starts_at: None,
            ends_at: None,
            min_quantity,
            amount,
        }
    }

    fn context(group: Option<&str>) -> PriceContext {
        PriceContext { currency: Currency::EUR, group: group.map(str::to_owned) }
    }

    fn amount(variant: &Variant, offers: &[Offer], group: Option<&str>, quantity: i64) -> i64 {
        price(variant, offers, &context(group), quantity, Time::from_micros(50)).unwrap().unit.amount
    }

    #[test]
    fn a_list_with_a_group_comes_before_one_without_and_then_the_lowest_counts() {
        let v = variant();
        assert_eq!(amount(&v, &[], None, 1), 1000);
        let offers = [
            offer(&v, None, 1, 700),
            offer(&v, None, 1, 800),
            offer(&v, Some("trade"), 1, 950),
            offer(&v, None, 10, 600),
        ];
        assert_eq!(amount(&v, &offers, None, 1), 700);
        assert_eq!(amount(&v, &offers, None, 10), 600);
        // The group's price counts although the public one is lower: that is what the precedence says.
        assert_eq!(amount(&v, &offers, Some("trade"), 10), 950);
        assert_eq!(amount(&v, &offers, Some("press"), 1), 700);
    }

    #[test]
    fn a_list_counts_from_its_start_until_before_its_end() {
        let v = variant();
        let mut o = offer(&v, None, 1, 500);
        for (starts_at, ends_at, wanted) in [
            (None, None, 500),
            (Some(50), None, 500),
            (Some(51), None, 1000),
            (None, Some(50), 1000),
            (None, Some(51), 500),
        ] {
            (o.starts_at, o.ends_at) = (starts_at.map(Time::from_micros), ends_at.map(Time::from_micros));
            assert_eq!(amount(&v, std::slice::from_ref(&o), None, 1), wanted, "{starts_at:?} {ends_at:?}");
        }
    }

    #[test]
    fn there_is_no_silent_exchange_of_currencies() {
        let v = variant();
        let dollars = PriceContext { currency: "USD".parse().unwrap(), group: None };
        assert_eq!(price(&v, &[offer(&v, None, 1, 1)], &dollars, 1, Time::from_micros(0)), None);
    }

    #[test]
    fn a_former_price_is_shown_only_if_it_was_higher() {
        let v = variant();
        let now = Time::from_micros(0);
        assert_eq!(price(&v, &[], &context(None), 1, now).unwrap().compare_at, None);
        let reduced = price(&v, &[offer(&v, None, 1, 500)], &context(None), 1, now).unwrap();
        assert_eq!(reduced.compare_at.unwrap().amount, 900);
    }

    #[test]
    fn quantity_prices_ascend_in_quantity_and_fall_in_price() {
        let v = variant();
        let offers = [offer(&v, None, 10, 900), offer(&v, None, 5, 950), offer(&v, None, 20, 990)];
        let steps = quantity_prices(&v, &offers, &context(None), Time::from_micros(0));
        assert_eq!(
            steps.iter().map(|s| (s.min_quantity, s.price.amount)).collect::<Vec<_>>(),
            [(5, 950), (10, 900)]
        );
    }
}
