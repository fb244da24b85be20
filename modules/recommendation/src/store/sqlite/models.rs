//! Trained models, in parts.

use contracts::recommendation::{ModelId, ModelInfo};
use data_encoding::BASE64;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{
    Error, Result,
    db::{Conn, Tx, on},
};

use crate::{
    schema::{recommendation_model_parts as parts, recommendation_models as models},
    store::PART,
};

/// The content as it is written.
pub fn parts(content: &[u8]) -> impl Iterator<Item = String> + '_ {
    content.chunks(PART).map(|part| BASE64.encode(part))
}

pub async fn insert_part(tx: &mut Tx, model: ModelId, number: usize, content: &str) -> Result<()> {
    let number = i64::try_from(number).map_err(Error::internal)?;
    on!(tx, |c| diesel::insert_into(parts::table)
        .values((parts::model_id.eq(model), parts::part.eq(number), parts::content.eq(content)))
        .execute(c)
        .await)?;
    Ok(())
}

pub async fn insert(tx: &mut Tx, model: &ModelInfo) -> Result<()> {
    let document = serde_json::to_string(model)?;
    on!(tx, |c| diesel::insert_into(models::table)
        .values((
            models::id.eq(model.id),
            models::trained_at.eq(model.trained_at),
            models::document.eq(&document),
        ))
        .execute(c)
        .await)?;
    Ok(())
}

/// Deletes all but the newest, and the parts of those that were never finished.
pub async fn keep(tx: &mut Tx, count: usize) -> Result<()> {
    let all: Vec<ModelId> = on!(tx, |c| models::table
        .order((models::trained_at.desc(), models::id.desc()))
        .select(models::id)
        .load(c)
        .await)?;
    // With fewer of them, what is not finished may still become one of those to keep.
    let Some(kept) = all.get(..count) else { return Ok(()) };
    let Some(oldest) = kept.iter().min() else { return Ok(()) };
    let old = &all[count..];
    let removed = models::table.filter(models::id.eq_any(old));
    on!(tx, |c| diesel::delete(removed).execute(c).await)?;
    // Ids are in the order of training: whoever is still writing one that is older than these would not keep it.
    let rest = parts::table.filter(parts::model_id.eq_any(old).or(parts::model_id.lt(*oldest)));
    on!(tx, |c| diesel::delete(rest).execute(c).await)?;
    Ok(())
}

/// Newest first.
pub async fn list(conn: &mut Conn) -> Result<Vec<ModelInfo>> {
    let documents: Vec<String> = on!(conn, |c| models::table
        .order((models::trained_at.desc(), models::id.desc()))
        .select(models::document)
        .load(c)
        .await)?;
    documents.iter().map(|document| Ok(serde_json::from_str(document)?)).collect()
}

pub async fn newest(conn: &mut Conn) -> Result<Option<(ModelInfo, Vec<u8>)>> {
    let mut newest = list(conn).await?.into_iter().next();
    while let Some(model) = newest {
        let content = content(conn, model.id).await?;
        newest = list(conn).await?.into_iter().next();
        // Others may have come meanwhile, and some of this one's parts gone.
        if newest.as_ref().is_some_and(|newest| newest.id == model.id) {
            return Ok(Some((model, content)));
        }
    }
    Ok(None)
}

async fn content(conn: &mut Conn, model: ModelId) -> Result<Vec<u8>> {
    let texts: Vec<String> = on!(conn, |c| parts::table
        .filter(parts::model_id.eq(model))
        .order(parts::part)
        .select(parts::content)
        .load(c)
        .await)?;
    let mut content = Vec::new();
    for text in texts {
        content.extend(BASE64.decode(text.as_bytes()).map_err(Error::internal)?);
    }
    Ok(content)
}
