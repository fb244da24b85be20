//! Single-use tokens sent by mail.

use contracts::customer::{CustomerId, TokenId};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable,
    SelectableHelper,
};
use diesel_async::RunQueryDsl;
use shared::{
    Result, Time,
    db::{Conn, on},
};

use crate::schema::mailed_tokens;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = mailed_tokens)]
pub struct TokenRow {
    pub id: TokenId,
    pub account_id: CustomerId,
    pub purpose: String,
    pub email: String,
    pub created_at: Time,
    pub expires_at: Time,
    pub used_at: Option<Time>,
}

pub async fn insert(conn: &mut Conn, row: &TokenRow) -> Result<()> {
    on!(conn, |c| diesel::insert_into(mailed_tokens::table).values(row).execute(c).await)?;
    Ok(())
}

/// A token that can be used now.
pub async fn live(conn: &mut Conn, id: TokenId, purpose: &str, now: Time) -> Result<Option<TokenRow>> {
    Ok(on!(conn, |c| mailed_tokens::table
        .filter(mailed_tokens::id.eq(id).and(mailed_tokens::purpose.eq(purpose)))
        .filter(mailed_tokens::used_at.is_null().and(mailed_tokens::expires_at.gt(now)))
        .select(TokenRow::as_select())
        .first(c)
        .await
        .optional())?)
}

/// How many were sent after `since`.
pub async fn count_since(conn: &mut Conn, account: CustomerId, purpose: &str, since: Time) -> Result<i64> {
    Ok(on!(conn, |c| mailed_tokens::table
        .filter(mailed_tokens::account_id.eq(account).and(mailed_tokens::purpose.eq(purpose)))
        .filter(mailed_tokens::created_at.gt(since))
        .count()
        .get_result(c)
        .await)?)
}

/// Uses a token up: true for exactly one caller, before it expires.
pub async fn consume(conn: &mut Conn, id: TokenId, now: Time) -> Result<bool> {
    let used = on!(conn, |c| diesel::update(mailed_tokens::table)
        .filter(mailed_tokens::id.eq(id))
        .filter(mailed_tokens::used_at.is_null().and(mailed_tokens::expires_at.gt(now)))
        .set(mailed_tokens::used_at.eq(now))
        .execute(c)
        .await)?;
    Ok(used == 1)
}

/// Ends the account's unused tokens of one purpose.
pub async fn invalidate(conn: &mut Conn, account: CustomerId, purpose: &str, now: Time) -> Result<()> {
    on!(conn, |c| diesel::update(mailed_tokens::table)
        .filter(mailed_tokens::account_id.eq(account).and(mailed_tokens::purpose.eq(purpose)))
        .filter(mailed_tokens::used_at.is_null())
        .set(mailed_tokens::used_at.eq(now))
        .execute(c)
        .await)?;
    Ok(())
}

pub async fn delete_all(conn: &mut Conn, account: CustomerId) -> Result<()> {
    on!(conn, |c| diesel::delete(mailed_tokens::table)
        .filter(mailed_tokens::account_id.eq(account))
        .execute(c)
        .await)?;
    Ok(())
}

/// Forgets those that expired before `limit`.
pub async fn prune(conn: &mut Conn, limit: Time) -> Result<usize> {
    Ok(on!(conn, |c| diesel::delete(mailed_tokens::table)
        .filter(mailed_tokens::expires_at.lt(limit))
        .execute(c)
        .await)?)
}
