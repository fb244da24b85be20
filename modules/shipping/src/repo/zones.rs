//! Zones, their countries and methods.

use contracts::shipping::{Method, MethodId, ZoneId};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{
    Result,
    db::{Conn, on},
    values::Country,
};

use crate::schema::{shipping_methods, shipping_zone_countries, shipping_zones};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = shipping_methods, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub struct MethodRow {
    pub id: MethodId,
    pub zone_id: ZoneId,
    pub position: i32,
    pub name: String,
    pub carrier: String,
    pub classes: String,
    pub tiers: String,
    pub free_above: String,
    pub min_days: i64,
    pub max_days: i64,
}

impl MethodRow {
    pub fn new(zone_id: ZoneId, position: usize, method: &Method) -> Result<Self> {
        Ok(Self {
            id: method.id,
            zone_id,
            position: i32::try_from(position).unwrap_or(i32::MAX),
            name: method.name.clone(),
            carrier: method.carrier.clone(),
            classes: serde_json::to_string(&method.classes)?,
            tiers: serde_json::to_string(&method.tiers)?,
            free_above: serde_json::to_string(&method.free_above)?,
            min_days: method.min_days,
            max_days: method.max_days,
        })
    }

    pub fn into_method(self) -> Result<Method> {
        Ok(Method {
            id: self.id,
            name: self.name,
            carrier: self.carrier,
            classes: serde_json::from_str(&self.classes)?,
            tiers: serde_json::from_str(&self.tiers)?,
            free_above: serde_json::from_str(&self.free_above)?,
            min_days: self.min_days,
            max_days: self.max_days,
        })
    }
}

pub async fn all(conn: &mut Conn) -> QueryResult<Vec<(ZoneId, String)>> {
    on!(conn, |c| shipping_zones::table.order((shipping_zones::name, shipping_zones::id)).load(c).await)
}

pub async fn countries(conn: &mut Conn) -> QueryResult<Vec<(String, ZoneId)>> {
    on!(conn, |c| shipping_zone_countries::table.order(shipping_zone_countries::country).load(c).await)
}

pub async fn methods(conn: &mut Conn) -> QueryResult<Vec<MethodRow>> {
    on!(conn, |c| shipping_methods::table
        .select(MethodRow::as_select())
        .order(shipping_methods::position)
        .load(c)
        .await)
}

pub async fn methods_to(conn: &mut Conn, country: Country) -> QueryResult<Vec<MethodRow>> {
    let zone = || {
        shipping_zone_countries::table
            .filter(shipping_zone_countries::country.eq(country.code().to_owned()))
            .select(shipping_zone_countries::zone_id)
    };
    on!(conn, |c| shipping_methods::table
        .filter(shipping_methods::zone_id.eq_any(zone()))
        .select(MethodRow::as_select())
        .order(shipping_methods::position)
        .load(c)
        .await)
}

pub async fn insert(conn: &mut Conn, id: ZoneId, name: &str) -> QueryResult<usize> {
    on!(conn, |c| diesel::insert_into(shipping_zones::table)
        .values((shipping_zones::id.eq(id), shipping_zones::name.eq(name)))
        .execute(c)
        .await)
}

pub async fn rename(conn: &mut Conn, id: ZoneId, name: &str) -> QueryResult<usize> {
    on!(conn, |c| diesel::update(shipping_zones::table.find(id))
        .set(shipping_zones::name.eq(name))
        .execute(c)
        .await)
}

pub async fn delete(conn: &mut Conn, id: ZoneId) -> QueryResult<usize> {
    on!(conn, |c| diesel::delete(shipping_zones::table.find(id)).execute(c).await)
}

pub async fn insert_country(conn: &mut Conn, country: Country, zone_id: ZoneId) -> QueryResult<usize> {
    on!(conn, |c| diesel::insert_into(shipping_zone_countries::table)
        .values((
            shipping_zone_countries::country.eq(country.code()),
            shipping_zone_countries::zone_id.eq(zone_id)
        ))
        .execute(c)
        .await)
}

pub async fn delete_countries(conn: &mut Conn, zone_id: ZoneId) -> QueryResult<usize> {
    on!(conn, |c| diesel::delete(
        shipping_zone_countries::table.filter(shipping_zone_countries::zone_id.eq(zone_id))
    )
    .execute(c)
    .await)
}

pub async fn insert_method(conn: &mut Conn, row: &MethodRow) -> QueryResult<usize> {
    on!(conn, |c| diesel::insert_into(shipping_methods::table).values(row).execute(c).await)
}

pub async fn delete_methods(conn: &mut Conn, zone_id: ZoneId) -> QueryResult<usize> {
    on!(conn, |c| diesel::delete(shipping_methods::table.filter(shipping_methods::zone_id.eq(zone_id)))
        .execute(c)
        .await)
}
