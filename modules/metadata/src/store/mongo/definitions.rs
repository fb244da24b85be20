//! Definitions of custom fields.

use contracts::metadata::{Definition, DefinitionChanged, DefinitionId, Owner};
use futures::TryStreamExt;
use mongodb::bson::{Document, doc};
use serde::{Deserialize, Serialize};
use shared::{
    Error, Result,
    mongo::{Mongo, Spec, Tx, duplicate, from_document, shape, to_document, unique},
};

use super::MODULE;
use crate::store::Saved;

pub const DEFINITIONS: &str = "metafield_definitions";

pub fn spec() -> Spec {
    let name = unique("definitions_name", doc! {"owner": 1, "namespace": 1, "key": 1}, doc! {});
    let properties = doc! {"version": {"bsonType": "long", "minimum": 1}, "document": {"bsonType": "string"}};
    let required = ["owner", "namespace", "key", "version", "document"];
    Spec { name: DEFINITIONS, indexes: vec![name], validator: shape(&required, properties) }
}

/// A definition as it is kept. The rules of a field are JSON, and stay as they were written.
#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(rename = "_id")]
    id: DefinitionId,
    owner: String,
    namespace: String,
    key: String,
    version: i64,
    document: String,
}

impl Row {
    fn new(definition: &Definition) -> Result<Self> {
        let terms = &definition.terms;
        Ok(Self {
            id: definition.id,
            owner: terms.owner.as_str().to_owned(),
            namespace: terms.namespace.clone(),
            key: terms.key.clone(),
            version: definition.version,
            document: serde_json::to_string(definition)?,
        })
    }
}

fn read(document: Document) -> Result<Definition> {
    Ok(serde_json::from_str(&from_document::<Row>(document)?.document)?)
}

pub async fn list(db: &Mongo, owner: Option<Owner>) -> Result<Vec<Definition>> {
    let filter = owner.map_or_else(Document::new, |owner| doc! {"owner": owner.as_str()});
    let by_name = doc! {"owner": 1, "namespace": 1, "key": 1};
    let found: Vec<Document> =
        db.collection(DEFINITIONS).find(filter).sort(by_name).await?.try_collect().await?;
    found.into_iter().map(read).collect()
}

pub async fn get(db: &Mongo, id: DefinitionId) -> Result<Option<Definition>> {
    db.collection(DEFINITIONS).find_one(doc! {"_id": id.to_string()}).await?.map(read).transpose()
}

pub async fn insert(tx: &mut Tx, definition: &Definition) -> Result<()> {
    let row = to_document(&Row::new(definition)?)?;
    let inserted = tx.collection(DEFINITIONS).insert_one(row).session(tx.session()).await;
    inserted.map_err(|error| match duplicate(&error) {
        Some(_) => {
            let terms = &definition.terms;
            let (owner, namespace, key) = (terms.owner.as_str(), &terms.namespace, &terms.key);
            let detail = format!("a {owner} has a field {namespace}.{key} already");
            Error::conflict("definition_taken", detail)
        }
        None => error.into(),
    })?;
    announce(tx, definition, false).await
}

/// Replaces it if it still has the version it had before.
pub async fn replace(tx: &mut Tx, before: &Definition, after: &Definition) -> Result<Saved> {
    let seen = doc! {"_id": before.id.to_string(), "version": before.version};
    let definitions = tx.collection(DEFINITIONS);
    let row = to_document(&Row::new(after)?)?;
    if definitions.replace_one(seen, row).session(tx.session()).await?.matched_count == 0 {
        return Ok(Saved::Raced);
    }
    announce(tx, after, false).await?;
    Ok(Saved::Yes)
}

/// Its values are gone already.
pub async fn delete(tx: &mut Tx, definition: &Definition) -> Result<()> {
    let id = doc! {"_id": definition.id.to_string()};
    if tx.collection(DEFINITIONS).delete_one(id).session(tx.session()).await?.deleted_count == 0 {
        return Ok(());
    }
    let gone = Definition { version: definition.version + 1, ..definition.clone() };
    announce(tx, &gone, true).await
}

/// Keeps the definitions as they are until the end of the transaction; false if one has another version.
pub async fn hold(tx: &mut Tx, against: &[(DefinitionId, i64)]) -> Result<bool> {
    let mut sorted = against.to_vec();
    sorted.sort();
    for (id, version) in sorted {
        let seen = doc! {"_id": id.to_string(), "version": version};
        // An update that changes nothing would not hold it.
        let touch = doc! {"$inc": {"held": 1_i64}};
        let definitions = tx.collection(DEFINITIONS);
        if definitions.update_one(seen, touch).session(tx.session()).await?.matched_count == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn announce(tx: &mut Tx, definition: &Definition, deleted: bool) -> Result<()> {
    let event = DefinitionChanged { definition: definition.clone(), deleted };
    tx.emit(MODULE, definition.id, definition.version, &event).await?;
    Ok(())
}
