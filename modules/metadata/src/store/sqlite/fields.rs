//! Values: every change of an entity's values goes through this file, and takes its version and its event with it.

use std::collections::BTreeMap;

use contracts::metadata::{Definition, DefinitionId, FieldValue, MetafieldsChanged, Owner};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use shared::{
    Error, Result,
    db::{Conn, Tx, on},
};

use super::MODULE;
use crate::{
    model::checker::Checker,
    schema::{metafield_entities as entities, metafield_values as values},
    store::{Fields, Saved},
};

/// Values in memory while a definition changes.
const PAGE: i64 = 500;
/// Values that an error names.
const EXAMPLES: usize = 10;

pub async fn load(conn: &mut Conn, owner: Owner, ids: &[String]) -> Result<Vec<Fields>> {
    let found: Vec<(String, i64)> = on!(conn, |c| entities::table
        .filter(entities::owner.eq(owner.as_str()).and(entities::entity_id.eq_any(ids)))
        .select((entities::entity_id, entities::version))
        .load(c)
        .await)?;
    let rows: Vec<(String, DefinitionId, String)> = on!(conn, |c| values::table
        .filter(values::owner.eq(owner.as_str()).and(values::entity_id.eq_any(ids)))
        .order(values::definition_id)
        .select((values::entity_id, values::definition_id, values::value))
        .load(c)
        .await)?;
    let mut by_entity = BTreeMap::<String, Vec<FieldValue>>::new();
    for (entity, definition_id, value) in rows {
        let value = serde_json::from_str(&value)?;
        by_entity.entry(entity).or_default().push(FieldValue { definition_id, value });
    }
    let fields = |(entity_id, version)| {
        let values = by_entity.remove(&entity_id).unwrap_or_default();
        Fields { entity_id, version, values }
    };
    Ok(found.into_iter().map(fields).collect())
}

/// Makes these the entity's values if it still has that version.
pub async fn replace(tx: &mut Tx, owner: Owner, fields: &Fields) -> Result<Saved> {
    let id = fields.entity_id.as_str();
    let moved = match fields.version {
        0 => on!(tx, |c| diesel::insert_into(entities::table)
            .values((entities::owner.eq(owner.as_str()), entities::entity_id.eq(id), entities::version.eq(1)))
            .on_conflict_do_nothing()
            .execute(c)
            .await)?,
        version => {
            let row = entities::table.find((owner.as_str(), id)).filter(entities::version.eq(version));
            on!(tx, |c| diesel::update(row).set(entities::version.eq(version + 1)).execute(c).await)?
        }
    };
    if moved == 0 {
        return Ok(Saved::Raced);
    }
    let old = values::table.filter(values::owner.eq(owner.as_str()).and(values::entity_id.eq(id)));
    on!(tx, |c| diesel::delete(old).execute(c).await)?;
    for FieldValue { definition_id, value } in &fields.values {
        let text = value.to_string();
        on!(tx, |c| diesel::insert_into(values::table)
            .values((
                values::owner.eq(owner.as_str()),
                values::entity_id.eq(id),
                values::definition_id.eq(*definition_id),
                values::value.eq(&text),
            ))
            .execute(c)
            .await)?;
    }
    announce(tx, owner, id).await?;
    Ok(Saved::Yes)
}

/// Brings the values of a definition to its new terms. `Conflict/definition_in_use` if some do not fit, unless those
/// shall go.
pub async fn convert(tx: &mut Tx, before: &Definition, after: &Definition, drop_invalid: bool) -> Result<()> {
    let checker = Checker::new(after.terms.kind, &after.terms.rules).map_err(Error::invalid_fields)?;
    let owner = after.terms.owner;
    let (mut last, mut wrong, mut examples) = (String::new(), 0_u64, Vec::new());
    loop {
        let rows: Vec<(String, String)> = on!(tx, |c| values::table
            .filter(values::definition_id.eq(after.id).and(values::entity_id.gt(&last)))
            .order(values::entity_id)
            .limit(PAGE)
            .select((values::entity_id, values::value))
            .load(c)
            .await)?;
        let Some((id, _)) = rows.last() else { break };
        last.clone_from(id);
        for (entity_id, text) in &rows {
            let value: Value = serde_json::from_str(text)?;
            let kept = match checker.check(&checker.convert(before.terms.kind, &value)) {
                Ok(kept) => Some(kept),
                Err(faults) => {
                    wrong += 1;
                    if examples.len() < EXAMPLES {
                        let detail =
                            faults.as_slice().first().map(|fault| fault.detail.as_str()).unwrap_or_default();
                        examples.push(json!({"entity_id": entity_id, "value": value, "detail": detail}));
                    }
                    None
                }
            };
            // Once one does not fit, the rest is only counted: all of it will be rolled back.
            if kept.as_ref() != Some(&value) && (wrong == 0 || drop_invalid) {
                put(tx, owner, entity_id, after.id, kept).await?;
            }
        }
    }
    if wrong > 0 && !drop_invalid {
        let detail = format!("{wrong} values do not fit the new terms");
        let error = Error::conflict("definition_in_use", detail);
        return Err(error.with("count", wrong).with("examples", examples));
    }
    Ok(())
}

/// Removes the definition's values. Their entities move on, without an event for each.
pub async fn forget(tx: &mut Tx, definition: &Definition) -> Result<()> {
    let of_definition =
        values::table.filter(values::definition_id.eq(definition.id)).select(values::entity_id);
    let rows = entities::table
        .filter(entities::owner.eq(definition.terms.owner.as_str()))
        .filter(entities::entity_id.eq_any(of_definition));
    on!(tx, |c| diesel::update(rows).set(entities::version.eq(entities::version + 1)).execute(c).await)?;
    let all = values::table.filter(values::definition_id.eq(definition.id));
    on!(tx, |c| diesel::delete(all).execute(c).await)?;
    Ok(())
}

/// Writes or removes one value of an entity.
async fn put(
    tx: &mut Tx,
    owner: Owner,
    entity_id: &str,
    definition: DefinitionId,
    value: Option<Value>,
) -> Result<()> {
    let entity = entities::table.find((owner.as_str(), entity_id));
    on!(tx, |c| diesel::update(entity).set(entities::version.eq(entities::version + 1)).execute(c).await)?;
    let row = values::table.find((owner.as_str(), entity_id, definition));
    match value {
        Some(value) => {
            let text = value.to_string();
            on!(tx, |c| diesel::update(row).set(values::value.eq(&text)).execute(c).await)?;
        }
        None => {
            on!(tx, |c| diesel::delete(row).execute(c).await)?;
        }
    }
    announce(tx, owner, entity_id).await
}

/// Says what the entity has now.
async fn announce(tx: &mut Tx, owner: Owner, entity_id: &str) -> Result<()> {
    let now = load(tx, owner, &[entity_id.to_owned()]).await?.pop().unwrap_or_default();
    let event = MetafieldsChanged {
        owner,
        entity_id: entity_id.to_owned(),
        version: now.version,
        values: now.values,
    };
    tx.emit(MODULE, entity_id, now.version, &event).await?;
    Ok(())
}
