//! The plain kinds: what their values look like, and how they compare.

use chrono::NaiveDate;
use contracts::{
    customer::CustomerId,
    metadata::{Kind, Owner, content::PageId},
    order::OrderId,
    product::{CategoryId, CollectionId, ProductId, VariantId},
};
use serde_json::Value;
use shared::{Money, values};

/// Characters of a text.
pub const LONGEST_TEXT: usize = 5_000;
const BEFORE_POINT: usize = 15;
const BEHIND_POINT: usize = 6;

/// What is wrong with a value: code and detail.
pub type Wrong = (&'static str, String);

/// The value as it is kept, or what is wrong with it. Not for lists and json.
pub fn parse(kind: Kind, reference: Option<Owner>, value: &Value) -> Result<Value, Wrong> {
    let text = value.as_str();
    match kind {
        Kind::Text => {
            let text = text.ok_or_else(|| wrong_kind("a text"))?;
            let kept = values::text("", text, LONGEST_TEXT).map_err(|error| {
                let code = ["required", "too_long"].into_iter().find(|code| *code == error.code);
                (code.unwrap_or("characters"), error.detail)
            })?;
            Ok(kept.into())
        }
        Kind::Integer => value.as_i64().map(Value::from).ok_or_else(|| wrong_kind("a whole number")),
        Kind::Decimal => {
            let decimal = text.and_then(decimal).ok_or_else(|| wrong_kind("a decimal number in a string"))?;
            Ok(decimal_text(decimal).into())
        }
        Kind::Boolean => value.as_bool().map(Value::from).ok_or_else(|| wrong_kind("true or false")),
        Kind::Date => {
            let date = text.and_then(date).ok_or_else(|| wrong_kind("a date such as \"2026-11-23\""))?;
            Ok(date.format("%Y-%m-%d").to_string().into())
        }
        Kind::Money => {
            let members = value.as_object().map_or(0, serde_json::Map::len);
            let money: Option<Money> = serde_json::from_value(value.clone()).ok().filter(|_| members == 2);
            let money = money.ok_or_else(|| wrong_kind("an amount in minor units and its currency"))?;
            serde_json::to_value(money).map_err(|_| wrong_kind("money"))
        }
        Kind::Reference => {
            let owner = reference.ok_or_else(|| wrong_kind("a reference to something"))?;
            let known = text.filter(|id| is_id(owner, id));
            known.map(Value::from).ok_or_else(|| wrong_kind(&format!("the id of a {}", owner.as_str())))
        }
        Kind::List | Kind::Json => Err(wrong_kind("a plain value")),
    }
}

fn wrong_kind(wanted: &str) -> Wrong {
    ("kind", format!("must be {wanted}"))
}

/// Whether this can be the id of such an entity.
pub fn is_id(owner: Owner, id: &str) -> bool {
    match owner {
        Owner::Product => id.parse::<ProductId>().is_ok(),
        Owner::Variant => id.parse::<VariantId>().is_ok(),
        Owner::Category => id.parse::<CategoryId>().is_ok(),
        Owner::Collection => id.parse::<CollectionId>().is_ok(),
        Owner::Customer => id.parse::<CustomerId>().is_ok(),
        Owner::Order => id.parse::<OrderId>().is_ok(),
        Owner::Page => id.parse::<PageId>().is_ok(),
    }
}

/// Where a value stands among others of its kind; none for kinds without an order. Money is ordered by its amount.
pub fn rank(kind: Kind, value: &Value) -> Option<i128> {
    match kind {
        Kind::Integer => value.as_i64().map(i128::from),
        Kind::Decimal => value.as_str().and_then(decimal),
        Kind::Date => value.as_str().and_then(date).map(|date| i128::from(date.to_epoch_days())),
        Kind::Money => value.get("amount").and_then(Value::as_i64).map(i128::from),
        _ => None,
    }
}

/// A plain value as people read it.
pub fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Object(money) => {
            let (amount, currency) = (money.get("amount")?.as_i64()?, money.get("currency")?.as_str()?);
            Some(format!("{amount} {currency}"))
        }
        Value::Null | Value::Array(_) => None,
    }
}

/// In millionths.
fn decimal(text: &str) -> Option<i128> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let fits = |digits: &str, most: usize| {
        (1..=most).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !fits(whole, BEFORE_POINT) || !fits(part, BEHIND_POINT) {
        return None;
    }
    let millionths: i128 = format!("{whole}{part:0<BEHIND_POINT$}").parse().ok()?;
    Some(if negative { -millionths } else { millionths })
}

/// Each number is written in one way.
fn decimal_text(millionths: i128) -> String {
    let (whole, part) = (millionths.unsigned_abs() / 1_000_000, millionths.unsigned_abs() % 1_000_000);
    let text = format!("{whole}.{part:06}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if millionths < 0 { format!("-{text}") } else { text.to_owned() }
}

fn date(text: &str) -> Option<NaiveDate> {
    let exact = text.len() == 10
        && text.bytes().enumerate().all(|(i, byte)| byte.is_ascii_digit() || i == 4 || i == 7);
    exact.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_is_written_in_one_way() {
        for (text, kept) in
            [("12.50", "12.5"), ("-0.0", "0"), ("007", "7"), ("-0.000001", "-0.000001"), ("3.", "")]
        {
            let parsed = parse(Kind::Decimal, None, &json!(text));
            assert_eq!(parsed.ok(), (!kept.is_empty()).then(|| json!(kept)), "{text}");
        }
        for wrong in
            [json!(12.5), json!("1e3"), json!("1.0000001"), json!("1234567890123456"), json!(""), json!("+1")]
        {
            assert!(parse(Kind::Decimal, None, &wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn plain_kinds_take_no_operators() {
        let operator = json!({"$gt": ""});
        for kind in [
            Kind::Text,
            Kind::Integer,
            Kind::Decimal,
            Kind::Boolean,
            Kind::Date,
            Kind::Money,
            Kind::Reference,
        ] {
            assert!(parse(kind, Some(Owner::Product), &operator).is_err(), "{kind:?}");
        }
        let priced = json!({"amount": 1, "currency": "EUR", "$where": "1"});
        assert!(parse(Kind::Money, None, &priced).is_err());
    }

    #[test]
    fn dates_and_references_are_real() {
        for wrong in ["2026-02-30", "2026-2-03", "26-02-03", "2026-02-03T00:00", "+026-02-03"] {
            assert!(parse(Kind::Date, None, &json!(wrong)).is_err(), "{wrong}");
        }
        let product = json!(ProductId::new());
        assert!(parse(Kind::Reference, Some(Owner::Product), &product).is_ok());
        assert!(parse(Kind::Reference, Some(Owner::Order), &product).is_err());
        assert!(rank(Kind::Date, &json!("2026-11-23")) < rank(Kind::Date, &json!("2027-01-01")));
    }
}
