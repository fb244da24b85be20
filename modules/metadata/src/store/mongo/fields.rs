//! Values: one document for each entity that has or had some. Every change goes through this file, and takes the
//! version and the event with it.

use contracts::metadata::{Definition, DefinitionId, FieldValue, MetafieldsChanged, Owner};
use futures::TryStreamExt;
use mongodb::bson::{Document, doc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::{
    Error, Result,
    mongo::{Mongo, Spec, Tx, from_document, index, shape, to_document},
};

use super::MODULE;
use crate::{
    model::checker::Checker,
    store::{Fields, Saved},
};

pub const ENTITIES: &str = "metafields";
/// Entities in memory while a definition changes.
const PAGE: i64 = 500;
/// Values that an error names.
const EXAMPLES: usize = 10;

pub fn spec() -> Spec {
    let of_definition = index(doc! {"values.definition_id": 1, "_id": 1});
    let properties = doc! {"version": {"bsonType": "long", "minimum": 1}, "values": {"bsonType": "array"}};
    let required = ["owner", "entity_id", "version", "values"];
    Spec { name: ENTITIES, indexes: vec![of_definition], validator: shape(&required, properties) }
}

/// An entity's values as they are kept, by definition.
#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(rename = "_id")]
    id: String,
    owner: String,
    entity_id: String,
    version: i64,
    values: Vec<Kept>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    definition_id: DefinitionId,
    /// JSON: a value may have members of any name.
    value: String,
}

impl Row {
    fn new(owner: Owner, fields: &Fields) -> Self {
        let mut values: Vec<_> = fields.values.iter().map(Kept::new).collect();
        values.sort_by_key(|kept| kept.definition_id);
        Self {
            id: id(owner, &fields.entity_id),
            owner: owner.as_str().to_owned(),
            entity_id: fields.entity_id.clone(),
            version: fields.version,
            values,
        }
    }

    fn fields(self) -> Result<Fields> {
        let value = |kept: Kept| {
            Ok(FieldValue { definition_id: kept.definition_id, value: serde_json::from_str(&kept.value)? })
        };
        let values = self.values.into_iter().map(value).collect::<Result<_>>()?;
        Ok(Fields { entity_id: self.entity_id, version: self.version, values })
    }
}

impl Kept {
    fn new(field: &FieldValue) -> Self {
        Self { definition_id: field.definition_id, value: field.value.to_string() }
    }
}

fn id(owner: Owner, entity: &str) -> String {
    format!("{}/{entity}", owner.as_str())
}

fn read(document: Document) -> Result<Fields> {
    from_document::<Row>(document)?.fields()
}

pub async fn load(db: &Mongo, owner: Owner, entities: &[String]) -> Result<Vec<Fields>> {
    let ids: Vec<_> = entities.iter().map(|entity| id(owner, entity)).collect();
    let found = db.collection(ENTITIES).find(doc! {"_id": {"$in": ids}}).await?;
    let found: Vec<Document> = found.try_collect().await?;
    found.into_iter().map(read).collect()
}

/// Makes these the entity's values if it still has that version.
pub async fn replace(tx: &mut Tx, owner: Owner, fields: &Fields) -> Result<Saved> {
    let entities = tx.collection(ENTITIES);
    let after = Fields { version: fields.version + 1, ..fields.clone() };
    let row = to_document(&Row::new(owner, &after))?;
    let key = doc! {"_id": id(owner, &fields.entity_id)};
    if fields.version == 0 {
        if entities.find_one(key).session(tx.session()).await?.is_some() {
            return Ok(Saved::Raced);
        }
        entities.insert_one(row).session(tx.session()).await?;
    } else {
        let seen = doc! {"_id": id(owner, &fields.entity_id), "version": fields.version};
        if entities.replace_one(seen, row).session(tx.session()).await?.matched_count == 0 {
            return Ok(Saved::Raced);
        }
    }
    announce(tx, owner, after).await?;
    Ok(Saved::Yes)
}

/// Brings the values of a definition to its new terms. `Conflict/definition_in_use` if some do not fit, unless those
/// shall go.
pub async fn convert(tx: &mut Tx, before: &Definition, after: &Definition, drop_invalid: bool) -> Result<()> {
    let checker = Checker::new(after.terms.kind, &after.terms.rules).map_err(Error::invalid_fields)?;
    let (mut last, mut wrong, mut examples) = (String::new(), 0_u64, Vec::new());
    loop {
        let rows = page(tx, after.id, &last).await?;
        let Some(row) = rows.last() else { break };
        last.clone_from(&row.id);
        for row in rows {
            let mut fields = row.fields()?;
            let Some(at) = fields.values.iter().position(|field| field.definition_id == after.id) else {
                continue;
            };
            let value = fields.values[at].value.clone();
            let kept = match checker.check(&checker.convert(before.terms.kind, &value)) {
                Ok(kept) => Some(kept),
                Err(faults) => {
                    wrong += 1;
                    if examples.len() < EXAMPLES {
                        let detail =
                            faults.as_slice().first().map(|fault| fault.detail.as_str()).unwrap_or_default();
                        let entity = &fields.entity_id;
                        examples.push(json!({"entity_id": entity, "value": value, "detail": detail}));
                    }
                    None
                }
            };
            // Once one does not fit, the rest is only counted: all of it will be rolled back.
            if kept.as_ref() != Some(&value) && (wrong == 0 || drop_invalid) {
                put(&mut fields, at, kept);
                replace(tx, after.terms.owner, &fields).await?;
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

/// Entities with a value of the definition, after that one.
async fn page(tx: &mut Tx, definition: DefinitionId, after: &str) -> Result<Vec<Row>> {
    let filter = doc! {"values.definition_id": definition.to_string(), "_id": {"$gt": after}};
    let entities = tx.collection(ENTITIES);
    let mut found = entities.find(filter).sort(doc! {"_id": 1}).limit(PAGE).session(tx.session()).await?;
    let found: Vec<Document> = found.stream(tx.session()).try_collect().await?;
    found.into_iter().map(from_document).collect()
}

fn put(fields: &mut Fields, at: usize, value: Option<Value>) {
    match value {
        Some(value) => fields.values[at].value = value,
        None => drop(fields.values.remove(at)),
    }
}

/// Removes the definition's values. Their entities move on, without an event for each.
pub async fn forget(tx: &mut Tx, definition: &Definition) -> Result<()> {
    let id = definition.id.to_string();
    let gone = doc! {"$inc": {"version": 1_i64}, "$pull": {"values": {"definition_id": &id}}};
    let entities = tx.collection(ENTITIES);
    entities.update_many(doc! {"values.definition_id": &id}, gone).session(tx.session()).await?;
    Ok(())
}

/// Says what the entity has now.
async fn announce(tx: &mut Tx, owner: Owner, now: Fields) -> Result<()> {
    let Fields { entity_id, version, mut values } = now;
    values.sort_by_key(|field| field.definition_id);
    let event = MetafieldsChanged { owner, entity_id: entity_id.clone(), version, values };
    tx.emit(MODULE, entity_id, version, &event).await?;
    Ok(())
}
