//! Which rate applies to what, and the sum of each.

use std::collections::BTreeMap;

use contracts::cart::{Destination, NewTaxRate, TaxLine, TaxRate};
use shared::{Currency, Money, Result};

/// The class of shipping, and of every class without a rate of its own.
pub const STANDARD: &str = "standard";
/// The class of what is not taxed, unless a country has a rate for it after all.
const ZERO: &str = "zero";

/// The tax rates of a destination.
#[derive(Clone, Debug, Default)]
pub struct Taxes {
    rates: Vec<NewTaxRate>,
}

impl Taxes {
    /// Picks the rates of a country and region out of all.
    pub fn at(all: &[TaxRate], destination: &Destination) -> Self {
        let region = destination.region.as_deref().map(|region| region.trim().to_lowercase());
        let here = |rate: &&NewTaxRate| {
            let wanted = rate.region.as_deref().map(str::to_lowercase);
            rate.country == destination.country && (wanted.is_none() || wanted == region)
        };
        let mut rates: Vec<NewTaxRate> = all.iter().map(|rate| &rate.rate).filter(here).cloned().collect();
        // A region's rate is found before its country's.
        rates.sort_by_key(|rate| rate.region.is_none());
        Self { rates }
    }

    /// Whether prices contain the tax. A country without rates has none to add.
    pub fn included(&self) -> bool {
        self.rates.first().is_none_or(|rate| rate.included)
    }

    fn rate(&self, class: &str) -> Option<&NewTaxRate> {
        let of = |class: &str| self.rates.iter().find(|rate| rate.tax_class.eq_ignore_ascii_case(class));
        of(class).or_else(|| of(STANDARD).filter(|_| !class.eq_ignore_ascii_case(ZERO)))
    }
}

/// The sums of each rate, growing.
pub struct Sums<'a> {
    taxes: &'a Taxes,
    currency: Currency,
    by_rate: BTreeMap<(std::cmp::Reverse<i64>, &'a str), (Money, Money)>,
}

/// An amount and its tax.
pub struct Taxed {
    pub tax: Money,
    pub total: Money,
    pub rate_basis_points: i64,
}

impl<'a> Sums<'a> {
    pub fn new(taxes: &'a Taxes, currency: Currency) -> Self {
        Self { taxes, currency, by_rate: BTreeMap::new() }
    }

    /// Taxes a discounted amount by the rate of its class.
    pub fn take(&mut self, amount: Money, class: &str) -> Result<Taxed> {
        let Some(rate) = self.taxes.rate(class) else {
            return Ok(Taxed { tax: Money::zero(self.currency), total: amount, rate_basis_points: 0 });
        };
        let rate_basis_points = rate.rate_basis_points;
        let (tax, net, total) = if self.taxes.included() {
            let tax = amount.ratio(rate_basis_points, 10_000 + rate_basis_points)?;
            (tax, amount.sub(tax)?, amount)
        } else {
            let tax = amount.ratio(rate_basis_points, 10_000)?;
            (tax, amount, amount.add(tax)?)
        };
        let zero = Money::zero(self.currency);
        let key = (std::cmp::Reverse(rate_basis_points), rate.name.as_str());
        let sums = self.by_rate.entry(key).or_insert((zero, zero));
        *sums = (sums.0.add(net)?, sums.1.add(tax)?);
        Ok(Taxed { tax, total, rate_basis_points })
    }

    pub fn into_lines(self) -> Vec<TaxLine> {
        self.by_rate
            .into_iter()
            .map(|((rate, name), (net, tax))| TaxLine {
                name: name.to_owned(),
                rate_basis_points: rate.0,
                net,
                tax,
            })
            .collect()
    }
}
