//! Tax rates: one document a country. Its rates must agree with each other, so whoever writes one writes them all.

use contracts::cart::{NewTaxRate, PromotionChanged, TaxRate, TaxRateId};
use futures::TryStreamExt;
use mongodb::bson::{Document, doc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::{
    Error, Result, Time,
    mongo::{Mongo, Spec, Tx, from_document, shape, to_document, unique},
    transfer::{parsed, text},
};

pub const TAX_RATES: &str = "tax_rates";

pub fn spec() -> Spec {
    let id = unique("tax_rates_id", doc! {"rates.id": 1}, doc! {});
    let rate = doc! {
        "required": ["id", "country", "tax_class", "rate_basis_points", "included"],
        "properties": {
            "rate_basis_points": {"bsonType": "long", "minimum": 0, "maximum": 10_000},
            "included": {"bsonType": "bool"},
        },
    };
    let properties = doc! {
        "_id": {"bsonType": "string", "minLength": 2, "maxLength": 2},
        "rates": {"bsonType": "array", "minItems": 1, "items": rate},
    };
    Spec { name: TAX_RATES, indexes: vec![id], validator: shape(&["rates"], properties) }
}

/// A country; `rates` are sorted by region and class.
#[derive(Serialize, Deserialize)]
struct Country {
    #[serde(rename = "_id")]
    code: String,
    rates: Vec<TaxRate>,
}

/// A country's rates as the rows of the table, but for the country.
pub fn rows(document: Document) -> Result<Vec<Value>> {
    let country: Country = from_document(document)?;
    let row = |TaxRate { id, rate }: TaxRate| {
        let (region, tax_class) = key(&rate);
        let document = serde_json::to_string(&rate)?;
        Ok(json!({"id": id.uuid(), "region": region, "tax_class": tax_class, "document": document}))
    };
    country.rates.into_iter().map(row).collect()
}

/// The document of a country with these rows.
pub fn document(code: &str, rows: &[Value]) -> Result<Document> {
    let rate = |row: &Value| {
        Ok(TaxRate { id: parsed(&row["id"])?, rate: serde_json::from_str(text(&row["document"])?)? })
    };
    let mut rates = rows.iter().map(rate).collect::<Result<Vec<_>>>()?;
    rates.sort_by_cached_key(|rate| key(&rate.rate));
    to_document(&Country { code: code.to_owned(), rates })
}

pub async fn all(db: &Mongo) -> Result<Vec<TaxRate>> {
    let found = db.collection(TAX_RATES).find(doc! {}).sort(doc! {"_id": 1}).await?;
    let found: Vec<Document> = found.try_collect().await?;
    let countries = found.into_iter().map(from_document::<Country>).collect::<Result<Vec<_>>>()?;
    Ok(countries.into_iter().flat_map(|country| country.rates).collect())
}

pub async fn put(tx: &mut Tx, rate: &NewTaxRate, now: Time) -> Result<TaxRate> {
    let code = rate.country.code().to_owned();
    let found = find(tx, doc! {"_id": &code}).await?;
    let mut country = found.unwrap_or(Country { code, rates: Vec::new() });
    let (region, tax_class) = key(rate);
    // The id follows from what is unique, so that replacing a rate keeps it.
    let id = TaxRateId::derived(&format!("{}/{region}/{tax_class}", country.code));
    country.rates.retain(|other| other.id != id);
    if country.rates.iter().any(|other| other.rate.included != rate.included) {
        let detail = format!("the other rates of {} say the opposite", rate.country);
        return Err(Error::invalid("/included", "included", detail));
    }
    let rate = TaxRate { id, rate: rate.clone() };
    country.rates.push(rate.clone());
    country.rates.sort_by_cached_key(|rate| key(&rate.rate));
    save(tx, &country).await?;
    announce(tx, id, now).await?;
    Ok(rate)
}

pub async fn delete(tx: &mut Tx, id: TaxRateId, now: Time) -> Result<()> {
    let found = find(tx, doc! {"rates.id": id.to_string()}).await?;
    let mut country = found.ok_or_else(TaxRateId::not_found)?;
    country.rates.retain(|rate| rate.id != id);
    save(tx, &country).await?;
    announce(tx, id, now).await
}

async fn find(tx: &mut Tx, filter: Document) -> Result<Option<Country>> {
    let countries = tx.collection(TAX_RATES);
    countries.find_one(filter).session(tx.session()).await?.map(from_document).transpose()
}

/// Who has read it and is not the first to write it starts anew: the server sees to that.
async fn save(tx: &mut Tx, country: &Country) -> Result<()> {
    let (countries, id) = (tx.collection(TAX_RATES), doc! {"_id": &country.code});
    if country.rates.is_empty() {
        countries.delete_one(id).session(tx.session()).await?;
    } else {
        countries.replace_one(id, to_document(country)?).upsert(true).session(tx.session()).await?;
    }
    Ok(())
}

/// What is unique in a country: regions do not differ by case.
fn key(rate: &NewTaxRate) -> (String, String) {
    (rate.region.as_deref().unwrap_or_default().to_lowercase(), rate.tax_class.clone())
}

/// A rate has no version, so the time orders its events.
async fn announce(tx: &mut Tx, id: TaxRateId, now: Time) -> Result<()> {
    tx.emit("cart", id, now.micros(), &PromotionChanged { promotion_id: None }).await?;
    Ok(())
}
