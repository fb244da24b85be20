//! Sessions and their refresh tokens.

use contracts::customer::{CustomerId, SessionId};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable,
    SelectableHelper,
};
use diesel_async::RunQueryDsl;
use shared::{
    Result, Time,
    db::{Conn, on},
};

use crate::schema::{browser_tokens, refresh_tokens, sessions};

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions)]
pub struct SessionRow {
    pub id: SessionId,
    pub account_id: CustomerId,
    pub user_agent: Option<String>,
    pub created_at: Time,
    pub last_used_at: Time,
    pub expires_at: Time,
    pub revoked_at: Option<Time>,
}

pub async fn insert(conn: &mut Conn, row: &SessionRow) -> Result<()> {
    on!(conn, |c| diesel::insert_into(sessions::table).values(row).execute(c).await)?;
    Ok(())
}

pub async fn get(conn: &mut Conn, id: SessionId) -> Result<Option<SessionRow>> {
    Ok(on!(conn, |c| sessions::table.find(id).select(SessionRow::as_select()).first(c).await.optional())?)
}

/// Those of an account that nobody has ended, the last used first. They may have expired.
pub async fn open(conn: &mut Conn, account: CustomerId) -> Result<Vec<SessionRow>> {
    Ok(on!(conn, |c| sessions::table
        .filter(sessions::account_id.eq(account).and(sessions::revoked_at.is_null()))
        .order((sessions::last_used_at.desc(), sessions::id.desc()))
        .select(SessionRow::as_select())
        .load(c)
        .await)?)
}

/// True if this call ended it.
pub async fn revoke(conn: &mut Conn, id: SessionId, now: Time) -> Result<bool> {
    let revoked = on!(conn, |c| diesel::update(sessions::table)
        .filter(sessions::id.eq(id).and(sessions::revoked_at.is_null()))
        .set(sessions::revoked_at.eq(now))
        .execute(c)
        .await)?;
    Ok(revoked == 1)
}

/// Notes that it is in use. False if it was ended meanwhile.
pub async fn touch(conn: &mut Conn, id: SessionId, now: Time) -> Result<bool> {
    let touched = on!(conn, |c| diesel::update(sessions::table)
        .filter(sessions::id.eq(id).and(sessions::revoked_at.is_null()))
        .set(sessions::last_used_at.eq(now))
        .execute(c)
        .await)?;
    Ok(touched == 1)
}

/// With their refresh tokens.
pub async fn delete_all(conn: &mut Conn, account: CustomerId) -> Result<()> {
    on!(conn, |c| diesel::delete(sessions::table).filter(sessions::account_id.eq(account)).execute(c).await)?;
    Ok(())
}

/// Forgets, with their refresh tokens, those that expired, were ended, or were last used before a limit.
pub async fn prune(conn: &mut Conn, over: Time, unused: Time) -> Result<usize> {
    // Each by its own index: for all three at once SQLite would read the whole table.
    let expired = sessions::table.filter(sessions::expires_at.lt(over));
    let left = sessions::table.filter(sessions::last_used_at.lt(unused));
    let ended = sessions::table.filter(sessions::revoked_at.lt(over));
    let expired = on!(conn, |c| diesel::delete(expired).execute(c).await)?;
    let left = on!(conn, |c| diesel::delete(left).execute(c).await)?;
    let ended = on!(conn, |c| diesel::delete(ended).execute(c).await)?;
    Ok(expired + left + ended)
}

pub async fn insert_token(conn: &mut Conn, hash: &str, session: SessionId, now: Time) -> Result<()> {
    on!(conn, |c| diesel::insert_into(refresh_tokens::table)
        .values((
            refresh_tokens::hash.eq(hash),
            refresh_tokens::session_id.eq(session),
            refresh_tokens::created_at.eq(now),
        ))
        .execute(c)
        .await)?;
    Ok(())
}

pub async fn insert_browser_token(conn: &mut Conn, hash: &str, session: SessionId, now: Time) -> Result<()> {
    on!(conn, |c| diesel::insert_into(browser_tokens::table)
        .values((
            browser_tokens::hash.eq(hash),
            browser_tokens::session_id.eq(session),
            browser_tokens::created_at.eq(now),
        ))
        .execute(c)
        .await)?;
    Ok(())
}

/// The session that a browser's cookie belongs to.
pub async fn of_browser_token(conn: &mut Conn, hash: &str) -> Result<Option<SessionRow>> {
    Ok(on!(conn, |c| browser_tokens::table
        .inner_join(sessions::table)
        .filter(browser_tokens::hash.eq(hash))
        .select(SessionRow::as_select())
        .first(c)
        .await
        .optional())?)
}

/// The session that a refresh token belongs to.
pub async fn of_token(conn: &mut Conn, hash: &str) -> Result<Option<SessionRow>> {
    Ok(on!(conn, |c| refresh_tokens::table
        .inner_join(sessions::table)
        .filter(refresh_tokens::hash.eq(hash))
        .select(SessionRow::as_select())
        .first(c)
        .await
        .optional())?)
}

/// Uses a refresh token up: true for exactly one caller.
pub async fn use_token(conn: &mut Conn, hash: &str, now: Time) -> Result<bool> {
    let used = on!(conn, |c| diesel::update(refresh_tokens::table)
        .filter(refresh_tokens::hash.eq(hash).and(refresh_tokens::used_at.is_null()))
        .set(refresh_tokens::used_at.eq(now))
        .execute(c)
        .await)?;
    Ok(used == 1)
}
