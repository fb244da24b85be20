//! Definitions: what they are called and whether their rules fit their kind.

use contracts::metadata::{DefinitionPatch, Kind, NewDefinition, Rules, Visibility};
use shared::{Error, Result};

use super::{
    Faults,
    checker::{Checker, MOST_ITEMS, bound_rank},
    kinds::{self, LONGEST_TEXT},
};

const LONGEST_NAME: usize = 40;
const MOST_CHOICES: usize = 200;

/// The definition with its texts trimmed and its bounds as they are kept, or everything that is wrong with it.
pub fn validated(mut new: NewDefinition) -> Result<NewDefinition> {
    let mut faults = Faults::default();
    for (pointer, name) in [("/namespace", &new.namespace), ("/key", &new.key)] {
        let detail = "must be a small letter, then small letters, digits and _, at most 40 of them";
        faults.check(is_name(name), pointer, "name", detail);
    }
    new.name = faults.text("/name", &new.name, 100);
    new.description = faults.optional("/description", &new.description, 1_000);
    let plain = match new.kind {
        Kind::List => new.rules.items.unwrap_or(Kind::Text),
        kind => kind,
    };
    shapes(&mut faults, new.kind, plain, &new.rules);
    bounds(&mut faults, plain, &mut new.rules);
    let flagged = [("/searchable", new.searchable), ("/facet", new.facet)];
    for (pointer, _) in flagged.into_iter().filter(|(_, set)| *set) {
        let fits = !matches!(plain, Kind::Money | Kind::Json);
        faults.check(fits, pointer, "kind", "is not for money and json");
        let seen = new.visibility == Visibility::Storefront;
        faults.check(seen, pointer, "visibility", "needs a field that shoppers see");
    }
    if faults.0.is_empty()
        && let Err(wrong) = Checker::new(new.kind, &new.rules)
    {
        faults.0.extend(wrong);
    }
    faults.done().map(|()| new)
}

/// The definition with the patch.
pub fn patched(terms: &NewDefinition, patch: DefinitionPatch) -> Result<NewDefinition> {
    let mut terms = terms.clone();
    let DefinitionPatch { name, description, kind, rules, visibility, searchable, facet, drop_invalid: _ } =
        patch;
    terms.name = name.unwrap_or(terms.name);
    terms.description = description.unwrap_or(terms.description);
    terms.kind = kind.unwrap_or(terms.kind);
    terms.rules = rules.unwrap_or(terms.rules);
    terms.visibility = visibility.unwrap_or(terms.visibility);
    terms.searchable = searchable.unwrap_or(terms.searchable);
    terms.facet = facet.unwrap_or(terms.facet);
    validated(terms)
}

/// The two parts of `namespace.key`, or `Invalid` if it is not one.
pub fn parts(name: &str) -> Result<(&str, &str)> {
    let parts = name.split_once('.').filter(|(namespace, key)| is_name(namespace) && is_name(key));
    parts.ok_or_else(|| {
        let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        Error::invalid(pointer, "name", "must be a namespace, a point and a key")
    })
}

fn is_name(name: &str) -> bool {
    let rest = name.strip_prefix(|c: char| c.is_ascii_lowercase());
    name.len() <= LONGEST_NAME
        && rest.is_some_and(|rest| {
            rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        })
}

/// Which rules there may and must be.
fn shapes(faults: &mut Faults, kind: Kind, plain: Kind, rules: &Rules) {
    let list = kind == Kind::List;
    let ordered = is_ordered(plain);
    let chosen = matches!(plain, Kind::Text | Kind::Integer | Kind::Decimal | Kind::Date);
    let text = plain == Kind::Text;
    let there = [
        ("/rules/min", rules.min.is_some(), ordered),
        ("/rules/max", rules.max.is_some(), ordered),
        ("/rules/max_length", rules.max_length.is_some(), text),
        ("/rules/pattern", rules.pattern.is_some(), text),
        ("/rules/choices", !rules.choices.is_empty(), chosen),
        ("/rules/reference", rules.reference.is_some(), plain == Kind::Reference),
        ("/rules/items", rules.items.is_some(), list),
        ("/rules/max_items", rules.max_items.is_some(), list),
        ("/rules/schema", rules.schema.is_some(), kind == Kind::Json),
    ];
    for (pointer, there, fits) in there {
        faults.check(!there || fits, pointer, "kind", "is not a rule for this kind");
    }
    faults.check(
        !list || rules.items.is_some(),
        "/rules/items",
        "required",
        "a list needs the kind of its items",
    );
    let listed = !list || !matches!(plain, Kind::List | Kind::Json);
    faults.check(listed, "/rules/items", "kind", "items are of a plain kind");
    let refers = plain != Kind::Reference || rules.reference.is_some();
    faults.check(refers, "/rules/reference", "required", "a reference needs what it refers to");
    let length = rules.max_length.is_none_or(|most| (1..=LONGEST_TEXT).contains(&(most as usize)));
    faults.check(length, "/rules/max_length", "out_of_range", "must be 1 to 5,000");
    let items = rules.max_items.is_none_or(|most| (1..=MOST_ITEMS).contains(&most));
    faults.check(items, "/rules/max_items", "out_of_range", "must be 1 to 100");
    let pattern = rules.pattern.as_ref().is_none_or(|pattern| pattern.len() <= 500);
    faults.check(pattern, "/rules/pattern", "too_long", "must have at most 500 bytes");
    faults.check(rules.choices.len() <= MOST_CHOICES, "/rules/choices", "too_many", "at most 200 choices");
}

fn is_ordered(kind: Kind) -> bool {
    matches!(kind, Kind::Integer | Kind::Decimal | Kind::Date | Kind::Money)
}

/// Whether bounds and choices are values of the kind. Choices are kept as values are.
fn bounds(faults: &mut Faults, plain: Kind, rules: &mut Rules) {
    let rank = |bound: &Option<serde_json::Value>| bound.as_ref().and_then(|bound| bound_rank(plain, bound));
    let (min, max) = (rank(&rules.min), rank(&rules.max));
    for (pointer, bound, rank) in [("/rules/min", &rules.min, min), ("/rules/max", &rules.max, max)] {
        let wrong = is_ordered(plain) && bound.is_some() && rank.is_none();
        faults.check(!wrong, pointer, "kind", "is not a value of this kind");
    }
    let ordered = min.zip(max).is_none_or(|(min, max)| min <= max);
    faults.check(ordered, "/rules/max", "out_of_range", "must not be less than min");
    for (i, choice) in rules.choices.iter_mut().enumerate() {
        match kinds::parse(plain, None, choice) {
            Ok(kept) => *choice = kept,
            Err((code, detail)) => faults.add(format!("/rules/choices/{i}"), code, detail),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn wrong(terms: Value) -> Vec<String> {
        let mut whole = json!({"owner": "product", "namespace": "care", "key": "origin", "name": "Origin", "kind": "text"});
        whole.as_object_mut().unwrap().extend(terms.as_object().unwrap().clone());
        match validated(serde_json::from_value(whole).unwrap()) {
            Ok(_) => Vec::new(),
            Err(error) => error.fields.into_iter().map(|field| field.pointer).collect(),
        }
    }

    #[test]
    fn names_are_plain() {
        assert!(wrong(json!({})).is_empty());
        for name in ["", "$where", "a.b", "A", "1a", "a-b", "a\u{0}", "é", &"a".repeat(41)] {
            assert_eq!(wrong(json!({"namespace": name, "key": name})), ["/namespace", "/key"], "{name:?}");
        }
        for name in ["care.$ne", "care", "care.a.b", ".a", "a.", "care.o\u{0}"] {
            assert!(parts(name).is_err(), "{name:?}");
        }
        assert_eq!(parts("care.origin").unwrap(), ("care", "origin"));
    }

    #[test]
    fn rules_fit_the_kind() {
        for (terms, pointer) in [
            (json!({"rules": {"min": 1}}), "/rules/min"),
            (json!({"kind": "list"}), "/rules/items"),
            (json!({"kind": "list", "rules": {"items": "json"}}), "/rules/items"),
            (json!({"kind": "reference"}), "/rules/reference"),
            (json!({"kind": "integer", "rules": {"min": 2, "max": 1}}), "/rules/max"),
            (json!({"kind": "integer", "rules": {"min": "2"}}), "/rules/min"),
            (json!({"rules": {"pattern": "("}}), "/rules/pattern"),
            (json!({"rules": {"choices": ["Oak", 1]}}), "/rules/choices/1"),
            (json!({"kind": "json", "rules": {"schema": {"type": 1}}}), "/rules/schema"),
            (json!({"kind": "money", "facet": true, "visibility": "storefront"}), "/facet"),
            (json!({"searchable": true}), "/searchable"),
        ] {
            assert_eq!(wrong(terms.clone()), [pointer], "{terms}");
        }
        assert!(wrong(json!({"kind": "money", "rules": {"min": 0, "max": 1000}})).is_empty());
    }
}
