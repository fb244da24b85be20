//! Money in minor units of an ISO 4217 currency, with checked arithmetic only.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Error, Result};

/// The largest amount a shop may write down, in minor units.
pub const MAX_AMOUNT: i64 = 1_000_000_000_000;

/// An ISO 4217 currency. As text its three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The euro.
    pub const EUR: Self = Self(iso_currency::Currency::EUR);

    /// The three capital letters.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimal digits the major unit has: 2 for EUR, 0 for JPY, 3 for KWD.
    pub fn exponent(self) -> u32 {
        self.0.exponent().map_or(2, u32::from)
    }
}

impl FromStr for Currency {
    type Err = Error;

    /// Accepts exactly three capital letters of a currency that people can pay with.
    fn from_str(code: &str) -> Result<Self> {
        iso_currency::Currency::from_code(code)
            .filter(|c| c.exponent().is_some() && c.code() == code && !matches!(code, "XXX" | "XTS"))
            .map(Self)
            .ok_or_else(|| {
                Error::invalid("", "currency", format!("{code:?} is not an ISO 4217 currency code"))
            })
    }
}
impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Currency {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.code().cmp(other.code())
    }
}
impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = std::borrow::Cow::<str>::deserialize(deserializer)?;
        code.parse().map_err(|e: Error| de::Error::custom(e.detail))
    }
}
impl utoipa::PartialSchema for Currency {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^[A-Z]{3}$"))
            .description(Some("ISO 4217 code"))
            .into()
    }
}
impl utoipa::ToSchema for Currency {}

/// An amount in minor units: `{"amount": 1999, "currency": "EUR"}` is 19.99 €.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Minor units: cents, pence, yen.
    pub amount: i64,
    /// ISO 4217.
    pub currency: Currency,
}

impl Money {
    /// `amount` minor units.
    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// Nothing, in a currency.
    pub const fn zero(currency: Currency) -> Self {
        Self { amount: 0, currency }
    }

    /// Plain decimal text such as `19.99`, exactly. No signs, no thousands separators, no more digits than the currency
    /// has.
    pub fn from_decimal(text: &str, currency: Currency) -> Option<Self> {
        Some(Self::new(decimal(text, currency.exponent())?, currency))
    }

    /// `19.99`: what [`Money::from_decimal`] reads.
    pub fn to_decimal(self) -> String {
        let digits = self.currency.exponent() as usize;
        let (sign, text) =
            (if self.amount < 0 { "-" } else { "" }, format!("{:0>1$}", self.amount.abs(), digits + 1));
        let (whole, fraction) = text.split_at(text.len() - digits);
        if digits == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }

    /// True for 0.
    pub const fn is_zero(&self) -> bool {
        self.amount == 0
    }

    /// The sum. `Invalid/amount_too_large` beyond [`MAX_AMOUNT`], `Invalid/currency` for two currencies.
    #[expect(clippy::should_implement_trait, reason = "an operator could not fail")]
    pub fn add(self, other: Self) -> Result<Self> {
        self.same_currency(other)?;
        self.checked(self.amount.checked_add(other.amount))
    }

    /// The difference; may be negative.
    #[expect(clippy::should_implement_trait, reason = "an operator could not fail")]
    pub fn sub(self, other: Self) -> Result<Self> {
        self.same_currency(other)?;
        self.checked(self.amount.checked_sub(other.amount))
    }

    /// The amount `quantity` times.
    pub fn times(self, quantity: i64) -> Result<Self> {
        self.checked(self.amount.checked_mul(quantity))
    }

    /// The sum of many; zero for none.
    pub fn sum(currency: Currency, all: impl IntoIterator<Item = Self>) -> Result<Self> {
        all.into_iter().try_fold(Self::zero(currency), Self::add)
    }

    /// `amount * numerator / denominator`, rounded half to even: the rounding of every percentage and tax here.
    /// `denominator` must be positive.
    pub fn ratio(self, numerator: i64, denominator: i64) -> Result<Self> {
        let product = i128::from(self.amount) * i128::from(numerator);
        self.checked(i64::try_from(divide_half_even(product, i128::from(denominator))).ok())
    }

    /// Splits the amount by weights so that the parts sum to it exactly (largest remainder; ties to the first).
    /// All weights zero: the first part gets everything. No weights: no parts.
    pub fn allocate(self, weights: &[i64]) -> Vec<Self> {
        let total: i128 = weights.iter().map(|w| i128::from(*w)).sum();
        if total == 0 {
            let whole = |i| if i == 0 { self } else { Self::zero(self.currency) };
            return (0..weights.len()).map(whole).collect();
        }
        let exact = |w: &i64| i128::from(self.amount) * i128::from(*w);
        let mut parts: Vec<i128> = weights.iter().map(|w| exact(w).div_euclid(total)).collect();
        let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
        by_remainder.sort_by_key(|&i| std::cmp::Reverse(exact(&weights[i]).rem_euclid(total)));
        let missing = i128::from(self.amount) - parts.iter().sum::<i128>();
        for &i in by_remainder.iter().take(usize::try_from(missing).unwrap_or(0)) {
            parts[i] += 1;
        }
        parts
            .into_iter()
            .map(|p| Self::new(i64::try_from(p).expect("a part is no larger than the whole"), self.currency))
            .collect()
    }

    /// The smaller of two amounts of one currency.
    pub fn min(self, other: Self) -> Result<Self> {
        self.same_currency(other)?;
        Ok(if other.amount < self.amount { other } else { self })
    }

    /// `Invalid/currency` unless both are in one currency.
    pub fn same_currency(self, other: Self) -> Result<()> {
        if self.currency == other.currency {
            return Ok(());
        }
        let detail = format!("amounts in {} and {} cannot be combined", self.currency, other.currency);
        Err(Error::invalid("", "currency", detail))
    }

    fn checked(self, amount: Option<i64>) -> Result<Self> {
        amount
            .filter(|a| a.unsigned_abs() <= MAX_AMOUNT.unsigned_abs())
            .map(|amount| Self::new(amount, self.currency))
            .ok_or_else(|| Error::invalid("", "amount_too_large", "the amount is too large"))
    }
}

/// Banker's rounding of `n / d` for a positive `d`.
fn divide_half_even(n: i128, d: i128) -> i128 {
    let (quotient, remainder) = (n.div_euclid(d), n.rem_euclid(d));
    match (remainder * 2).cmp(&d) {
        std::cmp::Ordering::Less => quotient,
        std::cmp::Ordering::Greater => quotient + 1,
        std::cmp::Ordering::Equal => quotient + quotient.rem_euclid(2),
    }
}

impl fmt::Display for Money {
    /// `19.99 EUR`: for logs and mails in plain text. Pages format by locale.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exponent = self.currency.exponent() as usize;
        if exponent == 0 {
            return write!(f, "{} {}", self.amount, self.currency);
        }
        let sign = if self.amount < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.amount.unsigned_abs(), width = exponent + 1);
        let (major, minor) = digits.split_at(digits.len() - exponent);
        write!(f, "{sign}{major}.{minor} {}", self.currency)
    }
}
impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Decimal text in units of `10^-digits`.
fn decimal(text: &str, digits: u32) -> Option<i64> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let fraction = fraction.trim_end_matches('0');
    let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let digits = digits as usize;
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) || fraction.len() > digits {
        return None;
    }
    format!("{whole}{fraction:0<digits$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn eur(amount: i64) -> Money {
        Money::new(amount, Currency::EUR)
    }

    #[test]
    fn prices_are_exact_or_refused() {
        let good = [
            ("19.99", 1_999),
            ("19.9", 1_990),
            ("19", 1_900),
            ("0.10", 10),
            (" 5.00 ", 500),
            ("19.9900", 1_999),
            ("0.07", 7),
            ("4.", 400),
        ];
        for (text, cents) in good {
            assert_eq!(decimal(text, 2), Some(cents), "{text}");
        }
        for bad in [
            "",
            ".",
            ".5",
            "-1",
            "+1",
            "1,234.50",
            "1e3",
            "19.999",
            "EUR 5",
            "٣",
            "99999999999999999999",
            "1.2.3",
            "NaN",
        ] {
            assert_eq!(decimal(bad, 2), None, "{bad}");
        }
        assert_eq!(
            (decimal("5", 0), decimal("5.00", 0), decimal("5.5", 0), decimal("1.234", 3)),
            (Some(5), Some(5), None, Some(1_234))
        );
    }

    #[test]
    fn decimal_text_comes_back() {
        for (amount, text) in [(1_999, "19.99"), (5, "0.05"), (0, "0.00"), (-250, "-2.50")] {
            assert_eq!(Money::new(amount, Currency::EUR).to_decimal(), text);
        }
        assert_eq!(Money::from_decimal("0.05", Currency::EUR), Some(Money::new(5, Currency::EUR)));
    }

    #[test]
    fn currencies_are_three_capital_letters_that_people_pay_with() {
        for good in ["EUR", "USD", "JPY", "KWD"] {
            assert_eq!(good.parse::<Currency>().unwrap().code(), good);
        }
        for bad in ["eur", "XXX", "EURO", "", "ZZZ", "XTS"] {
            assert!(bad.parse::<Currency>().is_err(), "{bad}");
        }
        assert_eq!("JPY".parse::<Currency>().unwrap().exponent(), 0);
        assert_eq!("KWD".parse::<Currency>().unwrap().exponent(), 3);
    }

    #[test]
    fn rounding_is_half_to_even() {
        assert_eq!([25, 35, -25, 26].map(|a| eur(a).ratio(1, 10).unwrap().amount), [2, 4, -2, 3]);
    }

    #[test]
    fn money_never_wraps() {
        assert_eq!(eur(MAX_AMOUNT).add(eur(1)).unwrap_err().code, "amount_too_large");
        assert_eq!(eur(i64::MAX).times(i64::MAX).unwrap_err().code, "amount_too_large");
        assert_eq!(eur(1).add(Money::new(1, "USD".parse().unwrap())).unwrap_err().code, "currency");
    }

    #[test]
    fn money_prints_with_the_digits_of_its_currency() {
        assert_eq!(eur(1999).to_string(), "19.99 EUR");
        assert_eq!(eur(-5).to_string(), "-0.05 EUR");
        assert_eq!(Money::new(5, "JPY".parse().unwrap()).to_string(), "5 JPY");
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_whole(amount in -MAX_AMOUNT..MAX_AMOUNT, weights in prop::collection::vec(0_i64..1_000_000, 1..20)) {
            let parts = eur(amount).allocate(&weights);
            prop_assert_eq!(parts.iter().map(|p| p.amount).sum::<i64>(), amount);
            prop_assert_eq!(parts.len(), weights.len());
            if amount >= 0 {
                prop_assert!(parts.iter().all(|p| p.amount >= 0));
            }
        }

        #[test]
        fn a_ratio_is_within_half_a_unit(amount in 0..MAX_AMOUNT / 1000, n in 0_i64..1000, d in 1_i64..10_000) {
            let got = i128::from(eur(amount).ratio(n, d).unwrap().amount);
            prop_assert!((got * i128::from(d) - i128::from(amount) * i128::from(n)).abs() * 2 <= i128::from(d));
        }
    }
}
