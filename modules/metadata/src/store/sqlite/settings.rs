//! The versions of the shop's settings.

use contracts::metadata::settings::SettingsChanged;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{
    Result,
    db::{Conn, Tx, on},
};

use super::MODULE;
use crate::{model::settings::Version, schema::shop_settings as versions, store::Saved};

pub async fn history(conn: &mut Conn, before: Option<i64>, limit: i64) -> Result<Vec<Version>> {
    let rows: Vec<String> = on!(conn, |c| versions::table
        .filter(versions::version.lt(before.unwrap_or(i64::MAX)))
        .order(versions::version.desc())
        .limit(limit)
        .select(versions::document)
        .load(c)
        .await)?;
    rows.iter().map(|document| Ok(serde_json::from_str(document)?)).collect()
}

pub async fn at(conn: &mut Conn, version: i64) -> Result<Option<Version>> {
    let row = versions::table.find(version).select(versions::document);
    let document: Option<String> = on!(conn, |c| row.first(c).await.optional())?;
    Ok(document.as_deref().map(serde_json::from_str).transpose()?)
}

pub async fn add(tx: &mut Tx, version: &Version) -> Result<Saved> {
    let (number, document) = (version.change.version, serde_json::to_string(version)?);
    let inserted = on!(tx, |c| diesel::insert_into(versions::table)
        .values((versions::version.eq(number), versions::document.eq(&document)))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    if inserted == 0 {
        return Ok(Saved::Raced);
    }
    tx.emit(MODULE, "settings", number, &SettingsChanged { version: number }).await?;
    Ok(Saved::Yes)
}
