//! Zones and their methods.

use contracts::shipping::{NewZone, Zone, ZoneId};
use diesel::result::{DatabaseErrorKind, Error as SqlError};
use shared::{
    Error, Result,
    db::{Conn, Db},
    values::Country,
};

use crate::{
    model,
    repo::zones::{self as repo, MethodRow},
};

pub async fn list(db: &Db) -> Result<Vec<Zone>> {
    let mut conn = db.get().await?;
    let mut zones: Vec<Zone> = repo::all(&mut conn)
        .await?
        .into_iter()
        .map(|(id, name)| Zone { id, name, countries: Vec::new(), methods: Vec::new() })
        .collect();
    for (country, zone_id) in repo::countries(&mut conn).await? {
        if let Some(zone) = zones.iter_mut().find(|zone| zone.id == zone_id) {
            zone.countries.push(country.parse()?);
        }
    }
    for row in repo::methods(&mut conn).await? {
        if let Some(zone) = zones.iter_mut().find(|zone| zone.id == row.zone_id) {
            zone.methods.push(row.into_method()?);
        }
    }
    Ok(zones)
}

pub async fn create(db: &Db, new: NewZone) -> Result<Zone> {
    let new = model::validated(new)?;
    let id = ZoneId::new();
    db.transaction(async move |tx| {
        repo::insert(tx, id, &new.name).await?;
        fill(tx, id, &new).await
    })
    .await
}

pub async fn update(db: &Db, id: ZoneId, new: NewZone) -> Result<Zone> {
    let new = model::validated(new)?;
    db.transaction(async move |tx| {
        if repo::rename(tx, id, &new.name).await? == 0 {
            return Err(ZoneId::not_found());
        }
        repo::delete_countries(tx, id).await?;
        repo::delete_methods(tx, id).await?;
        fill(tx, id, &new).await
    })
    .await
}

pub async fn delete(db: &Db, id: ZoneId) -> Result<()> {
    db.transaction(async move |tx| {
        repo::delete_countries(tx, id).await?;
        repo::delete_methods(tx, id).await?;
        match repo::delete(tx, id).await? {
            0 => Err(ZoneId::not_found()),
            _ => Ok(()),
        }
    })
    .await
}

/// Writes the countries and methods of a zone that has none.
async fn fill(conn: &mut Conn, id: ZoneId, new: &NewZone) -> Result<Zone> {
    for country in &new.countries {
        repo::insert_country(conn, *country, id).await.map_err(|error| country_taken(error, *country))?;
    }
    for (position, method) in new.methods.iter().enumerate() {
        repo::insert_method(conn, &MethodRow::new(id, position, method)?).await.map_err(method_taken)?;
    }
    Ok(Zone { id, name: new.name.clone(), countries: new.countries.clone(), methods: new.methods.clone() })
}

fn country_taken(error: SqlError, country: Country) -> Error {
    match error {
        SqlError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => {
            let detail = format!("{country} is in another shipping zone already");
            Error::conflict("country_taken", detail).with("country", country.code())
        }
        error => error.into(),
    }
}

fn method_taken(error: SqlError) -> Error {
    match error {
        SqlError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => {
            Error::conflict("method_taken", "another shipping zone has a method with this id")
        }
        error => error.into(),
    }
}
