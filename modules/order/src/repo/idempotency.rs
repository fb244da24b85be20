//! Remembered answers.

use contracts::idempotency::Claim;
use diesel::{prelude::*, query_dsl::methods};
use diesel_async::RunQueryDsl;
use shared::{
    Time,
    db::{Conn, on},
};

use crate::schema::idempotency_keys as keys;

const STARTED: &str = "started";
const DONE: &str = "done";

#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = keys, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub struct KeyRow {
    pub request_hash: String,
    pub answer: Option<String>,
}

/// Takes the key if it is free, if this claim has it already, or if whoever took it for the same request has died. One
/// statement.
pub async fn take(conn: &mut Conn, claim: &Claim, now: Time, locked_until: Time) -> QueryResult<bool> {
    let id = claim.id.to_string();
    let row = (
        keys::scope.eq(&claim.scope),
        keys::key.eq(&claim.key),
        keys::request_hash.eq(&claim.request_hash),
        keys::state.eq(STARTED),
        keys::locked_until.eq(locked_until),
        keys::claim.eq(&id),
        keys::created_at.eq(now),
    );
    let open = keys::state
        .eq(STARTED)
        .and(keys::locked_until.le(now).or(keys::claim.eq(&id)))
        .and(keys::request_hash.eq(&claim.request_hash));
    let taken = on!(conn, |c| {
        let upsert = diesel::insert_into(keys::table)
            .values(row)
            .on_conflict((keys::scope, keys::key))
            .do_update()
            .set((keys::locked_until.eq(locked_until), keys::claim.eq(&id)));
        methods::FilterDsl::filter(upsert, open).execute(c).await
    })?;
    Ok(taken == 1)
}

pub async fn get(conn: &mut Conn, scope: &str, key: &str) -> QueryResult<Option<KeyRow>> {
    on!(conn, |c| keys::table.find((scope, key)).select(KeyRow::as_select()).first(c).await.optional())
}

/// Keeps the answer, if the key is this claim's.
pub async fn complete(conn: &mut Conn, claim: &Claim, answer: &str) -> QueryResult<usize> {
    let mine = keys::state.eq(STARTED).and(keys::claim.eq(claim.id.to_string()));
    on!(conn, |c| diesel::update(keys::table.find((&claim.scope, &claim.key)).filter(mine))
        .set((keys::state.eq(DONE), keys::answer.eq(answer)))
        .execute(c)
        .await)
}

/// Gives the key back, if it is this claim's and not done.
pub async fn abandon(conn: &mut Conn, claim: &Claim) -> QueryResult<usize> {
    let mine = keys::state.eq(STARTED).and(keys::claim.eq(claim.id.to_string()));
    on!(conn, |c| diesel::delete(keys::table.find((&claim.scope, &claim.key)).filter(mine)).execute(c).await)
}

/// Whoever took a key and has not come back is dead: it may be taken again.
pub async fn unlock(conn: &mut Conn, now: Time) -> QueryResult<usize> {
    on!(conn, |c| diesel::update(keys::table.filter(keys::state.eq(STARTED)))
        .set(keys::locked_until.eq(now))
        .execute(c)
        .await)
}

pub async fn prune(conn: &mut Conn, before: Time) -> QueryResult<usize> {
    on!(conn, |c| diesel::delete(keys::table.filter(keys::created_at.lt(before))).execute(c).await)
}

/// Forgets the answers of a principal: scopes begin with it.
pub async fn forget(conn: &mut Conn, principal: &str) -> QueryResult<usize> {
    let scope = format!("{principal} %");
    on!(conn, |c| diesel::delete(keys::table.filter(keys::scope.like(&scope))).execute(c).await)
}
