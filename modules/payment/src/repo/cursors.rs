//! From when on a provider's changes are still to be compared.

use diesel::{prelude::*, result::QueryResult};
use diesel_async::RunQueryDsl;
use shared::{
    Time,
    db::{Conn, on},
};

use crate::schema::payment_cursors as cursors;

pub async fn get(conn: &mut Conn, provider: &str) -> QueryResult<Option<Time>> {
    on!(conn, |c| cursors::table.find(provider).select(cursors::since).first(c).await.optional())
}

pub async fn set(conn: &mut Conn, provider: &str, since: Time) -> QueryResult<()> {
    on!(conn, |c| diesel::insert_into(cursors::table)
        .values((cursors::provider.eq(provider), cursors::since.eq(since)))
        .on_conflict(cursors::provider)
        .do_update()
        .set(cursors::since.eq(since))
        .execute(c)
        .await)
    .map(drop)
}
