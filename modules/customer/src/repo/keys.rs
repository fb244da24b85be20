//! Signing keys.

use diesel::{ExpressionMethods, Insertable, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use shared::{
    Result, Time,
    db::{Conn, on},
};

use crate::schema::signing_keys;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = signing_keys)]
pub struct KeyRow {
    pub kid: String,
    pub seed: String,
    pub created_at: Time,
}

/// Newest first.
pub async fn list(conn: &mut Conn) -> Result<Vec<KeyRow>> {
    Ok(on!(conn, |c| signing_keys::table
        .order((signing_keys::created_at.desc(), signing_keys::kid))
        .select(KeyRow::as_select())
        .load(c)
        .await)?)
}

pub async fn insert(conn: &mut Conn, row: &KeyRow) -> Result<()> {
    on!(conn, |c| diesel::insert_into(signing_keys::table).values(row).execute(c).await)?;
    Ok(())
}
