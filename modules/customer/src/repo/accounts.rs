//! Accounts.

use contracts::customer::{Customer, CustomerId};
use diesel::{
    AsChangeset, BoolExpressionMethods, EscapeExpressionMethods, ExpressionMethods, Insertable, IntoSql,
    OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper, TextExpressionMethods,
    sql_types::Bool,
};
use diesel_async::RunQueryDsl;
use shared::{
    Error, Result, Time,
    db::{Conn, on},
    values::Email,
};

use crate::schema::accounts;

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = accounts)]
pub struct AccountRow {
    pub id: CustomerId,
    pub email: String,
    pub name: String,
    pub name_lower: String,
    pub password_hash: Option<String>,
    pub email_verified: bool,
    pub customer_group: Option<String>,
    pub created_at: Time,
    pub updated_at: Time,
    pub version: i64,
    pub deleted_at: Option<Time>,
}

impl AccountRow {
    /// A new account.
    pub fn new(
        email: &Email,
        name: &str,
        password_hash: Option<String>,
        email_verified: bool,
        now: Time,
    ) -> Self {
        Self {
            id: CustomerId::new(),
            email: email.as_str().to_owned(),
            name: name.to_owned(),
            name_lower: name.to_lowercase(),
            password_hash,
            email_verified,
            customer_group: None,
            created_at: now,
            updated_at: now,
            version: 1,
            deleted_at: None,
        }
    }

    /// The address, which was one when it was stored.
    pub fn email(&self) -> Result<Email> {
        self.email.parse().map_err(|e: Error| Error::internal(format!("{}: {e}", self.id)))
    }

    /// What others may see.
    pub fn customer(&self) -> Result<Customer> {
        Ok(Customer {
            id: self.id,
            email: self.email()?,
            name: self.name.clone(),
            email_verified: self.email_verified,
            group: self.customer_group.clone(),
            created_at: self.created_at,
            version: self.version,
        })
    }
}

/// What changes; `None` stays.
#[derive(Default, AsChangeset)]
#[diesel(table_name = accounts)]
pub struct Changes {
    pub email: Option<String>,
    pub name: Option<String>,
    pub name_lower: Option<String>,
    pub password_hash: Option<Option<String>>,
    pub email_verified: Option<bool>,
    pub customer_group: Option<Option<String>>,
    pub deleted_at: Option<Time>,
}

/// Where a page of the list ends.
pub type Position = (Time, CustomerId);

/// True if the account is new, false if the address has one.
pub async fn insert(conn: &mut Conn, row: &AccountRow) -> Result<bool> {
    let inserted = on!(conn, |c| diesel::insert_into(accounts::table)
        .values(row)
        .on_conflict(accounts::email)
        .do_nothing()
        .execute(c)
        .await)?;
    Ok(inserted == 1)
}

/// Takes the account's row lock until the transaction ends. False if there is no such account (any more).
pub async fn lock(conn: &mut Conn, id: CustomerId) -> Result<bool> {
    let locked = on!(conn, |c| diesel::update(accounts::table)
        .filter(accounts::id.eq(id).and(accounts::deleted_at.is_null()))
        .set(accounts::id.eq(id))
        .execute(c)
        .await)?;
    Ok(locked == 1)
}

/// An account that is not deleted.
pub async fn get(conn: &mut Conn, id: CustomerId) -> Result<Option<AccountRow>> {
    Ok(on!(conn, |c| accounts::table
        .filter(accounts::id.eq(id).and(accounts::deleted_at.is_null()))
        .select(AccountRow::as_select())
        .first(c)
        .await
        .optional())?)
}

/// True if there ever was such an account.
pub async fn existed(conn: &mut Conn, id: CustomerId) -> Result<bool> {
    let found = on!(conn, |c| accounts::table
        .filter(accounts::id.eq(id))
        .select(accounts::id)
        .first::<CustomerId>(c)
        .await
        .optional())?;
    Ok(found.is_some())
}

/// The account of an address. A deleted account has none.
pub async fn by_email(conn: &mut Conn, email: &Email) -> Result<Option<AccountRow>> {
    Ok(on!(conn, |c| accounts::table
        .filter(accounts::email.eq(email.as_str()).and(accounts::deleted_at.is_null()))
        .select(AccountRow::as_select())
        .first(c)
        .await
        .optional())?)
}

/// Changes an account and raises its version. False if it is gone, or is not at version `expected`.
pub async fn update(
    conn: &mut Conn,
    id: CustomerId,
    expected: Option<i64>,
    changes: &Changes,
    now: Time,
) -> Result<bool> {
    let at_version =
        accounts::version.eq(expected.unwrap_or_default()).or(expected.is_none().into_sql::<Bool>());
    let changed = on!(conn, |c| diesel::update(accounts::table)
        .filter(accounts::id.eq(id).and(accounts::deleted_at.is_null()).and(at_version))
        .set((changes, accounts::version.eq(accounts::version + 1), accounts::updated_at.eq(now)))
        .execute(c)
        .await)?;
    Ok(changed == 1)
}

/// Stores the same password's hash of today's parameters.
pub async fn rehash(conn: &mut Conn, id: CustomerId, hash: &str) -> Result<()> {
    on!(conn, |c| diesel::update(accounts::table)
        .filter(accounts::id.eq(id))
        .set(accounts::password_hash.eq(hash))
        .execute(c)
        .await)?;
    Ok(())
}

/// Newest first, from after `position`. `q`, in lower case, is the start of the address or a part of the name.
pub async fn list(
    conn: &mut Conn,
    q: Option<&str>,
    position: Option<Position>,
    limit: i64,
) -> Result<Vec<AccountRow>> {
    let pattern = q.map(|q| q.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
    Ok(on!(conn, |c| {
        let mut query = accounts::table.filter(accounts::deleted_at.is_null()).into_boxed();
        if let Some(pattern) = &pattern {
            let by_email = accounts::email.like(format!("{pattern}%")).escape('\\');
            query = query.filter(by_email.or(accounts::name_lower.like(format!("%{pattern}%")).escape('\\')));
        }
        if let Some((time, id)) = position {
            let same_time = accounts::created_at.eq(time).and(accounts::id.lt(id));
            query = query.filter(accounts::created_at.lt(time).or(same_time));
        }
        query
            .order((accounts::created_at.desc(), accounts::id.desc()))
            .limit(limit)
            .select(AccountRow::as_select())
            .load(c)
            .await
    })?)
}
