//! Values against a definition.

use contracts::metadata::{Kind, Rules};
use jsonschema::Validator;
use regex::{Regex, RegexBuilder};
use serde_json::Value;
use shared::error::FieldError;

use super::{
    Faults, json,
    kinds::{self, Wrong},
};

/// Items of a list, unless its rules say fewer.
pub const MOST_ITEMS: u32 = 100;
/// Bytes that a pattern may take in memory.
const PATTERN_SIZE: usize = 256 << 10;
/// What is said of a value that a JSON Schema refuses.
const MOST_FAULTS: usize = 10;

/// A kind with its rules, made ready to check many values.
pub struct Checker {
    kind: Kind,
    rules: Rules,
    pattern: Option<Regex>,
    schema: Option<Validator>,
}

impl Checker {
    /// `Err` with the faults of the rules' pattern or schema.
    pub fn new(kind: Kind, rules: &Rules) -> Result<Self, Vec<FieldError>> {
        let mut faults = Faults::default();
        let pattern = rules.pattern.as_deref().and_then(|pattern| match compile(pattern) {
            Ok(pattern) => Some(pattern),
            Err((code, detail)) => {
                faults.add("/rules/pattern", code, detail);
                None
            }
        });
        let schema = rules.schema.as_ref().and_then(|schema| match json::schema(schema) {
            Ok(schema) => Some(schema),
            Err((code, detail)) => {
                faults.add("/rules/schema", code, detail);
                None
            }
        });
        match faults.0.is_empty() {
            true => Ok(Self { kind, rules: rules.clone(), pattern, schema }),
            false => Err(faults.0),
        }
    }

    /// The value as it is kept, or what is wrong with it; pointers are within the value.
    pub fn check(&self, value: &Value) -> Result<Value, Vec<FieldError>> {
        match self.kind {
            Kind::List => self.list(value),
            Kind::Json => self.json(value),
            kind => self.plain(kind, value).map_err(|wrong| vec![fault("", wrong)]),
        }
    }

    /// The value as the new kind writes it, where that is wider than the old one; else as it is.
    pub fn convert(&self, from: Kind, value: &Value) -> Value {
        match (from, self.kind, value) {
            (Kind::List, Kind::List, Value::Array(items)) => {
                let items_kind = self.rules.items.unwrap_or(Kind::Text);
                Value::Array(items.iter().map(|item| widened(items_kind, item)).collect())
            }
            (Kind::List | Kind::Json, ..) => value.clone(),
            (_, Kind::List, _) => Value::Array(vec![widened(self.rules.items.unwrap_or(Kind::Text), value)]),
            (_, kind, _) => widened(kind, value),
        }
    }

    fn list(&self, value: &Value) -> Result<Value, Vec<FieldError>> {
        let wrong = |code, detail: String| vec![fault("", (code, detail))];
        let items = value.as_array().ok_or_else(|| wrong("kind", "must be a list".to_owned()))?;
        let most = self.rules.max_items.unwrap_or(MOST_ITEMS);
        if items.len() > most as usize {
            return Err(wrong("too_many", format!("must have at most {most} items")));
        }
        let kind = self.rules.items.unwrap_or(Kind::Text);
        let (mut kept, mut faults) = (Vec::new(), Vec::new());
        for (i, item) in items.iter().enumerate() {
            match self.plain(kind, item) {
                Ok(item) => kept.push(item),
                Err(wrong) => faults.push(fault(&format!("/{i}"), wrong)),
            }
        }
        if faults.is_empty() { Ok(Value::Array(kept)) } else { Err(faults) }
    }

    fn json(&self, value: &Value) -> Result<Value, Vec<FieldError>> {
        json::check(value).map_err(|wrong| vec![fault("", wrong)])?;
        let Some(schema) = &self.schema else { return Ok(value.clone()) };
        let refused = |error: jsonschema::ValidationError<'_>| {
            fault(error.instance_path().as_str(), ("schema", error.to_string().chars().take(300).collect()))
        };
        let faults: Vec<_> = schema.iter_errors(value).take(MOST_FAULTS).map(refused).collect();
        if faults.is_empty() { Ok(value.clone()) } else { Err(faults) }
    }

    fn plain(&self, kind: Kind, value: &Value) -> Result<Value, Wrong> {
        let rules = &self.rules;
        let kept = kinds::parse(kind, rules.reference, value)?;
        if let Some(text) = kept.as_str().filter(|_| kind == Kind::Text) {
            if let Some(most) = rules.max_length.filter(|most| text.chars().count() > *most as usize) {
                return Err(("too_long", format!("must have at most {most} characters")));
            }
            if self.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(text)) {
                return Err(("pattern", "does not have the form that is asked for".to_owned()));
            }
        }
        let rank = kinds::rank(kind, &kept);
        let bound = |bound: &Option<Value>| bound.as_ref().and_then(|bound| bound_rank(kind, bound));
        let low = bound(&rules.min).zip(rank).is_some_and(|(min, rank)| rank < min);
        let high = bound(&rules.max).zip(rank).is_some_and(|(max, rank)| rank > max);
        if low || high {
            return Err(("out_of_range", "is out of range".to_owned()));
        }
        if !rules.choices.is_empty() && !rules.choices.contains(&kept) {
            return Err(("choice", "is none of the values there are".to_owned()));
        }
        Ok(kept)
    }
}

/// Where a bound stands. That of money is its minor units.
pub fn bound_rank(kind: Kind, bound: &Value) -> Option<i128> {
    match kind {
        Kind::Money => bound.as_i64().map(i128::from),
        kind => kinds::rank(kind, bound),
    }
}

fn widened(kind: Kind, value: &Value) -> Value {
    match (kind, value) {
        (Kind::Text, value) => kinds::plain(value).map_or_else(|| value.clone(), Value::from),
        (Kind::Decimal, Value::Number(number)) => number.to_string().into(),
        _ => value.clone(),
    }
}

fn compile(pattern: &str) -> Result<Regex, Wrong> {
    let whole = format!("^(?:{pattern})$");
    let compiled = RegexBuilder::new(&whole).size_limit(PATTERN_SIZE).build();
    compiled.map_err(|_| ("pattern", "is no regular expression, or too large a one".to_owned()))
}

fn fault(pointer: &str, (code, detail): Wrong) -> FieldError {
    FieldError { pointer: pointer.to_owned(), code: code.to_owned(), detail }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules(rules: Value) -> Rules {
        serde_json::from_value(rules).unwrap()
    }

    fn wrong(kind: Kind, with: Value, value: Value) -> Vec<(String, String)> {
        let faults = Checker::new(kind, &rules(with)).unwrap().check(&value).unwrap_err();
        faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect()
    }

    #[test]
    fn rules_hold_for_each_item_of_a_list() {
        let with = json!({"items": "integer", "min": 1, "max": 9, "max_items": 3});
        let at = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
        let found = wrong(Kind::List, with.clone(), json!([1, 10, "x"]));
        assert_eq!(found, [at("/1", "out_of_range"), at("/2", "kind")]);
        assert_eq!(wrong(Kind::List, with, json!([1, 2, 3, 4])), [at("", "too_many")]);
        assert_eq!(wrong(Kind::Text, json!({"pattern": "[A-Z]+"}), json!("ABc")), [at("", "pattern")]);
        assert_eq!(wrong(Kind::Text, json!({"choices": ["Oak", "Ash"]}), json!("oak")), [at("", "choice")]);
        assert_eq!(wrong(Kind::Decimal, json!({"max": "1.5"}), json!("1.500001")), [at("", "out_of_range")]);
        let schema = json!({"schema": {"type": "object", "required": ["w"], "properties": {"w": {"type": "integer"}}}});
        assert_eq!(wrong(Kind::Json, schema, json!({"w": "wide"})), [at("/w", "schema")]);
    }

    #[test]
    fn wider_kinds_take_what_was_there() {
        let convert = |from, to, with: Value, value: Value| {
            let checker = Checker::new(to, &rules(with)).unwrap();
            checker.check(&checker.convert(from, &value)).ok()
        };
        assert_eq!(convert(Kind::Integer, Kind::Decimal, json!({}), json!(42)), Some(json!("42")));
        assert_eq!(convert(Kind::Boolean, Kind::Text, json!({}), json!(true)), Some(json!("true")));
        let texts = json!({"items": "text"});
        assert_eq!(convert(Kind::Integer, Kind::List, texts.clone(), json!(42)), Some(json!(["42"])));
        assert_eq!(convert(Kind::List, Kind::List, texts, json!([1, 2])), Some(json!(["1", "2"])));
        assert_eq!(
            convert(Kind::Text, Kind::Date, json!({}), json!("2026-11-23")),
            Some(json!("2026-11-23"))
        );
        assert_eq!(convert(Kind::Text, Kind::Integer, json!({}), json!("soon")), None);
        assert_eq!(convert(Kind::Text, Kind::Json, json!({}), json!("any")), Some(json!("any")));
    }
}
