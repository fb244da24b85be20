//! Roles and who has them.

use contracts::customer::CustomerId;
use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, QueryDsl};
use diesel_async::RunQueryDsl;
use shared::{
    Result,
    db::{Conn, on},
};

use crate::schema::{accounts, role_permissions, roles, staff_roles};

/// Takes the role's row lock until the transaction ends. False if there is no such role.
pub async fn lock(conn: &mut Conn, role: &str) -> Result<bool> {
    let locked = on!(conn, |c| diesel::update(roles::table)
        .filter(roles::name.eq(role))
        .set(roles::version.eq(roles::version + 1))
        .execute(c)
        .await)?;
    Ok(locked == 1)
}

/// True if the role is new.
pub async fn insert(conn: &mut Conn, role: &str) -> Result<bool> {
    let inserted = on!(conn, |c| diesel::insert_into(roles::table)
        .values((roles::name.eq(role), roles::version.eq(1)))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    Ok(inserted == 1)
}

pub async fn permit(conn: &mut Conn, role: &str, permission: &str) -> Result<()> {
    on!(conn, |c| diesel::insert_into(role_permissions::table)
        .values((role_permissions::role.eq(role), role_permissions::permission.eq(permission)))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    Ok(())
}

/// Names, sorted.
pub async fn names(conn: &mut Conn) -> Result<Vec<String>> {
    Ok(on!(conn, |c| roles::table.order(roles::name).select(roles::name).load(c).await)?)
}

/// Role and permission, sorted.
pub async fn permissions(conn: &mut Conn) -> Result<Vec<(String, String)>> {
    Ok(on!(conn, |c| role_permissions::table
        .order((role_permissions::role, role_permissions::permission))
        .select((role_permissions::role, role_permissions::permission))
        .load(c)
        .await)?)
}

/// The permissions of all the account's roles.
pub async fn permissions_of(conn: &mut Conn, account: CustomerId) -> Result<Vec<String>> {
    Ok(on!(conn, |c| staff_roles::table
        .inner_join(role_permissions::table.on(role_permissions::role.eq(staff_roles::role)))
        .filter(staff_roles::account_id.eq(account))
        .select(role_permissions::permission)
        .distinct()
        .load(c)
        .await)?)
}

/// The account's roles, sorted.
pub async fn of(conn: &mut Conn, account: CustomerId) -> Result<Vec<String>> {
    Ok(on!(conn, |c| staff_roles::table
        .filter(staff_roles::account_id.eq(account))
        .order(staff_roles::role)
        .select(staff_roles::role)
        .load(c)
        .await)?)
}

/// Everybody with a role: id, e-mail, name and role, sorted by e-mail.
pub async fn staff(conn: &mut Conn) -> Result<Vec<(CustomerId, String, String, String)>> {
    let mut staff: Vec<(_, String, _, String)> = on!(conn, |c| staff_roles::table
        .inner_join(accounts::table.on(accounts::id.eq(staff_roles::account_id)))
        .select((accounts::id, accounts::email, accounts::name, staff_roles::role))
        .load(c)
        .await)?;
    // For the order SQLite would read all accounts rather than sort these few.
    staff.sort_by(|a, b| (&a.1, &a.3).cmp(&(&b.1, &b.3)));
    Ok(staff)
}

/// How many others hold the role.
pub async fn count_others(conn: &mut Conn, role: &str, account: CustomerId) -> Result<i64> {
    Ok(on!(conn, |c| staff_roles::table
        .filter(staff_roles::role.eq(role).and(staff_roles::account_id.ne(account)))
        .count()
        .get_result(c)
        .await)?)
}

pub async fn give(conn: &mut Conn, account: CustomerId, role: &str) -> Result<()> {
    on!(conn, |c| diesel::insert_into(staff_roles::table)
        .values((staff_roles::account_id.eq(account), staff_roles::role.eq(role)))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    Ok(())
}

pub async fn take_all(conn: &mut Conn, account: CustomerId) -> Result<()> {
    on!(conn, |c| diesel::delete(staff_roles::table)
        .filter(staff_roles::account_id.eq(account))
        .execute(c)
        .await)?;
    Ok(())
}
