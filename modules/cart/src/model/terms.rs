//! What a promotion and a tax rate may say.

use contracts::cart::{NewPromotion, NewTaxRate, PromotionKind};
use shared::{Error, Result, money::MAX_AMOUNT, values};

/// Longest list of categories or products.
const MAX_SCOPE: usize = 1_000;
/// Most units of one group of a buy-x-get-y.
const MAX_GROUP: i64 = 9_999;
/// Largest limit of uses.
const MAX_USES: i64 = 1_000_000_000;

/// Codes with the same key are one code: case and outer spaces do not count.
pub fn code_key(code: &str) -> String {
    code.trim().to_lowercase()
}

/// Checks and tidies the terms of a promotion.
pub fn validated_promotion(terms: NewPromotion) -> Result<NewPromotion> {
    let title = terms.title.as_deref().map(str::trim).filter(|title| !title.is_empty());
    let title = title.map(|title| values::text("/title", title, 200)).transpose()?;
    let code = terms.code.as_deref().map(|code| values::text("/code", code, 64)).transpose()?;
    match terms.kind {
        PromotionKind::Percentage => in_range("/value", terms.value, 1, 100)?,
        PromotionKind::Fixed => {
            in_range("/value", terms.value, 1, MAX_AMOUNT)?;
            if terms.currency.is_none() {
                return Err(Error::invalid("/currency", "required", "a fixed discount needs a currency"));
            }
        }
        PromotionKind::FreeShipping => {}
        PromotionKind::BuyXGetY => {
            in_range("/value", terms.value, 1, 100)?;
            in_range("/buy_quantity", terms.buy_quantity.unwrap_or(0), 1, MAX_GROUP)?;
            in_range("/get_quantity", terms.get_quantity.unwrap_or(0), 1, MAX_GROUP)?;
        }
    }
    if let (Some(from), Some(to)) = (terms.starts_at, terms.ends_at)
        && to <= from
    {
        return Err(Error::invalid("/ends_at", "out_of_range", "must be after starts_at"));
    }
    in_range("/usage_limit", terms.usage_limit.unwrap_or(1), 1, MAX_USES)?;
    in_range("/usage_limit_per_customer", terms.usage_limit_per_customer.unwrap_or(1), 1, MAX_USES)?;
    in_range("/minimum_subtotal/amount", terms.minimum_subtotal.map_or(0, |m| m.amount), 0, MAX_AMOUNT)?;
    for (pointer, length) in
        [("/category_ids", terms.category_ids.len()), ("/product_ids", terms.product_ids.len())]
    {
        if length > MAX_SCOPE {
            return Err(Error::invalid(pointer, "too_many", format!("at most {MAX_SCOPE}")));
        }
    }
    Ok(NewPromotion { title, code, ..terms })
}

/// Checks and tidies a tax rate. Classes are in lower case; an empty region is none.
pub fn validated_tax_rate(rate: NewTaxRate) -> Result<NewTaxRate> {
    let region = rate.region.as_deref().map(str::trim).filter(|region| !region.is_empty());
    in_range("/rate_basis_points", rate.rate_basis_points, 0, 10_000)?;
    Ok(NewTaxRate {
        region: region.map(|region| values::text("/region", region, 100)).transpose()?,
        tax_class: values::text("/tax_class", &rate.tax_class, 64)?.to_lowercase(),
        name: values::text("/name", &rate.name, 100)?,
        ..rate
    })
}

fn in_range(pointer: &str, value: i64, min: i64, max: i64) -> Result<()> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(Error::invalid(pointer, "out_of_range", format!("must be between {min} and {max}")))
}

#[cfg(test)]
mod tests {
    use shared::{Currency, Money, Time};

    use super::*;
    use crate::pricing::testing::terms;

    #[test]
    fn terms_that_cannot_be_are_refused_with_a_pointer() {
        use PromotionKind::{BuyXGetY, Fixed, FreeShipping, Percentage};
        let with = |kind, change: fn(&mut NewPromotion)| {
            let mut terms = NewPromotion { value: 10, currency: Some(Currency::EUR), ..terms(kind) };
            (terms.buy_quantity, terms.get_quantity) = (Some(2), Some(1));
            change(&mut terms);
            validated_promotion(terms)
        };
        for kind in [Percentage, Fixed, FreeShipping, BuyXGetY] {
            assert!(with(kind, |_| {}).is_ok());
        }
        assert!(with(FreeShipping, |t| t.value = -5).is_ok());
        let wrong = [
            ("/value", with(Percentage, |t| t.value = 0)),
            ("/value", with(Percentage, |t| t.value = 101)),
            ("/value", with(Fixed, |t| t.value = 0)),
            ("/value", with(BuyXGetY, |t| t.value = 101)),
            ("/currency", with(Fixed, |t| t.currency = None)),
            ("/buy_quantity", with(BuyXGetY, |t| t.buy_quantity = None)),
            ("/get_quantity", with(BuyXGetY, |t| t.get_quantity = Some(0))),
            ("/code", with(Percentage, |t| t.code = Some(" ".into()))),
            ("/code", with(Percentage, |t| t.code = Some("x".repeat(65)))),
            ("/usage_limit", with(Percentage, |t| t.usage_limit = Some(0))),
            ("/usage_limit_per_customer", with(Percentage, |t| t.usage_limit_per_customer = Some(-1))),
            (
                "/minimum_subtotal/amount",
                with(Percentage, |t| t.minimum_subtotal = Some(Money::new(-1, Currency::EUR))),
            ),
            (
                "/ends_at",
                with(Percentage, |t| {
                    (t.starts_at, t.ends_at) = (Some(Time::from_micros(2)), Some(Time::from_micros(2)));
                }),
            ),
        ];
        for (pointer, result) in wrong {
            assert_eq!(result.unwrap_err().fields[0].pointer, pointer);
        }
    }

    #[test]
    fn codes_differ_by_more_than_case_and_spaces() {
        assert_eq!(code_key("  Sommer-ÄÖ "), code_key("sommer-äö"));
        assert_ne!(code_key("SUMMER"), code_key("SUM MER"));
    }
}
