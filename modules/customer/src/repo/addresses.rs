//! Saved addresses, always by their owner.

use contracts::{
    Address,
    customer::{AddressId, CustomerId, SavedAddress},
};
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use shared::{
    Result, Time,
    db::{Conn, on},
};

use crate::schema::addresses;

pub async fn list(conn: &mut Conn, owner: CustomerId) -> Result<Vec<SavedAddress>> {
    let rows: Vec<(AddressId, String)> = on!(conn, |c| addresses::table
        .filter(addresses::account_id.eq(owner))
        .order((addresses::created_at, addresses::id))
        .select((addresses::id, addresses::address))
        .load(c)
        .await)?;
    rows.into_iter()
        .map(|(id, json)| Ok(SavedAddress { id, address: serde_json::from_str(&json)? }))
        .collect()
}

pub async fn count(conn: &mut Conn, owner: CustomerId) -> Result<i64> {
    Ok(on!(conn, |c| addresses::table.filter(addresses::account_id.eq(owner)).count().get_result(c).await)?)
}

pub async fn insert(conn: &mut Conn, owner: CustomerId, saved: &SavedAddress, now: Time) -> Result<()> {
    let json = serde_json::to_string(&saved.address)?;
    on!(conn, |c| diesel::insert_into(addresses::table)
        .values((
            addresses::id.eq(saved.id),
            addresses::account_id.eq(owner),
            addresses::address.eq(&json),
            addresses::created_at.eq(now),
        ))
        .execute(c)
        .await)?;
    Ok(())
}

/// False if the owner has no such address.
pub async fn update(conn: &mut Conn, owner: CustomerId, id: AddressId, address: &Address) -> Result<bool> {
    let json = serde_json::to_string(address)?;
    let changed = on!(conn, |c| diesel::update(addresses::table)
        .filter(addresses::id.eq(id).and(addresses::account_id.eq(owner)))
        .set(addresses::address.eq(&json))
        .execute(c)
        .await)?;
    Ok(changed == 1)
}

/// False if the owner has no such address.
pub async fn delete(conn: &mut Conn, owner: CustomerId, id: AddressId) -> Result<bool> {
    let deleted = on!(conn, |c| diesel::delete(addresses::table)
        .filter(addresses::id.eq(id).and(addresses::account_id.eq(owner)))
        .execute(c)
        .await)?;
    Ok(deleted == 1)
}

pub async fn delete_all(conn: &mut Conn, owner: CustomerId) -> Result<()> {
    on!(conn, |c| diesel::delete(addresses::table).filter(addresses::account_id.eq(owner)).execute(c).await)?;
    Ok(())
}
