//! What search takes of custom fields.

use std::collections::HashMap;

use contracts::metadata::{Definition, DefinitionId, FieldValue};
use serde_json::Value;

/// A custom field of a product, for the index.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexedField {
    /// `care.origin`.
    pub name: String,
    /// Text search finds the product by it.
    pub searchable: bool,
    /// Lists can be narrowed by it.
    pub facet: bool,
    pub texts: Vec<String>,
}

/// Those of the values that search has a use for.
pub fn indexed(values: &[FieldValue], definitions: &HashMap<DefinitionId, Definition>) -> Vec<IndexedField> {
    let field = |value: &FieldValue| {
        let terms = &definitions.get(&value.definition_id)?.terms;
        (terms.searchable || terms.facet).then(|| IndexedField {
            name: format!("{}.{}", terms.namespace, terms.key),
            searchable: terms.searchable,
            facet: terms.facet,
            texts: texts(&value.value),
        })
    };
    values.iter().filter_map(field).collect()
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Bool(_) | Value::Number(_) => vec![value.to_string()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Null | Value::Object(_) => Vec::new(),
    }
}
