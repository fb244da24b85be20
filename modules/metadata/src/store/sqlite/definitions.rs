//! Definitions of custom fields.

use contracts::metadata::{Definition, DefinitionChanged, DefinitionId, Owner};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{
    Error, Result,
    db::{Conn, Tx, on},
};

use super::MODULE;
use crate::{schema::metafield_definitions as definitions, store::Saved};

pub async fn list(conn: &mut Conn, owner: Option<Owner>) -> Result<Vec<Definition>> {
    let rows: Vec<String> = on!(conn, |c| {
        let mut query = definitions::table.select(definitions::document).into_boxed();
        if let Some(owner) = owner {
            query = query.filter(definitions::owner.eq(owner.as_str()));
        }
        query.order((definitions::owner, definitions::namespace, definitions::key)).load(c).await
    })?;
    rows.iter().map(|document| Ok(serde_json::from_str(document)?)).collect()
}

pub async fn get(conn: &mut Conn, id: DefinitionId) -> Result<Option<Definition>> {
    let row = definitions::table.find(id).select(definitions::document);
    let document: Option<String> = on!(conn, |c| row.first(c).await.optional())?;
    Ok(document.as_deref().map(serde_json::from_str).transpose()?)
}

pub async fn insert(tx: &mut Tx, definition: &Definition) -> Result<()> {
    let document = serde_json::to_string(definition)?;
    let terms = &definition.terms;
    let inserted = on!(tx, |c| diesel::insert_into(definitions::table)
        .values((
            definitions::id.eq(definition.id),
            definitions::owner.eq(terms.owner.as_str()),
            definitions::namespace.eq(&terms.namespace),
            definitions::key.eq(&terms.key),
            definitions::version.eq(definition.version),
            definitions::document.eq(&document),
        ))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    if inserted == 0 {
        let (owner, namespace, key) = (terms.owner.as_str(), &terms.namespace, &terms.key);
        let detail = format!("a {owner} has a field {namespace}.{key} already");
        return Err(Error::conflict("definition_taken", detail));
    }
    announce(tx, definition, false).await
}

/// Replaces it if it still has the version it had before.
pub async fn replace(tx: &mut Tx, before: &Definition, after: &Definition) -> Result<Saved> {
    let document = serde_json::to_string(after)?;
    let row = definitions::table.find(before.id).filter(definitions::version.eq(before.version));
    let changes = (definitions::version.eq(after.version), definitions::document.eq(&document));
    if on!(tx, |c| diesel::update(row).set(changes).execute(c).await)? == 0 {
        return Ok(Saved::Raced);
    }
    announce(tx, after, false).await?;
    Ok(Saved::Yes)
}

/// Its values are gone already.
pub async fn delete(tx: &mut Tx, definition: &Definition) -> Result<()> {
    let row = definitions::table.find(definition.id);
    if on!(tx, |c| diesel::delete(row).execute(c).await)? == 0 {
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
        let row = definitions::table.find(id).filter(definitions::version.eq(version));
        let same = definitions::version.eq(version);
        if on!(tx, |c| diesel::update(row).set(same).execute(c).await)? == 0 {
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
