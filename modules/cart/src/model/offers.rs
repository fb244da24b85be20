//! Promotions and tax rates as one thing, read together and kept in memory.

use contracts::cart::{Promotion, TaxRate};
use shared::{Currency, Error, Money, Result, Time};

use super::code_key;
use crate::pricing::{self, Item, Refusal};

/// Every promotion and every tax rate of the shop.
#[derive(Clone, Debug, Default)]
pub struct Offers {
    /// In any state.
    pub promotions: Vec<Promotion>,
    /// Of all countries.
    pub tax_rates: Vec<TaxRate>,
}

impl Offers {
    /// What may take something off a cart with these codes: enabled, within its dates and not used up.
    pub fn in_play(&self, codes: &[String], now: Time) -> Vec<&Promotion> {
        let has = |code: &String| codes.iter().any(|other| code_key(other) == code_key(code));
        self.promotions
            .iter()
            .filter(|p| p.terms.enabled && is_within_dates(p, now) && !is_used_up(p))
            .filter(|p| p.terms.code.as_ref().is_none_or(has))
            .collect()
    }

    /// The promotion of a code: `Invalid/coupon_unknown` if there is none or it is switched off.
    pub fn of_code(&self, code: &str) -> Result<&Promotion> {
        self.with_code(code)
            .filter(|p| p.terms.enabled)
            .ok_or_else(|| refused("coupon_unknown", "there is no such discount code"))
    }

    /// The promotions of a cart's codes that are used up: who was promised a discount must be told that it is gone.
    pub fn used_up<'a>(&'a self, codes: &'a [String]) -> impl Iterator<Item = &'a Promotion> {
        codes.iter().filter_map(|code| self.with_code(code)).filter(|p| is_used_up(p))
    }

    fn with_code(&self, code: &str) -> Option<&Promotion> {
        let key = code_key(code);
        self.promotions.iter().find(|p| p.terms.code.as_ref().is_some_and(|other| code_key(other) == key))
    }

    /// Whether `code` may stand in a cart with these `codes` and items; says why not.
    pub fn may_apply(
        &self,
        code: &str,
        codes: &[String],
        basket: (&[Item], Currency),
        now: Time,
    ) -> Result<()> {
        let promotion = self.of_code(code)?;
        if !is_within_dates(promotion, now) {
            return Err(refused("coupon_expired", "this discount code is not valid now"));
        }
        if is_used_up(promotion) {
            return Err(exhausted(promotion));
        }
        let key = code_key(code);
        let others = codes.iter().filter(|other| code_key(other) != key);
        let combinable = others
            .filter_map(|other| self.with_code(other))
            .all(|other| other.terms.combinable && promotion.terms.combinable);
        if !combinable {
            let detail = "this discount code cannot be used together with the others in the cart";
            return Err(refused("coupon_not_combinable", detail));
        }
        let (items, currency) = basket;
        let items: Vec<&Item> = items.iter().collect();
        match pricing::refusal(promotion, &items, pricing::subtotal(&items, currency)?) {
            None => Ok(()),
            Some(Refusal::Minimum(minimum)) => Err(below(minimum)),
            Some(Refusal::NothingMatches) => Err(refused(
                "coupon_not_applicable",
                "this discount code does not apply to anything in the cart",
            )),
        }
    }
}

fn is_within_dates(promotion: &Promotion, now: Time) -> bool {
    promotion.terms.starts_at.is_none_or(|from| from <= now)
        && promotion.terms.ends_at.is_none_or(|to| now < to)
}

fn is_used_up(promotion: &Promotion) -> bool {
    promotion.terms.usage_limit.is_some_and(|limit| promotion.used >= limit)
}

/// `Conflict/coupon_exhausted` with the code.
pub fn exhausted(promotion: &Promotion) -> Error {
    Error::conflict("coupon_exhausted", "this discount has been used as often as it may be")
        .with("code", promotion.terms.code.clone())
        .with("promotion_id", promotion.id.to_string())
}

fn refused(code: &'static str, detail: &str) -> Error {
    Error::invalid("/code", code, detail)
}

fn below(minimum: Money) -> Error {
    let detail = format!("this discount code needs a subtotal of at least {minimum}");
    refused("coupon_minimum", &detail)
        .with("minimum_subtotal", serde_json::json!({"amount": minimum.amount, "currency": minimum.currency}))
}
