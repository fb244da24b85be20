//! Tax rates.

use contracts::cart::{NewTaxRate, PromotionChanged, TaxRate, TaxRateId};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{
    Error, Result, Time,
    db::{Conn, Tx, on},
};

use crate::schema::tax_rates;

pub async fn all(conn: &mut Conn) -> Result<Vec<TaxRate>> {
    let rows: Vec<(TaxRateId, String)> = on!(conn, |c| tax_rates::table
        .select((tax_rates::id, tax_rates::document))
        .order((tax_rates::country, tax_rates::region, tax_rates::tax_class))
        .load(c)
        .await)?;
    rows.into_iter().map(|(id, json)| Ok(TaxRate { id, rate: serde_json::from_str(&json)? })).collect()
}

pub async fn put(tx: &mut Tx, rate: &NewTaxRate, now: Time) -> Result<TaxRate> {
    let all = all(tx).await?;
    let mut others = all.iter().map(|other| &other.rate).filter(|other| key(other) != key(rate));
    if others.any(|other| other.country == rate.country && other.included != rate.included) {
        let detail = format!("the other rates of {} say the opposite", rate.country);
        return Err(Error::invalid("/included", "included", detail));
    }
    let document = serde_json::to_string(rate)?;
    let (country, region, tax_class) = key(rate);
    // The id follows from what is unique, so that replacing a rate keeps it.
    let id = TaxRateId::derived(&format!("{country}/{region}/{tax_class}"));
    on!(tx, |c| diesel::insert_into(tax_rates::table)
        .values((
            tax_rates::id.eq(id),
            tax_rates::country.eq(&country),
            tax_rates::region.eq(&region),
            tax_rates::tax_class.eq(&tax_class),
            tax_rates::document.eq(&document),
        ))
        .on_conflict((tax_rates::country, tax_rates::region, tax_rates::tax_class))
        .do_update()
        .set(tax_rates::document.eq(&document))
        .execute(c)
        .await)?;
    announce(tx, id, now).await?;
    Ok(TaxRate { id, rate: rate.clone() })
}

pub async fn delete(tx: &mut Tx, id: TaxRateId, now: Time) -> Result<()> {
    if on!(tx, |c| diesel::delete(tax_rates::table.find(id)).execute(c).await)? == 0 {
        return Err(TaxRateId::not_found());
    }
    announce(tx, id, now).await
}

/// What is unique: regions do not differ by case.
fn key(rate: &NewTaxRate) -> (String, String, String) {
    let region = rate.region.as_deref().unwrap_or_default().to_lowercase();
    (rate.country.code().to_owned(), region, rate.tax_class.clone())
}

/// A rate has no version, so the time orders its events.
async fn announce(tx: &mut Tx, id: TaxRateId, now: Time) -> Result<()> {
    tx.emit("cart", id, now.micros(), &PromotionChanged { promotion_id: None }).await?;
    Ok(())
}
