//! Values of entities.

use std::collections::{BTreeMap, HashMap};

use contracts::metadata::{Definition, DefinitionId, FieldValue, FieldValues, Metafield, Metafields, Owner};
use serde_json::Value;
use shared::{Error, Result, error::FieldError};

use super::{ATTEMPTS, Service, busy};
use crate::{
    model::{checker::Checker, definitions::parts, expect_version, kinds::is_id},
    store::{Fields, Saved},
};

/// Entities in one question.
const MOST_ENTITIES: usize = 1_000;

impl Service {
    pub(super) async fn fields_one(&self, owner: Owner, entity_id: String) -> Result<Metafields> {
        check_id(owner, &entity_id)?;
        let definitions = self.store.definitions(Some(owner)).await?;
        let stored = self.stored(owner, entity_id).await?;
        Ok(shown(owner, stored, &definitions))
    }

    pub(super) async fn fields_many(&self, owner: Owner, ids: Vec<String>) -> Result<Vec<Metafields>> {
        if ids.len() > MOST_ENTITIES {
            return Err(Error::invalid("/entity_ids", "too_many", "at most 1,000 entities"));
        }
        let definitions = self.store.definitions(Some(owner)).await?;
        let stored = self.store.fields(owner, &ids).await?;
        let mut stored: HashMap<String, Fields> =
            stored.into_iter().map(|fields| (fields.entity_id.clone(), fields)).collect();
        let none = |entity_id| Fields { entity_id, ..Fields::default() };
        let fields = ids.into_iter().map(|id| stored.remove(&id).unwrap_or_else(|| none(id)));
        Ok(fields.map(|fields| shown(owner, fields, &definitions)).collect())
    }

    /// Sets the values; `all`: those that are not named go.
    pub(super) async fn write_fields(
        &self,
        owner: Owner,
        entity_id: String,
        values: FieldValues,
        version: Option<i64>,
        all: bool,
    ) -> Result<Metafields> {
        check_id(owner, &entity_id)?;
        for _ in 0..ATTEMPTS {
            let definitions = self.store.definitions(Some(owner)).await?;
            let checked = checked(&values, &definitions)?;
            let before = self.stored(owner, entity_id.clone()).await?;
            expect_version(version, before.version, "custom fields")?;
            let mut after: BTreeMap<DefinitionId, Value> = BTreeMap::new();
            if !all {
                after.extend(before.values.iter().map(|field| (field.definition_id, field.value.clone())));
            }
            for (id, value) in checked {
                match value {
                    Some(value) => after.insert(id, value),
                    None => after.remove(&id),
                };
            }
            let field = |(definition_id, value)| FieldValue { definition_id, value };
            let fields = Fields { values: after.into_iter().map(field).collect(), ..before.clone() };
            if fields.values == before.values {
                return Ok(shown(owner, before, &definitions));
            }
            let held = |field: &FieldValue| {
                let found = definitions.iter().find(|definition| definition.id == field.definition_id);
                found.map(|definition| (definition.id, definition.version))
            };
            let against: Option<Vec<_>> = fields.values.iter().map(held).collect();
            // A value without a definition was written after they were read: read both again.
            let Some(against) = against else { continue };
            if self.store.replace_fields(owner, fields.clone(), against).await? == Saved::Yes {
                return Ok(shown(owner, Fields { version: fields.version + 1, ..fields }, &definitions));
            }
        }
        Err(busy())
    }

    async fn stored(&self, owner: Owner, entity_id: String) -> Result<Fields> {
        let found = self.store.fields(owner, std::slice::from_ref(&entity_id)).await?.pop();
        Ok(found.unwrap_or_else(|| Fields { entity_id, ..Fields::default() }))
    }
}

fn check_id(owner: Owner, entity_id: &str) -> Result<()> {
    if is_id(owner, entity_id) { Ok(()) } else { Err(Error::not_found(owner.as_str())) }
}

/// The values as they are kept, by definition (none: to be removed), or everything that is wrong with them.
fn checked(values: &FieldValues, definitions: &[Definition]) -> Result<Vec<(DefinitionId, Option<Value>)>> {
    let (mut checked, mut faults) = (Vec::new(), Vec::new());
    for (name, value) in values {
        let (namespace, key) = match parts(name) {
            Ok(parts) => parts,
            Err(error) => {
                faults.extend(error.fields);
                continue;
            }
        };
        let named =
            |terms: &contracts::metadata::NewDefinition| terms.namespace == namespace && terms.key == key;
        let Some(definition) = definitions.iter().find(|definition| named(&definition.terms)) else {
            let (pointer, code) = (format!("/{name}"), "unknown_field".to_owned());
            faults.push(FieldError { pointer, code, detail: format!("there is no field {name}") });
            continue;
        };
        if value.is_null() {
            checked.push((definition.id, None));
            continue;
        }
        let (kind, rules) = (definition.terms.kind, &definition.terms.rules);
        match Checker::new(kind, rules).and_then(|checker| checker.check(value)) {
            Ok(value) => checked.push((definition.id, Some(value))),
            Err(wrong) => faults.extend(
                wrong
                    .into_iter()
                    .map(|fault| FieldError { pointer: format!("/{name}{}", fault.pointer), ..fault }),
            ),
        }
    }
    if faults.is_empty() { Ok(checked) } else { Err(Error::invalid_fields(faults)) }
}

/// The fields as everybody sees them, in the order of the definitions.
fn shown(owner: Owner, stored: Fields, definitions: &[Definition]) -> Metafields {
    let field = |definition: &Definition| {
        let stored = stored.values.iter().find(|field| field.definition_id == definition.id)?;
        let terms = &definition.terms;
        Some(Metafield {
            definition_id: definition.id,
            namespace: terms.namespace.clone(),
            key: terms.key.clone(),
            name: terms.name.clone(),
            kind: terms.kind,
            visibility: terms.visibility,
            value: stored.value.clone(),
        })
    };
    let fields = definitions.iter().filter_map(field).collect();
    Metafields { owner, entity_id: stored.entity_id, version: stored.version, fields }
}
