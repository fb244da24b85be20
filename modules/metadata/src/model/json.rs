//! Free JSON: how much of it, how deep, and what its members may be called; and JSON Schema.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::kinds::Wrong;

/// Bytes of a value or a schema.
const LARGEST: usize = 16 << 10;
const DEEPEST: usize = 16;

/// A JSON value that any database can keep, or what is wrong with it.
pub fn check(value: &Value) -> Result<(), Wrong> {
    bounded(value)?;
    if has_bad_name(value) {
        return Err((
            "member_name",
            "member names have no \"$\", no \".\" and no control characters".to_owned(),
        ));
    }
    Ok(())
}

/// The schema, ready to use.
pub fn schema(schema: &Value) -> Result<Validator, Wrong> {
    bounded(schema)?;
    if !schema.is_object() {
        return Err(("schema", "must be a JSON Schema".to_owned()));
    }
    // Without backtracking a pattern takes no longer than its text.
    let options = jsonschema::draft202012::options().with_pattern_options(PatternOptions::regex());
    options.build(schema).map_err(|error| ("schema", format!("is no JSON Schema: {error}")))
}

fn bounded(value: &Value) -> Result<(), Wrong> {
    if depth(value) > DEEPEST {
        return Err(("too_deep", format!("must have at most {DEEPEST} levels")));
    }
    if value.to_string().len() > LARGEST {
        return Err(("too_long", format!("must have at most {LARGEST} bytes")));
    }
    Ok(())
}

fn depth(value: &Value) -> usize {
    let below = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        _ => None,
    };
    1 + below.unwrap_or(0)
}

fn has_bad_name(value: &Value) -> bool {
    let bad = |name: &String| name.is_empty() || name.chars().any(|c| c == '$' || c == '.' || c.is_control());
    match value {
        Value::Array(items) => items.iter().any(has_bad_name),
        Value::Object(members) => members.iter().any(|(name, value)| bad(name) || has_bad_name(value)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn operators_and_paths_are_no_names() {
        for wrong in [
            json!({"$set": 1}),
            json!({"a": [{"b.c": 1}]}),
            json!({"a\u{0}": 1}),
            json!({"": 1}),
            json!({"a$": 1}),
        ] {
            assert_eq!(check(&wrong).unwrap_err().0, "member_name", "{wrong}");
        }
        assert!(check(&json!({"a": {"b": ["$", "x.y"]}})).is_ok());
    }

    #[test]
    fn size_and_depth_have_an_end() {
        let nested = (0..DEEPEST).fold(json!(1), |inner, _| json!([inner]));
        assert_eq!(check(&nested).unwrap_err().0, "too_deep");
        assert_eq!(check(&json!("x".repeat(LARGEST))).unwrap_err().0, "too_long");
    }

    #[test]
    fn a_schema_stays_by_itself() {
        assert!(schema(&json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"type": "integer"}}})).is_ok());
        for wrong in [
            json!({"$ref": "https://example.com/schema.json"}),
            json!({"$ref": "file:///etc/passwd"}),
            json!({"type": "nonsense"}),
            json!({"pattern": "(?=look)"}),
            json!(true),
        ] {
            assert!(schema(&wrong).is_err(), "{wrong}");
        }
    }
}
